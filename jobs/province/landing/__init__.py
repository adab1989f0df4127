"""The landing folder as the simulator writes it."""
