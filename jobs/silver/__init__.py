"""Which rows conform_tables has to look at."""
