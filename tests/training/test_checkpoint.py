"""A checkpoint comes back as it was, or says what is wrong with it."""

import hashlib
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import safetensors.numpy
from tests.training.small_checkpoint import HEADER, arrays_of, assert_holds, listing, save, tree

import throughtime as tt
from throughtime.training import checkpoint
from throughtime.training.leaves import named_leaves
from throughtime.training.loop import TrainState, run_steps, start


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
        with pytest.raises(tt.InputError) as caught:
            save(tmp_path / "model")
        assert (caught.value.code, caught.value.file) == ("not-a-folder", str(tmp_path / "model"))
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


ARRAYS = "arrays"  # in the place of the file of arrays, whose name is a checksum
DAMAGES = {
    "no header": (lambda folder: (folder / HEADER).unlink(), "no-checkpoint", ""),
    "no arrays": (lambda folder: arrays_of(folder).unlink(), "unreadable", ARRAYS),
    "truncated arrays": (truncate_arrays, "truncated", ARRAYS),
    "empty arrays": (lambda folder: arrays_of(folder).write_bytes(b""), "truncated", ARRAYS),
    "one altered bit": (alter_arrays, "altered", ARRAYS),
    "truncated header": (truncate_header, "not-json", HEADER),
    "altered header": (alter_header, "altered", HEADER),
    "empty header": (replace_header(b""), "not-json", HEADER),
    "binary header": (replace_header(b"\x80\x04\x95pickle"), "not-json", HEADER),
    "foreign header": (replace_header(b'{"step": 3, "format": "other"}'), "foreign", HEADER),
    "a list": (replace_header(b"[1, 2]"), "foreign", HEADER),
    "a folder": (swap_header_for_folder, "unreadable", HEADER),
    "newer": (write_header(version=3, throughtime="9.1"), "newer-version", HEADER),
    "odd version": (write_header(version="two"), "bad-version", HEADER),
    "no version": (replace_header(b'{"format": "throughtime"}'), "bad-version", HEADER),
    "outside": (write_header(arrays={"file": "../secret.safetensors"}), "foreign", HEADER),
    "anywhere": (write_header(arrays={"file": "/etc/passwd"}), "foreign", HEADER),
}


@pytest.mark.parametrize(("damage", "code", "file"), DAMAGES.values(), ids=DAMAGES)
def test_the_file_and_the_kind_of_damage_are_named(tmp_path, damage, code, file):
    folder = tmp_path / "model"
    save(folder, 1.0)
    arrays = arrays_of(folder)
    (tmp_path / "secret.safetensors").write_bytes(arrays.read_bytes())
    damage(folder)
    for load in (checkpoint.load, tt.load):
        with pytest.raises(tt.InputError) as caught:
            load(folder)
        assert caught.value.code == code
        assert caught.value.file == str(arrays if file == ARRAYS else folder / file)


def test_the_message_on_a_newer_checkpoint(tmp_path):
    save(tmp_path)
    write_header(version=3, throughtime="9.1")(tmp_path)
    with pytest.raises(tt.InputError) as caught:
        checkpoint.load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / HEADER} is newer than this program: format version 3, written by throughtime 9.1; throughtime "
        f"{tt.__version__} reads up to version 2. Upgrade throughtime."
    )
    assert (caught.value.found, caught.value.expected) == (3, "at most 2")


def test_the_sizes_of_truncated_arrays_are_told(tmp_path):
    save(tmp_path)
    size = arrays_of(tmp_path).stat().st_size
    truncate_arrays(tmp_path)
    with pytest.raises(tt.InputError) as caught:
        checkpoint.load(tmp_path)
    assert (caught.value.found, caught.value.expected) == (size - 3, size)


@pytest.mark.parametrize(("path", "code"), [("nowhere", "no-checkpoint"), ("a_file", "not-a-folder")])
def test_a_path_without_a_folder_is_refused(tmp_path, path, code):
    (tmp_path / "a_file").write_text("text")
    with pytest.raises(tt.InputError) as caught:
        tt.load(tmp_path / path)
    assert caught.value.code == code
    assert path in str(caught.value)


def test_another_kind_is_refused(tmp_path):
    save(tmp_path)
    with pytest.raises(tt.InputError) as caught:
        tt.load(tmp_path)
    assert (caught.value.code, caught.value.found) == ("unknown-kind", "test")


MISFITS = {
    "missing": (lambda a: a.pop("tree.w"), ["tree.w is missing"]),
    "unexpected": (lambda a: a.update({"tree.extra": a["tree.w"]}), ["tree.extra is not expected"]),
    "shape": (lambda a: a.update({"tree.w": a["tree.w"].T}), ["tree.w is float32[3, 2], expected float32[2, 3]"]),
    "type": (
        lambda a: a.update({"tree.w": a["tree.w"].astype(np.float64)}),
        ["tree.w is float64[2, 3], expected float32[2, 3]"],
    ),
    "all of it": (
        lambda a: a.update({"tree.m": a.pop("tree.w"), "tree.n": np.zeros(2, np.int32)}),
        ["tree.m is not expected", "tree.n is int32[2], expected int32[]", "tree.w is missing"],
    ),
}


@pytest.mark.parametrize(("change", "problems"), MISFITS.values(), ids=MISFITS)
def test_arrays_that_do_not_fit_are_each_named(tmp_path, change, problems):
    save(tmp_path)
    arrays = dict(checkpoint.load(tmp_path).arrays)
    change(arrays)
    with pytest.raises(tt.InputError) as caught:
        checkpoint.restore(arrays, lambda: jax.tree.map(jnp.asarray, tree(0.0)), "tree")
    assert caught.value.code == "arrays-misfit"
    assert caught.value.found == problems
    advice = '. To load arrays of 64 bits, call jax.config.update("jax_enable_x64", True) first'
    start = "the arrays do not fit the configuration: " + "; ".join(problems)
    assert str(caught.value) == start + (advice if "float64" in start else "")


class TestVersionOne:
    """``saved_before/0.1.0/training`` was written by throughtime 0.1.0, format version 1, after four steps of Adam.

    Its names say ``training.optimiser``.
    """

    FOLDER = Path(__file__).parents[1] / "saved_before" / "0.1.0" / "training"
    OPTIMIZER = optax.adam(1e-3)

    @classmethod
    def build(cls):
        cell = tt.Zoneout(tt.LayerNorm(tt.GRU(2, 5, key=jax.random.key(0))), 0.1)
        return start(tt.RecurrentNetwork(cell, 3, key=jax.random.key(1)), cls.OPTIMIZER, jax.random.key(2))

    def restored(self, folder):
        return checkpoint.restore(checkpoint.load(folder).arrays, self.build, "training")

    def continued(self, state):
        def loss(network, data, key):
            return jnp.mean((network(jax.random.normal(key, (4, 6, 2)))[1] - data) ** 2)

        *_, last = run_steps(state, loss, self.OPTIMIZER, jnp.float32(0.5), steps=9)
        return last.state

    def test_every_number_is_that_of_the_file(self):
        state = self.restored(self.FOLDER)
        assert isinstance(state, TrainState)
        assert int(state.step) == int(state.optimizer[0].count) == 4
        written = safetensors.numpy.load(arrays_of(self.FOLDER).read_bytes())
        leaves = named_leaves(state, "training")
        assert len(leaves) == len(written) == 3 * 8 + 3
        for name, leaf in leaves.items():
            former = written[name.replace("training.optimizer", "training.optimiser")]
            assert former.dtype == np.asarray(leaf).dtype
            np.testing.assert_array_equal(leaf, former)
        assert all(np.any(leaf) for leaf in jax.tree.leaves(state.optimizer))

    def test_it_continues_as_a_checkpoint_of_this_version_does(self, tmp_path):
        old = self.restored(self.FOLDER)
        checkpoint.save(tmp_path, "training", {}, {"training": old})
        assert json.loads((tmp_path / HEADER).read_text())["version"] == 2
        assert "training.optimizer.0.mu.readout.bias" in checkpoint.load(tmp_path).arrays
        continued, again = self.continued(old), self.continued(self.restored(tmp_path))
        assert int(continued.step) == 9
        for leaf, other in zip(named_leaves(continued, "a").values(), named_leaves(again, "a").values(), strict=True):
            np.testing.assert_array_equal(leaf, other)
        assert not np.array_equal(continued.model.readout.bias, old.model.readout.bias)
