"""Proximal LOQA: see loqa_proximal.py."""
