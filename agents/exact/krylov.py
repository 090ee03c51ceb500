"""Linear systems of games whose blocks are too large for LU: one run at a time, by iteration.

BiCGSTAB is the fastest here (van der Vorst 1992).  Between two updates of a learner little changes:
it starts from the combination of the last solutions X that comes nearest (Fischer 1998, projection
techniques for iterative solution of Ax = b with successive right-hand sides):

    x₀ = X c,      c = argmin ‖b - M X c‖

BiCGSTAB breaks down on some symmetric policies (scripted ones, say), where GMRES does not: the
residual is looked at, and GMRES goes on from there.  Runs on the CPU, in float64, whatever the
structure's device and precision.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, gmres
from torch import Tensor

if TYPE_CHECKING:
    from social_dilemmas_env.exact.tables import GameTables

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-5}  # residual, relative to the right-hand side
KEPT = 6  # solutions of each kind that a new one starts from
MAX_ITERATIONS = 1000  # of BiCGSTAB
RESTART, ATTEMPTS = 40, 50  # of GMRES

Operator = Callable[[np.ndarray], np.ndarray]


class NotConvergedError(RuntimeError):
    """A linear system was not solved to the tolerance; the message has residual and state."""


class Krylov:
    """What all chains of one game share here: the pattern of the matrix, and the last solutions.

    Args:
        game: an enumerated game.
        tolerance: largest residual, relative to the right-hand side.
    """

    def __init__(self, game: GameTables, tolerance: float) -> None:
        self.num_states, self.tolerance = game.num_states, tolerance
        self.shape = (game.num_states, game.num_states + game.num_pending)
        self.chance = game.chance.tocsr()
        self.chance_transposed = game.chance.T.tocsr()
        self._solutions: dict[tuple[int, bool], deque[np.ndarray]] = {}

        # Joint actions that lead to the same place share an entry.
        rows = np.arange(self.num_states)
        keys = rows[:, None] * self.shape[1] + np.asarray(game.successors)
        entries, entry = np.unique(keys, return_inverse=True)
        self.entry, self.columns = entry.reshape(-1), entries % self.shape[1]
        self.starts = np.searchsorted(entries, np.append(rows, self.num_states) * self.shape[1])

        # The same entries by columns.
        numbers = np.arange(len(entries), dtype=float)
        by_column = csr_matrix((numbers, self.columns, self.starts), self.shape).T.tocsr()
        self.order = by_column.data.astype(np.int64)
        self.rows, self.column_starts = by_column.indices, by_column.indptr

    def system(self, joint: np.ndarray, gamma: float) -> tuple[Operator, Operator]:
        """The maps x -> M x and x -> Mᵀ x of one run's joint policy [S, J]."""
        data = gamma * np.bincount(self.entry, joint.ravel(), len(self.columns))
        moves = csr_matrix((data, self.columns, self.starts), self.shape)
        into = csr_matrix((data[self.order], self.rows, self.column_starts), self.shape[::-1])

        def product(x: np.ndarray) -> np.ndarray:
            y: np.ndarray = x - moves @ np.concatenate((x, self.chance @ x))
            return y

        def transposed(x: np.ndarray) -> np.ndarray:
            y = into @ x
            z: np.ndarray = x - y[: len(x)] - self.chance_transposed @ y[len(x) :]
            return z

        return product, transposed

    def solution(self, matrix: Operator, b: np.ndarray, kind: tuple[int, bool]) -> np.ndarray:
        """Solves for one right-hand side [S], from the last solutions of the same kind.

        Args:
            matrix: x -> M x.
            b: right-hand side.
            kind: the run, and whether the matrix is transposed.

        Raises:
            NotConvergedError: neither method reaches the tolerance.
        """
        scale = float(np.linalg.norm(b))
        if scale == 0:
            return np.zeros_like(b)

        # BiCGSTAB, and GMRES where that has not done it.
        last = self._solutions.setdefault(kind, deque(maxlen=KEPT))
        goal = self.tolerance * scale
        x = bicgstab(matrix, b, nearest(matrix, b, list(last)), goal)
        if not _norm(matrix(x) - b) <= 2 * goal:  # also where it is not a number
            square = LinearOperator((len(b), len(b)), matvec=matrix, dtype=float)
            x, _ = gmres(square, b, rtol=self.tolerance, restart=RESTART, maxiter=ATTEMPTS)
        residual = np.abs(matrix(x) - b)
        if not _norm(residual) <= 2 * goal:
            worst = int(np.where(np.isfinite(residual), residual, np.inf).argmax())
            raise NotConvergedError(
                f"the linear system of {len(b)} states was not solved: its residual is "
                f"{_norm(residual) / scale:.1e} of the right-hand side (asked: "
                f"{self.tolerance:.0e}), largest in state {worst}"
            )
        last.append(x)
        return x


def nearest(matrix: Operator, b: np.ndarray, last: list[np.ndarray]) -> np.ndarray:
    """The combination of earlier solutions that comes nearest to solving M x = b.  -> [S]."""
    if not last:
        return np.zeros_like(b)
    # Normal equations: a few columns, and only a start.
    x = np.stack(last)
    image = np.stack([matrix(each) for each in last])
    gram = image @ image.T
    combination: np.ndarray = np.linalg.lstsq(gram, image @ b, rcond=1e-14)[0] @ x
    return combination


@np.errstate(all="ignore")  # a breakdown divides by zero; the caller looks at the residual
def bicgstab(matrix: Operator, b: np.ndarray, x: np.ndarray, goal: float) -> np.ndarray:
    """BiCGSTAB from x until the residual is at most `goal`, or it breaks down.  [S] -> [S]."""
    residual = b - matrix(x)  # carried along, not computed again
    shadow, p = residual, residual
    rho = shadow @ residual
    for _ in range(MAX_ITERATIONS):
        if not _norm(residual) > goal:  # also where it is not a number
            break
        v = matrix(p)
        alpha = rho / (shadow @ v)
        half = residual - alpha * v
        t = matrix(half)
        omega = (t @ half) / (t @ t)
        x = x + alpha * p + omega * half
        residual = half - omega * t

        # The next direction.
        rho, before = shadow @ residual, rho
        p = residual + rho / before * (alpha / omega) * (p - omega * v)
    return x


def _norm(x: np.ndarray) -> float:
    return float(np.linalg.norm(x))


class KrylovFactors:
    """M of R joint policies [R, S, J], solved by iteration."""

    def __init__(self, krylov: Krylov, joint: Tensor, gamma: float) -> None:
        self.krylov = krylov
        each = joint.double().cpu().numpy()
        self.systems = [krylov.system(policy, gamma) for policy in each]

    def solve(self, b: Tensor) -> Tensor:
        """M⁻¹ b.  [R, S, K] -> [R, S, K]."""
        return self._solve(b, False)

    def solve_transposed(self, b: Tensor) -> Tensor:
        """M⁻ᵀ b.  [R, S, K] -> [R, S, K]."""
        return self._solve(b, True)

    def _solve(self, b: Tensor, transposed: bool) -> Tensor:
        # One right-hand side after the other: scipy's products with several are slower.
        right = b.double().cpu().numpy()
        x = np.empty_like(right)
        for run, system in enumerate(self.systems):
            for k in range(right.shape[2]):
                column = np.ascontiguousarray(right[run, :, k])
                x[run, :, k] = self.krylov.solution(system[transposed], column, (run, transposed))
        return torch.as_tensor(x).to(b)
