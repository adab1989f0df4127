"""Arrays, calendars and draws that the whole simulator uses."""
