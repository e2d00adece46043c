"""Batches side by side: their order, their errors, and the setting of BLAS during them and afterwards."""

from threading import Event, Thread, get_ident

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from throughtime._blas import side_by_side
from throughtime.zero_shot import quantiles_of, shipped_weights


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture
def three():
    with threadpool_limits(3, user_api="blas"):
        if blas_threads() != {3}:
            pytest.skip("this BLAS has no setting of its threads")
        yield


def test_products_have_one_thread_meanwhile(three):
    assert side_by_side(lambda item: blas_threads(), range(5)) == 5 * [{1}]
    assert blas_threads() == {3}


def test_results_keep_their_order_and_errors_arrive(three):
    assert side_by_side(lambda item: item**2, range(7)) == [0, 1, 4, 9, 16, 25, 36]
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda item: 1 // item, [2, 0, 3])
    assert blas_threads() == {3}


def test_where_products_have_one_thread_nothing_is_side_by_side():
    with threadpool_limits(1):
        assert set(side_by_side(lambda item: get_ident(), range(5))) == {get_ident()}


def test_forecasts_do_not_depend_on_the_number_of_threads(three):
    rng = np.random.default_rng(4)
    series = [rng.normal(size=length).cumsum() for length in rng.integers(20, 400, 600)]
    weights, _ = shipped_weights()
    many = quantiles_of(weights, series, (7, 30), 11)
    with threadpool_limits(1):
        np.testing.assert_array_equal(many, quantiles_of(weights, series, (7, 30), 11))


def test_calls_at_the_same_time_leave_the_setting_as_it_was(three):
    """The second begins during the first, and ends after it."""
    begun, ended = Event(), Event()

    def first() -> None:
        side_by_side(lambda item: (begun.set(), second_runs.wait(10)), [0])
        ended.set()

    second_runs, thread = Event(), Thread(target=first)
    thread.start()
    assert begun.wait(10)
    side_by_side(lambda item: (second_runs.set(), ended.wait(10)), [0])
    thread.join()
    assert blas_threads() == {3}
