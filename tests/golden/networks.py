"""The maker of the golden networks: files of other frameworks, and what those frameworks compute with them.

The files in ``networks/`` were made by::

    TF_USE_LEGACY_KERAS=1 PYTHONPATH=. python tests/golden/networks.py

with the versions of ``tests/interop/requirements.txt`` and Python 3.11.7. Each network is in a file of its framework,
and ``NAME.results.safetensors`` holds its inputs and outputs.
"""

import os
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import safetensors.numpy
from tests.interop import frameworks

FOLDER = Path(__file__).parent / "networks"


def write(name: str, result: frameworks.Arrays) -> None:
    """Write what a framework computed."""
    arrays = {key: result[key].copy() for key in ("inputs", "outputs")}
    (FOLDER / f"{name}.results.safetensors").write_bytes(safetensors.numpy.save(arrays))


def torch_networks() -> None:
    """Write a GRU of two layers in both directions below an ``nn.Linear``."""
    module = frameworks.torch_network("GRU", 5, 4, num_layers=2, bidirectional=True)
    weights = {name: value.numpy() for name, value in module.state_dict().items()}
    (FOLDER / "torch_gru.safetensors").write_bytes(safetensors.numpy.save(weights))
    write("torch_gru", frameworks.run_torch(module))


def keras_networks() -> None:
    """Write a chain of all kinds of layers as ``.keras``, two layers in both directions as ``.weights.h5``."""
    from keras import layers

    every = {"return_sequences": True}
    chain = frameworks.keras_network(
        layers.LSTM(5, **every),
        layers.GRU(4, reset_after=False, **every),
        layers.SimpleRNN(7, activation="elu", **every),
        layers.Bidirectional(layers.GRU(3)),
        layers.Dense(2),
    )
    chain.save(FOLDER / "keras_chain.keras")
    write("keras_chain", frameworks.run_keras(chain))
    both = frameworks.keras_network(
        layers.Bidirectional(layers.GRU(5, **every)), layers.Bidirectional(layers.GRU(4, **every)), layers.Dense(3)
    )
    both.save_weights(FOLDER / "keras_gru.weights.h5")
    write("keras_gru", frameworks.run_keras(both))


def tensorflow1_networks() -> None:
    """Write the checkpoint of the notebook, trained for 20 steps, and one of an LSTM and a GRU on each other."""
    write("notebook", frameworks.write_notebook_checkpoint(FOLDER / "notebook", 100, 20))
    write("tensorflow1_chain", frameworks.write_tensorflow1_checkpoint(FOLDER / "tensorflow1_chain", frameworks.chain))


def flax_networks() -> None:
    """Write networks of linen and of nnx."""
    for name, build in (("linen", frameworks.linen_network), ("nnx", frameworks.nnx_network)):
        result = frameworks.run_flax(*build())
        weights = {key.removeprefix("weights/"): a for key, a in result.items() if key.startswith("weights/")}
        (FOLDER / f"{name}.flax.safetensors").write_bytes(safetensors.numpy.save(weights))
        write(name, result)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    torch_networks()
    keras_networks()
    flax_networks()
    tensorflow1_networks()  # it turns off what the others need
