"""Old names of modules go on working for a release, and say what to write instead."""

import importlib
import sys

import pytest

from social_dilemmas_env.deprecation import moved_modules, moved_names


@pytest.fixture
def finders():
    """What this test adds to the import system goes with it."""
    before = list(sys.meta_path)
    yield
    sys.meta_path[:] = before
    sys.modules.pop("social_dilemmas_env.a_name_it_had", None)


def test_a_moved_module_warns_and_gives_the_new_ones_names(finders):
    moved_modules({"social_dilemmas_env.a_name_it_had": "social_dilemmas_env.rng"})
    with pytest.warns(DeprecationWarning, match=r"is now social_dilemmas_env\.rng") as caught:
        old = importlib.import_module("social_dilemmas_env.a_name_it_had")
    assert old.mix is importlib.import_module("social_dilemmas_env.rng").mix
    assert [warning.filename for warning in caught] == [importlib.__file__]


def test_other_names_are_not_found(finders):
    moved_modules({"social_dilemmas_env.a_name_it_had": "social_dilemmas_env.rng"})
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("social_dilemmas_env.a_name_it_never_had")


def test_a_renamed_name_warns_and_gives_the_new_one():
    get = moved_names(
        "social_dilemmas_env.rng", {"old": "mix", "word": "agents.errors.TrainingError"}
    )
    with pytest.warns(DeprecationWarning, match=r"rng\.old is now social_dilemmas_env\.rng\.mix"):
        assert get("old") is importlib.import_module("social_dilemmas_env.rng").mix
    with pytest.warns(DeprecationWarning, match=r"rng\.word is now agents\.errors\.TrainingError"):
        assert get("word").__name__ == "TrainingError"
    with pytest.raises(AttributeError, match="has no attribute 'never'"):
        get("never")
