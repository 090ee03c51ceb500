"""Independent PPO: see ippo.py."""
