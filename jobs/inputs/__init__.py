"""What features are computed from, read from the lake as of a day."""
