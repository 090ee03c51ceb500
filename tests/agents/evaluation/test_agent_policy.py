"""Trained agents as opponents: by any name, in any view, a game that is its own."""

import copy
import pickle
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents.cli.main import main
from agents.evaluation.agent import AgentPlayer
from agents.evaluation.agent_policy import AgentPolicy
from agents.evaluation.cards import list_bundled
from agents.evaluation.league import round_robin
from agents.evaluation.loading import load_agent
from agents.evaluation.players import is_agent
from social_dilemmas_env.policy import Policy
from social_dilemmas_env.single_agent import OpponentPool, SingleEnv, SingleVectorEnv

torch.set_num_threads(1)


def play(env, actions):
    """The rewards of a batch, or of a single game."""
    return [env.step(a)[1] for a in actions]


def make_views(name, games, **settings):
    agent = load_agent(f"bundled:{name}")
    settings = {"env_id": agent.env_id, **agent.game_kwargs, **settings}
    envs = SingleVectorEnv(games, opponent=f"bundled:{name}", **settings)
    return envs, [SingleEnv(opponent=f"bundled:{name}", **settings) for _ in range(games)]


# -------------------------------------------------------------------------------- a game is its own


# Enumerating a large board takes seconds.
LARGE = [name for name in list_bundled() if name.endswith("7x7")]
BUNDLED = [name for name in list_bundled() if name not in LARGE]


@pytest.mark.parametrize(
    ("name", "player"),
    [
        *((name, seat % 2) for seat, name in enumerate(BUNDLED)),
        *(("loqa_3x3", seat) for seat in (0, 1)),
        *(pytest.param(name, 1, marks=pytest.mark.slow) for name in LARGE),
    ],
)
def test_game_i_of_many_is_the_single_game(name, player):
    """Promise 2 for trained agents, through two episodes."""
    envs, alone = make_views(name, 5, player=player, max_cycles=30)
    envs.reset(seed=11)
    for i, env in enumerate(alone):
        env.reset(seed=sde.draw(11, i))

    for episode in range(2):
        actions = np.random.default_rng(episode).integers(2, size=(30, 5))
        rewards = np.array(play(envs, actions))
        singles = [play(env, actions[:, i]) for i, env in enumerate(alone)]
        np.testing.assert_array_equal(rewards, np.array(singles).T)
        envs.step(actions[0])  # which begins the next episode
        for env in alone:
            env.reset()


def test_neighbours_do_not_matter():
    """The same game in batches of several sizes, each with seeds of their own."""
    actions = np.random.default_rng(0).integers(4, size=49)
    found = []
    for games in (1, 3, 64):
        envs = gymnasium.make_vec(
            "social_dilemmas/coin_game-v0", games, opponent="bundled:loqa_3x3"
        )
        envs.reset(seed=[*range(100, 99 + games), 7])
        found.append([step[-1] for step in play(envs, [np.full(games, a) for a in actions])])
    assert found[0] == found[1] == found[2]


def test_exact_arithmetic_plays_the_same_policy():
    """float64 changes rounding only."""
    for name in list_bundled():
        agent = load_agent(f"bundled:{name}")
        env = sde.make_vec_env(agent.env_id, 64, **agent.game_kwargs)
        seen, hidden, other = env.reset(seed=0)[0][:, 0], None, None
        for t in range(10):
            chances, hidden = agent.probabilities(seen, hidden)
            exact, other = agent.precise().probabilities(seen, other)
            torch.testing.assert_close(chances.double(), exact.double(), atol=1e-5, rtol=1e-4)
            moves = np.random.default_rng(t).integers(2, size=(64, env.num_agents))
            seen = env.step(moves)[0][:, 0]


def test_actions_follow_the_probabilities():
    """4,000 first moves; five standard errors, false alarm below 1e-5."""
    agent = load_agent("bundled:loqa_3x3")
    board = sde.make_vec_env("coin_game_v0", 1).reset(seed=0)[0][:, 0]
    policy = AgentPolicy(agent, 1)
    policy.reset(4000, 0)
    counts = np.bincount(policy.act(board.repeat(4000, 0)), minlength=4) / 4000
    chances = agent.probabilities(board)[0][0].numpy()
    assert (abs(counts - chances) < 5 * (chances * (1 - chances) / 4000) ** 0.5 + 1e-9).all()


def test_greedy_takes_the_likeliest():
    agent = load_agent("bundled:loqa_3x3")
    boards = sde.make_vec_env("coin_game_v0", 9).reset(seed=0)[0][:, 0]
    env = SingleEnv("coin_game_v0", AgentPlayer(agent, greedy=True))
    policy = env.opponents.policies[0]
    policy.reset(9, 0)
    np.testing.assert_array_equal(
        policy.act(boards), agent.probabilities(boards)[0].argmax(-1).numpy()
    )


def test_it_keeps_the_contract():
    policy = AgentPolicy(load_agent("bundled:loqa_3x3"))
    assert isinstance(policy, Policy)
    boards = torch.as_tensor(sde.make_vec_env("coin_game_v0", 3).reset(seed=0)[0][:, 0])
    actions = policy.act(boards)
    assert isinstance(actions, torch.Tensor)
    assert actions.shape == (3,)
    with pytest.raises(ValueError, match="this agent plays 3 games, got observations of 2"):
        policy.act(boards[:2])


@pytest.mark.parametrize("how", ["state", "deepcopy", "pickle"])
@pytest.mark.parametrize("vector", [False, True])
def test_continuation(how, vector):
    """Promise 3, the agent's memory included; its network is shared."""
    make = lambda: make_views("loqa_3x3", 2)[0 if vector else 1]  # noqa: E731
    env = make() if vector else make()[0]
    env.reset(seed=2)
    actions = np.random.default_rng(1).integers(4, size=(20, 2) if vector else 20)
    play(env, actions[:9])
    if how == "state":
        twin = make() if vector else make()[0]
        twin.set_state(env.get_state())
        assert env.get_state().opponents[0].agent is env.opponents.policies[0].agent
    else:
        twin = copy.deepcopy(env) if how == "deepcopy" else pickle.loads(pickle.dumps(env))
    assert np.array_equal(play(env, actions), play(twin, actions))


# ----------------------------------------------------------------------------------- by any name


@pytest.mark.parametrize("seed", [0, [1, 2]])
def test_every_form_is_the_same_opponent(seed):
    agent = load_agent("bundled:loqa_3x3")
    forms = ["bundled:loqa_3x3", agent, AgentPlayer(agent), OpponentPool([agent])]
    found = []
    for opponent in forms:
        envs = gymnasium.make_vec("social_dilemmas/coin_game-v0", num_envs=2, opponent=opponent)
        envs.reset(seed=seed)
        found.append(np.array(play(envs, np.zeros((30, 2), int))).tolist())
    assert found[0] == found[1] == found[2] == found[3]


def test_one_agent_object_in_several_environments():
    agent = load_agent("bundled:loqa_3x3")
    envs = [SingleEnv("coin_game_v0", agent) for _ in range(2)]
    for env in envs:
        env.reset(seed=0)
    assert play(envs[0], [0] * 20) == play(envs[1], [0] * 20)
    assert not hasattr(agent, "hidden")


def test_a_wrapper_of_ones_own_is_asked_itself():
    """An object that holds an agent is not the agent."""

    class Contrary:
        def __init__(self):
            self.agent = load_agent("bundled:loqa_ipd")

        def act(self, observations):
            return 1 - self.agent.act(observations, greedy=True)[0]

    first = [
        SingleEnv("ipd_v0", o) for o in (AgentPlayer(Contrary().agent, greedy=True), Contrary())
    ]
    for env in first:
        env.reset(seed=0)
    assert {env.step(1)[1] for env in first} == {0.0, -2.0}


def test_two_agents_in_the_seats_of_three():
    env = SingleEnv("coin_game_v0", ["random", "always_defect"], num_agents=3)
    with pytest.raises(ValueError, match="was trained with observation_shape"):
        env.set_opponent("bundled:loqa_3x3")


@pytest.mark.parametrize(
    ("opponent", "message"),
    [
        ("bundled:loqa_3x", "there is no bundled agent 'loqa_3x'"),
        ("bundled:loqa_ipd", "bundled:loqa_ipd plays ipd_v0, not coin_game_v0"),
        ("runs/nowhere", "nowhere"),
    ],
)
def test_what_is_no_agent(opponent, message):
    with pytest.raises(ValueError, match=message):
        gymnasium.make("social_dilemmas/coin_game-v0", opponent=opponent)


def test_one_observation_is_not_a_batch():
    for name in ("loqa_3x3", "loqa_ipd", "meta_mapg_ipd"):
        agent = load_agent(f"bundled:{name}")
        env = sde.make_env(agent.env_id, **agent.game_kwargs)
        one = env.reset(seed=0)[0]["player_0"]
        for call in (agent.act, agent.probabilities, AgentPlayer(agent).act):
            with pytest.raises(ValueError, match=r"pass a batch: observation\[None\]"):
                call(one)
        assert agent.act(one[None])[0].shape == (1,)


def test_a_list_of_seeds_is_for_policies():
    with pytest.raises(TypeError, match="AgentPolicy takes one for each game"):
        AgentPlayer(load_agent("bundled:loqa_3x3")).reset(2, [1, 2])


def test_without_torch_the_extra_is_named():
    """The environments import neither torch nor agents; a trained agent says what it needs."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import gymnasium, social_dilemmas_env\n"
        "gymnasium.make('social_dilemmas/ipd-v0', opponent='tit_for_tat')\n"
        "assert not any(name.split('.')[0] == 'agents' for name in sys.modules)\n"
        "try: gymnasium.make('social_dilemmas/ipd-v0', opponent='bundled:loqa_ipd')\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    words = [sys.executable, "-W", "ignore", "-c", code]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "is a trained agent, which needs more" in found
    assert 'pip install -e ".[agents]"' in found


# ------------------------------------------------------------------------- the command and leagues

MINE = "import numpy as np\nclass Agent:\n    def act(self, seen): return np.ones(len(seen), int)\n"


def test_an_agent_of_ones_own_plays(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    word = f"{path}:Agent"
    assert main(["play", "ipd_v0", word, "always_cooperate"]) == 0
    assert "+0.000 a step" in capsys.readouterr().out
    assert main(["league", "ipd_v0", word, "tit_for_tat", "--episodes", "2"]) == 0
    assert "-2.000" in capsys.readouterr().out
    assert main(["play", "ipd_v0", f"{path}:Other", "tit_for_tat"]) == 2
    assert f"there is no Other in {path}" in capsys.readouterr().err


def test_a_folder_does_not_hide_a_strategy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random").mkdir()
    assert not is_agent("random")
    assert SingleEnv("ipd_v0", "random")


def test_starts_say_that_they_are_starts(capsys):
    """In `play`, `league` and `evaluate`; agents that are finished say nothing."""
    meta = "bundled:meta_mapg_ipd"
    words = [
        ["play", "ipd_v0", meta, "tit_for_tat"],
        ["league", "ipd_v0", meta, "tit_for_tat", "--episodes", "2"],
        ["evaluate", meta, "--episodes", "2"],
    ]
    for command in words:
        assert main(command) == 0
        assert "a start that is meant to be updated while it plays" in capsys.readouterr().out
    league = round_robin(["bundled:loqa_ipd", "tit_for_tat"], "ipd_v0", episodes=2)
    assert league.remarks == {}
    assert "remarks" not in league.json()


def test_its_moves_do_not_depend_on_when_other_games_end():
    """In the mode in which a reset takes a step, others go on meanwhile."""
    how = {"env_id": "ipd_v0", "opponent": "bundled:loqa_ipd", "continuation": 0.7}
    one, four = (SingleVectorEnv(n, **how) for n in (1, 4))
    one.reset(seed=[7]), four.reset(seed=[7, 8, 9, 10])
    for _ in range(40):
        mine, theirs = (envs.step(np.zeros(envs.num_envs, int)) for envs in (one, four))
        assert [part[0].tolist() for part in mine[:4]] == [part[0].tolist() for part in theirs[:4]]
