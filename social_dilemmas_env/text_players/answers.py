"""From an answer in words to an action."""

import re
from collections.abc import Sequence

MARK = re.compile(r"action\s*[:=]\s*[\"'`*]*([^\n\"'`*.,;!]+)", re.IGNORECASE)


def parse_action(answer: str, names: Sequence[str]) -> int | None:
    """The action that an answer names.

    "ACTION: defect" counts wherever it stands, the last one if there are several; without it the
    answer has to name one action and no other.  Capitals do not matter; where names are words,
    their indices will do after the mark.

    Args:
        answer: what a reader wrote.
        names: of the actions.

    Returns:
        The action, or None for an answer that names none, or more than one.
    """
    words = [name.strip().lower() for name in names]

    # The mark decides, also where it names no action.
    marked = MARK.findall(answer)
    if marked:
        return _index(marked[-1].strip().lower(), words)

    text = answer.lower()
    named = [
        a for a, word in enumerate(words) if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)
    ]
    return named[0] if len(named) == 1 else None


def _index(said: str, words: Sequence[str]) -> int | None:
    if said in words:
        return words.index(said)
    numbered = not any(word.isdigit() for word in words)
    if numbered and said.isascii() and said.isdigit() and len(said) < 5 and int(said) < len(words):
        return int(said)
    return None
