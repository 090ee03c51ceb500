"""The batch as other libraries expect it.  Each module imports its own library, and only that one.

sb3            Stable-Baselines3: a `VecEnv` with a row for each player of each game
torchrl        TorchRL: an `EnvBase` of batch size [B], with a group of N players
dict_vec_env   skrl, AgileRL and others: dicts of arrays, {"player_0": [B, ...], ...}; no library
jax_trainers   gymnax's and JaxMARL's calls on pure functions of JAX
options        the options of `make_vec_env` without which an adapter would be wrong
"""
