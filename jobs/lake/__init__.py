"""The Delta tables of a lake: reading, writing, locking. Imports no other room."""
