"""See the modules of `learners`."""
