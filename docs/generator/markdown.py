"""Docstrings as Markdown, and tables.

Docstrings of this project are Markdown with Google's sections; MyST reads them nearly as they are.
"""

import re
from collections.abc import Iterable, Sequence
from textwrap import dedent

SECTIONS = ("Args", "Returns", "Raises", "Attributes", "Yields")
# "Paper   Foerster et al. 2018, ...": a word, and two blanks or more.
LABEL = re.compile(r"^([A-Z][\w ]{1,14}?) {2,}(?=\S)")
# An address in running text, which Markdown leaves as it is.
ADDRESS = re.compile(r"(?<![(<`\[])https?://[^\s,;<>)\]]*[\w/]")
ENTRY = re.compile(r"^(\*{0,2}[\w, *\[\].]+?):\s+(.*)$")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; bars inside cells are escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [re.sub(r"(?<!\\)\|", r"\\|", str(cell)).replace("\n", " ") for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(title: str, *parts: str) -> str:
    """A page of parts with blank lines between them."""
    return "\n\n".join([f"# {title}", *(part.strip("\n") for part in parts if part)]) + "\n"


def from_docstring(text: str) -> str:
    """A docstring without its indentation as MyST: sections as lists, labels bold."""
    blocks, lines = [], text.strip().splitlines()
    first, _, rest = "\n".join(lines).partition("\n")
    minus = re.sub(r"^- ", "\u2212 ", first)  # a formula, and no list
    lines = [minus, *dedent(rest).splitlines()]

    while lines:
        line = lines.pop(0)
        section = line.rstrip().removesuffix(":")
        if line.rstrip().endswith(":") and section in SECTIONS:
            body = []
            while lines and (not lines[0].strip() or lines[0].startswith(" ")):
                body.append(lines.pop(0))
            blocks.append("\n" + _section(section, dedent("\n".join(body))) + "\n")
        else:
            code = line.startswith("    ")
            blocks.append(line if code else ADDRESS.sub(r"<\g<0>>", _label(line)))
    return "\n".join(blocks).strip()


def _section(name: str, body: str) -> str:
    """A section of Google's style as a list."""
    items: list[str] = []
    for line in body.strip().splitlines():
        entry = ENTRY.match(line)
        if entry and not line.startswith(" ") and name != "Returns":
            items.append(f"* `{entry[1]}`: {entry[2]}")
        elif items:
            items[-1] += " " + line.strip()
        else:
            items.append(line.strip())
    return f"**{name}**\n\n" + "\n".join(items)


def _label(line: str) -> str:
    """Lines such as "Paper   ..." begin a paragraph of their own."""
    found = LABEL.match(line)
    return f"\n**{found[1]}** {line[found.end() :]}" if found else line


def summary(text: str | None) -> str:
    """The first sentence of a docstring, on one line."""
    paragraph = " ".join((text or "").strip().partition("\n\n")[0].split())
    return re.split(r"(?<=[.;])\s", paragraph)[0].rstrip(";")


def one_line(value: object) -> str:
    """A value as it would be typed, in code."""
    return f"`{value!r}`" if isinstance(value, str | tuple | list | dict) else f"`{value}`"
