"""Players out of a file of one's own: the word "./mine.py:Agent".

Giving such a word runs the file, as `python mine.py` would.
"""

import importlib.util
import sys
import zlib
from pathlib import Path
from typing import Any

SEPARATOR = ".py:"


def is_file_word(word: str) -> bool:
    """Whether a word names something in a Python file."""
    return SEPARATOR in word or word.endswith(".py")


def load_object(word: str) -> Any:
    """What a file calls by that name; of a class an object, made without arguments.

    Args:
        word: FILE.py:NAME.

    Raises:
        ValueError: no such file, or nothing of that name in it; or running it failed.
    """
    path, separator, name = word.rpartition(":")
    if not separator or not name.isidentifier():
        raise ValueError(f"{word}: say which object of the file plays, FILE.py:NAME")
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"{word}: there is no file {path}")

    # Whatever goes wrong in the file is said in one sentence.
    try:
        module = _run(file)
        found = getattr(module, name, None)
        made = found() if isinstance(found, type) else found
    except Exception as error:  # a stranger's code may raise anything
        raise ValueError(f"{word}: {type(error).__name__}: {error}") from error
    if made is None:
        raise ValueError(f"{word}: there is no {name} in {path}")
    return made


def _run(file: Path) -> Any:
    """The file as a module, once until it is changed: its objects then share their classes."""
    what = f"{file.resolve()} {file.stat().st_mtime_ns}"
    name = f"player_of_{file.stem}_{zlib.crc32(what.encode()):08x}"
    if name in sys.modules:
        return sys.modules[name]

    plan: Any = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(plan)
    sys.modules[name] = module  # dataclasses and pickles ask for it while it runs
    try:
        plan.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
