"""Dispensing of institutions, doctors and drugs."""
