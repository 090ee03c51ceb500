"""Old public names go on working for one release, and say what to write instead.

moved_modules   whole modules that have moved: importing the old name warns, and gives the new one
moved_names     names of a module that have moved or were renamed: its `__getattr__`
deprecated      the warning alone
"""

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any


def deprecated(old: str, new: str, stacklevel: int = 3) -> None:
    """Warns that `old` is now `new`.

    Args:
        old: the name that was used.
        new: what to write instead.
        stacklevel: of the warning; 3 is the caller of the function that calls this one.
    """
    message = f"{old} is now {new}; the old name goes in the next release"
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)


def moved_names(module: str, moved: Mapping[str, str]) -> Callable[[str], Any]:
    """`__getattr__` of a module that goes on giving the names it had.

    Args:
        module: its `__name__`.
        moved: old name -> new one, dotted; without dots it is one of the same module.
    """

    def get(name: str) -> Any:
        if name not in moved:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, _, new = moved[name].rpartition(".")
        home = home or module
        deprecated(f"{module}.{name}", f"{home}.{new}")
        return getattr(importlib.import_module(home), new)

    return get


def moved_modules(moved: Mapping[str, str]) -> None:
    """Lets modules be imported by the names they had.

    Args:
        moved: old dotted name -> new one.  Nothing is imported before it is asked for.
    """
    sys.meta_path.append(_Finder(dict(moved)))


class _Finder:
    """Finds what nobody else has found: the modules that moved.

    A finder and a loader without their base classes, which take as long to import as all else here.
    """

    def __init__(self, moved: dict[str, str]) -> None:
        self.moved = moved

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python asks every finder: do you have this module?"""
        if fullname not in self.moved:
            return None
        new = importlib.util.find_spec(self.moved[fullname])
        parent = any(name.startswith(f"{fullname}.") for name in self.moved)
        loader: Any = self
        # The file's name is what `python -m` shows as the program's.
        return ModuleSpec(fullname, loader, origin=new.origin if new else None, is_package=parent)

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of the module as it is now, for `python -m OLD.NAME`."""
        new = self.moved[fullname]
        print(f"python -m {fullname} is now python -m {new}", file=sys.stderr)
        spec = importlib.util.find_spec(new)
        loader: Any = spec.loader if spec else None
        code: CodeType | None = loader.get_code(new) if loader else None
        return code

    def create_module(self, spec: ModuleSpec) -> None:
        """None: a module as Python makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Has the module answer with the names of the one that took its place."""
        new = self.moved[module.__name__]
        deprecated(f"the module {module.__name__}", new)  # importlib's own frames do not count
        target = importlib.import_module(new)

        def get(name: str) -> Any:
            return getattr(target, name)

        module.__dict__.update(__doc__=target.__doc__, __getattr__=get, __dir__=lambda: dir(target))
