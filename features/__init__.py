"""Pure functions: a DataFrame in, a DataFrame out."""
