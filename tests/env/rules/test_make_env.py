"""What `make_env` promises to a type checker is what it returns."""

import typing

import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import modes
from social_dilemmas_env.envs import DilemmaEnv, OrderedEnv
from social_dilemmas_env.vector.options import Options

RETURNS = {"parallel": DilemmaEnv, "aec": OrderedEnv}


def test_overloads_say_what_each_api_returns():
    """By the words of `api` that each overload takes."""
    promised = {}
    for overload in typing.get_overloads(sde.make_env):
        hints = typing.get_type_hints(overload)
        promised[typing.get_args(hints["api"])] = hints["return"]
    assert promised == {(api,): kind for api, kind in RETURNS.items()}


@pytest.mark.parametrize("api", modes.APIS)
def test_each_api_returns_what_it_promises(api):
    assert type(sde.make_env("ipd_v0", api=api)) is RETURNS[api]
    assert type(sde.make_env("ipd_v0")) is DilemmaEnv


@pytest.mark.parametrize(
    ("name", "kind"),
    [("backend", modes.Backend), ("obs_mode", modes.ObsMode), ("autoreset", modes.Autoreset)],
)
def test_modes_are_literals_and_nothing_else_is_taken(name, kind):
    assert typing.get_type_hints(sde.make_vec_env)[name] == kind
    assert typing.get_type_hints(Options)[name] == kind
    with pytest.raises(ValueError, match=f"{name} must be one of"):
        sde.make_vec_env("ipd_v0", 2, **{name: "another"})
    with pytest.raises(ValueError, match=f"did you mean '{typing.get_args(kind)[0]}'"):
        sde.make_vec_env("ipd_v0", 2, **{name: typing.get_args(kind)[0] + "x"})
