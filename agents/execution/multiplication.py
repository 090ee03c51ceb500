"""Which of torch's two libraries multiplies float32 matrices on the CPU: MKL or oneDNN.

Both are in torch's wheel. torch takes MKL; it hands a product of float32 to oneDNN when it is
allowed to round to bfloat16, which oneDNN does where the processor is made for it (Intel's AMX) and
nowhere else: there it computes in float32 like MKL. Whether it rounds is not said, so it is tried
out, and where it rounds it is refused.

    "mkl"       torch's own choice
    "onednn"    oneDNN, where it does not round

Which is faster goes by processor and sizes (docs/learners/costs.md). They round differently in the
last bits, so that seeded trainings differ.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from agents.execution.device import MULTIPLIERS, device_name
from social_dilemmas_env.validation import one_of

# Largest error, beside the largest entry, of a float32 product of the sizes below: MKL's is 4e-7,
# that of products of bfloat16 4e-3.
EXACT = 2e-6
SIZES = ((64, 64, 192), (2048, 48, 144))


@contextmanager
def multiplication(route: str) -> Iterator[None]:
    """Has a library multiply in the meantime; afterwards what did before.

    Args:
        route: "mkl" or "onednn", above.

    Raises:
        ValueError: another word, or "onednn" where it rounds or this torch cannot choose it.
    """
    if one_of("matmul", route, MULTIPLIERS) == "mkl":
        yield
        return

    if rounding() > EXACT:
        raise ValueError(
            "matmul='onednn': here it multiplies in bfloat16, or this torch "
            f"({torch.__version__}) cannot choose it; use 'mkl'"
        )
    with _through_onednn(_switch()):
        yield


def training_device(device: str) -> str:
    """For the records of a run: its device and, on the CPU, what multiplies there now."""
    name = device_name(device)
    return name if device.startswith("cuda") else f"{name}, {multiplier()}"


def multiplier() -> str:
    """What multiplies float32 matrices on the CPU now."""
    switch = _switch()
    return "oneDNN" if switch is not None and switch.fp32_precision == "bf16" else "MKL"


def rounding() -> float:
    """The largest error of oneDNN's products, beside the largest entry; infinite if it is not had.

    Of two sizes, since small ones may take another way through the library.
    """
    switch = _switch()
    if switch is None:
        return float("inf")

    generator, worst = torch.Generator().manual_seed(0), 0.0
    with _through_onednn(switch):
        for rows, inner, columns in SIZES:
            a = torch.randn(rows, inner, generator=generator)
            b = torch.randn(inner, columns, generator=generator)
            exact = a.double() @ b.double()
            for found in (a @ b, torch.bmm(a[None], b[None])[0]):
                worst = max(worst, float((found - exact).abs().max() / exact.abs().max()))
    return worst


@contextmanager
def _through_onednn(switch: Any) -> Iterator[None]:
    before = switch.fp32_precision
    switch.fp32_precision = "bf16"
    try:
        yield
    finally:
        switch.fp32_precision = before


def _switch() -> Any:
    """Torch's switch; None where there is none: an older torch, or one without oneDNN."""
    switch = getattr(torch.backends.mkldnn, "matmul", None)
    there = switch is not None and torch.backends.mkldnn.is_available()
    return switch if there and hasattr(switch, "fp32_precision") else None
