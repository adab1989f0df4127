"""A city: people with illnesses that begin, refills and episodes that follow, and gangs whose collectors keep a diary."""
