"""See the modules of `lola`."""
