"""(I - gamma P) x = b and its transpose, for a chain P = W + A C that goes through pending boards.

    W [S, S]    steps that chance has no part in
    A [S, P]    steps to a pending board
    C [P, S]    what chance makes of it

Up to `DIRECT` states by a sparse LU factorisation, above by BiCGSTAB and, where that breaks down
(it does for some symmetric, scripted policies), by GMRES.  I - gamma P is an M-matrix whose inverse
has row sums 1 / (1 - gamma), so a residual of r leaves an error of at most r / (1 - gamma).
"""

from typing import Any

import numpy as np

from social_dilemmas_env.exact.chance import Floats
from social_dilemmas_env.exact.sparse import scipy_sparse

DIRECT = 3000  # states; a factorisation fills in beyond
TOLERANCE = 1e-12  # relative residual asked of the iterative solvers
ACCEPTED = 1e-9  # relative residual above which a solution is refused
STEPS = 1000  # of BiCGSTAB; GMRES may take six times as many, in rounds of at most 60


class SolverError(RuntimeError):
    """A linear system that could not be solved to the accuracy promised."""


class Chain:
    """The Markov chain of a joint policy, discounted.

    Args:
        joint: probability of each joint action, [S, J].
        successors: next state, or S + p, [S, J].
        chance: csr [P, S].
        gamma: discount factor in [0, 1).
    """

    def __init__(self, joint: Floats, successors: Any, chance: Any, gamma: float) -> None:
        self.gamma, self.states = gamma, len(joint)
        self.sparse = scipy_sparse()
        ends = np.arange(0, joint.size + 1, joint.shape[1])

        # All steps at once, then those to boards and those to chance.
        steps = self.sparse.csr_matrix(
            (joint.ravel(), successors.ravel(), ends),
            shape=(self.states, self.states + chance.shape[0]),
            copy=True,
        )
        steps.sum_duplicates()
        self.walk, self.pend, self.chance = (
            steps[:, : self.states],
            steps[:, self.states :],
            chance,
        )

        self._lu: Any = None

    def step(self, values: Floats) -> Floats:
        """P v: the expected value after one step.  [S] -> [S]."""
        result: Floats = self.walk @ values + self.pend @ (self.chance @ values)
        return result

    def spread(self, weights: Floats) -> Floats:
        """P^T d: where one step leads.  [S] -> [S]."""
        result: Floats = self.walk.T @ weights + self.chance.T @ (self.pend.T @ weights)
        return result

    def values(self, rewards: Floats, guess: Floats | None = None) -> Floats:
        """V = (I - gamma P)^-1 r.

        Args:
            rewards: [S], or [S, K] for several at once.
            guess: of the same shape, where an iterative solver begins.
        """
        return self._solve(rewards, guess, self.step, "N")

    def visits(self, start: Floats) -> Floats:
        """(I - gamma P)^-T mu: expected discounted visits.

        Args:
            start: weights of the first state, [S] or [S, K].
        """
        return self._solve(start, None, self.spread, "T")

    def _solve(self, right: Floats, guess: Floats | None, operator: Any, side: str) -> Floats:
        if self.states <= DIRECT:
            solution = self._factors().solve(np.ascontiguousarray(right), side)
            return self._checked(solution, right, operator)

        # One right-hand side at a time.
        columns = right.reshape(self.states, -1)
        guesses = (
            [None] * columns.shape[1] if guess is None else list(guess.reshape(columns.shape).T)
        )

        solved = [
            self._iterate(column, first, operator)
            for column, first in zip(columns.T, guesses, strict=True)
        ]
        return np.stack(solved, -1).reshape(right.shape)

    def _factors(self) -> Any:
        if self._lu is None:
            matrix = self.sparse.eye(self.states) - self.gamma * (
                self.walk + self.pend @ self.chance
            )
            self._lu = self.sparse.linalg.splu(matrix.tocsc())
        return self._lu

    def _iterate(self, right: Floats, guess: Floats | None, operator: Any) -> Floats:
        """One right-hand side, by BiCGSTAB, then GMRES."""
        if not right.any():
            return np.zeros(self.states)

        linalg = self.sparse.linalg
        matrix = linalg.LinearOperator(
            (self.states, self.states), lambda x: x - self.gamma * operator(x), dtype=np.float64
        )

        solution, _ = linalg.bicgstab(matrix, right, x0=guess, rtol=TOLERANCE, maxiter=STEPS)
        if self._residual(solution, right, operator)[0] > ACCEPTED:
            solution, _ = linalg.gmres(
                matrix,
                right,
                x0=guess,
                rtol=TOLERANCE,
                restart=min(60, STEPS),
                maxiter=-(-STEPS // 10),
            )
        return self._checked(solution, right, operator)

    def _residual(self, solution: Floats, right: Floats, operator: Any) -> tuple[float, int]:
        """Largest residual relative to the right-hand side, and the state that has it."""
        columns, rights = solution.reshape(self.states, -1), right.reshape(self.states, -1)
        left = np.stack([x - self.gamma * operator(x) for x in columns.T], -1)
        error = np.abs(left - rights).max(1) / max(float(np.abs(right).max()), 1e-300)
        worst = int(np.nanargmax(np.where(np.isnan(error), np.inf, error)))
        return (float(error[worst]) if np.isfinite(error[worst]) else np.inf), worst

    def _checked(self, solution: Floats, right: Floats, operator: Any) -> Floats:
        if right.any():
            residual, state = self._residual(solution, right, operator)
            if residual > ACCEPTED:
                raise SolverError(
                    f"the linear system of {self.states} states did not converge: relative "
                    f"residual {residual:.1e} in state {state}, more than {ACCEPTED:.0e} (gamma "
                    f"{self.gamma})"
                )
        return solution
