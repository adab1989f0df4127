"""The jobs: the only place with input and output."""
