"""What honest people do: illness, refills, visits, stays, and what is billed for them."""
