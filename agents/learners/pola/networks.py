"""The networks of the deep POLA learners, and the agents that their checkpoints hold.

Shapes  V distinct observations, F features of one, A actions, P parameters.
"""

from typing import Any

from torch import Tensor

from agents.learners.pola.config import PolaDiceConfig
from agents.nn.actors import Classes, UpToSymmetry, classes_of
from agents.nn.networks import ActorCritic, Gru, Mlp, Network, Tabular


def actor_critic(
    cfg: PolaDiceConfig, table: Tensor, num_actions: int, game: Any = None
) -> ActorCritic:
    """A policy, and a critic with a network of its own.

    The critic gives V(s) and, for mirror look-aheads, the values Q(s, .) of all actions after it.

    Args:
        cfg: the settings.
        table: [V, F], all observations.
        num_actions: A.
        game: the rules, whose symmetries `cfg.symmetry` means.
    """
    classes = None
    if cfg.symmetry != "none":
        classes = classes_of(game, cfg.symmetry, table.device)
    values = 1 + num_actions if cfg.look_ahead == "mirror" else 1
    return ActorCritic(*(network(cfg, table, k, classes) for k in (num_actions, values)))


def network(cfg: PolaDiceConfig, table: Tensor, outputs: int, classes: Classes | None) -> Network:
    """One network, on boards up to a symmetry where there are classes of them."""
    rows = table if classes is None else table[classes.first]
    inner: Network
    if cfg.actor == "tabular":
        inner = Tabular(rows, outputs)
    elif cfg.actor == "mlp":
        inner = Mlp(rows, outputs, (cfg.hidden,) * cfg.layers)
    else:
        inner = Gru(rows, outputs, cfg.hidden, cfg.layers)
    return inner if classes is None else UpToSymmetry(table, outputs, inner, classes)
