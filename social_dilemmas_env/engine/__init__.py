"""See the modules of `engine`."""
