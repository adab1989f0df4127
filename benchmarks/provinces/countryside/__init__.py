"""A countryside: visits drawn from published rates, and gangs that split a dealer's orders over their cards."""
