"""See the modules of `naive`."""
