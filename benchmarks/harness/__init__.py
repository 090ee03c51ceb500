"""See the modules of `harness`."""
