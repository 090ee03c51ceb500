"""See the modules of `vector`."""
