"""SymPy can take seconds over a line of input. Work that is pure Python can be stopped after a while."""

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


class _TooLong(BaseException):
    """Not an Exception, so that no `except Exception` inside the work swallows it."""


def within(seconds: float, work: Callable[[], Result]) -> Result | None:
    """What `work` returns, or None if this thread has spent `seconds` of its own processor time on it.

    The clock is read at every Python call, in this thread alone; a single long operation in C is not interrupted.
    """
    end = time.thread_time() + seconds

    def watch(*_: Any) -> None:  # noqa: ANN401
        if time.thread_time() > end:
            raise _TooLong

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        return work()
    except _TooLong:
        return None
    finally:
        sys.settrace(before)
