"""The simulated province: people, their illnesses, where they are treated, and the gangs among them."""
