"""Linear systems of games whose blocks are too large for LU: one run at a time, by iteration.

BiCGSTAB is the fastest here, started from the last solution of the same kind: between two updates
of a learner little changes.  It breaks down on some symmetric policies (scripted ones, say), where
GMRES does not: the residual is looked at, and GMRES goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, bicgstab, gmres
from torch import Tensor

if TYPE_CHECKING:
    from social_dilemmas_env.exact import ExactGame

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-5}  # residual, relative to the right-hand side
RESTART, ATTEMPTS = 40, 50  # of GMRES


class NotConvergedError(RuntimeError):
    """A linear system was not solved to the tolerance; the message has the residual."""


class Krylov:
    """What all chains of one game share here: sparsity, and the last solutions.

    Args:
        game: an enumerated game.
        tolerance: largest residual, relative to the right-hand side.
    """

    def __init__(self, game: ExactGame, tolerance: float) -> None:
        self.gamma, self.tolerance = float(game.gamma), tolerance
        self.shape = (game.num_states, game.num_states + game.num_pending)
        self.columns = np.asarray(game.successors).reshape(-1)
        joint_actions = np.asarray(game.successors).shape[1]
        self.rows = np.arange(0, len(self.columns) + 1, joint_actions)
        self.chance = game.chance.tocsr()
        self.chance_transposed = game.chance.T.tocsr()
        self.guesses: dict[Any, np.ndarray] = {}

    def system(self, joint: np.ndarray) -> tuple[LinearOperator, LinearOperator]:
        """M and Mᵀ of one run's joint policy [S, J]."""
        moves = csr_matrix((joint.ravel(), self.columns.copy(), self.rows.copy()), self.shape)
        moves.sum_duplicates()
        num_states = self.shape[0]
        walk, pending = moves[:, :num_states], moves[:, num_states:]
        walk_t, pending_t = walk.T.tocsr(), pending.T.tocsr()

        def product(x: np.ndarray) -> np.ndarray:
            return x - self.gamma * (walk @ x + pending @ (self.chance @ x))

        def transposed(x: np.ndarray) -> np.ndarray:
            return x - self.gamma * (walk_t @ x + self.chance_transposed @ (pending_t @ x))

        square = (num_states, num_states)
        return (
            LinearOperator(square, matvec=product, dtype=float),
            LinearOperator(square, matvec=transposed, dtype=float),
        )

    def solution(self, matrix: LinearOperator, b: np.ndarray, key: Any) -> np.ndarray:
        """Solves for one right-hand side [S], from the last solution with the same key.

        Raises:
            NotConvergedError: neither method reaches the tolerance.
        """
        scale = float(np.linalg.norm(b))
        if scale == 0:
            return np.zeros_like(b)

        x, _ = bicgstab(matrix, b, x0=self.guesses.get(key), rtol=self.tolerance)
        if not self._solved(matrix, x, b, scale):
            limits = {"restart": RESTART, "maxiter": ATTEMPTS}
            x, _ = gmres(matrix, b, x0=None, rtol=self.tolerance / 2, **limits)
        if not self._solved(matrix, x, b, scale):
            residual = matrix @ x - b
            worst = int(np.abs(residual).argmax())
            raise NotConvergedError(
                f"the linear system of {len(b)} states was not solved: its residual is "
                f"{np.linalg.norm(residual) / scale:.1e} of the right-hand side (asked: "
                f"{self.tolerance:.0e}), largest in state {worst}"
            )
        self.guesses[key] = x
        return x

    def _solved(self, matrix: LinearOperator, x: np.ndarray, b: np.ndarray, scale: float) -> bool:
        residual = np.linalg.norm(matrix @ x - b)
        return bool(np.isfinite(residual) and residual <= 2 * self.tolerance * scale)


class KrylovFactors:
    """M of R joint policies, solved by iteration."""

    def __init__(self, krylov: Krylov, joint: Tensor) -> None:
        self.krylov = krylov
        self.systems = [krylov.system(each) for each in joint.double().cpu().numpy()]

    def solve(self, b: Tensor) -> Tensor:
        """M⁻¹ b.  [R, S, K] -> [R, S, K]."""
        return self._solve(b, 0)

    def solve_transposed(self, b: Tensor) -> Tensor:
        """M⁻ᵀ b.  [R, S, K] -> [R, S, K]."""
        return self._solve(b, 1)

    def _solve(self, b: Tensor, transposed: int) -> Tensor:
        x = torch.empty_like(b)
        for run, systems in enumerate(self.systems):
            for k in range(b.shape[2]):
                right = b[run, :, k].double().cpu().numpy()
                key = (transposed, b.shape[2], k, run)
                x[run, :, k] = torch.as_tensor(
                    self.krylov.solution(systems[transposed], right, key)
                )
        return x
