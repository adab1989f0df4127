"""The rules in force, read from configuration and checked."""
