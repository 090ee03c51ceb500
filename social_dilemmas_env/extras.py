"""Libraries that come with an extra: imported when needed, and missed in one sentence.

    pygame = need("pygame", extra="render")

The package is on no index, so the line that helps is one for a checkout.
"""

import importlib
from importlib.util import find_spec
from typing import Any

from gymnasium.error import DependencyNotInstalled

# module -> name for pip, where these differ
PACKAGES = {
    "PIL.Image": "pillow",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "stable_baselines3": "stable-baselines3",
    "torch.utils.tensorboard": "tensorboard",
}

# module -> the extra of pyproject.toml that brings it
EXTRAS = {
    **dict.fromkeys(("pygame", "PIL", "imageio_ffmpeg"), "render"),
    **dict.fromkeys(("torch", "safetensors", "tyro", "rich"), "agents"),
    **dict.fromkeys(("matplotlib", "scipy"), "benchmarks"),
    **dict.fromkeys(("torchrl", "tensordict"), "torchrl"),
    "stable_baselines3": "sb3",
    "ray": "distributed",
    "jax": "jax",
}
OLDEST_JAX = (0, 8)  # the first whose `jax.enable_x64` is a context


class MissingExtraError(DependencyNotInstalled, ModuleNotFoundError):
    """A library of an extra is not installed: Gymnasium's error, and Python's own."""

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name  # of the module, as in Python's error


def pip_line(extra: str) -> str:
    """What to type in a checkout: `pip install -e ".[render]"`."""
    return f'pip install -e ".[{extra}]"'


def missing(module: str, extra: str, what: str | None = None) -> MissingExtraError:
    """The error to raise where a library is missing.

    Args:
        module: as it is imported.
        extra: of pyproject.toml; "" for a library that is in none, with a pip line of its own.
        what: what needs it, such as "rendering"; None names the module alone.
    """
    package = PACKAGES.get(module, module.partition(".")[0])

    # An extra works from the checkout only, where its versions are tried too.
    if extra:
        line = f"{pip_line(extra)} in a checkout of social_dilemmas_env"
    else:
        line = f"pip install {package}"
    needs = f"{what} needs {package}" if what else f"{package} is not installed"
    return MissingExtraError(f"{needs}: {line}", module)


def need(module: str, extra: str, what: str | None = None) -> Any:
    """The module, imported.

    Args:
        module: as it is imported, such as "PIL.Image".
        extra: see `missing`.
        what: what needs it.

    Raises:
        MissingExtraError: it, or something that it imports, is not installed; the sentence holds
            the pip line that helps.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing(module, extra, what) from error


def need_jax() -> None:
    """Imports JAX.

    Raises:
        MissingExtraError: it is not installed, or too old.
    """
    version = need("jax", "jax", 'backend="jax"').__version__
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_JAX:
        needed = ".".join(map(str, OLDEST_JAX))
        raise MissingExtraError(
            f'backend="jax" needs JAX {needed} or newer, found {version}: '
            f"{pip_line('jax')} in a checkout of social_dilemmas_env",
            "jax",
        )


def explained(error: ImportError, what: str | None = None) -> ImportError:
    """The error, or the one with the pip line where the library that is missing is of an extra."""
    module = error.name or ""
    extra = EXTRAS.get(module.partition(".")[0])
    known = isinstance(error, ModuleNotFoundError) and not isinstance(error, MissingExtraError)
    return missing(module, extra, what) if known and extra else error


def need_found(module: str, extra: str, what: str | None = None) -> None:
    """As `need`, without importing: for what takes long to import or is used much later.

    Raises:
        MissingExtraError: there is no such module.
    """
    try:
        found = find_spec(module) is not None
    except (ImportError, ValueError):  # a parent is missing, or was hidden
        found = False
    if not found:
        raise missing(module, extra, what)
