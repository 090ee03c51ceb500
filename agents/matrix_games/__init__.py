"""Iterated matrix games as learners see them: exact, from samples, with models of others."""
