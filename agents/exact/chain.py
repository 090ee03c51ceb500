"""The Markov chain that R joint policies make of one game, and its linear systems.

    P = W + U C                 [S, S]     W: moves that chance leaves alone; U: moves to pending boards, C: what chance does
    M = I - γ P
    x = M⁻¹ b                   values of rewards b, say                                               (solve)
    y = M⁻ᵀ b                   discounted visits from start weights b, say                            (solve, transposed)

Between chance events some columns of a state stand still (the Coin Game's owner and the players'
memories): W is block diagonal, and M a block diagonal matrix D less a product of low rank,

    M   = D - γ U C                                  D: B blocks of n states
    M⁻¹ = D⁻¹ + X K⁻¹ C D⁻¹,   X = D⁻¹ γ U,   K = I - C X          [S, P], [P, P]: Schur complement on pending boards

so that R runs are one batched LU of R B small matrices and one of R matrices of P pending boards.

Derivatives of any order: for x = M⁻¹ b with cotangent x̄, and y = M⁻ᵀ x̄,

    b̄ = y,        p̄(s, j) = γ y(s) · x'(s, j),      x'(s, j) = x of where the joint action j leads from s

which are again solves with the same matrix.

Shapes  R runs, S states, P pending boards, J joint actions, K right-hand sides; B blocks of n states, of which L moves
        lead to pending boards, and Q pending boards lead into a block.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from agents.exact.krylov import TOLERANCE, Krylov, KrylovFactors

if TYPE_CHECKING:
    from social_dilemmas_env.exact import ExactGame


MAX_WORK = 3e8  # multiplications of one factorisation (a second or so) above which iteration is faster


class Factors(Protocol):
    """A factorised M."""

    def solve(self, b: Tensor) -> Tensor:
        """M⁻¹ b.  [R, S, K] -> [R, S, K]."""

    def solve_transposed(self, b: Tensor) -> Tensor:
        """M⁻ᵀ b.  [R, S, K] -> [R, S, K]."""


class Structure:
    """What all chains of one game share: where joint actions lead, on a device, in a precision.

    Args:
        game: an enumerated game.
        device: where to compute.
        dtype: float64; float32 is half the work and good for 1e-5.
    """

    def __init__(
        self,
        game: ExactGame,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.device, self.dtype, self.gamma = torch.device(device), dtype, float(game.gamma)
        self.num_states, self.num_pending = game.num_states, game.num_pending
        self.successors = torch.as_tensor(game.successors, device=device)
        chance = game.chance.tocsr()
        self.chance = _sparse(chance, self.device, dtype)
        self.chance_transposed = _sparse(chance.T.tocsr(), self.device, dtype)
        self._game = game

    def factors(self, joint: Tensor) -> Factors:
        """M of R joint policies [R, S, J], factorised: by blocks while they are small."""
        if self.blocks_pay:
            return BlockFactors(self, joint)
        return KrylovFactors(self.krylov, joint)

    @cached_property
    def blocks_pay(self) -> bool:
        """Whether LU of the blocks is affordable."""
        return self.blocks.work <= MAX_WORK

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
        after_chance = (self.chance @ x.T).T
        return torch.cat((x, after_chance), 1)[:, self.successors.reshape(-1)].unflatten(
            1, tuple(self.successors.shape)
        )

    def next_weights(self, w: Tensor) -> Tensor:
        """Weight of the states that weighted joint actions lead to: `next_values` transposed.

        [R, S, J] -> [R, S].
        """
        into = w.new_zeros(len(w), self.num_states + self.num_pending)
        into = into.index_add(1, self.successors.reshape(-1), w.flatten(1))
        states, pending = into.split((self.num_states, self.num_pending), 1)
        return states + (self.chance_transposed @ pending.T).T


def _sparse(matrix: Any, device: torch.device, dtype: torch.dtype) -> Tensor:
    coo = matrix.tocoo()
    index = torch.as_tensor(np.stack((coo.row, coo.col)).astype(np.int64))
    values = torch.as_tensor(coo.data, dtype=dtype)
    return torch.sparse_coo_tensor(index, values, coo.shape, device=device).coalesce()


class Blocks:
    """The block structure of a game, as index arrays.

    Attributes:
        place: [S], position of a state among the B n places (some places may be empty).
        state: [B n], the state in a place; S where it is empty.
        walk: [B, n, J], where a joint action leads within its block: a place 0 .. n - 1, or n + l.
        target: [B, L], the pending board that column l is; P where there are fewer.
        landing: [B, Q], pending boards from which chance leads into the block; P where fewer.
        chance: [B, Q, n], their probabilities.
    """

    def __init__(self, game: ExactGame, device: torch.device, dtype: torch.dtype) -> None:
        num_states, num_pending = game.num_states, game.num_pending
        block, inner, size = _partition(game)
        self.count, self.size, self.num_pending = int(block.max()) + 1, size, num_pending
        place = block * size + inner
        state = np.full(self.count * size, num_states)
        state[place] = np.arange(num_states)

        # Where joint actions lead: a place of the same block, or one of its pending columns.
        successors = np.asarray(game.successors)
        waits = successors >= num_states
        target = _ragged([successors[(block == b)][waits[block == b]] - num_states for b in range(self.count)], num_pending)
        local = np.empty_like(successors)
        local[~waits] = inner[successors[~waits]]
        for b in range(self.count):
            rows = block == b
            known = target[b][target[b] < num_pending]
            column = size + np.searchsorted(known, successors[rows] - num_states)
            local[rows] = np.where(waits[rows], column, local[rows])
        walk = np.tile(np.arange(size)[:, None], (self.count, 1, successors.shape[1]))
        walk.reshape(-1, successors.shape[1])[place] = local

        # Where chance leads.
        chance = game.chance.tocoo()
        into = block[chance.col]
        landing = _ragged([chance.row[into == b] for b in range(self.count)], num_pending)
        weights = np.zeros((self.count, landing.shape[1], size))
        for b in range(self.count):
            here = into == b
            known = landing[b][landing[b] < num_pending]
            row = np.searchsorted(known, chance.row[here])
            weights[b, row, inner[chance.col[here]]] = chance.data[here]

        as_index = {"device": device, "dtype": torch.int64}
        self.place = torch.as_tensor(place, **as_index)
        self.state = torch.as_tensor(state, **as_index)
        self.walk = torch.as_tensor(walk, **as_index)
        self.target = torch.as_tensor(target, **as_index)
        self.landing = torch.as_tensor(landing, **as_index)
        self.chance = torch.as_tensor(weights, device=device, dtype=dtype)

    @property
    def work(self) -> float:
        """Multiplications of one run's factorisation."""
        n, columns = self.size, self.target.shape[1]
        return self.count * (n**3 / 3 + n**2 * columns) + self.num_pending**3 / 3


def _partition(game: ExactGame) -> tuple[np.ndarray, np.ndarray, int]:
    """Block of each state, its place in there, and the size of the largest block."""
    code = np.zeros(game.num_states, np.int64)
    for name in game.still:
        column = np.asarray(game.columns[name])
        code = code * (int(column.max()) + 1) + column
    _, block = np.unique(code, return_inverse=True)
    sizes = np.bincount(block)
    order = np.argsort(block, kind="stable")
    inner = np.empty(game.num_states, np.int64)
    inner[order] = np.arange(game.num_states) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return block, inner, int(sizes.max())


def _ragged(rows: list[np.ndarray], fill: int) -> np.ndarray:
    """The distinct entries of each row, sorted, filled up to equal length."""
    distinct = [np.unique(row) for row in rows]
    table = np.full((len(rows), max(map(len, distinct))), fill)
    for row, entries in zip(table, distinct, strict=True):
        row[: len(entries)] = entries
    return table


class BlockFactors:
    """M by batched LU of its blocks and the Schur complement on pending boards."""

    def __init__(self, structure: Structure, joint: Tensor) -> None:
        blocks, gamma = structure.blocks, structure.gamma
        self.blocks, runs = blocks, len(joint)
        places, columns = blocks.size, blocks.target.shape[1]

        # W and U of each block, from the probabilities of joint actions.
        padded = torch.cat((joint, joint.new_zeros(runs, 1, joint.shape[-1])), 1)
        p = padded[:, blocks.state].unflatten(1, (blocks.count, places))
        moves = joint.new_zeros(runs, blocks.count, places, places + columns)
        moves.scatter_add_(3, blocks.walk.expand(p.shape), p)
        moves *= gamma

        # D = I - γ W, X = D⁻¹ γ U.
        d = -moves[..., :places]
        d.diagonal(dim1=2, dim2=3).add_(1)
        self.d = torch.linalg.lu_factor_ex(d)[:2]
        self.x = torch.linalg.lu_solve(*self.d, moves[..., places:])

        # K = I - C X.
        size = blocks.num_pending + 1  # the last one stands for none
        k = joint.new_zeros(runs, size * size)
        entry = blocks.landing[:, :, None] * size + blocks.target[:, None, :]
        k.index_add_(1, entry.reshape(-1), torch.matmul(blocks.chance, self.x).flatten(1))
        k = -k.unflatten(1, (size, size))
        k.diagonal(dim1=1, dim2=2).add_(1)
        self.k = torch.linalg.lu_factor_ex(k)[:2]

    def solve(self, b: Tensor) -> Tensor:
        """M⁻¹ b = Y + X K⁻¹ C Y, Y = D⁻¹ b.  [R, S, K] -> [R, S, K]."""
        y = torch.linalg.lu_solve(*self.d, self._split(b))
        at_pending = self._gather(self.blocks.landing, torch.matmul(self.blocks.chance, y))
        pending = torch.linalg.lu_solve(*self.k, at_pending)
        return self._join(y + torch.matmul(self.x, pending[:, self.blocks.target]))

    def solve_transposed(self, b: Tensor) -> Tensor:
        """M⁻ᵀ b = D⁻ᵀ (b + Cᵀ K⁻ᵀ Xᵀ b).  [R, S, K] -> [R, S, K]."""
        b = self._split(b)
        at_pending = self._gather(self.blocks.target, torch.matmul(self.x.mT, b))
        pending = torch.linalg.lu_solve(*self.k, at_pending, adjoint=True)
        b = b + torch.matmul(self.blocks.chance.mT, pending[:, self.blocks.landing])
        return self._join(torch.linalg.lu_solve(*self.d, b, adjoint=True))

    def _split(self, x: Tensor) -> Tensor:
        """[R, S, K] -> [R, B, n, K]."""
        padded = torch.cat((x, x.new_zeros(len(x), 1, x.shape[-1])), 1)
        return padded[:, self.blocks.state].unflatten(1, (self.blocks.count, self.blocks.size))

    def _join(self, x: Tensor) -> Tensor:
        """[R, B, n, K] -> [R, S, K]."""
        return x.flatten(1, 2)[:, self.blocks.place]

    def _gather(self, index: Tensor, x: Tensor) -> Tensor:
        """Sums entries [R, B, Q, K] of the pending boards [B, Q] -> [R, P + 1, K]."""
        total = x.new_zeros(len(x), self.blocks.num_pending + 1, x.shape[-1])
        total.index_add_(1, index.reshape(-1), x.flatten(1, 2))
        total[:, -1] = 0
        return total


class Chain:
    """A joint policy of R runs, factorised once, for any number of differentiable solves.

    Args:
        structure: of the game.
        joint: [R, S, J], probabilities of joint actions, attached to whatever they depend on.
    """

    def __init__(self, structure: Structure, joint: Tensor) -> None:
        self.structure, self.joint = structure, joint
        self.factors = structure.factors(joint.detach())

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
    def forward(ctx: Any, joint: Tensor, b: Tensor, chain: Chain, transposed: bool) -> Tensor:
        factors = chain.factors
        x = factors.solve_transposed(b) if transposed else factors.solve(b)
        ctx.save_for_backward(joint, x)
        ctx.chain, ctx.transposed = chain, transposed
        return x

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (joint, x), chain = ctx.saved_tensors, ctx.chain
        y: Tensor = _Solve.apply(joint, cotangent, chain, not ctx.transposed)
        if not ctx.needs_input_grad[0]:
            return None, y, None, None

        # p̄(s, j) = γ y(s) x'(s, j); for the transposed system x and y change places.
        row, column = (x, y) if ctx.transposed else (y, x)
        structure = chain.structure
        by_joint = sum(
            row[..., k, None] * structure.next_values(column[..., k]) for k in range(x.shape[-1])
        )
        return structure.gamma * by_joint, y, None, None
