"""Clues, parcels and closed cases."""
