"""Which of torch's two libraries multiplies float32 matrices on the CPU: MKL or oneDNN.

Both are in torch's wheel. MKL is torch's choice; on AMD's processors large products take it up to
1.4 times as long as oneDNN (docs/learners/costs.md). torch hands a product of float32 to oneDNN
when it is allowed to round to bfloat16, which oneDNN does where the processor is made for it
(Intel's AMX) and nowhere else: there it computes in float32 like MKL. Whether it rounds is not
said, so it is tried out.

    "auto"      oneDNN on an AMD processor where it does not round, otherwise MKL
    "mkl"       torch's own choice
    "onednn"    oneDNN, where it does not round

The two round differently in the last bits, so that a seeded training differs; the choice depends
on the processor and not on the clock, and is the same each time on one machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from agents.execution.device import processor_name
from social_dilemmas_env.validation import one_of

ROUTES = ("auto", "mkl", "onednn")
# Largest error, beside the largest entry, of a float32 product of the sizes below: MKL's is 4e-7,
# that of products of bfloat16 4e-3.
EXACT = 2e-6
SIZES = ((64, 64, 192), (2048, 48, 144))


@contextmanager
def multiplication(route: str) -> Iterator[None]:
    """Has a library multiply in the meantime; afterwards what did before.

    Args:
        route: "auto", "mkl" or "onednn", above.

    Raises:
        ValueError: another word, or "onednn" where it rounds or this torch cannot choose it.
    """
    one_of("matmul", route, ROUTES)
    switch = _switch()

    # Whoever has chosen already keeps the choice.
    chosen = switch is not None and switch.fp32_precision != "none"
    wanted = route == "onednn" or (route == "auto" and not chosen and _is_amd())
    exact = wanted and rounding() <= EXACT
    if route == "onednn" and not exact:
        raise ValueError(
            "matmul='onednn': here it multiplies in bfloat16, or this torch "
            f"({torch.__version__}) cannot choose it; use 'mkl'"
        )
    if not exact:
        yield
        return
    with _through_onednn(switch):
        yield


def multiplier() -> str:
    """What multiplies float32 matrices on the CPU now, for the records."""
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


def _is_amd() -> bool:
    return "AMD" in processor_name("cpu")
