"""The names that modules of this package had before, which still work for one release.

`vector`, which held `make_vec_env`, is the name of a package now; it passes its old names on.
"""

_MOVED = {
    "draws": "rng",
    "games.checks": "validation",
    "statistics": "metrics",
    "coin_boards": "games.coin_boards",
    "tables": "engine.tables",
    "single_game": "engine.python_engine",
    "batch_engine": "engine.array_engine",
    "parallel": "envs",
    "single": "single_agent",
    "batch_base": "vector.base",
    "batch_options": "vector.options",
    "batch": "vector.numpy_env",
    "batch_torch": "vector.torch_env",
    "cuda_graph": "vector.cuda_graph",
    "scene": "render.scene",
    "recording": "render.video",
    "render.facts": "render.describe",
    "render.parts": "render.widgets",
    "testing.calls": "testing.interface_checks",
    "testing.values": "testing.value_checks",
    "testing.twins": "testing.replay_checks",
    "testing.play": "testing.session",
    "testing.record": "testing.findings",
    "adapters.tensors": "adapters.dict_vec_env",
}

MOVED_MODULES = {
    f"social_dilemmas_env.{old}": f"social_dilemmas_env.{new}" for old, new in _MOVED.items()
}
