"""The landing contract: tables, columns, and what makes a row acceptable."""
