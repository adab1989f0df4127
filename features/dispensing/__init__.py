"""What institutions, doctors and drugs dispense."""
