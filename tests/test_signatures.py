"""The signatures that ``help`` shows."""

import inspect

import pytest

import throughtime as tt

USED = [
    *(tt.train, tt.steps, tt.fit_many, tt.Minibatches, tt.EarlyStopping, tt.Forecaster, tt.TimeSeriesData),
    *(tt.Elman, tt.GRU, tt.LSTM, tt.unroll, tt.rollout, tt.gradient_flow),
    *(tt.ManyToOne, tt.ManyToMany, tt.Bidirectional, tt.Stack, tt.Dropout, tt.Embedding),
]


@pytest.mark.parametrize("thing", USED, ids=lambda thing: thing.__name__)
def test_a_signature_shows_names_of_types(thing):
    shown = str(inspect.signature(thing))
    assert "jaxtyping" not in shown
    assert "numpy.integer" not in shown
    assert len(shown) < 400
