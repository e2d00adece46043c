"""The file of weights, and what came with the package: its form, not its values."""

import numpy as np
import pytest

import throughtime as tt
from throughtime.zero_shot import load_weights, save_weights, shipped_weights
from throughtime.zero_shot.weights import SHIPPED


def test_a_file_holds_float16_and_a_card(tmp_path):
    draw, file = np.random.default_rng(0), tmp_path / "weights.safetensors"
    written = {"b": draw.normal(size=3).astype(np.float32), "a.w": draw.normal(size=(4, 2)).astype(np.float32).T}
    save_weights(file, written, {"seed": 3, "loss": 0.5})
    weights, card = load_weights(file)
    assert card == {"seed": 3, "loss": 0.5}
    assert sorted(weights) == ["a.w", "b"]
    for name, array in weights.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, written[name].astype(np.float16))


@pytest.mark.parametrize("content", [None, b"", b"no weights at all, but some text"])
def test_another_file_is_refused(tmp_path, content):
    file = tmp_path / "other"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(tt.InputError) as caught:
        load_weights(file)
    assert (caught.value.code, caught.value.file) == ("not-weights", str(file))


def test_the_shipped_weights_are_small_and_finite():
    weights, card = shipped_weights()
    assert SHIPPED.stat().st_size <= 1e6
    assert all(np.isfinite(array).all() for array in weights.values())
    assert isinstance(card, dict)
