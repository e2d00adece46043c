"""Files of other frameworks against what those frameworks computed with them, made by ``networks.py``."""

from pathlib import Path

import equinox as eqx
import numpy as np
import pytest
from safetensors.numpy import load_file

import throughtime as tt

FOLDER = Path(__file__).parent / "networks"
READ = {
    "torch_gru": lambda: tt.from_torch(FOLDER / "torch_gru.safetensors"),
    "keras_chain": lambda: tt.from_keras(FOLDER / "keras_chain.keras"),
    "keras_gru": lambda: tt.from_keras(FOLDER / "keras_gru.weights.h5"),
    "notebook": lambda: tt.from_tensorflow1(FOLDER / "notebook", activation="relu"),
    "tensorflow1_chain": lambda: tt.from_tensorflow1(FOLDER / "tensorflow1_chain.index", forget_bias=0.7),
    "linen": lambda: tt.from_flax(flax("linen", "GRUCell_0 OptimizedLSTMCell_0 SimpleCell_0"), activation="tanh"),
    "nnx": lambda: tt.from_flax(flax("nnx", "both gru")),
}
KINDS = {"keras_chain": tt.ManyToOne, "notebook": tt.RecurrentNetwork}
BACK = {
    "torch_gru": lambda network, path: tt.from_torch(tt.to_torch(network)),
    "keras_chain": lambda network, path: there_and_back(network, path / "back.keras"),
    "keras_gru": lambda network, path: there_and_back(network, path / "back.weights.h5"),
    "notebook": lambda network, path: tt.from_tensorflow1(tt.to_tensorflow1(network), activation="relu"),
    "tensorflow1_chain": lambda network, path: tt.from_tensorflow1(tt.to_tensorflow1(network)),
    "linen": lambda network, path: tt.from_flax(tt.to_flax(network), activation="tanh"),
}


def flax(name, order):
    """Return the parameters of a file, whose order it does not say."""
    weights = load_file(FOLDER / f"{name}.flax.safetensors")
    order = [*order.split(), ""]
    return dict(sorted(weights.items(), key=lambda item: next(n for n, word in enumerate(order) if word in item[0])))


def there_and_back(network, path):
    tt.to_keras(network).save(path)
    return tt.from_keras(path)


def test_every_file_is_tested():
    assert {path.name.partition(".")[0] for path in FOLDER.iterdir()} == set(READ)


@pytest.mark.parametrize("name", READ)
def test_a_file_predicts_the_same(name):
    network, golden = READ[name](), load_file(FOLDER / f"{name}.results.safetensors")
    assert type(network) is KINDS.get(name, tt.ManyToMany)
    outputs = network(golden["inputs"])[1]
    assert outputs.shape == golden["outputs"].shape
    np.testing.assert_allclose(outputs, golden["outputs"], rtol=0, atol=1e-5 * max(1, np.abs(golden["outputs"]).max()))


@pytest.mark.parametrize("name", BACK)
def test_there_and_back_gives_the_same_network(name, tmp_path):
    """Bit for bit, but for TensorFlow's forget bias, which is added and taken away again."""
    network = READ[name]()
    back = BACK[name](network, tmp_path)
    same = (
        eqx.tree_equal(back, network, rtol=0, atol=1e-6)
        if name == "tensorflow1_chain"
        else eqx.tree_equal(back, network)
    )
    assert bool(same)
