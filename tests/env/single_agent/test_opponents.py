"""An environment owns its players, and one contract holds for whatever sits in a seat."""

import copy
import threading

import gymnasium
import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv
from social_dilemmas_env.policy import GameDraws, Policy
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv

IPD = "social_dilemmas/ipd-v0"


class Grudger:
    """Never forgives; forgets at `reset` only, and is told of no `first`.  Of many games too."""

    def __init__(self):
        self.resets = []

    def reset(self, num_games, seed=None):
        self.resets.append((num_games, seed))
        self.grudge = np.zeros(num_games, int)

    def act(self, observations):
        self.grudge |= np.isin(observations.argmax(-1), (2, 4))  # start CC CD DC DD, own first
        return self.grudge.copy()


class Draws:
    """Plays at random, from its own generator; without memory otherwise."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def act(self, observations):
        return self.rng.integers(2, size=len(observations))


# ------------------------------------------------------------------------------------ whose it is


@pytest.mark.parametrize("mode", ["sync", "vector_entry_point"])
def test_one_object_in_many_games_is_one_player_each(mode):
    """Game 1 is not punished for what was done in game 0."""
    grim = sde.make_strategy("grim", "ipd_v0", player=1)
    found = []
    for opponent in ("grim", grim):
        envs = gymnasium.make_vec(IPD, num_envs=2, vectorization_mode=mode, opponent=opponent)
        envs.reset(seed=[1, 2])
        found.append([envs.step(np.array([int(t == 0), 0]))[1].tolist() for t in range(4)])
    assert found[0] == found[1]
    assert found[1][-1] == [-3.0, -1.0]


def test_training_and_evaluation_share_nothing():
    """A defection in the one environment is not remembered in the other."""
    opponent = Grudger()
    train, test = (gymnasium.make(IPD, opponent=opponent) for _ in range(2))
    for env in (train, test):
        env.reset(seed=0)
    assert [train.step(action)[1] for action in (1, 0)] == [0.0, -3.0]
    assert [test.step(0)[1] for _ in range(3)] == [-1.0] * 3
    assert opponent.resets == []  # the object itself has not been touched


def test_a_generator_is_copied():
    """Two environments with one opponent play what either would have played alone."""
    opponent = Draws()
    both = [SingleEnv("ipd_v0", opponent) for _ in range(2)]
    for env in both:
        env.reset(seed=0)
    rewards = [[env.step(0)[1] for env in both] for _ in range(20)]
    assert all(a == b for a, b in rewards)
    assert len({a for a, _ in rewards}) == 2


def test_methods_and_partial_objects_are_copied():
    """What a bound method belongs to goes with it."""
    opponent = Grudger()
    opponent.reset(1)
    one, two = (SingleVectorEnv(1, env_id="ipd_v0", opponent=opponent.act) for _ in range(2))
    for env in (one, two):
        env.reset(seed=0)
    one.step(np.array([1])), one.step(np.array([0]))
    assert two.step(np.array([0]))[1].tolist() == [-1.0]
    assert two.step(np.array([0]))[1].tolist() == [-1.0]


@pytest.mark.parametrize("cls", [SingleEnv, SingleVectorEnv])
def test_what_cannot_be_copied_is_refused(cls):
    opponent = Draws()
    opponent.lock = threading.Lock()
    with pytest.raises(TypeError, match="owns its players, and this Draws cannot be copied"):
        cls(env_id="ipd_v0", opponent=opponent)


def test_metadata_belongs_to_the_environment():
    """Libraries write into it: `env.metadata["render_fps"] = 30`."""
    makers = (
        lambda: SingleEnv("ipd_v0"),
        lambda: SingleVectorEnv(2, env_id="ipd_v0"),
        lambda: sde.make_env("ipd_v0"),
        lambda: sde.make_env("ipd_v0", api="aec"),
        lambda: DictVecEnv("ipd_v0", 2, backend="numpy"),
    )
    for make in makers:
        env, other = make(), make()
        before = copy.deepcopy(other.metadata)
        env.metadata["render_fps"] = 99
        env.metadata["render_modes"].append("hologram")
        assert other.metadata == make().metadata == before


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_tables_of_observations_are_not_shared_for_writing(backend):
    """numpy's is read-only; of torch's every batch has a copy, the same at each call."""
    if backend == "torch":
        pytest.importorskip("torch")
    one, two = (sde.make_vec_env("ipd_v0", 2, backend=backend, obs_mode="state") for _ in range(2))
    before = np.array(two.observation_table)
    try:
        one.observation_table[...] = 7
    except ValueError as error:
        assert "read-only" in str(error)
    assert one.observation_table is one.observation_table
    new = sde.make_vec_env("ipd_v0", 2, backend=backend, obs_mode="state")
    for other in (two, new):
        assert np.array_equal(other.observation_table, before)
        ids, _ = other.reset(seed=0)
        assert np.array_equal(other.observe(ids)[0, 0], before[0])


def test_arguments_are_not_shared():
    """An array that made an environment may be written in afterwards."""
    payoffs = np.arange(12.0).reshape(2, 3, 2)
    env = SingleEnv("matrix_game_v0", "random", payoffs=payoffs)
    payoffs[:] = 99
    env.reset(seed=0)
    assert env.step(0)[1] in (0.0, 2.0, 4.0)
    env.set_opponent("random")
    assert env.step(0)[1] in (0.0, 2.0, 4.0)
    assert env.opponents.policies[0].game == env.env.game


# -------------------------------------------------------------------------------- episodes are told


def test_an_opponent_without_first_is_reset_where_an_episode_begins():
    env = SingleEnv("ipd_v0", Grudger(), max_cycles=3)
    env.reset(seed=0)
    assert [env.step(action)[1] for action in (1, 0, 0)] == [0.0, -3.0, -3.0]
    env.reset()
    assert [env.step(0)[1] for _ in range(3)] == [-1.0] * 3
    # Once with the seed, and not again at the first step.
    assert env.opponents.policies[0].player.resets == [(1, [0]), (1, None)]


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_and_in_many_games_where_they_begin_together(mode):
    results = []
    for opponent in (Grudger(), "grim"):
        envs = SingleVectorEnv(
            2, env_id="ipd_v0", opponent=opponent, max_cycles=3, autoreset_mode=mode
        )
        envs.reset(seed=0)
        results.append([envs.step(np.array([t == 0, 0], int))[1].tolist() for t in range(8)])
    assert results[0] == results[1]


def test_functions_with_a_reset_are_told_too():
    class Grudge:
        def reset(self, num_games, seed=None):
            self.angry = 0

        def __call__(self, observation):
            self.angry |= int(observation.argmax(-1) in (2, 4))
            return self.angry

    env = SingleEnv("ipd_v0", Grudge(), max_cycles=2)
    env.reset(seed=0)
    assert [env.step(1)[1] for _ in range(2)] == [0.0, -2.0]
    env.reset()
    assert [env.step(0)[1] for _ in range(2)] == [-1.0, -1.0]


def test_act_may_ask_for_first():
    """Whether it must be given or may be; the views always know it."""

    class Opening:
        def act(self, observations, first):
            return first.astype(int)

    env = SingleEnv("ipd_v0", Opening(), max_cycles=2)
    for _ in range(2):
        env.reset(seed=0)
        assert [env.step(0)[1] for _ in range(2)] == [-3.0, -1.0]


def test_some_games_cannot_begin_without_it():
    """Said before anything changes; all of them may."""
    envs = SingleVectorEnv(
        2, env_id="ipd_v0", opponent=Grudger(), max_cycles=3, autoreset_mode="Disabled"
    )
    envs.reset(seed=0)
    envs.step(np.array([1, 0]))
    state = envs.venv.get_state()
    with pytest.raises(ValueError, match="give its act a parameter `first`"):
        envs.reset(options={"reset_mask": np.array([True, False])})
    assert envs.venv.get_state() == state
    assert envs.step(np.array([0, 0]))[1].tolist() == [-3.0, -1.0]
    envs.reset(options={"reset_mask": np.array([True, True])})
    assert envs.step(np.array([0, 0]))[1].tolist() == [-1.0, -1.0]


class Needs:
    def act(self, observations, hidden):
        return observations


class BadReset:
    def reset(self):
        pass

    def act(self, observations):
        return observations


class NoCall:
    act = 3


DOOR = {
    "a class": (Grudger, r"Grudger is a class: give an object of it, Grudger\(\)"),
    "more arguments": (Needs(), r"act of Needs must take \(observations, first=None\)"),
    "another reset": (BadReset(), r"reset of BadReset must take \(num_games, seed=None\)"),
    "no method": (NoCall(), "whose act cannot be called"),
    "a number": (7, "an opponent is the name of a strategy"),
}


@pytest.mark.parametrize("case", DOOR)
@pytest.mark.parametrize("cls", [SingleEnv, SingleVectorEnv])
def test_the_door(case, cls):
    opponent, message = DOOR[case]
    with pytest.raises(TypeError, match=message):
        cls(env_id="ipd_v0", opponent=opponent)


@pytest.mark.parametrize("cls", [SingleEnv, SingleVectorEnv])
def test_strategies_sit_in_their_own_game_only(cls):
    """The moves of POLA's Coin Game have another order: it would step the wrong way."""
    pola = sde.make_strategy("always_cooperate", "coin_game_v0", variant="pola", player=1)
    with pytest.raises(ValueError, match="this always_cooperate was made for another game"):
        cls(env_id="coin_game_v0", opponent=pola)
    cls(env_id="coin_game_v0", opponent=pola, variant="pola", max_cycles=7, action_noise=0.1)


def test_seats_of_a_view_of_all_are_not_alike():
    """Player 0's tit for tat would copy itself in the other seat."""
    made = [sde.make_strategy("tit_for_tat", "ipd_v0", view="joint", player=n) for n in (0, 1)]
    with pytest.raises(ValueError, match="can only be player 0"):
        SingleEnv("ipd_v0", made[0], view="joint")
    SingleEnv("ipd_v0", made[1], view="joint")
    SingleEnv("ipd_v0", sde.make_strategy("tit_for_tat", "ipd_v0"))  # any seat sees itself first


@pytest.mark.parametrize("cls", [SingleEnv, SingleVectorEnv])
def test_no_name_at_all(cls):
    with pytest.raises(ValueError, match="there is no strategy ''"):
        cls(env_id="ipd_v0", opponent="")


def test_states_and_moves_of_another_number_of_games():
    env, envs = SingleEnv("ipd_v0"), SingleVectorEnv(2, env_id="ipd_v0")
    env.reset(seed=0), envs.reset(seed=0)
    with pytest.raises(ValueError, match="this state is of 2 games, and not of 1"):
        env.set_state(env.get_state()._replace(first=[True, False]))
    with pytest.raises(TypeError, match="rows of different lengths"):
        envs.step([[0], [0, 1]])


def test_moves_must_be_integers_of_each_game():
    for answer in ([0.5], [[1]], [1, 1], ["C"]):
        env = SingleEnv("ipd_v0", [type("Odd", (), {"act": lambda _, o, a=answer: np.array(a)})()])
        env.reset(seed=0)
        with pytest.raises(TypeError, match="the opponent in seat 1 must return integers"):
            env.step(0)


def test_strategies_keep_the_contract():
    assert isinstance(sde.make_strategy("grim", "ipd_v0"), Policy)
    assert sde.Strategy is Policy


# --------------------------------------------------------------------------------------- exchange


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_opponents_are_exchanged_during_training(mode):
    """Game i of a batch goes on as the single game does, with opponents that draw."""
    settings = {"env_id": "ipd_v0", "max_cycles": 4}
    envs = SingleVectorEnv(3, opponent="random", autoreset_mode=mode, **settings)
    alone = [SingleEnv(opponent="random", **settings) for _ in range(3)]
    envs.reset(seed=5)
    for i, env in enumerate(alone):
        env.reset(seed=sde.draw(5, i))

    for opponent in ("random", "generous_tit_for_tat", Grudger(), "random"):
        for env in (envs, *alone):
            env.set_opponent(opponent)
        rewards = [envs.step(np.ones(3, int))[1].tolist() for _ in range(2)]
        assert rewards == [list(row) for row in zip(*[_play(env) for env in alone], strict=True)]
        if envs.venv.get_state().over[0] or envs.venv.get_state().t[0] == 0:
            if mode == "NextStep":
                envs.step(np.ones(3, int))
            for env in alone:
                env.reset()


def _play(env):
    return [env.step(1)[1] for _ in range(2)]


def test_exchange_through_gymnasium():
    env = gymnasium.make(IPD, opponent="always_defect")
    env.unwrapped.set_opponent("always_cooperate")  # before the first reset too
    env.reset(seed=0)
    assert env.step(0)[1] == -1.0
    env.unwrapped.set_opponent("always_defect")
    assert env.step(0)[1] == -3.0
    with pytest.raises(ValueError, match="there is no strategy"):
        env.unwrapped.set_opponent("always_defec")
    assert env.step(0)[1] == -3.0


def test_exchange_in_a_process_each():
    envs = gymnasium.make_vec(IPD, 2, vectorization_mode="sync", opponent="always_defect")
    envs.reset(seed=0)
    envs.call("set_opponent", "always_cooperate")
    assert envs.step(np.zeros(2, int))[1].tolist() == [-1.0, -1.0]


# ------------------------------------------------------------------------------------------ draws


def test_draws_of_a_game_are_its_own():
    many, one = GameDraws(1), GameDraws(1)
    many.reset(5, 7)
    one.reset(1, [sde.draw(7, 3)])
    assert [many.words()[3] for _ in range(9)] == [one.words()[0] for _ in range(9)]
    many.skip()
    one.words()
    assert many.uniforms()[3] == one.uniforms()[0]
    many.reset(5)
    one.reset(1)
    assert many.words()[3] == one.words()[0]
    with pytest.raises(ValueError, match="the last seeds were for 1 games"):
        one.reset(2)


def test_players_and_uses_draw_apart():
    words = set()
    for player, stream in ((0, 1), (1, 1), (0, 2)):
        draws = GameDraws(player, stream=stream)
        draws.reset(100, 0)
        words |= set(draws.words().tolist())
    assert len(words) == 300
