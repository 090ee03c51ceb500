"""Leaving an update that takes long, between its parts.

    with leaving_if(told):          # the training loop
        learner.update()

    between_parts()                 # a learner whose update takes seconds

What an update that was left had changed is discarded by whoever asked for it.  Outside such a
context `between_parts` does nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class LeftHalfWay(BaseException):
    """An update was left between its parts.  No error: nothing but the loop should catch it."""


_TOLD: ContextVar[Callable[[], bool] | None] = ContextVar("told", default=None)


@contextmanager
def leaving_if(told: Callable[[], bool]) -> Iterator[None]:
    """Within it, `between_parts` leaves when `told()` is true.

    Raises:
        LeftHalfWay: it did.
    """
    token = _TOLD.set(told)
    try:
        yield
    finally:
        _TOLD.reset(token)


def between_parts() -> None:
    """A place where an update may be left.

    Raises:
        LeftHalfWay: the training was told to stop.
    """
    told = _TOLD.get()
    if told is not None and told():
        raise LeftHalfWay
