"""What only people who look at cases may see: parcels and clues beside an account."""
