"""Who lives in the province, and where."""
