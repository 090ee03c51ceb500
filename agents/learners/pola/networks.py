"""The networks of the deep POLA learners, and the agents that their checkpoints hold.

Shapes  V distinct observations, F features of one, A actions, P parameters.
"""

from typing import Any

import torch
from torch import Tensor

from agents.learners.pola.config import PolaDiceConfig
from agents.nn.networks import ActorCritic, Gru, Mlp, Network, Tabular
from agents.nn.symmetry import Classes, UpToSymmetry, classes_of


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


def table_network(net: ActorCritic) -> ActorCritic:
    """Tables on the classes of a network's observations, in the place of both its parts.

    Raises:
        TypeError: a network that is not on classes.
    """
    return ActorCritic(*(_table(part) for part in (net.actor, net.critic)))


def _table(part: Network) -> UpToSymmetry:
    if not isinstance(part, UpToSymmetry):
        raise TypeError("only networks on classes of boards have tables")
    outputs = part.num_actions
    return UpToSymmetry(part.table, outputs, Tabular(part.inner.table, outputs), part.classes)


@torch.no_grad()
def as_tables(net: ActorCritic, theta: Tensor) -> Tensor:
    """What a network on classes says of each, as the parameters of its `table_network`.

    [L, P] -> [L, P'].
    """
    found = []
    for part, name in ((net.actor, "actor"), (net.critic, "critic")):
        assert isinstance(part, UpToSymmetry), "table_network refuses others"
        found.append(part.of_classes(net.unpack(theta, name), len(theta)).flatten(1))
    return torch.cat(found, 1)
