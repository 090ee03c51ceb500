"""Whatever may sit in a seat, made a `Policy` (policy.py): the one door for opponents.

    "tit_for_tat"                      a strategy (see `list_strategies`)
    "axelrod:TitFor2Tats"              a strategy of the Axelrod library (games of two moves)
    "bundled:loqa_3x3", "runs/x"       a trained agent, by name, run folder or checkpoint
    "./mine.py:Agent"                  a class, object or function of a file of one's own
    load_agent(...)                    a trained agent; it keeps no memory, its seat does
    PPO.load(...)                      an object with `predict`, of Stable-Baselines3
    an object with `act`               a `Policy`, or less: see `Adapted`
    a function                         of observations
    OpponentPool([...])                one of these, drawn anew for each episode

A seat owns its player: what can be remembered is copied, so that no two environments share it.
What is only read (the network of a trained agent) is shared.

Shapes  B games.
"""

import copy
import importlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env.policy import Policy
from social_dilemmas_env.registry import spec
from social_dilemmas_env.single_agent.files import is_file_word, load_object
from social_dilemmas_env.single_agent.predictor import Predictor, left_out
from social_dilemmas_env.strategies import STRATEGIES, make_strategy
from social_dilemmas_env.strategies.axelrod_player import PREFIX, AxelrodPlayer, is_axelrod_word
from social_dilemmas_env.strategies.base import Scripted

KINDS = (
    "an opponent is the name of a strategy, axelrod:NAME, a trained agent (bundled:NAME, a run "
    "folder, what load_agent returns), FILE.py:NAME, an object with act(observations) or predict, "
    "a function, or an OpponentPool"
)
AGENT_PLAYER = ("agents.evaluation.agent", "AgentPlayer")


class Place(NamedTuple):
    """Where a player sits.

    Attributes:
        env_id: the game.
        player: the seat.
        game_kwargs: the game's arguments.
        each: functions get one observation and not those of all games.
    """

    env_id: str
    player: int
    game_kwargs: dict[str, Any]
    each: bool


def as_policy(given: Any, place: Place) -> Policy:
    """A player of its own for one seat, made of anything that this page lists.

    Raises:
        TypeError: what cannot act, cannot be copied, or whose methods take other arguments.
        ValueError: an unknown name, or an agent of another game.
        ModuleNotFoundError: a trained agent, without torch.
    """
    if isinstance(given, str | os.PathLike):
        return _by_word(os.fspath(given), place)
    if isinstance(given, type):
        raise TypeError(f"{given.__name__} is a class: give an object of it, {given.__name__}()")

    if is_trained(given):
        return _trained(given, place)

    # Those that know how they are seated, such as a pool.
    if hasattr(given, "seated"):
        seated: Policy = given.seated(place)
        return seated
    if callable(getattr(given, "predict", None)) and not hasattr(given, "act"):
        policy = getattr(given, "policy", given)
        return Predictor(_own(policy, left_out(policy)), place.player)
    if hasattr(given, "act") or callable(given):
        return _adapted(given, place)
    raise TypeError(f"{KINDS}; got {given!r}")


def is_trained(given: Any) -> bool:
    """Whether it is what `load_agent` returns, or an `AgentPlayer` of it.

    They are known by their shape and by their name, since torch is not imported for this.
    """
    agent = all(hasattr(given, name) for name in ("probabilities", "precise", "game_kwargs"))
    return agent or (type(given).__module__, type(given).__name__) == AGENT_PLAYER


def _by_word(word: str, place: Place) -> Policy:
    """A strategy, an object of a file, or a trained agent."""
    if is_file_word(word):
        return as_policy(load_object(word), place)
    if is_axelrod_word(word):
        game = spec(place.env_id).game(**place.game_kwargs)
        return AxelrodPlayer(word.removeprefix(PREFIX), game, place.player)
    looks_like_path = word.startswith("bundled:") or "/" in word or "." in word
    if word not in STRATEGIES and (looks_like_path or (word and Path(word).is_dir())):
        return _trained(word, place)
    return make_strategy(word, place.env_id, player=place.player, **place.game_kwargs)


def _trained(given: Any, place: Place) -> Policy:
    """Asks the package of trained agents, which this one does not need."""
    try:
        hook = importlib.import_module("agents.evaluation.agent_policy")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{given!r} is a trained agent, which needs more ({error}): pip install -e ".[agents]"',
            name=error.name,
        ) from error
    policy: Policy = hook.agent_policy(given, place.env_id, place.player, place.game_kwargs)
    return policy


def _adapted(given: Any, place: Place) -> Policy:
    """A copy, as it is if it keeps the whole contract."""
    if isinstance(given, Scripted):
        given.check_seat(spec(place.env_id).game(**place.game_kwargs), place.player)
    refuse_other_arguments(given)
    own = _own(given)
    if hasattr(own, "act") and hasattr(own, "reset") and takes_first(own.act):
        policy: Policy = own
        return policy
    return Adapted(own, each=place.each and not hasattr(own, "act"))


def _own(given: Any, memo: dict[int, Any] | None = None) -> Any:
    """A copy for one seat of one environment.

    Args:
        given: what is copied.
        memo: what stands for some of its parts, by their `id`.

    Raises:
        TypeError: it cannot be copied.
    """
    try:
        return copy.deepcopy(given, {} if memo is None else memo)
    except Exception as error:  # a stranger's object may raise anything
        raise TypeError(
            f"an environment owns its players, and this {type(given).__name__} cannot be copied "
            f"({type(error).__name__}: {error}): give it a __deepcopy__"
        ) from error


def refuse_other_arguments(given: Any) -> None:
    """Raises TypeError unless `act` and `reset` take what a `Policy` is given."""
    act = getattr(given, "act", given)
    if not callable(act):
        raise TypeError(f"{KINDS}; got {given!r}, whose act cannot be called")
    if not (_takes(act, None) or _takes(act, None, first=None)):
        name = f"act of {type(given).__name__}" if hasattr(given, "act") else repr(given)
        raise TypeError(f"{name} must take (observations, first=None)")
    if hasattr(given, "reset") and not _takes(given.reset, 1, seed=None):
        raise TypeError(f"reset of {type(given).__name__} must take (num_games, seed=None)")


def _takes(method: Callable[..., Any], *arguments: Any, **keywords: Any) -> bool:
    try:
        inspect.signature(method).bind(*arguments, **keywords)
    except TypeError:
        return False
    except ValueError:  # some built-in functions have no signature
        return True
    return True


def takes_first(act: Callable[..., Any]) -> bool:
    """Whether a policy wants to be told which games have just begun."""
    try:
        return "first" in inspect.signature(act).parameters
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False


class Adapted:
    """A function, or an object with `act`, that keeps less than the whole contract.

    Without a `reset` it has no memory.  With a `reset`, but no `first`, it is reset where an
    episode begins; all games must then begin together.

    Args:
        player: the object, which belongs to this.
        each: it is a function of one observation, and not of those of all games.
    """

    def __init__(self, player: Any, *, each: bool):
        self.player, self.each = player, each
        self.takes_first = not each and takes_first(getattr(player, "act", player))
        self.resets = hasattr(player, "reset")
        self._fresh = False  # reset, and not asked since

    @property
    def together(self) -> bool:
        """Whether all games must begin together."""
        return self.resets and not self.takes_first

    def reset(self, num_games: int, seed: Any = None) -> None:
        """See `Policy`."""
        if self.resets:
            self.player.reset(num_games, seed=seed)
        self._fresh = True

    def act(self, observations: Any, first: Any = None) -> Any:
        """See `Policy`.

        Raises:
            ValueError: some games begin anew, and others do not.
        """
        ask = getattr(self.player, "act", self.player)
        if self.takes_first:
            return ask(observations, first=first)

        # An object that cannot be told `first` is reset instead.
        if self.together and not self._fresh and first is not None and first.any():
            refuse_some(first, self)
            self.player.reset(len(observations), seed=None)
        self._fresh = False
        if self.each:
            return np.array([ask(observation) for observation in observations])
        return ask(observations)


def refuse_some(first: np.ndarray, policy: Any) -> None:
    """Raises ValueError if only some games begin anew and `policy` cannot be told which.

    Args:
        first: [B] bool.
        policy: of a seat.
    """
    if getattr(policy, "together", False) and first.any() and not first.all():
        raise ValueError(
            "an opponent that is reset where an episode begins needs all games to begin together: "
            "give its act a parameter `first`, the games whose episode has just begun"
        )
