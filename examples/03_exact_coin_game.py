"""The Coin Game without sampling: learn, ask for the best response, certify, save the policy.

pip install -c constraints.txt -e ".[agents,exact]"
python examples/03_exact_coin_game.py         # seconds; --grid-size N, --out FOLDER
"""

import argparse
from pathlib import Path

import torch

import social_dilemmas_env as sde
from agents import solve
from social_dilemmas_env.exact import save_policy


def main(words: list[str] | None = None) -> float:
    """Runs it; gives epsilon, what nobody can gain more than by another strategy."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--grid-size", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/examples"))
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)

    # Boards times who picked up what last: a finite Markov game.
    size = arguments.grid_size
    game = sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.96, grid_size=size)
    print(f"{size}x{size}: {game.num_states} states")

    # Ten runs of LOQA at once, from ten seeds.
    solution = solve("loqa", game, runs=10)
    mine, other = solution.policies[0].numpy()  # [S, A] each, of the first run

    # What these policies are worth, against each other, a thief, and the best there is.
    print("with each other   ", game.score([mine, other]).round(4))
    print("with always_defect", game.score([mine, "always_defect"]).round(4))
    _, earned = game.best_response([None, other], player=0)
    print("best response     ", earned.round(4))

    certificate = game.certificate([mine, other])
    print(certificate)
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_policy(arguments.out / "03_loqa.npz", mine, game)
    return float(certificate.epsilon)


if __name__ == "__main__":
    main()
