"""Rules over features, their evidence, peers, and the list of accounts."""
