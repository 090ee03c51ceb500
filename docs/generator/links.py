"""Links of the pages that lead out of docs/, as they are right in the repository, made right here.

A file of the code leads to its page of the reference, stored results to theirs; any other file to
the repository where its address is known, and is named without a link where it is not.
"""

import os
import re
from pathlib import Path
from typing import Any

from generator.api import PACKAGES, is_documented
from generator.api import anchor as module_anchor

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
# Pages of the repository that are pages of this site.
PAGES = {"README.md": "/index.md", "agents/README.md": "/learners/index.md"}


def rewrite_links(app: Any, name: str, source: list[str]) -> None:
    """Sphinx's event `source-read`; changes the text in place."""
    folder = (DOCS / name).parent
    repository = app.config.repository_url
    parts = re.split(r"(^```.*?^```)", source[0], flags=re.DOTALL | re.MULTILINE)
    parts[::2] = [LINK.sub(lambda m: _link(m, folder, repository), part) for part in parts[::2]]
    source[0] = "".join(parts)


def _link(match: re.Match[str], folder: Path, repository: str) -> str:
    """One link; as it is, unless it leads to a file outside docs/."""
    text, target = match[1], match[2]
    path, _, anchor = target.partition("#")
    if not path or "://" in target or target.startswith(("mailto:", "/")):
        return match[0]
    absolute = Path(os.path.normpath(folder / path))
    if absolute.is_relative_to(DOCS) or not absolute.is_relative_to(ROOT):
        return match[0]

    inside = absolute.relative_to(ROOT).as_posix()
    if inside == "benchmarks/results/README.md":
        return f"[{text}](/reference/results/{anchor or 'index'}.md)"
    if inside in PAGES:
        return f"[{text}]({PAGES[inside]})"
    code = absolute.suffix == ".py" and inside.split("/")[0] in PACKAGES
    if code and absolute.is_file() and is_documented(absolute):
        return f"[{text}](#{module_anchor(absolute)})"
    if repository:
        kind = "tree" if absolute.is_dir() else "blob"
        return f"[{text}]({repository}/{kind}/main/{inside}{'#' * bool(anchor)}{anchor})"
    return text if text.strip("`") == inside else f"{text} (`{inside}`)"
