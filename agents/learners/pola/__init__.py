"""See the modules of `pola`."""
