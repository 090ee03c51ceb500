"""Sprites of `social_dilemmas_env`, made for this project; see LICENSE."""
