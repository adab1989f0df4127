"""A plateau: people and gangs followed day by day, and the claims, scans and cases that they leave behind."""
