"""A game of one's own in 40 lines: two fishers and a pond.

    pip install -c constraints.txt -e ".[exact]"
    python examples/04_own_game.py

Rules   1. Both ask at once for few fish (1) or many (4).
        2. If there are not enough for both, what is there is shared, rounded down.
        3. What is left doubles, up to 8 fish.
"""

from dataclasses import dataclass

import social_dilemmas_env as sde

FULL, FEW, MANY = 8, 1, 4


@dataclass(frozen=True)
class Pond:
    """Two fishers and a pond."""

    max_cycles: int = 50
    num_actions = (2, 2)
    action_names = (("few", "many"),) * 2
    columns = ("fish",)
    sizes = view_sizes = observation_shape = (FULL + 1,)
    reward_values = tuple(map(float, range(FULL + 1)))  # a reward's code is the catch
    reward_noise, streams = 0.0, 1

    def start(self, draw):
        """A full pond; draw(0, 1) is 0, of the right kind: an integer or an array."""
        return (draw(0, 1) + FULL,)

    def act(self, board, actions):
        """Integers and comparisons only, so that one text plays on Python, numpy and torch."""
        fish = board[0]
        asked = [FEW + action * (MANY - FEW) for action in actions]  # rule 1
        short = (asked[0] + asked[1] > fish) * 1
        catches = [ask * (1 - short) + fish // 2 * short for ask in asked]  # rule 2
        grown = 2 * (fish - catches[0] - catches[1])
        return (grown - (grown > FULL) * (grown - FULL),), catches  # rule 3

    def chances(self, board):
        """Nothing is left to chance."""
        return ()

    def chance(self, board, draw):
        """Nothing is left to chance."""
        return board

    def view_of(self, board, player):
        """Both see the pond."""
        return board

    def features(self, view):
        """One-hot."""
        return [view[0]]


sde.register("pond_v0", Pond)


def main() -> dict[str, float]:
    """Everything that plays our games plays this one; gives exact scores."""
    assert sde.check_env(lambda **kwargs: sde.make_env("pond_v0", **kwargs)) == []
    sde.make_vec_env("pond_v0", num_envs=1024).reset(seed=0)

    # What the strategies are worth without end, exactly.
    game = sde.exact_game("pond_v0", gamma=0.96)
    few, many = (game.policy("constant", action=action) for action in (0, 1))
    scores = {
        "both few": game.score([few, few])[0],
        "both many": game.score([many, many])[0],
        "many against few": game.score([many, few])[0],
        "best response to few": game.best_response([None, few], player=0)[1][0],
    }
    for name, score in scores.items():
        print(f"{name:21s} {score:.3f} fish a step")
    return scores


if __name__ == "__main__":
    main()
