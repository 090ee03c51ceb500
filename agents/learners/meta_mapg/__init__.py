"""See the modules of `meta_mapg`."""
