"""Many games at once: `numpy_env` and `torch_env`, what they share (`base`), and a CUDA graph."""

from social_dilemmas_env.deprecation import moved_names

# What stood in `social_dilemmas_env/vector.py` before.
_NAMES = ("make_env", "make_vec_env")
__getattr__ = moved_names(__name__, {name: f"social_dilemmas_env.{name}" for name in _NAMES})
