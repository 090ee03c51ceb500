"""A page a bundled agent: its card, written from its manifest, and a film of it with itself."""

from pathlib import Path
from typing import Any

from agents.evaluation.agent import AgentPlayer
from agents.evaluation.cards import bundled_facts, known_exploitability, list_bundled, model_card
from agents.evaluation.loading import load_agents
from generator.games import film_of
from generator.markdown import page, table


def pages(folder: Path) -> dict[str, str]:
    """Page name -> text: the cards, and a list of them; films are drawn beside them."""
    written = {}
    for name in list_bundled():
        film(name, folder / f"{name}.gif")
        written[name] = model_card(name, f"{name}.gif")

    rows = []
    for name in written:
        facts = bundled_facts(name)
        own, gain = facts.get("scores", {}).get("self"), known_exploitability(facts)
        shown = "" if own is None else f"{round(own, 3) + 0.0:.3f}"  # no -0.000
        game = " ".join([facts["env_id"], *(f"{k}={v}" for k, v in facts["game"].items())])
        rows.append((f"[{name}]({name}.md)", game, facts["learner"], shown, gain))
    tree = "\n".join(f"{name} <{name}>" for name in written)
    written["index"] = page(
        "Bundled agents",
        "A card for each agent that comes with the package: how it was trained, what it knew of "
        'its opponent, what it scores. `load_agent("bundled:NAME")` loads one. Exploitability is '
        "what the best response gains a step over an episode: exact, or at least the number after "
        "≥ (the lower end of the 95 % interval of the best of three responses); of Meta-MAPG's "
        "agents that of the policy they start with.",
        table(("agent", "game", "learner", "with itself, a step", "exploitability"), rows),
        f"```{{toctree}}\n:hidden:\n\n{tree}\n```",
    )
    return written


def film(name: str, path: Path) -> None:
    """The agent in all seats, drawn once."""
    if path.exists():
        return
    agents = load_agents(f"bundled:{name}")
    players: list[Any] = [AgentPlayer(agent, seed) for seed, agent in enumerate(agents)]
    for player in players:
        player.reset(1)
    film_of(agents[0].env_id, agents[0].game_kwargs, players, path)
