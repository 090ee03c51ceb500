"""What a network is shown: boards from the player's own cell, the same in training and in play."""

import pytest
import torch

import social_dilemmas_env as sde
from agents.learners.loqa_proximal.views import make_view
from agents.nn.networks import Gru, Mlp
from agents.nn.symmetry import UpToSymmetry, classes_of
from social_dilemmas_env.games.game import decode, encode

GAMES = [
    ("coin_game_v0", {}),
    ("coin_game_v0", {"grid_size": (2, 3), "num_agents": 3}),
    ("coin_game_v0", {"coins": 2}),
    ("coin_game_v0", {"memory": "last_pickup"}),
    ("coin_game_v0", {"memory": "pickups", "num_agents": 3}),
    ("coin_game_v0", {"walls": True, "stay": True}),
    ("ipd_v0", {}),
    ("public_goods_v0", {"num_agents": 3}),
]


def played(env_id, game, games=64, steps=20):
    """Observation ids of all players after some random steps [B, N], and the table of all."""
    options = {"num_envs": games, "backend": "torch", "obs_mode": "state"}
    venv = sde.make_vec_env(env_id, **options, **game)
    obs_ids, _ = venv.reset(seed=1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        actions = torch.randint(int(venv.single_action_space.n), obs_ids.shape, generator=generator)
        obs_ids, *_ = venv.step(actions)
    return obs_ids.long(), venv.observation_table


def view_of(env_id, game, centred=True):
    return make_view(sde.spec(env_id).game(**game), centred)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("env_id", "game"), GAMES)
def test_training_and_play_show_the_same(env_id, game, centred):
    obs_ids, table = played(env_id, game)
    view = view_of(env_id, game, centred)
    for seat in obs_ids.T:
        assert torch.equal(view.shown(table[seat]), view.table[view.classes.rows[seat]])


@pytest.mark.parametrize("game", [game for _, game in GAMES[:5]])
def test_a_view_stands_for_the_translations_of_one_board(game):
    view = view_of("coin_game_v0", game)
    rules = sde.spec("coin_game_v0").game(**game)
    assert (view.classes.rows.bincount() == rules.cells).all()
    assert len(view.table.unique(dim=0)) == len(view.table)


def test_a_board_from_the_own_cell_by_hand():
    """2 rows of 3: I am at cell 4, the other at 0, which is one row on and one column back."""
    game = sde.spec("coin_game_v0").game(grid_size=(2, 3))
    classes = classes_of(game, "translations", torch.device("cpu"))
    first = classes.first[classes.rows[encode((4, 0, 5, 1), game.sizes)]]
    assert decode(int(first), game.sizes) == (0, 5, 1, 1)

    # Six numbers for the other's cell, six for the coin's, two for its owner.
    view = view_of("coin_game_v0", {"grid_size": (2, 3)})
    shown = view.table[view.classes.rows[encode((4, 0, 5, 1), game.sizes)]]
    assert shown.nonzero().flatten().tolist() == [5, 6 + 1, 12 + 1]


def test_translations_rename_no_moves():
    game = sde.spec("coin_game_v0").game()
    assert classes_of(game, "translations", torch.device("cpu")).moves is None
    assert classes_of(game, "all", torch.device("cpu")).moves.shape == (9**3 * 2, 4)


def test_other_games_and_plain_boards_are_shown_as_they_are():
    cases = [("ipd_v0", {}, True), ("coin_game_v0", {}, False)]
    for env_id, game, centred in [*cases, ("coin_game_v0", {"walls": True}, True)]:
        view = view_of(env_id, game, centred)
        _, table = played(env_id, game)
        assert torch.equal(view.table, table)
        assert torch.equal(view.classes.rows, torch.arange(len(table)))


@pytest.mark.parametrize("kind", ["mlp", "gru"])
@pytest.mark.parametrize("games", [2, 200])
def test_a_network_of_ids_is_the_network_of_what_is_shown(kind, games):
    """Also where each distinct observation is computed once, and step by step."""
    view = view_of("coin_game_v0", {})
    inner = Mlp(view.table, 4, (8, 8)) if kind == "mlp" else Gru(view.table, 4, 8, 1)
    net = UpToSymmetry(inner.table, 4, inner, view.classes, by_samples=True)
    generator = torch.Generator().manual_seed(0)
    params = {
        name: torch.randn(2, *shape, generator=generator) for name, shape in net.shapes().items()
    }
    obs_ids = torch.randint(len(view.classes.rows), (3, 2, games), generator=generator)

    expected = inner(params, view.classes.rows[obs_ids])
    assert torch.allclose(net(params, obs_ids), expected, atol=1e-5)
    step = net.stepper(params, games, 3)
    stepped = torch.stack([step(ids, t) for t, ids in enumerate(obs_ids)])
    assert torch.allclose(stepped, expected, atol=1e-5)


@pytest.mark.parametrize("games", [2, 900])
def test_asking_by_samples_changes_nothing_where_moves_are_renamed(games):
    """Whether each class is asked for once, the classes that are there, or sample by sample."""
    game = sde.spec("coin_game_v0").game()
    classes = classes_of(game, "all", torch.device("cpu"))
    _, table = played("coin_game_v0", {}, games=1, steps=0)
    generator = torch.Generator().manual_seed(0)
    for sets in (1, 2):
        inner = Mlp(table[classes.first], 4, (8,))
        once = UpToSymmetry(table, 4, inner, classes)
        often = UpToSymmetry(table, 4, inner, classes, by_samples=True)
        params = {
            name: torch.randn(sets, *shape, generator=generator)
            for name, shape in once.shapes().items()
        }
        obs_ids = torch.randint(len(table), (2, sets, games), generator=generator)
        assert torch.allclose(often(params, obs_ids), once(params, obs_ids), atol=1e-5)
        steps = [net.stepper(params, games, 2)(obs_ids[0], 0) for net in (often, once)]
        assert torch.allclose(*steps, atol=1e-5)
