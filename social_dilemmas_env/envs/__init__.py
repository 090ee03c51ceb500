"""See the modules of `envs`."""
