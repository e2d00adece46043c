"""A checkpoint comes back as it was, or says what is wrong with it."""

import hashlib
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tests.training.small_checkpoint import HEADER, arrays_of, assert_holds, listing, save, tree

import throughtime as tt
from throughtime.training import checkpoint
from throughtime.training.loop import TrainState, start


class TestRoundTrip:
    def test_a_training_state_comes_back_bit_for_bit(self, tmp_path):
        optimizer = optax.adam(0.1)
        network = tt.RecurrentNetwork(
            tt.Elman(2, 3, recurrent_init="uniform", key=jax.random.key(1)), 4, key=jax.random.key(2)
        )
        state = start(network, optimizer, jax.random.key(3))._replace(step=jnp.int32(41))
        checkpoint.save(tmp_path, "training", {"seed": 5}, {"training": state, "other": {"n": jnp.arange(3)}})
        saved = checkpoint.load(tmp_path)
        back = checkpoint.restore(saved.arrays, lambda: start(network, optimizer, jax.random.key(0)), "training")
        assert isinstance(back, TrainState)
        assert jax.tree.structure(back) == jax.tree.structure(state)
        assert jnp.issubdtype(back.key.dtype, jax.dtypes.prng_key)
        np.testing.assert_array_equal(jax.random.key_data(back.key), jax.random.key_data(state.key))
        for came, due in zip(
            jax.tree.leaves(back._replace(key=0)), jax.tree.leaves(state._replace(key=0)), strict=True
        ):
            assert np.asarray(came).dtype == np.asarray(due).dtype
            np.testing.assert_array_equal(came, due)
        assert saved.config == {"seed": 5}
        np.testing.assert_array_equal(saved.arrays["other.n"], [0, 1, 2])

    def test_a_part_comes_back_alone(self, tmp_path):
        checkpoint.save(tmp_path, "test", {}, {"run": {"model": tree(3.0), "step": np.int32(2)}})
        arrays = checkpoint.load(tmp_path).arrays
        back = checkpoint.restore(arrays, lambda: jax.tree.map(jnp.asarray, tree(0.0)), "run.model")
        np.testing.assert_array_equal(back["w"], tree(3.0)["w"])

    def test_layouts_and_types_survive(self, tmp_path):
        arrays = {
            "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            "reversed": np.arange(5)[::-1],
            "bool": np.array([True, False]),
            "half": np.array([1.5], np.float16),
            "empty": np.zeros((0, 3), np.float32),
            "odd": np.array([np.nan, np.inf, -0.0]),
        }
        checkpoint.save(tmp_path, "test", {"text": "Zürich ∞", "none": None}, {"a": arrays})
        saved = checkpoint.load(tmp_path)
        assert saved.config == {"text": "Zürich ∞", "none": None}
        for name, array in arrays.items():
            assert saved.arrays[f"a.{name}"].dtype == array.dtype
            np.testing.assert_array_equal(saved.arrays[f"a.{name}"], array)

    def test_the_folder_holds_two_files_and_no_code(self, tmp_path):
        save(tmp_path, 1.0)
        save(tmp_path, 2.0)
        assert_holds(tmp_path, 2.0)
        files = listing(tmp_path)
        assert sorted(Path(name).suffix for name in files) == [".json", ".safetensors"]
        assert files[HEADER].startswith(b"{")
        head = int.from_bytes(files[arrays_of(tmp_path).name][:8], "little")  # safetensors: a length, then JSON
        assert json.loads(files[arrays_of(tmp_path).name][8 : 8 + head]).keys() == {"tree.w", "tree.n"}

    def test_the_same_arrays_under_another_configuration(self, tmp_path):
        for seed in (1, 2):
            checkpoint.save(tmp_path, "test", {"seed": seed}, {"tree": tree(1.0)})
            assert checkpoint.load(tmp_path).config == {"seed": seed}
            assert len(listing(tmp_path)) == 2

    def test_a_file_is_no_folder(self, tmp_path):
        (tmp_path / "model").write_text("mine")
        with pytest.raises(tt.InputError, match="model is a file: expected a folder for the checkpoint"):
            save(tmp_path / "model")
        assert (tmp_path / "model").read_text() == "mine"

    def test_a_configuration_that_is_no_json_leaves_the_old_one(self, tmp_path):
        save(tmp_path, 1.0)
        before = listing(tmp_path)
        with pytest.raises(TypeError):
            checkpoint.save(tmp_path, "test", {"fn": print}, {"tree": tree(2.0)})
        assert listing(tmp_path) == before


def truncate_arrays(folder: Path) -> None:
    arrays_of(folder).write_bytes(arrays_of(folder).read_bytes()[:-3])


def alter_arrays(folder: Path) -> None:
    content = bytearray(arrays_of(folder).read_bytes())
    content[-5] ^= 1
    arrays_of(folder).write_bytes(content)


def truncate_header(folder: Path) -> None:
    (folder / HEADER).write_bytes((folder / HEADER).read_bytes()[:-20])


def alter_header(folder: Path) -> None:
    (folder / HEADER).write_text((folder / HEADER).read_text().replace('"scale": 1.0', '"scale": 1.5'))


def write_header(**values: object):
    """Another header with a right checksum, as an attacker or a later version would write it."""

    def damage(folder: Path) -> None:
        header = json.loads((folder / HEADER).read_text())
        del header["sha256"]
        for name, value in values.items():
            header[name] = header[name] | value if isinstance(value, dict) else value
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
        (folder / HEADER).write_text(json.dumps(header | {"sha256": digest}))

    return damage


def replace_header(content: bytes):
    return lambda folder: (folder / HEADER).write_bytes(content)


def swap_header_for_folder(folder: Path) -> None:
    (folder / HEADER).unlink()
    (folder / HEADER).mkdir()


DAMAGES = {
    "no header": (
        lambda folder: (folder / HEADER).unlink(),
        r"holds no checkpoint: there is no checkpoint\.json in it",
    ),
    "no arrays": (lambda folder: arrays_of(folder).unlink(), r"arrays-\w+\.safetensors cannot be read \(No such file"),
    "truncated arrays": (truncate_arrays, r"safetensors is truncated or altered: \d+ bytes, expected \d+"),
    "empty arrays": (lambda folder: arrays_of(folder).write_bytes(b""), r"truncated or altered: 0 bytes, expected \d+"),
    "one altered bit": (alter_arrays, r"safetensors was altered: .* \(SHA-256 differs\)"),
    "truncated header": (truncate_header, r"checkpoint\.json is truncated or altered: it is not JSON"),
    "altered header": (alter_header, r"checkpoint\.json was altered after it was written: its checksum does not fit"),
    "empty header": (replace_header(b""), r"checkpoint\.json is truncated or altered: it is not JSON"),
    "binary header": (
        replace_header(b"\x80\x04\x95pickle"),
        r"checkpoint\.json is truncated or altered: it is not JSON",
    ),
    "foreign header": (
        replace_header(b'{"step": 3, "format": "other"}'),
        "is foreign: expected a throughtime checkpoint",
    ),
    "a list": (replace_header(b"[1, 2]"), "is foreign: expected a throughtime checkpoint"),
    "a folder": (swap_header_for_folder, r"checkpoint\.json cannot be read: Is a directory"),
    "newer": (
        write_header(version=2, throughtime="9.1"),
        r"is newer than this program: format version 2, written by throughtime 9\.1; .* reads up to version 1",
    ),
    "odd version": (write_header(version="two"), r"its version is 'two', expected a whole number"),
    "no version": (replace_header(b'{"format": "throughtime"}'), "its version is None, expected a whole number"),
    "outside": (
        write_header(arrays={"file": "../secret.safetensors"}),
        r"it names the arrays '\.\./secret\.safetensors', expected a file of its own folder",
    ),
    "anywhere": (write_header(arrays={"file": "/etc/passwd"}), "it names the arrays '/etc/passwd', expected a file of"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_what_differs_is_named(tmp_path, damage, message):
    folder = tmp_path / "model"
    save(folder, 1.0)
    (tmp_path / "secret.safetensors").write_bytes(arrays_of(folder).read_bytes())
    damage(folder)
    with pytest.raises(tt.InputError, match=message):
        checkpoint.load(folder)
    with pytest.raises(tt.InputError, match=message):
        tt.load(folder)


@pytest.mark.parametrize("path", ["nowhere", "a_file"])
def test_a_path_without_a_folder_is_refused(tmp_path, path):
    (tmp_path / "a_file").write_text("text")
    with pytest.raises(tt.InputError, match=rf"{path}.*(holds no checkpoint|cannot be read: Not a directory)"):
        tt.load(tmp_path / path)


def test_another_kind_is_refused(tmp_path):
    save(tmp_path)
    with pytest.raises(tt.InputError, match=r"holds a 'test', which throughtime\.load does not know"):
        tt.load(tmp_path)


MISFITS = {
    "missing": (lambda a: a.pop("tree.w"), ["tree.w is missing"]),
    "unexpected": (lambda a: a.update({"tree.extra": a["tree.w"]}), ["tree.extra is not expected"]),
    "shape": (lambda a: a.update({"tree.w": a["tree.w"].T}), [r"tree.w is float32\[3, 2\], expected float32\[2, 3\]"]),
    "type": (
        lambda a: a.update({"tree.w": a["tree.w"].astype(np.float64)}),
        [r"tree.w is float64\[2, 3\], expected float32\[2, 3\]"],
    ),
    "all of it": (
        lambda a: a.update({"tree.m": a.pop("tree.w"), "tree.n": np.zeros(2, np.int32)}),
        ["tree.w is missing", "tree.m is not expected", r"tree.n is int32\[2\], expected int32\[\]"],
    ),
}


@pytest.mark.parametrize(("change", "messages"), MISFITS.values(), ids=MISFITS)
def test_arrays_that_do_not_fit_are_each_named(tmp_path, change, messages):
    save(tmp_path)
    arrays = dict(checkpoint.load(tmp_path).arrays)
    change(arrays)
    with pytest.raises(tt.InputError, match="the arrays do not fit the configuration: ") as caught:
        checkpoint.restore(arrays, lambda: jax.tree.map(jnp.asarray, tree(0.0)), "tree")
    for message in messages:
        assert caught.match(message)
    assert str(caught.value).count(";") == len(messages) - 1
