"""What a training is asked for: the learner's config, the game's arguments, and a plan.

Plan               how long, and what happens meanwhile
Request            all that `train` was asked for, checked
split_settings     one flat list of settings -> the three
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from types import NoneType
from typing import Any, get_args, get_type_hints

import social_dilemmas_env as sde
from agents.execution.device import MULTIPLIERS
from agents.registry import LEARNERS, RENAMED_SETTINGS, LearnerSpec
from social_dilemmas_env.rng import check_seed
from social_dilemmas_env.validation import nearest, one_of

# What may be learned, for how long, and in which game: by name.
Settings = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How long to train, and what to do meanwhile; none of it changes what is learned.

    Raises:
        ValueError: a number that is too small.
    """

    iterations: int | None = 1000  # updates in all; None for no limit
    minutes: float | None = None  # wall-clock limit of this call; None for none
    eval_every: int = 500  # iterations between evaluations; 0 for none
    eval_episodes: int = 128  # games a pair in an evaluation
    save_minutes: float = 5.0  # wall clock between checkpoints; there is always one at the end
    keep: int = 3  # checkpoints that stay
    threads: int = 1  # of torch on the CPU; many small operations are fastest on one
    matmul: str = "mkl"  # what multiplies float32 matrices on the CPU: "mkl" or "onednn"
    cuda_graphs: bool = False  # record a deep learner's updates; not yet run on a device
    quiet: bool = False  # no progress bar

    def __post_init__(self) -> None:
        least = {"iterations": 1, "eval_episodes": 1, "keep": 1, "threads": 1}
        least |= {"eval_every": 0, "minutes": 0, "save_minutes": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise ValueError(f"{name} must be at least {bound}, not {value}")
        one_of("matmul", self.matmul, MULTIPLIERS)


@dataclass(frozen=True)
class Request:
    """What `train` was asked for, checked; the game's arguments are checked by the learner."""

    learner: str  # its key in LEARNERS
    spec: LearnerSpec[Any]
    env_id: str
    config: Any  # the learner's settings, a frozen dataclass
    game: Settings  # the game's arguments
    plan: Plan
    seed: int  # fixes everything

    @property
    def facts(self) -> dict[str, Any]:
        """What `run.json` and every checkpoint say of the run."""
        return {
            "learner": self.learner,
            "env_id": self.env_id,
            "game": self.game,
            "settings": asdict(self.config),
            "seed": self.seed,
        }


def make_request(
    learner: str,
    env_id: str,
    *,
    config: Any = None,
    plan: Plan | None = None,
    game: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Request:
    """Checks what `train` is asked for; its arguments are those of `train`.

    Raises:
        ValueError: an unknown learner, game or argument of the game (the nearest names are given);
            a config of another learner; a value of the wrong type; a seed not in [0, 2^63).
        TypeError: a seed that is no integer.
    """
    seed = check_seed(seed)
    if learner not in LEARNERS:
        raise ValueError(f"there is no learner {learner!r}; {nearest(learner, LEARNERS)}")
    spec = LEARNERS[learner]

    default = spec.settings(env_id)
    if config is not None and type(config) is not type(default):
        raise ValueError(
            f"config must be a {type(default).__name__} for {learner}, not {config!r:.60}"
        )
    config, plan = config or default, Plan() if plan is None else plan
    if type(plan) is not Plan:
        raise ValueError(f"plan must be a Plan, not {plan!r:.60}")
    if not isinstance(game, Mapping | None):
        raise ValueError(f"game must be a dict of the game's arguments, not {game!r:.60}")
    game = dict(game or {})
    _check_types(config)
    _check_types(plan)

    known = _game_names(default, env_id)
    for name in game:
        if name not in known:
            raise ValueError(
                f"{learner} on {env_id}: no game argument {name!r}; {nearest(name, sorted(known))}"
            )
    return Request(learner, spec, env_id, config, game, plan, seed)


def split_settings(
    learner: str, env_id: str, settings: Mapping[str, Any]
) -> tuple[Any, Plan, Settings]:
    """Sorts one flat list of settings into the learner's, the plan's and the game's.

    Args:
        learner: a name in LEARNERS.
        env_id: a game.
        settings: name -> value, of any of the three.

    Returns:
        The config, the plan and the game's arguments: defaults where nothing was asked for.

    Raises:
        ValueError: an unknown learner, game or setting (the nearest names are given), or a bad
            value.
    """
    if learner not in LEARNERS:
        raise ValueError(f"there is no learner {learner!r}; {nearest(learner, LEARNERS)}")
    config = LEARNERS[learner].settings(env_id)

    # Where a learner has a horizon, it decides the length of episodes.
    settings = {RENAMED_SETTINGS.get(name, name): x for name, x in settings.items()}
    own, ours = _names(config), _names(Plan)
    known = own | ours | _game_names(config, env_id)
    for name in settings:
        if name not in known:
            raise ValueError(
                f"{learner} on {env_id} has no setting {name!r}; {nearest(name, sorted(known))}"
            )

    _check_values(config, {name: settings[name] for name in own & settings.keys()})
    _check_values(Plan(), {name: settings[name] for name in ours & settings.keys()})
    config = replace(config, **{name: x for name, x in settings.items() if name in own})
    plan = Plan(**{name: x for name, x in settings.items() if name in ours})
    return config, plan, {n: x for n, x in settings.items() if n not in own | ours}


def _names(settings: Any) -> set[str]:
    return {field.name for field in fields(settings)}


def _game_names(config: Any, env_id: str) -> set[str]:
    """The game's arguments that a caller may give."""
    names = set(sde.spec(env_id).arguments)
    return names - {"max_cycles"} if "horizon" in _names(config) else names


def _check_types(settings: Any) -> None:
    """Raises ValueError where a field holds what its annotation does not allow."""
    if not is_dataclass(settings):
        raise ValueError(f"it must be a dataclass, not {settings!r:.60}")
    _check_values(settings, {name: getattr(settings, name) for name in _names(settings)})


def _check_values(settings: Any, values: Mapping[str, Any]) -> None:
    """Raises ValueError unless values fit the fields of those names."""
    kinds = get_type_hints(type(settings))
    for name, value in values.items():
        _check_type(name, value, kinds[name])


def _check_type(name: str, value: Any, annotation: Any) -> None:
    kinds = get_args(annotation) or (annotation,)
    if not set(kinds) <= {bool, int, float, str, NoneType}:
        return  # something that its own class must judge

    allowed = {*kinds, *({int} if float in kinds else ())}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} must be finite, not {value!r}")
    if type(value) not in allowed:
        raise ValueError(f"{name} must be {_words(kinds)}, not {value!r}")


def _words(kinds: Iterable[Any]) -> str:
    return " or ".join("None" if kind is NoneType else kind.__name__ for kind in kinds)
