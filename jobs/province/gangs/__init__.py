"""The gangs: how they are founded, whom they recruit, what they do in a month; the truth about them."""
