"""What plays: one game on Python ints, many on numpy or torch, from tables or by the rules."""
