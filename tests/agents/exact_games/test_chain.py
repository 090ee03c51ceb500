"""Linear systems of a joint policy against dense inverses, and derivatives to third order."""

import numpy as np
import pytest
import torch

from agents.exact.chain import Chain, Structure
from agents.exact.krylov import NotConvergedError, bicgstab, nearest
from agents.exact.markov_game import MarkovGame
from tests.agents.exact_games.small import Dense, random_policies, small_game

torch.set_num_threads(1)
METHODS = {"blocks": 1e12, "iteration": 0.0}


def chain_of(game, policies, method="blocks", dtype=torch.float64):
    structure = Structure(game, dtype=dtype, max_work=METHODS[method])
    if method == "iteration":
        structure.krylov.tolerance = 1e-13
    markov = MarkovGame(game, dtype=dtype)
    joint = markov.joint([markov.in_play(policies[:, n], n) for n in range(game.num_agents)])
    return Chain(structure, joint, game.gamma)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("players", [2, 3])
def test_solves_are_those_of_the_dense_matrix(players, method):
    game = small_game(players)
    policies = random_policies(3, game)
    b = torch.randn(3, game.num_states, 2, dtype=torch.float64)
    chain = chain_of(game, policies, method)
    for run in range(3):
        inverse = Dense(game, policies[run].numpy()).inverse
        np.testing.assert_allclose(chain.solve(b)[run], inverse @ b[run].numpy(), atol=1e-11)
        transposed = chain.solve_transposed(b)[run]
        np.testing.assert_allclose(transposed, inverse.T @ b[run].numpy(), atol=1e-11)


def test_a_discount_of_its_own():
    game = small_game()
    policies = random_policies(1, game)
    chain = chain_of(game, policies)
    dense = Dense(game, policies[0].numpy())
    matrix = np.eye(game.num_states) - 0.3 * dense.chain
    other = Chain(chain.structure, chain.joint, 0.3)
    ones = torch.ones(1, game.num_states, 1, dtype=torch.float64)
    np.testing.assert_allclose(other.solve(ones)[0, :, 0], np.linalg.solve(matrix, np.ones(6)))


def test_float32_is_good_for_five_digits():
    game = small_game()
    policies = random_policies(2, game)
    b = torch.randn(2, game.num_states, 1)
    exact = chain_of(game, policies).solve(b.double())
    single = chain_of(game, policies.float(), dtype=torch.float32).solve(b)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), exact, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("transposed", [False, True])
def test_first_and_second_derivatives(method, transposed):
    game = small_game()
    structure = Structure(game, max_work=METHODS[method])
    if method == "iteration":
        structure.krylov.tolerance = 1e-13

    def solve(logits, b):
        chain = Chain(structure, torch.softmax(logits, -1), game.gamma)
        return chain.solve_transposed(b) if transposed else chain.solve(b)

    logits = torch.randn(2, game.num_states, 4, dtype=torch.float64, requires_grad=True)
    b = torch.randn(2, game.num_states, 2, dtype=torch.float64, requires_grad=True)
    # Iteration starts from earlier solutions: the same only up to its tolerance.
    assert torch.autograd.gradcheck(solve, (logits, b), nondet_tol=1e-9)
    assert torch.autograd.gradgradcheck(solve, (logits, b), nondet_tol=1e-9)


@pytest.mark.parametrize("transposed", [False, True])
def test_third_derivatives_by_finite_differences(transposed):
    game = small_game()
    structure = Structure(game)
    b = torch.randn(1, game.num_states, 1, dtype=torch.float64)
    directions = torch.randn(3, 1, game.num_states, 4, dtype=torch.float64)

    def solve(logits):
        chain = Chain(structure, torch.softmax(logits, -1), game.gamma)
        return (chain.solve_transposed(b) if transposed else chain.solve(b)).square().sum()

    def derivative(logits, order):
        """Along the first `order` directions, one after the other."""
        value = solve(logits)
        for direction in directions[:order]:
            (by,) = torch.autograd.grad(value, logits, create_graph=True)
            value = (by * direction).sum()
        return value

    logits = torch.randn(1, game.num_states, 4, dtype=torch.float64, requires_grad=True)
    step = 1e-5 * directions[2]
    ahead, behind = (
        derivative((logits + sign * step).detach().requires_grad_(), 2) for sign in (1, -1)
    )
    difference = (ahead - behind) / 2e-5
    torch.testing.assert_close(derivative(logits, 3), difference, rtol=1e-6, atol=1e-8)


def test_next_weights_is_next_values_transposed():
    game = small_game(3)
    structure = Structure(game)
    x = torch.randn(2, game.num_states, dtype=torch.float64)
    w = torch.randn(2, game.num_states, 8, dtype=torch.float64)
    forth = (structure.next_values(x) * w).sum()
    torch.testing.assert_close((structure.next_weights(w) * x).sum(), forth)


def test_blocks_pay_only_while_they_are_small():
    game = small_game()
    assert Structure(game).blocks_pay
    assert not Structure(game, max_work=0).blocks_pay


def test_iteration_starts_from_the_nearest_combination():
    rng = np.random.default_rng(0)
    matrix = np.eye(8) - 0.1 * rng.random((8, 8))
    solutions = rng.normal(size=(2, 8))
    b = matrix @ (2 * solutions[0] - solutions[1])
    start = nearest(lambda x: matrix @ x, b, list(solutions))
    np.testing.assert_allclose(start, 2 * solutions[0] - solutions[1])


def rotation(x):
    """BiCGSTAB stands still on it at once: x and its image are orthogonal."""
    return np.stack([x[1::2], -x[::2]], 1).reshape(-1)


def test_where_bicgstab_breaks_down_gmres_goes_on():
    game = small_game()
    b = np.random.default_rng(0).normal(size=6)
    broken = bicgstab(rotation, b, np.zeros(6), 1e-9)
    assert not np.linalg.norm(rotation(broken) - b) < 1e-3
    x = Structure(game).krylov.solution(rotation, b, (0, False))
    np.testing.assert_allclose(rotation(x), b, atol=1e-7)


def test_no_solution_names_residual_and_state():
    game = small_game()
    b = np.zeros(6)
    b[4] = 1.0
    with pytest.raises(NotConvergedError, match=r"residual is 1\.0e\+00 .* largest in state 4"):
        Structure(game).krylov.solution(lambda x: x * (np.arange(6) != 4), b, (0, False))
