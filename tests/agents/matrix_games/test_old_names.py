"""Names that were given up go on working for a release, and say what to write instead."""

import importlib

import pytest

RENAMED = [
    ("agents.matrix_games.differentiable", "views_of", "replicas_of"),
    ("agents.matrix_games.opponent_models", "beliefs_of", "estimates_of"),
    ("agents.learners.lola.lola_exact", "imagined_steps", "opponents_steps"),
    ("agents.learners.lola.q_learners", "Experience", "Transition"),
    ("agents.learners.lola.tournament", "round_robin", "learning_tournament"),
    ("agents.learners.pola.pola_exact", "View", "OuterProblem"),
    ("agents.learners.pola.pola_exact", "imagined", "inner_solution"),
]


@pytest.mark.parametrize(("module", "old", "new"), RENAMED)
def test_a_renamed_name_warns_and_is_the_new_one(module, old, new):
    found = importlib.import_module(module)
    with pytest.warns(DeprecationWarning, match=f"{old} is now .*{new}"):
        value = getattr(found, old)
    assert value is getattr(found, new)


@pytest.mark.parametrize("module", sorted({module for module, _, _ in RENAMED}))
def test_another_name_is_still_an_error(module):
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        importlib.import_module(module).no_such_name  # noqa: B018
