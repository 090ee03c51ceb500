"""See the modules of `matrix_games`."""
