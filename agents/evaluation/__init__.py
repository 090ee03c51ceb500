"""See the modules of `evaluation`."""
