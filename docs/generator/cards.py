"""A page a bundled agent: its card, written from its manifest."""

from pathlib import Path

from agents.evaluation.cards import bundled_facts, list_cards, model_card
from generator.markdown import page, table


def pages(folder: Path) -> dict[str, str]:
    """Page name -> text: the cards, and a list of them."""
    written = {name: model_card(name) for name in list_cards()}

    rows = []
    for name in written:
        facts = bundled_facts(name)
        own = facts.get("scores", {}).get("self")
        shown = "" if own is None else f"{own:.3f}"
        rows.append((f"[{name}]({name}.md)", facts["env_id"], facts["learner"], shown))
    tree = "\n".join(written)
    written["index"] = page(
        "Bundled agents",
        "A card for each agent that comes with the package: how it was trained, what it knew of "
        'its opponent, what it scores. `load_agent("bundled:NAME")` loads one.',
        table(("agent", "game", "learner", "with itself, a step"), rows),
        f"```{{toctree}}\n:hidden:\n\n{tree}\n```",
    )
    return written
