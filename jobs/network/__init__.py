"""The I/O side of links between accounts and of rings."""
