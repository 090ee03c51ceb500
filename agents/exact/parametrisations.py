"""How the numbers a learner moves become a policy of a finite game: tables or networks.

    tables            logits(s, ·) = θ_s                                A numbers a state
    preconditioned    logits = Q θ, Q = I - 2 (1 - e_0) e_0ᵀ          POLA's trap for gradient steps
    mlp               logits(s, ·) = W₃ tanh(W₂ tanh(W₁ x_s + b₁) + b₂) + b₃

x_s are the columns of the state, one-hot.

The gradient of the same policy differs between them, and with it where plain gradient steps go:
what a proximal step in policy space (steps.py) does not mind.

Shapes  ... any batch (runs, players), S states, A actions, F features, D parameters a player.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from social_dilemmas_env.rng import check_seed, draw

if TYPE_CHECKING:
    from social_dilemmas_env.exact.tables import GameTables


@dataclass(frozen=True)
class Parametrisation:
    """A map from θ to logits.

    Attributes:
        name: what to call it.
        dim: D.
        logits: [..., D] -> [..., S, A].
        draw: (shape without D, generator) -> θ [..., D].
        table: whether θ can be set to any policy's logits, exactly: θ = log π.
        project: [..., S, A] -> [..., S, A], onto logits that the symmetries allow; see `tables`.
    """

    name: str
    dim: int
    logits: Callable[[Tensor], Tensor]
    draw: Callable[[tuple[int, ...], torch.Generator], Tensor]
    table: bool = False
    project: Callable[[Tensor], Tensor] = lambda logits: logits

    def initial(self, runs: int, players: int, seed: int = 0) -> Tensor:
        """Random θ [R, N, D]; run r is the same however many runs there are."""
        first = seed if check_seed(seed) < 1 << 32 else draw(seed)  # see `seeded_generator`
        each = [
            self.draw((players,), torch.Generator().manual_seed(1_000_003 * first + run))
            for run in range(runs)
        ]
        return torch.stack(each)


def tables(
    game: GameTables, std: float = 0.1, dtype: torch.dtype = torch.float64
) -> Parametrisation:
    """One logit a state and action, drawn from N(0, std²).

    Where states stand for all their mirror images, a state that is its own image under a symmetry
    has equal logits for actions that the symmetry exchanges: logits are averaged over them.
    """
    average = stabiliser(game, dtype)
    shape = (game.num_states, game.num_actions[0])
    dim = shape[0] * shape[1]

    def draw(lead: tuple[int, ...], generator: torch.Generator) -> Tensor:
        # Drawn in float64, so that both precisions start from the same numbers.
        theta = torch.randn(*lead, dim, dtype=torch.float64, generator=generator)
        return (std * theta).to(dtype)

    def project(logits: Tensor) -> Tensor:
        if average is None:
            return logits
        return (average.to(logits.device) @ logits[..., None])[..., 0]

    def logits(theta: Tensor) -> Tensor:
        return project(theta.unflatten(-1, shape))

    return Parametrisation("tables", dim, logits, draw, True, project)


def stabiliser(game: GameTables, dtype: torch.dtype) -> Tensor | None:
    """Averages over the symmetries that leave a state where it is.  [S, A, A], or None."""
    matrices = game.stabiliser
    return None if matrices is None else torch.as_tensor(matrices, dtype=dtype)


def preconditioned(game: GameTables) -> Parametrisation:
    """Logits Q θ: raising those of state 0 lowers all others twofold."""
    plain = tables(game)

    def logits(theta: Tensor) -> Tensor:
        free = plain.logits(theta)
        pull = -2.0 * free[..., :1, :]
        first = torch.arange(game.num_states, device=theta.device) == 0
        return torch.where(first[:, None], free, free + pull)

    return Parametrisation("preconditioned", plain.dim, logits, plain.draw)


def mlp(game: GameTables, hidden: Sequence[int] = (64, 64)) -> Parametrisation:
    """A network with tanh on one-hot columns, float32, a policy for every run.

    Weights and biases start uniform in ±1/√fan_in, as torch.nn.Linear's defaults.

    Raises:
        ValueError: a game whose states stand for mirror images too: a network does not know.
    """
    if game.stabiliser is not None:
        raise ValueError("a network reads columns of the board: learn it on the full game")
    x = torch.as_tensor(game.features, dtype=torch.float32)

    # A weight and a bias for each layer, one after the other in θ.
    widths = [x.shape[1], *hidden, game.num_actions[0]]
    sizes = [n for fan_in, out in itertools.pairwise(widths) for n in (fan_in * out, out)]

    def logits(theta: Tensor) -> Tensor:
        parts = theta.split(sizes, -1)
        h = x.to(theta.device)  # [S, F], then [..., S, hidden]
        for layer, (fan_in, out) in enumerate(itertools.pairwise(widths)):
            weight = parts[2 * layer].unflatten(-1, (fan_in, out))
            h = (torch.tanh(h) if layer else h) @ weight + parts[2 * layer + 1][..., None, :]
        return h

    def draw(lead: tuple[int, ...], generator: torch.Generator) -> Tensor:
        parts = [
            (2 * torch.rand(*lead, size, generator=generator) - 1) / fan_in**0.5
            for size, fan_in in zip(sizes, [w for w in widths[:-1] for _ in (0, 1)], strict=True)
        ]
        return torch.cat(parts, -1)

    return Parametrisation(f"mlp_{'_'.join(map(str, hidden))}", sum(sizes), logits, draw)


def softmax(logits: Tensor) -> Tensor:
    """Softmax over a short last axis: torch's own takes nine times as long there.  [..., A]."""
    policy: Tensor = torch.softmax(logits.movedim(-1, 0).contiguous(), 0).movedim(0, -1)
    return policy.contiguous()


def centred(gradient: Tensor, policy: Tensor) -> Tensor:
    """The part of a derivative g by probabilities that stays within distributions: g - π · g."""
    return gradient - (policy * gradient).sum(-1, keepdim=True)
