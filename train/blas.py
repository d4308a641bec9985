"""Linear algebra whose last bits do not depend on the number of threads."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

# Only a library that is loaded can be told to use one thread: numpy's is, scipy's comes with this.
import scipy.linalg  # noqa: F401
from threadpoolctl import threadpool_limits

P = ParamSpec("P")
R = TypeVar("R")


def on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The function with BLAS on one thread meanwhile: on several, BLAS may add up in another order."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with threadpool_limits(1, user_api="blas"):
            return function(*args, **kwargs)

    return limited
