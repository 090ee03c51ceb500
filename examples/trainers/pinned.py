"""One sentence where a library is missing, or is of a version that a script does not know.

Trainers rename what they export from one release to the next; requirements/NAME.txt holds the
versions with which with_NAME.py was run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from social_dilemmas_env.adapters.versions import ran

FOLDER = Path(__file__).resolve().parent / "requirements"


@contextmanager
def pinned(name: str) -> Iterator[None]:
    """Around the imports of with_NAME.py."""
    try:
        yield
    except ImportError as error:
        lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        pins = dict(line.split("==") for line in lines if "==" in line)
        line = f"pip install -r examples/trainers/requirements/{name}.txt"
        raise SystemExit(f"{error}; {ran(pins)}{line}") from None
