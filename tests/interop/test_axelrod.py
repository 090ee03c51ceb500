"""Players of matrix games against the same-named players of the Axelrod library: whole histories,
or probabilities.

An optional job, since Axelrod takes 15 seconds to import and brings its own dependencies:

    pip install axelrod && python -m pytest -m slow tests/interop/test_axelrod.py
"""

import itertools

import numpy as np
import pytest

from social_dilemmas_env.strategies import make_strategy

pytestmark = pytest.mark.slow
axl = None  # imported by the first test that runs, so that collecting costs nothing
TURNS, SEEDS = 40, (1, 2, 3)
TWINS = {  # ours: Axelrod's
    "always_cooperate": "Cooperator",
    "always_defect": "Defector",
    "tit_for_tat": "TitForTat",
    "grim": "Grudger",
    "pavlov": "WinStayLoseShift",
}
STOCHASTIC = {"random": "Random", "generous_tit_for_tat": "GTFT", "extort2": "ZDExtort2"}
LEFT_OUT = ("long_run_time", "inspects_source", "manipulates_source", "manipulates_state")
PAYOFFS = [[[3, 3], [0, 5]], [[5, 0], [1, 1]]]  # Axelrod's


@pytest.fixture(autouse=True, scope="module")
def library():
    global axl
    axl = pytest.importorskip("axelrod")


def ours(name, **arguments):
    """Our player as a player of Axelrod's: it sees nothing but the observation of
    `matrix_game_v0`."""
    strategy = make_strategy(name, "matrix_game_v0", payoffs=PAYOFFS, **arguments)

    class Ours(axl.Player):
        def strategy(self, opponent):
            position = 0
            if self.history:
                position = (
                    1
                    + 2 * (self.history[-1] == axl.Action.D)
                    + (opponent.history[-1] == axl.Action.D)
                )
            else:
                strategy.reset(1)
            move = strategy.act(np.eye(5, dtype=np.float32)[[position]])[0]
            return (axl.Action.C, axl.Action.D)[move]

    Ours.name = name
    Ours.classifier = dict(axl.TitForTat.classifier)
    return Ours()


def opponents():
    """(class, seed): every short deterministic player of the library, and every short stochastic
    one by three seeds.

    Those that read or change their opponent's code or state are left out, as in the library's own
    tournaments."""
    for cls in axl.strategies:
        if not any(axl.Classifiers[trait](cls()) for trait in LEFT_OUT):
            yield from (
                (cls, seed)
                for seed in (SEEDS if axl.Classifiers["stochastic"](cls()) else SEEDS[:1])
            )


def history(player, opponent, seed):
    return axl.Match((player, opponent()), turns=TURNS, seed=seed).play()


@pytest.mark.parametrize("name", TWINS)
def test_histories_are_those_of_the_library(name):
    played, unlike = 0, []
    for opponent, seed in opponents():
        expected = history(getattr(axl, TWINS[name])(), opponent, seed)
        if history(ours(name), opponent, seed) != expected:
            unlike.append((opponent.__name__, seed))
        played += 1
    assert not unlike
    assert played >= 150, played
    print(f"{name} = {TWINS[name]}: {played} matches of {TURNS} turns")


def test_every_deterministic_memory_one_player():
    """All 32, over at least 50 opponents together with their seeds."""
    c, d = axl.Action.C, axl.Action.D
    chosen = list(opponents())[::4]
    assert len(chosen) >= 50
    for probabilities in itertools.product((1, 0), repeat=5):
        mine = ours("memory_one", probabilities=probabilities)
        theirs = axl.MemoryOnePlayer(
            four_vector=probabilities[1:], initial=(d, c)[probabilities[0]]
        )
        for opponent, seed in chosen:
            assert history(mine, opponent, seed) == history(theirs, opponent, seed), (
                probabilities,
                opponent,
                seed,
            )


@pytest.mark.parametrize("name", ["generous_tit_for_tat", "extort2"])
def test_probabilities_are_those_of_the_library(name):
    theirs = getattr(axl, STOCHASTIC[name])()
    axl.Match((theirs, axl.Cooperator()), turns=1).play()  # sets the vector from the payoffs
    c, d = axl.Action.C, axl.Action.D
    vector = [theirs._four_vector[pair] for pair in ((c, c), (c, d), (d, c), (d, d))]
    mine = make_strategy(name, "matrix_game_v0", payoffs=PAYOFFS)
    np.testing.assert_allclose(mine.probabilities[1:], vector, atol=1e-12)
    assert mine.probabilities[0] == 1
    assert theirs._initial == c


def test_random_is_random():
    assert axl.Random().p == 0.5
    match = axl.Match((ours("random"), axl.Cooperator()), turns=4000)
    assert (
        abs(np.mean([own == axl.Action.C for own, _ in match.play()]) - 0.5) < 0.036
    )  # 4.5 standard errors


@pytest.mark.parametrize("name", STOCHASTIC)
def test_stochastic_players_score_as_those_of_the_library(name):
    """Mean score per turn against a fixed opponent, 60 matches of 100 turns: within 4.5 s.e.

    Of the difference.
    """
    means, variance = [], 0.0
    for player in (ours(name), getattr(axl, STOCHASTIC[name])()):
        matches = [
            axl.Match((player, axl.Alternator()), turns=100, seed=seed) for seed in range(60)
        ]
        scores = [match.play() and match.final_score_per_turn()[0] for match in matches]
        means.append(np.mean(scores))
        variance += np.var(scores, ddof=1) / len(scores)
    assert abs(means[0] - means[1]) < 4.5 * np.sqrt(variance), (means, variance)
