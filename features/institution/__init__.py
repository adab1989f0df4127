"""What an institution bills, for whom, and how that compares with its peers."""
