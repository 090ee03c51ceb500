"""The Markov chain that R joint policies make of one game, and its linear systems.

    P = W + U C        [S, S]      W: moves that chance leaves alone; U: moves to pending boards, C: what chance does
    M = I - γ P
    x = M⁻¹ b                      values of rewards b, say                            (solve)
    y = M⁻ᵀ b                      discounted visits from start weights b, say         (solve_transposed)

M is factorised by blocks (blocks.py) while they are small, and solved by iteration (krylov.py) where
they are not.  Derivatives of any order: for x = M⁻¹ b with cotangent x̄, and y = M⁻ᵀ x̄,

    b̄ = y,        p̄(s, j) = γ y(s) · x'(s, j),      x'(s, j) = x of where the joint action j leads from s

which are again solves with the same matrix.  Everything runs on the device of the structure but the
iteration, which is scipy's sparse products on the CPU.

Shapes  R runs, S states, P pending boards, J joint actions, K right-hand sides.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from agents.exact.blocks import BlockFactors, Blocks
from agents.exact.krylov import TOLERANCE, Krylov, KrylovFactors

if TYPE_CHECKING:
    from social_dilemmas_env.exact.tables import GameTables


MAX_WORK = 1e8  # multiplications of one run's factorisation above which iteration is faster


class Factors(Protocol):
    """A factorised M."""

    def solve(self, b: Tensor) -> Tensor:
        """M⁻¹ b.  [R, S, K] -> [R, S, K]."""
        ...

    def solve_transposed(self, b: Tensor) -> Tensor:
        """M⁻ᵀ b.  [R, S, K] -> [R, S, K]."""
        ...


class Structure:
    """What all chains of one game share: where joint actions lead, on a device, in a precision.

    Args:
        game: an enumerated game.
        device: where to compute.
        dtype: float64; float32 is half the work and good for 1e-5.
        max_work: multiplications of one run's factorisation above which to iterate instead.
    """

    def __init__(
        self,
        game: GameTables,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float64,
        max_work: float = MAX_WORK,
    ) -> None:
        self.device, self.dtype, self.max_work = torch.device(device), dtype, max_work
        self.num_states, self.num_pending = game.num_states, game.num_pending
        self.successors = torch.as_tensor(game.successors, device=device).reshape(-1)
        self._chance = _sparse(game.chance, self.device, dtype)
        self._chance_transposed = _sparse(game.chance.T, self.device, dtype)
        self._game = game

    def factors(self, joint: Tensor, gamma: float) -> Factors:
        """I - γ P of R joint policies [R, S, J], factorised: by blocks while they are small."""
        if self.blocks_pay:
            return BlockFactors(self.blocks, joint, gamma)
        return KrylovFactors(self.krylov, joint, gamma)

    @cached_property
    def blocks_pay(self) -> bool:
        """Whether LU of the blocks is affordable."""
        return self.blocks.work <= self.max_work

    @cached_property
    def krylov(self) -> Krylov:
        """The same systems for iteration."""
        return Krylov(self._game, TOLERANCE[self.dtype])

    @cached_property
    def blocks(self) -> Blocks:
        """States by the columns that stand still between chance events."""
        return Blocks(self._game, self.device, self.dtype)

    def next_values(self, x: Tensor) -> Tensor:
        """x'(s, j), x of where the joint action leads, chance averaged.  [R, S] -> [R, S, J]."""
        after_chance = (self._chance @ x.T).T
        led_to = torch.cat((x, after_chance), 1).index_select(1, self.successors)
        return led_to.unflatten(1, (self.num_states, -1))

    def next_weights(self, w: Tensor) -> Tensor:
        """Weight of the states that weighted joint actions lead to: `next_values` transposed.

        [R, S, J] -> [R, S].
        """
        into = w.new_zeros(len(w), self.num_states + self.num_pending)
        into = into.index_add(1, self.successors, w.flatten(1))
        states, pending = into.split((self.num_states, self.num_pending), 1)
        return states + (self._chance_transposed @ pending.T).T


def _sparse(matrix: Any, device: torch.device, dtype: torch.dtype) -> Tensor:
    coo = matrix.tocoo()
    index = torch.as_tensor(np.stack((coo.row, coo.col)).astype(np.int64))
    values = torch.as_tensor(coo.data, dtype=dtype)
    made = torch.sparse_coo_tensor(index, values, coo.shape, device=device, check_invariants=True)
    return made.coalesce()


class Chain:
    """A joint policy of R runs, factorised once, for any number of differentiable solves.

    Args:
        structure: of the game.
        joint: [R, S, J], probabilities of joint actions, attached to whatever they depend on.
        gamma: discount in [0, 1).
    """

    def __init__(self, structure: Structure, joint: Tensor, gamma: float) -> None:
        self.structure, self.joint, self.gamma = structure, joint, gamma
        self.factors = structure.factors(joint.detach(), gamma)

    def solve(self, b: Tensor) -> Tensor:
        """(I - γ P)⁻¹ b, the discounted sum of b along play.  [R, S, K] -> [R, S, K]."""
        solved: Tensor = _Solve.apply(self.joint, b, self, False)
        return solved

    def solve_transposed(self, b: Tensor) -> Tensor:
        """(I - γ P)⁻ᵀ b, discounted visits from start weights b.  [R, S, K] -> [R, S, K]."""
        solved: Tensor = _Solve.apply(self.joint, b, self, True)
        return solved


class _Solve(torch.autograd.Function):
    """M⁻¹ b, or M⁻ᵀ b; its backward consists of the same solves, so that any order exists."""

    @staticmethod
    @override
    def forward(ctx: Any, joint: Tensor, b: Tensor, chain: Chain, transposed: bool) -> Tensor:
        factors = chain.factors
        x = factors.solve_transposed(b) if transposed else factors.solve(b)
        ctx.save_for_backward(joint, x)
        ctx.chain, ctx.transposed = chain, transposed
        return x

    @staticmethod
    @override
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        (joint, x), chain = ctx.saved_tensors, ctx.chain
        y: Tensor = _Solve.apply(joint, cotangent, chain, not ctx.transposed)
        if not ctx.needs_input_grad[0]:
            return None, y, None, None

        # p̄(s, j) = γ y(s) x'(s, j); for the transposed system x and y change places.
        row, column = (x, y) if ctx.transposed else (y, x)
        by_joint = torch.zeros_like(joint)
        for k in range(x.shape[-1]):
            after = chain.structure.next_values(column[..., k])
            by_joint = by_joint + row[..., k, None] * after
        return chain.gamma * by_joint, y, None, None
