"""The pages of the games (their docstrings) say what the code does: tables, lists, defaults and
headings are compared."""

import ast
import inspect
import re

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.games.coin import VARIANTS
from social_dilemmas_env.games.coin_rules import GAIN, LOSS

HEADINGS = [
    "Description",
    "Action Space",
    "Observation Space",
    "Rewards",
    "Starting State",
    "Episode End",
    "Arguments",
    "Version History",
]
MATRIX = ["bach_stravinsky_v0", "chicken_v0", "imp_v0", "ipd_v0", "rps_v0", "stag_hunt_v0"]
COMMONS = ["clean_up_v0", "commons_harvest_v0", "escape_room_v0", "govsim_commons_v0"]
BUILT_IN = [*MATRIX, *COMMONS, "coin_game_v0", "matrix_game_v0", "public_goods_v0"]
REQUIRED = {"matrix_game_v0": {"payoffs": np.zeros((2, 2, 2))}}


def section(env_id, heading):
    """The text under a heading."""
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", sde.spec(env_id).page, re.S | re.M)[
        1
    ].strip("\n")


def tables(text):
    """Markdown tables as lists of rows of cells, headers first and rulers left out."""
    blocks = re.findall(r"(?:^\|.*\|\n?)+", text, re.M)
    rows = [
        [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in block.splitlines()]
        for block in blocks
    ]
    return [[row for row in table if not set("".join(row)) <= set("-:")] for table in rows]


def in_backticks(text):
    """Arguments and their defaults: `name=default` or `name`."""
    found = {}
    for span in re.findall(r"`([^`]+)`", text):
        match = re.fullmatch(r"([a-z_]+)(?:=(.+))?", span)
        if match:
            found.setdefault(match[1], match[2])
    return found


def test_all_games_are_here():
    assert set(BUILT_IN) <= set(sde.list_envs())


@pytest.mark.parametrize("env_id", BUILT_IN)
def test_headings(env_id):
    """Gymnasium's set, in its order; a title with the id, and a sentence under it."""
    page = sde.spec(env_id).page
    assert re.findall(r"^## (.+)$", page, re.M) == HEADINGS
    title = re.match(rf"# (.+) \(`{env_id}`\)\n\n(.+)\.\n", page)
    assert title
    assert title[1] == sde.spec(env_id).title
    assert all(section(env_id, heading) for heading in HEADINGS)


@pytest.mark.parametrize("env_id", BUILT_IN)
def test_rules_are_numbered(env_id):
    numbers = [int(n) for n in re.findall(r"^ {4}(\d+)\. ", section(env_id, "Description"), re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 3


@pytest.mark.parametrize("env_id", BUILT_IN)
def test_end_and_history(env_id):
    assert "Termination: never" in section(env_id, "Episode End")
    assert "Truncation: after `max_cycles` steps" in section(env_id, "Episode End")
    assert section(env_id, "Version History").startswith("* v0: ")


@pytest.mark.parametrize("env_id", BUILT_IN)
def test_arguments_are_the_signature(env_id):
    """The same names, and the same defaults (the Coin Game's switches default to those of its
    variant)."""
    spec = sde.spec(env_id)
    named = in_backticks(section(env_id, "Arguments"))
    assert set(named) == set(spec.keywords)
    for name, text in named.items():
        default = spec.keywords[name].default
        if text is None:
            assert default in (inspect.Parameter.empty, None)
            continue
        written = ast.literal_eval(text)
        assert written == (
            getattr(VARIANTS["loqa"], name)
            if default is None and env_id == "coin_game_v0"
            else default
        )
        assert type(written) is type(default) or default is None
    if env_id in MATRIX:
        assert spec.game().max_cycles == spec.keywords["max_cycles"].default


@pytest.mark.parametrize("env_id", BUILT_IN)
def test_every_argument_works(env_id):
    """Each default may be written out, and a positional argument is refused but for `payoffs`."""
    spec = sde.spec(env_id)
    required = REQUIRED.get(env_id, {})
    defaults = {name: p.default for name, p in spec.keywords.items() if p.default is not p.empty}
    assert spec.game(**required, **defaults) == spec.game(**required)
    kinds = {name: p.kind for name, p in spec.keywords.items()}
    assert all(
        kind is inspect.Parameter.KEYWORD_ONLY for name, kind in kinds.items() if name != "payoffs"
    )


@pytest.mark.parametrize("env_id", MATRIX)
def test_payoff_tables(env_id):
    [[header, *rows]] = tables(section(env_id, "Rewards"))
    names = sde.spec(env_id).game().action_names[0]
    assert tuple(header[1:]) == names
    assert tuple(row[0] for row in rows) == names
    written = [[[float(number) for number in cell.split(",")] for cell in row[1:]] for row in rows]
    np.testing.assert_array_equal(written, sde.payoffs(env_id))


@pytest.mark.parametrize("env_id", MATRIX)
def test_whose_point_of_view(env_id):
    """Where the page says "own action", the table is the same for both.

    Where it is not, it says whose.
    """
    text, payoffs = section(env_id, "Rewards"), sde.payoffs(env_id)
    symmetric = (payoffs[..., 1] == payoffs[..., 0].T).all()
    assert ("own action" in text) == symmetric
    assert ("Row: player 0" in text) == (not symmetric)


@pytest.mark.parametrize("env_id", [*MATRIX, "public_goods_v0"])
def test_action_lists(env_id):
    text = section(env_id, "Action Space")
    count, listed = re.match(r"`Discrete\((\d+)\)`: (.+)\.$", text).groups()
    names = sde.spec(env_id).game().action_names[0]
    assert int(count) == len(names)
    assert listed == ", ".join(f"{i} {name}" for i, name in enumerate(names))


def test_action_lists_of_the_coin_game():
    text = " ".join(section("coin_game_v0", "Action Space").split())
    written = re.fullmatch(
        r'`Discrete\(4\)`: (.+?) \(`moves="(.+?)"`\), or (.+?) \(`moves="(.+?)"`\); '
        r"with `stay=True` `Discrete\(5\)`, the last being stay\.",
        text,
    ).groups()
    for listed, moves in (written[:2], written[2:]):
        assert ", ".join(sde.spec("coin_game_v0").game(moves=moves).action_names[0]) == listed
        assert sde.spec("coin_game_v0").game(moves=moves, stay=True).action_names[0][4:] == (
            "stay",
        )


@pytest.mark.parametrize("env_id", MATRIX)
def test_order_of_observations(env_id):
    """`start, CC, CD, ...`: the joint action written at position k is the one that lights position
    k."""
    text = " ".join(section(env_id, "Observation Space").split())
    size, listed = re.match(
        r"`Box\(0, 1, \((\d+),\), float32\)`.+start, ([A-Z, ]+)\.$", text
    ).groups()
    names = sde.spec(env_id).game().action_names[0]
    letters = [name[0].upper() for name in names]
    assert len(set(letters)) == len(letters)
    pairs = listed.split(", ")
    assert len(pairs) == len(letters) ** 2 == int(size) - 1
    env = sde.make_env(env_id)
    observations, _ = env.reset(seed=0)
    assert all(
        observation.shape == (int(size),) and observation[0] == 1
        for observation in observations.values()
    )
    for position, (own, other) in enumerate(pairs, 1):
        mine, yours = letters.index(own), letters.index(other)
        assert env.step({"player_0": mine, "player_1": yours})[0]["player_0"][position] == 1
        assert env.step({"player_0": yours, "player_1": mine})[0]["player_1"][position] == 1


def test_order_of_observations_of_public_goods():
    """`I contributed and N-1, ..., 0 others did; then I did not and N-1, ..., 0 others did`."""
    assert "For N = 2: start, CC, CD, DC, DD" in section("public_goods_v0", "Observation Space")
    for n in (2, 3, 5):
        env = sde.make_env("public_goods_v0", num_agents=n)
        env.reset(seed=0)
        expected = 1
        for mine in (0, 1):
            for others in range(n - 1, -1, -1):
                actions = [mine] + [0] * others + [1] * (n - 1 - others)
                observations = env.step(dict(zip(env.possible_agents, actions, strict=True)))[0]
                assert observations["player_0"].shape == (1 + 2 * n,)
                assert observations["player_0"].argmax() == expected
                expected += 1


def test_pola_formula():
    text = " ".join(section("ipd_v0", "Rewards").split())
    cc, cd, dc, dd = re.search(r"CC (.+?), CD (.+?), DC (.+?), DD (.+?)\.", text).groups()
    for f in (1.1, 1.33, 1.75):
        table = sde.payoffs("ipd_v0", contribution_factor=f)[..., 0]
        written = [
            [eval(cc, {"f": f}), eval(cd, {"f": f})],
            [eval(dc, {"f": f}), eval(dd, {"f": f})],
        ]
        np.testing.assert_allclose(table, written, rtol=0, atol=1e-15)


def test_public_goods_defaults():
    """`num_agents=4`, `factor=None`: by default (1 + N) / 2."""
    for n in (2, 4, 9):
        assert sde.spec("public_goods_v0").game(num_agents=n).factor == (1 + n) / 2
    assert "by default (1 + N) / 2" in section("public_goods_v0", "Arguments")


def test_coin_rewards_table():
    """The page's four rows against the constants and against moves on a board."""
    [_, *rows], _ = tables(section("coin_game_v0", "Rewards"))
    assert [int(row[2]) for row in rows] == [GAIN, GAIN, LOSS, GAIN + LOSS] == [1, 1, -2, -1]
    env = sde.make_env("coin_game_v0")
    mine = {"my coin": 0, "another's coin": 1, "nothing": 0}
    for finds, other, reward in rows:
        env.reset(seed=0)
        me = 8 if finds == "nothing" else 0
        you = 2 if "my coin" in other else 7
        env.set_state(env.get_state()._replace(board=[me, you, 1, mine[finds]]))
        assert env.step({"player_0": 1, "player_1": 0})[1]["player_0"] == float(reward)


def test_coin_variants_table():
    [[header, *rows]] = tables(section("coin_game_v0", "Arguments"))
    assert header[1:] == list(VARIANTS)
    for row in rows:
        for variant, text in zip(header[1:], row[1:], strict=True):
            value = getattr(VARIANTS[variant], row[0])
            assert (text == "one each" and value == 2) or str(value) == text, (variant, row[0])
    switches = {row[0] for row in rows}
    differ = {
        name
        for name in VARIANTS["loqa"].__dataclass_fields__
        if len({getattr(game, name) for game in VARIANTS.values()}) > 1
    }
    assert differ <= switches  # nothing in which the variants differ is missing from the table
    for num_agents in (2, 3, 4):
        assert (
            sde.spec("coin_game_v0").game(variant="mfos", num_agents=num_agents, grid_size=3).coins
            == num_agents
        )


def test_coin_observation_shape():
    text = section("coin_game_v0", "Observation Space")
    assert "(2 * num_agents, height, width)" in text
    for num_agents, height, width in ((2, 3, 3), (3, 2, 5), (5, 4, 4)):
        env = sde.make_env("coin_game_v0", num_agents=num_agents, grid_size=(height, width))
        assert env.observation_space("player_0").shape == (2 * num_agents, height, width)


def test_sources_are_named():
    """Every game but the general one says where its payoffs or rules come from."""
    for env_id in BUILT_IN:
        if env_id != "matrix_game_v0":
            assert re.search(r"arXiv:\d{4}\.\d{5}|\(\d{4}\)", section(env_id, "Version History")), (
                env_id
            )
