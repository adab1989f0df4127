"""What a contract, a field, a feature and a suite are; errors; codes."""
