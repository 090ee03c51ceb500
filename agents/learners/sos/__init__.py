"""See the modules of `sos`."""
