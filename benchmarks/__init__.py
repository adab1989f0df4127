"""What is claimed about speed and repeatability, as commands."""
