"""LOLA, exact and from samples, and the tournament of its paper."""
