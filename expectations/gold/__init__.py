"""The gold tables, by what they are about."""
