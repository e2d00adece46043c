"""Trees of every kind that JAX and Equinox allow come back from disk to the bit."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
from tests.training.small_checkpoint import HEADER, arrays_of

import throughtime as tt
from throughtime.layers import network_config
from throughtime.training import checkpoint


def there_and_back(folder, build):
    checkpoint.save(folder, "test", {}, {"tree": build()})
    return checkpoint.restore(checkpoint.load(folder).arrays, build, "tree")


def assert_same(tree, other):
    assert jax.tree.structure(tree) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(tree), jax.tree.leaves(other), strict=True):
        assert type(a) is type(b)
        if isinstance(a, jax.Array):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            if jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
                a, b = jax.random.key_data(a), jax.random.key_data(b)
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
        else:
            assert a == b


FLOATS = ["bfloat16", "float16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
UNNAMED = ["float8_e4m3b11fnuz", "float8_e3m4", "float8_e4m3", "float8_e8m0fnu", "int4", "uint4"]


@pytest.mark.parametrize("dtype", [*FLOATS, *UNNAMED, "complex64", "int8", "uint16", "bool"])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0, 4)], ids=str)
def test_arrays_of_every_type(tmp_path, dtype, shape):
    """Varied: the type, with and without a name in the format; scalars, matrices and empty arrays."""
    numbers = np.abs(np.random.default_rng(1).normal(1, 0.5, shape))
    assert_same(there_and_back(tmp_path, build := lambda: {"a": jnp.asarray(numbers).astype(dtype)}), build())


@pytest.mark.usefixtures("x64")
def test_arrays_of_64_bits(tmp_path):
    def build():
        return {"c": jnp.arange(3) * (1 + 2j), "f": jnp.arange(3.0), "i": jnp.arange(2)}

    assert_same(there_and_back(tmp_path, build), build())
    with jax.enable_x64(False), pytest.raises(tt.InputError) as caught:
        checkpoint.restore(checkpoint.load(tmp_path).arrays, build, "tree")
    assert caught.value.code == "arrays-misfit"
    assert "jax_enable_x64" in str(caught.value)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float8_e5m2, jnp.float8_e3m4])
def test_a_network_of_few_bits_loads(tmp_path, dtype):
    network = tt.RecurrentNetwork(tt.GRU(3, 8, key=jax.random.key(1)), 2, key=jax.random.key(2))
    few = jax.tree.map(lambda a: a.astype(dtype), network)
    config = {"network": network_config(network)}
    checkpoint.save(tmp_path, "training", config, {"training": {"model": few}})
    assert_same(checkpoint.restore(checkpoint.load(tmp_path).arrays, lambda: few, "training.model"), few)
    assert_same(tt.load(tmp_path), few)


@pytest.mark.parametrize("cell", [tt.GRU, tt.LRU])
def test_a_network_of_float64_loads_with_x64_alone(tmp_path, cell):
    def build():
        return tt.RecurrentNetwork(cell(2, 3, key=jax.random.key(1)), 2, key=jax.random.key(2))

    for wide in (True, False):
        with jax.enable_x64(wide):
            network = build()
            config = {"network": network_config(network)}
            checkpoint.save(tmp_path / str(wide), "training", config, {"training": {"model": network}})
    with jax.enable_x64(True):
        for wide, dtype in ((True, jnp.float64), (False, jnp.float32)):
            assert tt.load(tmp_path / str(wide)).readout.weight.dtype == dtype
    assert tt.load(tmp_path / "False").readout.weight.dtype == jnp.float32
    with pytest.raises(tt.InputError) as caught:
        tt.load(tmp_path / "True")
    assert caught.value.code == "arrays-misfit"
    assert "jax_enable_x64" in str(caught.value)


@pytest.mark.parametrize("kind", ["threefry2x32", "rbg", "unsafe_rbg"])
@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_random_keys_of_every_kind(tmp_path, kind, many):
    """Varied: the generator, one key and an array of keys, old keys of plain numbers."""

    def build():
        key = jax.random.key(7, impl=kind)
        return {"key": jax.random.split(key, 3) if many else key, "old": jax.random.PRNGKey(3)}

    back = there_and_back(tmp_path, build)
    assert_same(back, build())
    drawn = jax.vmap(jax.random.normal)(back["key"]) if many else jax.random.normal(back["key"])
    expected = jax.vmap(jax.random.normal)(build()["key"]) if many else jax.random.normal(build()["key"])
    np.testing.assert_array_equal(drawn, expected)


DOTTED = {
    "a dict and a dotted key": {"gru": {"b": 0.0}, "gru.b": 1.0},
    "at the end": {"a": {"": 0.0}, "a.": 1.0},
    "at the start": {"": {"a": 0.0}, ".a": 1.0},
    "a list": {"a": [0.0, 2.0], "a.0": 1.0},
    "a backslash": {"a\\": {"b": 0.0}, "a\\.b": 1.0, "a": {"\\.b": 2.0}},
    "only points": {".": {"": 0.0}, "": {".": 1.0, "": 2.0}, "..": 3.0},
    "deep": {"a": {"b": {"c": 0.0}, "b.c": 1.0}, "a.b": {"c": 2.0}, "a.b.c": 3.0},
}


@pytest.mark.parametrize("tree", DOTTED.values(), ids=DOTTED)
def test_names_with_points_are_kept_apart(tmp_path, tree):
    def build():
        return jax.tree.map(lambda number: jnp.full(1, number), tree)

    assert_same(there_and_back(tmp_path, build), build())


def test_a_part_below_a_dotted_key_comes_back_alone(tmp_path):
    tree = {"gru.b": {"w": jnp.ones(2)}, "gru": {"b": {"w": jnp.zeros(2)}}}
    checkpoint.save(tmp_path, "test", {}, {"tree": tree})
    arrays = checkpoint.load(tmp_path).arrays
    np.testing.assert_array_equal(checkpoint.restore(arrays, lambda: tree["gru"], "tree.gru")["b"]["w"], 0)


def test_trees_with_names_that_collide_are_refused(tmp_path):
    with pytest.raises(tt.InputError) as caught:
        checkpoint.save(tmp_path / "new", "test", {}, {"t": {"a": {"b": np.zeros(1)}}, "t.a": {"b": np.ones(1)}})
    assert (caught.value.code, caught.value.found) == ("same-name", "t.a.b")
    assert list((tmp_path / "new").glob("*")) == []


def test_dotted_names_of_former_versions_are_found(tmp_path):
    """They wrote points inside of a key like those between keys."""
    written = {"tree.layer.0.w": np.arange(3.0, dtype=np.float32), "tree.v": np.zeros(2, np.float32)}
    build = lambda: {"layer.0": {"w": jnp.zeros(3)}, "v": jnp.ones(2)}  # noqa: E731
    back = checkpoint.restore(written, build, "tree")
    np.testing.assert_array_equal(back["layer.0"]["w"], [0, 1, 2])


class Model(eqx.Module):
    """A model with everything that Equinox allows as a leaf."""

    cell: tt.GRU
    mlp: eqx.nn.MLP
    dropout: eqx.nn.Dropout
    table: jax.Array
    scale: float
    depth: int
    flag: bool
    phase: complex
    name: str
    nothing: None
    act: object

    def __init__(self, scale, depth):
        key = jax.random.key(depth)
        self.cell, self.mlp = tt.GRU(2, 3, key=key), eqx.nn.MLP(3, 1, 4, 1, jax.nn.tanh, key=key)
        self.dropout, self.table = eqx.nn.Dropout(scale), jnp.arange(depth, depth + 4)
        self.scale, self.depth, self.flag, self.phase = scale, depth, depth == 3, scale * 1j
        self.name, self.nothing, self.act = "name", None, jnp.sin


def test_a_model_of_anything_comes_back(tmp_path):
    """Numbers are those that were saved; functions and text are those of the function that builds it."""
    checkpoint.save(tmp_path, "test", {}, {"model": Model(0.3, 3)})
    back = checkpoint.restore(checkpoint.load(tmp_path).arrays, lambda: Model(0.5, 3), "model")
    assert_same(back, Model(0.3, 3))
    assert back.mlp.activation is jax.nn.tanh


def test_arrays_without_numbers_are_refused(tmp_path):
    for array in (np.array([{}]), np.array(["text"]), np.zeros(2, [("a", int)])):
        with pytest.raises(tt.InputError) as caught:
            checkpoint.save(tmp_path / "new", "test", {}, {"tree": {"a": array}})
        assert (caught.value.code, caught.value.found) == ("not-numbers", "tree.a")


def test_files_of_known_types_say_nothing_more(tmp_path):
    """What the format has names for, other programs read as before."""
    checkpoint.save(tmp_path, "test", {}, {"tree": {"a": np.arange(3, dtype=">f4")[::-1]}})
    assert "types" not in json.loads((tmp_path / HEADER).read_text())["arrays"]
    np.testing.assert_array_equal(safetensors.numpy.load(arrays_of(tmp_path).read_bytes())["tree.a"], [2, 1, 0])
