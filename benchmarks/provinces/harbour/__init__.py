"""A harbour city whose drug fraud follows dealers' orders: `python -m benchmarks.provinces.harbour`."""
