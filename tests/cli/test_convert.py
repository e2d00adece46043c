"""``throughtime convert``: a network goes through every format, and a table says what became what."""

import json
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest
from tests.cli.command import run

import throughtime as tt
from throughtime.interop import format_of


def test_through_every_format_and_back(tmp_path):
    """A single cell with a readout is what all of them hold."""
    network = tt.RecurrentNetwork(tt.LSTM(2, 5, key=jax.random.key(0)), 3, key=jax.random.key(1))
    tt.to_keras(network).save(tmp_path / "0.keras")
    names = ["1.safetensors", "2.flax.safetensors", "3.eqx", "folder", "4.weights.h5", "5.keras"]
    for source, target in zip(["0.keras", *names], names, strict=False):
        result = run("convert", str(tmp_path / source), str(tmp_path / target))
        assert result.exit_code == 0, result.output
    assert eqx.tree_equal(tt.from_keras(tmp_path / "5.keras"), network)
    assert eqx.tree_equal(tt.load(tmp_path / "folder"), network)
    assert "layers/lstm/cell/recurrent_kernel (5, 20)" in result.output


def test_through_onnx(tmp_path):
    network = tt.ManyToMany(tt.GRU(2, 5, key=jax.random.key(0)), 3, key=jax.random.key(1))
    tt.to_keras(network).save(tmp_path / "0.keras")
    for source, target in (("0.keras", "1.onnx"), ("1.onnx", "2.keras")):
        result = run("convert", str(tmp_path / source), str(tmp_path / target))
        assert result.exit_code == 0, result.output
    before, after = (jax.tree.leaves(tt.from_keras(tmp_path / name)) for name in ("0.keras", "2.keras"))
    assert len(before) == len(after) == 6
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_the_table_as_json(tmp_path):
    network = tt.Bidirectional(tt.GRU(2, 5, key=jax.random.key(0)), tt.GRU(2, 5, key=jax.random.key(1)))
    tt.to_keras(network).save(tmp_path / "a.keras")
    result = run("convert", str(tmp_path / "a.keras"), "b.safetensors", "--out", str(tmp_path / "out"), "--json")
    assert result.exit_code == 0, result.output
    forward, backward = json.loads(result.stdout)["parts"]
    assert (forward["part"], backward["part"]) == ("layer 1", "layer 1, backward")
    assert (backward["kind"], backward["sizes"]) == ("GRU", [2, 5])
    assert backward["from"]["layers/bidirectional/backward_layer/cell/bias"] == [2, 15]
    assert backward["to"]["weight_hh_l0_reverse"] == [15, 5]
    assert eqx.tree_equal(tt.from_torch(tmp_path / "out" / "b.safetensors"), network)


@pytest.mark.parametrize(
    ("source", "target"), [("a.keras", "b.index"), ("a.keras", "b.other"), ("none.keras", "b.pt"), ("a.keras", "b.eqx")]
)
def test_what_cannot_be_converted_is_refused(source, target, tmp_path):
    tt.to_keras(tt.Elman(2, 5, key=jax.random.key(0))).save(tmp_path / "a.keras")
    assert run("convert", str(tmp_path / source), str(tmp_path / target)).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.keras"]


def test_the_longer_suffix_counts():
    assert format_of(Path("a.flax.safetensors")).framework == "Flax"
    assert format_of(Path("a.safetensors")).framework == "PyTorch"
