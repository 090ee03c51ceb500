"""The long description: README as it can be read outside of the repository.

A package index shows README's text alone.  Where `[project.urls]` of pyproject.toml has the
Repository's address, pictures and links lead there; until then pictures are left out and links are
plain text, so that nothing is broken.  Everything else is in pyproject.toml and setup.cfg.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\((?!https?:|#|mailto:)([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)\s]+)\)")
IMG = re.compile(r'<img src="(?!https?:)([^"]+)"([^>]*)>')
ALONE = re.compile(r'<p align="center">\s*</p>\n*')  # what is left of a picture


def index_readme(text: str, repository: str) -> str:
    """README for a package index.

    Args:
        text: README.
        repository: address of the repository, or "".
    """
    if repository:
        raw, page = f"{repository.rstrip('/')}/raw/main/", f"{repository.rstrip('/')}/blob/main/"
        text = IMG.sub(rf'<img src="{raw}\1"\2>', text)
        text = PICTURE.sub(rf"![\1]({raw}\2)", text)
        return LINK.sub(rf"[\1]({page}\2)", text)

    text = ALONE.sub("", PICTURE.sub("", IMG.sub("", text)))
    return LINK.sub(r"\1", text)


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    setup(
        long_description=index_readme(readme, project.get("urls", {}).get("Repository", "")),
        long_description_content_type="text/markdown",
    )
