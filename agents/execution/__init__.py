"""See the modules of `execution`."""
