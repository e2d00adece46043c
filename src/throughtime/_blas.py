"""Batches side by side in threads, each with NumPy's products on one thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Lock
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")


_limiting = Lock()  # one caller at a time: another would take the limit for the process's own setting, and restore it


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the results of all items, in their order: as many at a time as products may have threads.

    In products of small matrices, threads wait for each other longer than they work. While another thread is in here,
    its cores are in use, so the items are done one after the other.
    """
    if not _limiting.acquire(blocking=False):
        return [work(item) for item in items]
    try:
        blas = _blas()
        threads = min(max((library["num_threads"] for library in blas.info()), default=1), len(items))
        with blas.limit(limits=1):
            if threads <= 1:
                return [work(item) for item in items]
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(work, items))
    finally:
        _limiting.release()


@lru_cache(1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")
