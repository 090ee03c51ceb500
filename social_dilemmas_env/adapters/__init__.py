"""The batch as other libraries expect it.  Each module imports its own library, and only that one.

sb3        Stable-Baselines3: a `VecEnv` with a row for each player of each game
torchrl    TorchRL: an `EnvBase` of batch size [B], with a group of N players
tensors    skrl, AgileRL and others: dicts of arrays, {"player_0": [B, ...], ...}; needs no library
"""

from typing import Any


def refuse(adapter: str, given: dict[str, Any], allowed: dict[str, tuple[Any, ...]]) -> None:
    """Refuses options of `make_vec_env` with which an adapter would be wrong (its library keeps
    observations, for example).

    Raises:
        ValueError: an option has another value than those allowed.
    """
    for name, values in allowed.items():
        if given.get(name, values[0]) not in values:
            raise ValueError(f"{adapter} needs {name}={values[0]!r}, got {given[name]!r}")
