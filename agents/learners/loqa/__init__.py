"""See the modules of `loqa`."""
