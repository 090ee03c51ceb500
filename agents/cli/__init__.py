"""See the modules of `cli`."""
