"""Contracts, fields, features, suites, errors and YAML files."""
