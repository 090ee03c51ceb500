"""The card of a bundled agent, in Markdown, from its manifest: no torch, nothing computed.

print(model_card("loqa_3x3"))
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.manifest import read_manifest
from social_dilemmas_env.deprecation import moved_names
from social_dilemmas_env.registry import spec
from social_dilemmas_env.validation import nearest

BUNDLED = Path(__file__).parents[1] / "bundled"
Facts = Mapping[str, Any]

PARAMETERS = "parameters: it differentiates through the opponent's update"
VALUES = "actions, rewards and Q: the opponent is taken to choose by its action values"
# learner -> what it was shown of the opponent while it learned, besides what every player sees.
ACCESS = {
    "naive": "none",
    "sb3_ppo": "none",
    "ippo": "none; with `alignment` the others' advantages weigh its own",
    "loqa": VALUES,
    "advantage_alignment": "actions, rewards and Q: the opponent's advantages weigh its own",
    "loqa_proximal": VALUES,
    "loqa_modelled": "actions: the opponent's rewards and values are models learned from play",
    "pola": PARAMETERS,
    "pola_dice": PARAMETERS,
    "lola": PARAMETERS,
    "meta_mapg": "parameters: its gradient passes through the opponent's learning",
    "exact_clone": "none: it copies what its teacher does",
}


def list_bundled() -> list[str]:
    """Names of the agents that come with the package."""
    return sorted(path.stem for path in BUNDLED.glob("*.json"))


def bundled_manifest(name: str) -> Path:
    """The manifest of a bundled agent.

    Raises:
        ValueError: an unknown name (the nearest are given).
    """
    names = list_bundled()
    if name not in names:
        raise ValueError(f"there is no bundled agent {name!r}; {nearest(name, names)}")
    return BUNDLED / f"{name}.json"


def bundled_facts(name: str) -> Facts:
    """What the manifest of a bundled agent says.

    Raises:
        ValueError: an unknown name (the nearest are given).
        CheckpointError: its manifest is damaged.
    """
    facts: Facts = read_manifest(bundled_manifest(name))["facts"]
    return facts


def model_card(name: str, picture: str | None = None) -> str:
    """All about one bundled agent.

    Args:
        name: as in "bundled:NAME", with or without "bundled:".
        picture: address of a picture or film of it, such as `play --save` makes.

    Returns:
        Markdown, which ends in a line break.

    Raises:
        ValueError: an unknown name (the nearest are given).
    """
    name = name.removeprefix("bundled:")
    facts = bundled_facts(name)
    parts = [
        f"# `bundled:{name}`",
        _summary(facts),
        *([f"![{name} at play]({picture})"] if picture else []),
        "## Facts",
        _table(_rows(facts), ("fact", "value")),
        "## Scores",
        _scores(facts),
        *_section("## Exploitability", _exploitability(name, facts)),
        *_section("## Policy", _policy(facts)),
        *_section("## Notes", facts.get("note", "")),
        "## Try it",
        _commands(name, facts),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, text: str) -> list[str]:
    return [title, text] if text else []


def _table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    escaped = [[cell.replace("|", "\\|") for cell in cells] for cells in lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in escaped)


# ------------------------------------------------------------------------------------------ facts


def _summary(facts: Facts) -> str:
    title = spec(facts["env_id"]).title
    return f"An agent for the {title} ({_game(facts)}), learned by {_learner(facts)}."


def _game(facts: Facts) -> str:
    arguments = [f"{key}={value}" for key, value in facts["game"].items()]
    return " ".join([f"`{facts['env_id']}`", *(f"`{argument}`" for argument in arguments)])


def _learner(facts: Facts) -> str:
    inner = facts["settings"].get("learner")
    teacher = facts["settings"].get("teacher")
    if inner:
        return f"`{facts['learner']}` ({inner}, by linear algebra on the rules)"
    return f"`{facts['learner']}`" + (f" from `{teacher}`" if teacher else "")


def _seats(facts: Facts) -> int:
    """How many play its game."""
    return len(spec(facts["env_id"]).game(**facts["game"]).num_actions)


def _access(facts: Facts) -> str:
    learner = facts["settings"].get("learner", facts["learner"])
    known = ACCESS.get(learner, "not recorded")
    if facts["learner"] == "exact_policy":
        return f"{known}; the rules of the game are known"
    return known


def _rows(facts: Facts) -> list[tuple[str, ...]]:
    """What it is, and how it came to be."""
    versions = facts.get("versions", {})
    # In words.
    seconds = facts["seconds"]
    spent = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 3600:.2f} h"
    settings = ", ".join(f"`{k}={_value(v)}`" for k, v in facts["settings"].items())

    rows = [
        ("game", _game(facts)),
        ("learner", _learner(facts)),
        ("access to the opponent", _access(facts)),
        ("training", f"{facts['iterations']:,} iterations, {spent} on {facts['device']}"),
        ("seed", str(facts["seed"])),
        ("selection", _selection(facts.get("note", ""))),
        ("command", f"`{facts['command']}`"),
        ("settings", settings),
        ("versions", ", ".join(f"{k} {v}" for k, v in versions.items())),
    ]
    return [row for row in rows if row[1]]


def _value(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | list | None) else str(value)


def _selection(note: str) -> str:
    """Whether it was chosen among several, as its note says."""
    sentences = [part.strip() for part in note.replace(";", ".").split(". ")]
    chosen = [part for part in sentences if "select" in part.lower()]
    return chosen[0].rstrip(".").partition(",")[0] if chosen else "not recorded"


# ----------------------------------------------------------------------------------------- scores


def _scores(facts: Facts) -> str:
    """Mean rewards a step, with intervals where the manifest has them."""
    halves = facts.get("half_intervals", {})
    rows = [
        (who, f"{mean:+.3f}" + (f" ± {halves[who]:.3f}" if who in halves else ""))
        for who, mean in facts.get("scores", {}).items()
    ]
    evaluation = facts.get("evaluation", {})
    episodes = evaluation.get("episodes")
    interval = "; ± half the 95 % interval over episodes" if halves else "; no intervals recorded"
    about = f"Means of {episodes} episodes, seed {evaluation.get('seed')}{interval}."

    # What was computed without playing stands beside what was played.
    exact = facts.get("exact", {}).get("scores", {})
    if exact:
        rows += [(f"{who}, exact", f"{mean:+.4f}") for who, mean in exact.items()]
    note = '"adversarial" is the share of coins in self-play that were another\'s.'
    notes = [about, note] if "adversarial" in facts.get("scores", {}) else [about]
    return _table(rows, ("against", "reward a step")) + "\n\n" + " ".join(notes)


def known_exploitability(facts: Facts) -> str:
    """What is known, short: an exact number, or the lower end of the largest bound after "≥"."""
    found = facts.get("exploitability")
    if found is None:
        return "not computed"
    if found["exact"]:
        return f"{found['exact']['gain']:.3f}"
    gains = [row["gain"]["low"] for row in _bounds(found).values()]
    return f"≥ {max(0.0, *gains):.3f}"


def _exploitability(name: str, facts: Facts) -> str:
    """Exact, or bounds, or how to get them."""
    exact, found = facts.get("exact"), facts.get("exploitability")
    certificate = [str(exact["certificate"])] if exact else []

    # Nobody has computed it.
    if found is None and _seats(facts) > 2:
        return "Not computed: responses are learned in games of two."
    if found is None:
        command = f"social-dilemmas exploit {facts['env_id']} bundled:{name} --keep"
        return "\n\n".join([*certificate, f"Not computed: `{command}` writes it here."])

    # The exact number first: bounds are what can be had without one.
    settings = found["settings"]
    lines = ["What a player can gain against it, beside what it earns with itself."]
    lines += [_exact(found["exact"], facts), *certificate] if found["exact"] else []
    if found["bounds"]:
        rows = [
            (kind.replace("_", " "), row["kind"], _interval(row["gain"]), _interval(row["agent"]))
            for kind, row in _bounds(found).items()
        ]
        about = (
            f"Each response had {settings['budget']:,} steps of the game to learn (seed "
            f"{settings['seed']}) and was measured in {settings['episodes']:,} fresh episodes; "
            "95 % intervals over these."
        )
        lines += [_table(rows, ("who responds", "what it is", "gain a step", "the agent")), about]
        lines += [] if found["exact"] else ["Its memory is not finite: no exact number is known."]
    took = f"{found['seconds']:.0f} s" if found["seconds"] >= 1 else "less than 1 s"
    return "\n\n".join([*lines, f"By `{found['command']}` ({took}, {found['device']})."])


def _exact(known: Mapping[str, Any], facts: Facts) -> str:
    """The exact numbers in sentences."""
    start = ", of the policy that it starts with, before it learns" if _learns(facts) else ""
    return (
        f"Exact{start}: over {known['steps']} steps the best response earns "
        f"{known['response']:+.4f} a step, the agent then {known['agent']:+.4f} (with itself "
        f"{known['self']:+.4f}): a gain of {known['gain']:+.4f}. Without end, discounted by "
        f"{known['gamma']:g}, it is {known['epsilon']:+.4f}. Linear algebra on "
        f"{known['states']:,} states, no samples."
    )


def _learns(facts: Facts) -> bool:
    """Whether it is a start for learning, whose manifest says how its reward changes."""
    return "adaptation" in facts


def _bounds(exploitability: Facts) -> dict[str, Any]:
    rows = exploitability["bounds"] or {}
    return {kind: row for kind, row in rows.items() if isinstance(row, dict) and "gain" in row}


def _interval(score: Mapping[str, float]) -> str:
    return f"{score['mean']:+.4f} ({score['low']:+.4f} to {score['high']:+.4f})"


def _policy(facts: Facts) -> str:
    rows = [(f"`{key}`", f"{value:.3f}") for key, value in facts.get("policy", {}).items()]
    return _table(rows, ("after", "value")) if rows else ""


def _commands(name: str, facts: Facts) -> str:
    """What to type to play against it, and to see it with itself."""
    words = " ".join(f"{key}={value}" for key, value in facts["game"].items())
    given = f" --set {words}" if words else ""
    env_id, bundled = facts["env_id"], f"bundled:{name}"
    others = " ".join([bundled] * (_seats(facts) - 1))
    lines = [
        f"social-dilemmas play {env_id} human {others}{given}",
        f"social-dilemmas play {env_id} {bundled} {others}{given} --save match.html",
        f"social-dilemmas evaluate {bundled}",
    ]
    if others != bundled:
        lines.append(f"social-dilemmas schelling {env_id} --defector {bundled}{given}")
    return "\n".join(["```bash", *lines, "```"])


__getattr__ = moved_names(__name__, {"list_cards": "list_bundled"})
