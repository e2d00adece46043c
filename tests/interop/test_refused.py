"""What cannot be converted is refused with the reason, and no code from a file runs."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import equinox as eqx
import h5py
import jax
import numpy as np
import pytest

import throughtime as tt
from throughtime.interop.tensorflow1_files import MAGIC

GOLDEN = Path(__file__).parents[1] / "golden" / "networks"
FILES = {
    "torch_gru.safetensors": tt.from_torch,
    "keras_chain.keras": tt.from_keras,
    "keras_gru.weights.h5": tt.from_keras,
    "notebook.index": tt.from_tensorflow1,
    "notebook.data-00000-of-00001": lambda path: tt.from_tensorflow1(path.with_name("notebook")),
    "linen.flax.safetensors": tt.from_flax,
    "cells.eqx": tt.from_equinox,
}


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a file of each kind."""
    for name in ("notebook.index", "notebook.data-00000-of-00001"):
        (tmp_path / name).write_bytes((GOLDEN / name).read_bytes())
    cells = eqx.nn.GRUCell(2, 5, key=jax.random.key(0)), eqx.nn.Linear(5, 3, key=jax.random.key(1))
    eqx.tree_serialise_leaves(tmp_path / "cells.eqx", cells)
    return tmp_path


class Marker:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_refused_without_running_them(name, folder):
    path = folder / name
    content = path.read_bytes() if path.exists() else (GOLDEN / name).read_bytes()
    foreign = pickle.dumps(Marker(folder / "ran"))
    for bad in (b"", foreign, content[:9], content[: len(content) // 2], content[:-1]):
        path.write_bytes(bad)
        with pytest.raises(tt.InputError) as caught:
            FILES[name](path)
        assert caught.value.code == "bad-file", (len(bad), caught.value)
    assert not (folder / "ran").exists()
    path.unlink()
    with pytest.raises(tt.InputError) as caught:
        FILES[name](path)
    assert caught.value.code == "unreadable"


def test_a_weights_file_reads_no_other_file(folder):
    (folder / "secret").write_bytes(np.ones(1000, np.float32).tobytes())
    with h5py.File(folder / "a.weights.h5", "w") as file:
        cell = file.create_group("layers/gru/cell/vars")
        cell.create_dataset("0", (2, 15), np.float32, external=[(str(folder / "secret"), 0, 120)])
        cell["1"] = h5py.ExternalLink(str(folder / "b.h5"), "/x")
    with pytest.raises(tt.InputError) as caught:
        tt.from_keras(folder / "a.weights.h5")
    assert caught.value.code == "bad-file"


def refused(path, content, read):
    """Return the code with which a file of this content is refused."""
    path.write_bytes(content)
    with pytest.raises(tt.InputError) as caught:
        read(path)
    return caught.value.code


def test_sizes_that_no_file_has_are_refused(folder):
    header, archive, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**46,)})
    np.savez(archive, weight=np.ones(3))
    for content in (header, archive):
        assert refused(folder / "cells.eqx", content.getvalue(), tt.from_equinox) == "bad-file"
    with (
        zipfile.ZipFile(GOLDEN / "keras_chain.keras") as whole,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        bomb.writestr("config.json", whole.read("config.json"))
        bomb.writestr("model.weights.h5", whole.read("model.weights.h5") + bytes(1_000_000))
    assert refused(folder / "bomb.keras", packed.getvalue(), tt.from_keras) == "bad-file"
    for shape, place in ((2**63, 0), (4, 2**70)):
        (folder / "forged.data-00000-of-00001").write_bytes(bytes(16))
        entry = field(1, 1) + field(2, field(2, field(1, shape))) + field(4, place) + field(5, 4 * shape)
        index = table([(b"", field(1, 1)), (b"kernel", entry)])
        assert refused(folder / "forged.index", index, tt.from_tensorflow1) == "bad-file"


def varint(number):
    """Return a number of seven bits a byte, as protocol buffers and LevelDB write it."""
    return (bytes([number & 127 | 128]) + varint(number >> 7)) if number > 127 else bytes([number])


def field(number, value):
    """Return a field of a protocol buffer, a whole number or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def table(entries):
    """Return a table of LevelDB with one block."""

    def block(rows):
        made = b"".join(varint(0) + varint(len(key)) + varint(len(value)) + key + value for key, value in rows)
        return made + (0).to_bytes(4, "little") + (1).to_bytes(4, "little")

    data = block(entries)
    index = block([(b"z", varint(0) + varint(len(data)))])
    footer = varint(0) * 2 + varint(len(data) + 5) + varint(len(index))
    return data + bytes(5) + index + bytes(5) + footer.ljust(40, b"\0") + MAGIC


@pytest.mark.parametrize("kind", ["complex64", "U1"])
def test_weights_are_real_numbers(kind):
    weights = {"weight_ih_l0": np.ones((12, 3), kind), "weight_hh_l0": np.ones((12, 4), np.float32)}
    with pytest.raises(tt.InputError) as caught:
        tt.from_torch(weights)
    assert caught.value.code == "not-numbers"


def test_a_configuration_is_no_code(folder):
    with zipfile.ZipFile(GOLDEN / "keras_chain.keras") as archive:
        config, weights = archive.read("config.json"), archive.read("model.weights.h5")
    for old, new in ((b'"LSTM"', b'"Lambda"'), (b'"activation": "elu"', b'"activation": {"class_name": "f"}')):
        with zipfile.ZipFile(folder / "changed.keras", "w") as archive:
            archive.writestr("config.json", config.replace(old, new))
            archive.writestr("model.weights.h5", weights)
        assert config.replace(old, new) != config
        with pytest.raises(tt.InputError) as caught:
            tt.from_keras(folder / "changed.keras")
        assert caught.value.code in ("unsupported-layer", "unsupported-activation")


def gru(layer=0, inputs=2, hidden=5, prefix=""):
    shapes = {"weight_ih": (3 * hidden, inputs), "weight_hh": (3 * hidden, hidden), "bias_ih": 15, "bias_hh": 15}
    return {f"{prefix}{name}_l{layer}": np.full(shape, 0.1) for name, shape in shapes.items()}


def lstm(**others):
    return {"weight_ih_l0": np.ones((20, 2)), "weight_hh_l0": np.ones((20, 5)), **others}


@pytest.mark.parametrize(
    ("weights", "code", "found"),
    [
        ({"weight_ih_l0": np.ones((5, 2)), "weight_hh_l0": np.ones((5, 5))}, "missing-activation", None),
        (lstm(weight_hr_l0=np.ones((3, 5))), "unsupported-option", "proj_size"),
        (gru(prefix="a.") | gru(prefix="b."), "not-one-module", ["a.", "b."]),
        ({}, "not-one-module", []),
        (gru() | gru(layer=2, inputs=5), "missing-array", None),
        (gru() | gru(layer=1, inputs=4), "wrong-sizes", 4),
        (gru() | {"fc.weight": np.ones((3, 4))}, "wrong-sizes", 4),
        (gru() | {"a.weight": np.ones((3, 5)), "b.weight": np.ones((3, 5))}, "unexpected-array", "b.weight"),
        ({"weight_ih_l0": np.ones((10, 2)), "weight_hh_l0": np.ones((10, 5))}, "wrong-shape", (10, 5)),
    ],
)
def test_weights_of_torch_that_nothing_here_computes(weights, code, found):
    with pytest.raises(tt.InputError) as caught:
        tt.from_torch(weights)
    assert caught.value.code == code
    assert found is None or caught.value.found == found


def test_a_prefix_chooses_a_module():
    both = gru(prefix="a.") | gru(prefix="b.", hidden=5, inputs=3)
    assert tt.from_torch(both, prefix="b.").inputs == 3


def test_a_file_of_torch_needs_torch(tmp_path):
    (tmp_path / "rnn.pt").write_bytes(b"anything")
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(tt.InputError) as caught:
            tt.from_torch(tmp_path / "rnn.pt")
        assert caught.value.code == "not-installed"


def test_networks_that_a_framework_does_not_have():
    keys = jax.random.split(jax.random.key(0), 4)
    small, large = tt.GRU(2, 5, key=keys[0]), tt.GRU(5, 7, key=keys[1])
    both = tt.Bidirectional(small, tt.GRU(2, 5, key=keys[2]))
    mean = tt.ManyToOne(small, 3, "mean", key=keys[3])
    for convert, network, code in (
        (tt.to_torch, tt.Stack([small, large]), "unsupported-stack"),
        (tt.to_torch, mean, "unsupported-pool"),
        (tt.to_keras, mean, "unsupported-pool"),
        (tt.to_keras, tt.LEM(2, 5, key=keys[0]), "unsupported-cell"),
        (tt.to_torch, tt.LayerNorm(small), "unsupported-cell"),
        (tt.to_torch, tt.Block(tt.GRU(5, 5, key=keys[0])), "unsupported-layer"),
        (tt.to_equinox, both, "unsupported-stack"),
        (tt.to_equinox, tt.Elman(2, 5, key=keys[0]), "unsupported-cell"),
        (tt.to_flax, tt.ResetFirstGRU(2, 5, key=keys[0]), "unsupported-cell"),
        (tt.to_tensorflow1, tt.ManyToOne(tt.LSTM(2, 5, key=keys[0]), 3, key=keys[3]), "unsupported-stack"),
    ):
        with pytest.raises(tt.InputError) as caught:
            convert(network)
        assert caught.value.code == code


def test_a_gru_of_keras_without_biases_may_be_one_of_two():
    with pytest.raises(tt.InputError) as caught:
        tt.from_keras({"kernel": np.ones((2, 15)), "recurrent_kernel": np.ones((5, 15))})
    assert caught.value.code == "missing-reset-after"


def test_peepholes_of_tensorflow_are_refused():
    variables = {"rnn/lstm_cell/kernel": np.ones((7, 20)), "rnn/lstm_cell/bias": np.ones(20)}
    with pytest.raises(tt.InputError) as caught:
        tt.from_tensorflow1(variables | {"rnn/lstm_cell/w_f_diag": np.ones(5)})
    assert (caught.value.code, caught.value.found) == ("unsupported-option", "rnn/lstm_cell/w_f_diag")


def test_a_file_of_flax_must_say_the_order_of_its_cells():
    with pytest.raises(tt.InputError) as caught:
        tt.from_flax(GOLDEN / "linen.flax.safetensors")
    assert caught.value.code == "unknown-order"
