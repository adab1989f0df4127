"""Every feature, declared once, by subject."""
