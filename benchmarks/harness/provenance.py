"""What a number was computed with: versions, commit, device."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import social_dilemmas_env as sde
from agents.execution.device import processor_name


def check_device(word: str) -> None:
    """Looks for the device before anything is computed on it.

    Raises:
        ValueError: it is not there, or torch knows none of that name.
    """
    if word == "cpu":
        return
    import torch  # a second to import, which "cpu" need not pay

    try:
        torch.empty(1, device=word)
    except (RuntimeError, AssertionError):  # the latter: a torch that was built without CUDA
        version = f"torch {torch.__version__}"
        raise ValueError(f"device {word!r} is not to be had here ({version}); use cpu") from None


def versions() -> dict[str, str]:
    """Of what the numbers depend on."""
    known = {"python": platform.python_version(), "social_dilemmas_env": sde.__version__}
    for name in ("torch", "numpy", "scipy"):
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            known[name] = "missing"
    return known


def commit() -> dict[str, str]:
    """The commit of this checkout, with a plus sign if files have changed since.

    {} outside of one.
    """
    try:
        head = run_git("rev-parse", "--short", "HEAD").strip()
        changed = run_git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": head + "+" * bool(changed)}


def run_git(*words: str) -> str:
    """What a git command prints in this checkout."""
    process = subprocess.run(
        ["git", *words], check=True, cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return process.stdout


def describe_device(name: str) -> str:
    """Such as "cpu: AMD EPYC 7763, 1 thread" or "cuda: NVIDIA H100"."""
    if name.startswith("cuda"):
        return f"cuda: {processor_name(name)}"
    return f"cpu: {processor_name(name)}, 1 thread"
