"""Faults of known kind and number, put into clean landing files."""
