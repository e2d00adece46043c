"""Batches side by side in threads, each with NumPy's products on one thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the results of all items, in their order: as many at a time as products may have threads.

    In products of small matrices, threads wait for each other longer than they work.
    """
    blas = _blas()
    threads = min(max((library["num_threads"] for library in blas.info()), default=1), len(items))
    with blas.limit(limits=1):
        if threads <= 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, items))


@lru_cache(1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")
