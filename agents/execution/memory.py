"""Memory: how much there is, and one setting that a third of the training time depends on."""

import ctypes
import sys
from pathlib import Path

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
MEGABYTE = 1 << 20


def keep_memory() -> bool:
    """Lets glibc keep freed memory, instead of fetching it from the system again page by page.

    Each update frees and allocates the same few hundred megabytes; measured on one core, a Coin
    Game iteration of LOQA took .58 s instead of .86.  Returns whether it could be done; elsewhere
    than on glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False

    settings = (
        (_MMAP_THRESHOLD, 1024 * MEGABYTE),
        (_TRIM_THRESHOLD, 2047 * MEGABYTE),
        (_TOP_PAD, 256 * MEGABYTE),
    )
    return all(ok == 1 for ok in [mallopt(name, value) for name, value in settings])


def peak_memory() -> int | None:
    """The most bytes that this process has had; None where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


def available_memory(device: str) -> int | None:
    """Bytes that a device has free; None if it is not known."""
    if device.startswith("cuda"):
        import torch  # not needed to ask for the memory of the host

        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next(
        (1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None
    )


def check_memory(needed: int, device: str, advice: str = "", **sizes: int) -> None:
    """Checks that a device has so many bytes free, where it says how many it has.

    Args:
        needed: bytes.
        device: where they are needed.
        advice: what else helps, the end of a sentence.
        **sizes: what may be lowered to need less, and what it is now.

    Raises:
        ValueError: it has fewer.
    """
    there = available_memory(device)
    if there is not None and needed > there:
        words = ", ".join(f"{word} (now {size})" for word, size in sizes.items())
        raise ValueError(
            f"this needs about {needed / 1e9:.1f} GB and {device} has {there / 1e9:.1f} GB free: "
            f"lower {words}{advice}"
        )
