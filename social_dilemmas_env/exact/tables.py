"""A Markov game as arrays, and what is done with them in one step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from social_dilemmas_env.exact.chance import Floats, Ints
from social_dilemmas_env.validation import real_array

Policy = Floats  # [S, A], or [T, S, A] in a game of T steps; rows sum to one
STRICT = 1e-9  # an action is better only by more than this part of the largest value


@dataclass(frozen=True)
class GameTables:
    """A Markov game as arrays.

    J joint actions, player 0's counting most (`games.game.joint_action`).
    """

    num_actions: tuple[int, ...]
    start: Floats  # [S] probability of each state at the start
    successors: Ints  # [S, J] next state, or S + p where chance acts
    chance: Any  # scipy csr [P, S]; rows sum to one
    rewards: Floats  # [S, J, N] expected
    seen: Ints  # [N, S] the state as seat n sees it: it plays pi_n[seen[n, s]]
    # Where the view of a seat renames actions (symmetry="all"): the name of action a of seat n in
    # state s, [N, S, A]; it plays it with pi_n[seen[n, s], seen_actions[n, s, a]].  Else None.
    seen_actions: Ints | None
    stabiliser: Floats | None  # [S, A, A] averages over actions that must be equally likely
    columns: dict[str, Ints]  # [S] board in seat 0's view, then memory
    still: tuple[str, ...]  # columns that change only when chance acts

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.start)

    @property
    def num_pending(self) -> int:
        """P: boards that wait for chance, times memory."""
        return int(self.chance.shape[0])

    @property
    def num_agents(self) -> int:
        """N."""
        return len(self.num_actions)

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """The columns one-hot, [S, F]; those with one value are left out."""
        parts = []
        for column in self.columns.values():
            values, index = np.unique(column, return_inverse=True)
            if len(values) > 1:
                parts.append(np.eye(len(values), dtype=np.float32)[index])
        return (
            np.concatenate(parts, 1) if parts else np.ones((self.num_states, 1), dtype=np.float32)
        )

    def by_state(self, policy: Policy, player: int) -> Floats:
        """What a player does in each state, [S, A], by a policy of what it sees."""
        own: Floats = policy[self.seen[player]]
        if self.seen_actions is None:
            return own
        renamed: Floats = np.take_along_axis(own, self.seen_actions[player], 1)
        return renamed

    def by_view(self, own: Floats, player: int) -> Policy:
        """Inverse of `by_state`; what the player never sees gets the uniform policy."""
        policy = np.full(own.shape, 1 / own.shape[1])
        if self.seen_actions is None:
            policy[self.seen[player]] = own
        else:
            policy[self.seen[player][:, None], self.seen_actions[player]] = own
        return policy

    def symmetrised(self, policy: Policy) -> Policy:
        """A policy averaged over actions that a symmetry of the board exchanges.

        Only games with symmetry="all" have such; any other leaves a policy as it is.
        """
        if self.stabiliser is None:
            return policy
        average: Policy = np.einsum("sab,...sb->...sa", self.stabiliser, policy)
        return average

    def joint_policy(self, policies: Sequence[Policy], without: int | None = None) -> Floats:
        """pi_0(a_0 | s) ... pi_{N-1}(a_{N-1} | s), [S, J], of stationary policies.

        Args:
            policies: one a player, each indexed by what its seat sees.
            without: a player whose factor is left out (1 for each of its actions).
        """
        joint = np.ones((self.num_states, 1))
        for n, policy in enumerate(policies):
            own = np.ones((self.num_states, self.num_actions[n]))
            if n != without:
                own = self.by_state(policy, n)
            joint = (joint[:, :, None] * own[:, None, :]).reshape(self.num_states, -1)
        return joint

    def action_values(self, values: Floats, player: int, gamma: float) -> Floats:
        """Q_n(s, a) = r_n(s, a) + gamma E[V(s')], for joint actions, [S, J].

        Args:
            values: of the next state, [S].
            player: whose rewards.
            gamma: discount factor.
        """
        after_chance = np.concatenate([values, self.chance @ values])
        result: Floats = self.rewards[..., player] + gamma * after_chance[self.successors]
        return result

    def own_values(self, joint_values: Floats, others: Floats, player: int) -> Floats:
        """Sums [S, J] over the others' actions: [S, A of the player]."""
        weighted = (joint_values * others).reshape(self.num_states, *self.num_actions)
        axes = tuple(1 + n for n in range(self.num_agents) if n != player)
        result: Floats = weighted.sum(axes)
        return result

    def on_seat(self, actions: Ints, player: int) -> Policy:
        """The policy that takes `actions` [S] (by state), indexed by what the player sees."""
        chosen = np.eye(self.num_actions[player])[actions]
        return self.symmetrised(self.by_view(chosen, player))


def best_actions(q: Floats, tables: GameTables, player: int, tolerance: float) -> Ints:
    """In each state the first action that is best for all states that look the same, [S].

    Args:
        q: values of the player's actions, [S, A].
        tables: the game.
        player: whose.
        tolerance: how much less than the best still counts as best.

    Raises:
        ValueError: states that look the same to the player ask for different actions.
    """
    good = q >= q.max(1, keepdims=True) - tolerance

    # An action has to be good in every state that looks the same.
    every = np.ones_like(good)
    np.logical_and.at(every, tables.seen[player], good)
    every = every[tables.seen[player]]

    if not every.any(1).all():
        raise ValueError(
            f"player_{player} does not see the whole state, and its best response to these "
            "policies depends on what it does not see: no policy of what it sees attains it"
        )
    first: Ints = every.argmax(1)
    return first


def check_policy(policy: Any, shape: tuple[int, ...], name: str) -> Policy:
    """A policy as float64, of that shape (its last axis sums to one).

    Raises:
        ValueError: another shape, negative or not finite entries, rows that do not sum to one.
        TypeError: no numbers.
    """
    array = real_array(f"the probabilities of {name}", policy)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {list(shape)}, got {list(array.shape)}")

    if not np.isfinite(array).all() or array.min() < 0:
        raise ValueError(f"{name} must hold probabilities, got {array.min()}")

    # Rows that sum to one but for rounding are made to.
    total = array.sum(-1)
    if (wrong := np.abs(total - 1)).max() > 1e-6:
        where = np.unravel_index(wrong.argmax(), wrong.shape)
        raise ValueError(
            f"rows of {name} must sum to one; that of state {int(where[-1])} sums to {total[where]}"
        )
    result: Policy = array / total[..., None]
    return result


def check_symmetric(policy: Policy, tables: GameTables, name: str) -> Policy:
    """The same policy.

    Raises:
        ValueError: actions that a symmetry exchanges, on a board that it leaves as it is, differ.
    """
    if np.abs(tables.symmetrised(policy) - policy).max() > 1e-6:
        raise ValueError(
            f"{name} gives different probabilities to actions that a symmetry of the board "
            "exchanges: use game.symmetrised(policy), or build the game with "
            'symmetry="translations"'
        )
    return policy


def check_gamma(gamma: Any, below_one: bool = True) -> float:
    """A discount factor in [0, 1), or in (0, 1] for a game that ends.

    Raises:
        ValueError: outside.
        TypeError: no number.
    """
    if isinstance(gamma, bool) or not isinstance(gamma, int | float | np.floating):
        raise TypeError(f"gamma must be a number, got {gamma!r}")
    value = float(gamma)
    inside = 0 <= value < 1 if below_one else 0 < value <= 1
    if not (math.isfinite(value) and inside):
        interval = "[0, 1)" if below_one else "(0, 1]"
        hint = ": for an undiscounted game use game.finite(horizon)" if value == 1 else ""
        raise ValueError(f"gamma must lie in {interval}, got {gamma!r}{hint}")
    return value
