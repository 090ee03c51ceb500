"""Naive learning: every player climbs its own value as if the others stood still."""
