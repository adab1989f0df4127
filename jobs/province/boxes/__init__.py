"""Boxes and their trace codes: sold, scanned, resold."""
