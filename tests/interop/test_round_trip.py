"""From PyTorch to here, to ONNX, and back: the same forecasts at every station."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
from tests.interop.test_to_onnx import operators, session

import throughtime as tt

TRAINED = Path(__file__).parents[2] / "examples" / "trained_in_pytorch.safetensors"  # by train_in_pytorch.py


def test_a_network_that_pytorch_trained_goes_round(tmp_path: Path) -> None:
    arrays = safetensors.numpy.load_file(TRAINED)
    inputs, outputs = arrays.pop("inputs"), arrays.pop("outputs")
    assert np.abs(outputs).max() > 0.5  # of a wave between -1 and 1: it has learned
    network = tt.from_torch({name.removeprefix("weights/"): array for name, array in arrays.items()})
    np.testing.assert_allclose(network(jnp.asarray(inputs))[1], outputs, atol=1e-5)

    tt.to_onnx(network, tmp_path / "network.onnx")
    assert operators(tmp_path / "network.onnx").count("GRU") == 2
    running = session(tmp_path / "network.onnx")
    np.testing.assert_allclose(running.run(["ys"], {"xs": inputs})[0], outputs, atol=1e-5)
    other = np.concatenate([inputs, inputs[:, ::-1]], axis=1)[:1]  # another length, another batch
    np.testing.assert_allclose(running.run(["ys"], {"xs": other})[0], network(jnp.asarray(other))[1], atol=1e-5)

    again = tt.from_onnx(tmp_path / "network.onnx")
    np.testing.assert_allclose(again(jnp.asarray(inputs))[1], outputs, atol=1e-5)
    assert jax.tree.structure(again) == jax.tree.structure(network)
