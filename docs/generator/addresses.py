"""What the link checker found: addresses that are dead, and those that could not be asked.

    PYTHONPATH=docs python -m generator.addresses docs/_build/links/output.json

An answer that says so (404, 410, an anchor that is not there) is a dead link, and the status is 1.
No answer (no network, a host that refuses machines) says nothing of the link, and is listed.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

DEAD = re.compile(r"\b(404|410)\b|[Aa]nchor '.*' not found")
FINE = ("working", "redirected", "unchecked", "ignored", "local")


def sorted_out(lines: str) -> dict[str, list[str]]:
    """Addresses by what became of them: "fine", "dead", "not reached".

    Args:
        lines: Sphinx's output.json, an object a line.

    Returns:
        "ADDRESS (PAGE:LINE): what was said" of each, in order; one line an address.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines.splitlines():
        link = json.loads(line)
        if not link["uri"].startswith("http"):
            continue
        dead = link["status"] == "broken" and DEAD.search(link["info"])
        kind = "fine" if link["status"] in FINE else "dead" if dead else "not reached"
        said = " ".join(link["info"].split())
        text = f"{link['uri']} ({link['filename']}:{link['lineno']}): {said[:100]}"
        found[kind].setdefault(link["uri"], text)
    return {kind: sorted(found[kind].values()) for kind in ("fine", "dead", "not reached")}


def main(path: str) -> int:
    """Prints what is not fine; 1 if a link is dead, or nobody has looked."""
    if not Path(path).exists():
        print(f"{path}: not there: the link checker did not end")
        return 1
    found = sorted_out(Path(path).read_text(encoding="utf-8"))
    for kind in ("dead", "not reached"):
        for text in found[kind]:
            print(f"{kind}: {text}")
    print(", ".join(f"{len(texts)} {kind}" for kind, texts in found.items()))
    return 1 if found["dead"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
