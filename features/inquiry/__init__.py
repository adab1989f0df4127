"""Data that only investigators may see: parcels and clues beside an account."""
