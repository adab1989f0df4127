"""The contracts: what each table is, and what must hold of it."""
