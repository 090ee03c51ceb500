"""Stable Opponent Shaping, LookAhead and consensus optimisation."""
