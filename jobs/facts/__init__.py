"""Which facts a change of silver concerns."""
