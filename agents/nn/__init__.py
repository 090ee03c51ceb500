"""See the modules of `nn`."""
