"""I - γ P factorised by blocks: what chance alone joins falls apart into small matrices.

Between chance events some columns of a state stand still (the Coin Game's owner and the players'
memories): moves without chance are block diagonal, and M a block diagonal matrix D less a product
of low rank,

    M   = D - γ U C                                  D: B blocks of n states
    M⁻¹ = D⁻¹ + X K⁻¹ C D⁻¹,   X = D⁻¹ γ U           K = I - C X, [P, P]: Schur complement

so that R runs are one batched LU of R B small matrices and one of R matrices of P pending boards.

Shapes  R runs, S states, J joint actions, K right-hand sides, P pending boards; B blocks of n
        places, of which L moves lead to pending boards, and Q pending boards lead into a block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from social_dilemmas_env.exact.tables import GameTables


class Blocks:
    """The block structure of a game, as index arrays.

    Attributes:
        place: [S], position of a state among the B n places (some places may be empty).
        state: [B n], the state in a place; S where it is empty.
        entry: [S J], where a joint action's probability goes in the matrices [B, n, n + L]: a place
            of the same block, or one of its L pending columns.
        target: [B, L], the pending board that a column stands for; P where there are fewer.
        from_pending: [B, Q], pending boards from which chance leads into the block; P where fewer.
        chance: [B, Q, n], their probabilities.
    """

    def __init__(self, game: GameTables, device: torch.device, dtype: torch.dtype) -> None:
        num_states, num_pending = game.num_states, game.num_pending
        block, inner, size = _partition(game)
        self.count, self.size, self.num_pending = int(block.max()) + 1, size, num_pending
        place = block * size + inner
        state = np.full(self.count * size, num_states)
        state[place] = np.arange(num_states)

        # Where joint actions lead: a place of the same block, or one of its pending columns.
        successors = np.asarray(game.successors)
        waits = successors >= num_states
        source = np.broadcast_to(block[:, None], successors.shape)
        target, column = _numbered(source[waits], successors[waits] - num_states, self)
        next_code = np.empty_like(successors)
        next_code[~waits] = inner[successors[~waits]]
        next_code[waits] = size + column

        # Where chance leads.
        chance = game.chance.tocoo()
        from_pending, row = _numbered(block[chance.col], chance.row, self)
        weights = np.zeros((self.count, from_pending.shape[1], size))
        weights[block[chance.col], row, inner[chance.col]] = chance.data

        def index(array: np.ndarray) -> Tensor:
            return torch.as_tensor(array, device=device, dtype=torch.int64)

        width = size + target.shape[1]
        self.place, self.state = index(place), index(state)
        self.entry = index((place[:, None] * width + next_code).reshape(-1))
        self.target, self.from_pending = index(target), index(from_pending)
        self.chance = torch.as_tensor(weights, device=device, dtype=dtype)

    @property
    def work(self) -> float:
        """Multiplications of one run's factorisation."""
        n, columns = self.size, self.target.shape[1]
        return self.count * (n**3 / 3 + n**2 * columns) + self.num_pending**3 / 3


def _partition(game: GameTables) -> tuple[np.ndarray, np.ndarray, int]:
    """Block of each state, its place in there, and the size of the largest block."""
    code = np.zeros(game.num_states, np.int64)
    for name in game.still:
        column = np.asarray(game.columns[name])
        code = code * (int(column.max()) + 1) + column
    _, block = np.unique(code, return_inverse=True)

    # States of a block, counted from 0.
    sizes = np.bincount(block)
    order = np.argsort(block, kind="stable")
    inner = np.empty(game.num_states, np.int64)
    inner[order] = np.arange(game.num_states) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return block, inner, int(sizes.max())


def _numbered(
    block: np.ndarray, board: np.ndarray, blocks: Blocks
) -> tuple[np.ndarray, np.ndarray]:
    """The distinct pending boards of each block, and the number of each pair's board among them.

    [E], [E] -> [B, L] filled up with P, [E].
    """
    pairs = block.astype(np.int64) * blocks.num_pending + board
    distinct, which = np.unique(pairs, return_inverse=True)
    owner = distinct // max(blocks.num_pending, 1)
    sizes = np.bincount(owner, minlength=blocks.count)
    number = np.arange(len(distinct)) - np.repeat(np.cumsum(sizes) - sizes, sizes)

    table = np.full((blocks.count, int(sizes.max())), blocks.num_pending)
    table[owner, number] = distinct - owner * blocks.num_pending
    return table, number[which]


class BlockFactors:
    """M by batched LU of its blocks and the Schur complement on pending boards.

    Args:
        blocks: of the game.
        joint: [R, S, J], probabilities of joint actions.
        gamma: discount.
    """

    def __init__(self, blocks: Blocks, joint: Tensor, gamma: float) -> None:
        self.blocks, runs = blocks, len(joint)
        places, columns = blocks.size, blocks.target.shape[1]

        # γ W and γ U of each block, from the probabilities of joint actions.
        moves = joint.new_zeros(runs, blocks.count * places * (places + columns))
        moves.index_add_(1, blocks.entry, gamma * joint.flatten(1))  # alpha= is slow
        moves = moves.view(runs, blocks.count, places, places + columns)

        # D = I - γ W, X = D⁻¹ γ U.
        d = -moves[..., :places]
        d.diagonal(dim1=2, dim2=3).add_(1)
        self.d = torch.linalg.lu_factor_ex(d)[:2]
        self.x = torch.linalg.lu_solve(*self.d, moves[..., places:])

        # K = I - C X.
        size = blocks.num_pending + 1  # the last one stands for none
        k = joint.new_zeros(runs, size * size)
        entry = blocks.from_pending[:, :, None] * size + blocks.target[:, None, :]
        through = torch.matmul(blocks.chance, self.x)
        k.index_add_(1, entry.reshape(-1), -through.flatten(1))
        k = k.view(runs, size, size)
        k.diagonal(dim1=1, dim2=2).add_(1)
        self.k = torch.linalg.lu_factor_ex(k)[:2]

    def solve(self, b: Tensor) -> Tensor:
        """M⁻¹ b = Y + X K⁻¹ C Y, Y = D⁻¹ b.  [R, S, K] -> [R, S, K]."""
        y = torch.linalg.lu_solve(*self.d, self._split(b))
        at_pending = self._gather(self.blocks.from_pending, torch.matmul(self.blocks.chance, y))
        pending = torch.linalg.lu_solve(*self.k, at_pending)
        return self._join(y + torch.matmul(self.x, pending[:, self.blocks.target]))

    def solve_transposed(self, b: Tensor) -> Tensor:
        """M⁻ᵀ b = D⁻ᵀ (b + Cᵀ K⁻ᵀ Xᵀ b).  [R, S, K] -> [R, S, K]."""
        b = self._split(b)
        at_pending = self._gather(self.blocks.target, torch.matmul(self.x.mT, b))
        pending = torch.linalg.lu_solve(*self.k, at_pending, adjoint=True)
        b = b + torch.matmul(self.blocks.chance.mT, pending[:, self.blocks.from_pending])
        return self._join(torch.linalg.lu_solve(*self.d, b, adjoint=True))

    def _split(self, x: Tensor) -> Tensor:
        """[R, S, K] -> [R, B, n, K]."""
        padded = torch.cat((x, x.new_zeros(len(x), 1, x.shape[-1])), 1)
        placed = padded.index_select(1, self.blocks.state)
        return placed.view(len(x), self.blocks.count, self.blocks.size, -1)

    def _join(self, x: Tensor) -> Tensor:
        """[R, B, n, K] -> [R, S, K]."""
        return x.flatten(1, 2).index_select(1, self.blocks.place)

    def _gather(self, index: Tensor, x: Tensor) -> Tensor:
        """Sums entries [R, B, Q, K] of the pending boards [B, Q] -> [R, P + 1, K].

        Those that stand for no board are zero: nothing leads there, and no chance leads on.
        """
        total = x.new_zeros(len(x), self.blocks.num_pending + 1, x.shape[-1])
        total.index_add_(1, index.reshape(-1), x.flatten(1, 2))
        return total
