"""Provinces by other hands: generators that know the landing contract and nothing of this project."""
