"""Who is linked with whom, beyond what chance would give."""
