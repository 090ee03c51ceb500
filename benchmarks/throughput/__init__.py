"""See the modules of `throughput`."""
