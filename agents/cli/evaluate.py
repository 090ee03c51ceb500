"""`social-dilemmas evaluate`: an agent in self-play and against scripted players."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("agent", help="bundled:NAME, a run folder or a checkpoint")
    parser.add_argument(
        "--against",
        nargs="+",
        metavar="STRATEGY",
        help="scripted players (default: the usual ones)",
    )
    parser.add_argument("--episodes", type=int, default=256, help="games a pair (default 256)")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Prints mean rewards a step."""
    from agents.evaluation.agent import load_agents
    from agents.evaluation.scores import scores

    if arguments.episodes < 1:
        raise ValueError("--episodes must be at least 1")
    seats = load_agents(arguments.agent)
    agent, found = (
        seats[0],
        scores(
            seats, episodes=arguments.episodes, seed=arguments.seed, opponents=arguments.against
        ),
    )
    shown = f"{agent.env_id} {agent.game_kwargs or ''}"
    print(f"{arguments.agent}: {shown}, {arguments.episodes} episodes a pair, mean reward a step")
    for name, value in found.items():
        print(f"  {name:28s} {value:+.3f}")
    if hasattr(agent, "adaptation"):
        print("while it and the others learn (new tasks, mean reward a step):")
        for k, value in enumerate(agent.adaptation(seed=arguments.seed)):
            print(f"  after {k} updates{'':13s} {value:+.3f}")
    return 0
