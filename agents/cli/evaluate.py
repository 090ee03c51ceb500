"""`social-dilemmas evaluate`: an agent in self-play and against scripted players."""

import argparse
from collections.abc import Iterable
from typing import Any

from agents.cli.words import add_episodes, check_episodes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("agent", help="bundled:NAME, a run folder or a checkpoint")
    parser.add_argument(
        "--against",
        nargs="+",
        metavar="STRATEGY",
        help="scripted players (default: the usual ones)",
    )
    add_episodes(parser, 256)


def explain(scores: Iterable[str]) -> str:
    """What the names of the scores mean, 80 columns wide; only those that are there."""
    lines = ["self: with copies of itself, mean of all players."]
    if "adversarial" in scores:
        lines.append("adversarial: share of the coins taken in self-play that are the other's.")
    if any(name.startswith("vs ") for name in scores):
        lines.append("vs NAME: what the agent earns, as player 0, when all others are NAME.")
        lines.append("NAME vs it: what those others earn then, their mean.")
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> int:
    """Prints mean rewards a step."""
    check_episodes(arguments)

    # Inside: torch takes a second to import, which --help need not pay.
    from agents.evaluation.exploit import exact_exploitability
    from agents.evaluation.loading import load_agents
    from agents.evaluation.scoring import score_agent

    seats = load_agents(arguments.agent)
    agent: Any = seats[0]
    episodes = arguments.episodes
    scores = score_agent(seats, episodes=episodes, seed=arguments.seed, opponents=arguments.against)

    played = f"{agent.env_id} {agent.game_kwargs or ''}"
    print(f"{arguments.agent}: {played}")
    if agent.remark:
        print(f"({agent.remark})")
    print(f"{episodes} episodes a pair, seed {arguments.seed}, mean reward a step\n")
    for name, value in scores.items():
        print(f"  {name:28s} {value:+.3f}")
    print("\n" + explain(scores))

    # Where it can be computed; a policy that goes on learning is not the one that was read.
    learner: Any = agent
    learns = hasattr(learner, "adaptation")
    if not learns and (exact := exact_exploitability(seats)) is not None:
        print(f"  {'exploitability (exact)':28s} {exact['gain']:+.3f}")

    # What a meta-learner is for: how it scores while it goes on learning.
    if learns:
        print("while it and the others learn (new tasks, mean reward a step):")
        for k, value in enumerate(learner.adaptation(seed=arguments.seed)):
            print(f"  after {k} updates{'':13s} {value:+.3f}")
    return 0
