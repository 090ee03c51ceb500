"""See the modules of `training`."""
