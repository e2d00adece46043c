"""A checkpoint comes back as it was, or says what is wrong with it; no failure and no kill leaves half of one."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import throughtime as tt
from throughtime.training import checkpoint
from throughtime.training.loop import TrainState, start

HEADER = "checkpoint.json"


def tree(scale: float) -> dict[str, np.ndarray]:
    return {"w": scale * np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.int32(7)}


def save(folder: Path, scale: float = 1.0) -> None:
    checkpoint.save(folder, "test", {"scale": scale, "names": ["a", "b"]}, {"tree": tree(scale)})


def assert_holds(folder: Path, scale: float) -> None:
    """The whole checkpoint of this scale."""
    saved = checkpoint.load(folder)
    assert saved.kind == "test"
    assert saved.config == {"scale": scale, "names": ["a", "b"]}
    assert saved.arrays.keys() == {"tree.w", "tree.n"}
    np.testing.assert_array_equal(saved.arrays["tree.w"], tree(scale)["w"])


def listing(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def arrays_of(folder: Path) -> Path:
    (file,) = folder.glob("*.safetensors")
    return file


class TestRoundTrip:
    def test_a_training_state_comes_back_bit_for_bit(self, tmp_path):
        optimiser = optax.adam(0.1)
        network = tt.RecurrentNetwork(
            tt.Elman(2, 3, recurrent_init="uniform", key=jax.random.key(1)), 4, key=jax.random.key(2)
        )
        state = start(network, optimiser, jax.random.key(3))._replace(step=jnp.int32(41))
        checkpoint.save(tmp_path, "training", {"seed": 5}, {"training": state, "other": {"n": jnp.arange(3)}})
        saved = checkpoint.load(tmp_path)
        back = checkpoint.restore(saved.arrays, lambda: start(network, optimiser, jax.random.key(0)), "training")
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


class TestKilled:
    """SIGKILL at random moments of a process that does nothing but save."""

    # One process has the imports done; each saver is its fork, so that a kill costs milliseconds.
    SCRIPT = """
import itertools, os, random, signal, sys, time
import numpy as np
from throughtime.training import checkpoint

folder, moments = sys.argv[1], random.Random(int(sys.argv[2]))
trees = [{"w": np.full(size, value, np.float32)} for value, size in ((1, 300_000), (2, 200_000))]

def save_for_ever():
    for turn in itertools.count():
        value = 1 + turn % 2
        checkpoint.save(folder, "test", {"value": value, "turn": turn}, {"tree": trees[value - 1]})

checkpoint.save(folder, "test", {"value": 2, "turn": -1}, {"tree": trees[1]})
for go in sys.stdin:
    saver = os.fork()
    if saver == 0:
        save_for_ever()
    print("saving", flush=True)
    if go == "wait\\n":
        sys.stdin.readline()
    time.sleep(moments.uniform(0, 0.03))
    os.kill(saver, signal.SIGKILL)
    os.waitpid(saver, 0)
    print("killed", flush=True)
"""

    @pytest.fixture
    def saver(self, tmp_path):
        with subprocess.Popen(
            [sys.executable, "-c", self.SCRIPT, str(tmp_path / "model"), "11"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            yield process
            process.stdin.close()

    @staticmethod
    def tell(process, word):
        process.stdin.write(f"{word}\n")
        process.stdin.flush()

    @staticmethod
    def assert_whole(folder):
        saved = checkpoint.load(folder)
        value = saved.config["value"]
        np.testing.assert_array_equal(saved.arrays["tree.w"], np.full({1: 300_000, 2: 200_000}[value], value, "f4"))
        return saved.config["turn"]

    def test_a_kill_leaves_the_old_or_the_new_one(self, saver, tmp_path):
        folder, left_over = tmp_path / "model", 0
        for _ in range(25):
            self.tell(saver, "go")
            assert saver.stdout.readline() == "saving\n"
            assert saver.stdout.readline() == "killed\n"
            self.assert_whole(folder)
            left_over += len(listing(folder)) > 2
        assert left_over > 0, "no kill fell into a save"
        save(folder, 5.0)
        assert_holds(folder, 5.0)
        assert len(listing(folder)) == 2  # what the kills left is gone

    def test_a_reader_beside_a_saver_finds_a_whole_one(self, saver, tmp_path):
        self.tell(saver, "wait")
        assert saver.stdout.readline() == "saving\n"
        turns = {self.assert_whole(tmp_path / "model") for _ in range(40)}
        assert len(turns) > 2
        self.tell(saver, "stop")
        assert saver.stdout.readline() == "killed\n"


class TestFailingDisk:
    """Each call to the system fails once, at each place; 28 is a full disk."""

    CALLS = ("open", "fsync", "replace", "write")

    @pytest.mark.parametrize("call", CALLS)
    def test_the_old_one_stays_and_nothing_else(self, tmp_path, monkeypatch, call):
        folder = tmp_path / "model"
        failures = 0
        for place in range(10):
            save(folder, 1.0)
            before = listing(folder)
            with monkeypatch.context() as patch:
                failing = self.fail_at(patch, call, place)
                with suppress(OSError):
                    save(folder, 2.0)
                if not failing["failed"]:
                    break
                failures += 1
            assert len(listing(folder)) == 2
            if listing(folder) != before:
                assert_holds(folder, 2.0)  # it failed after the new one was in its place
                assert (call, place) in {("fsync", 3), ("open", 3)}
            else:
                assert_holds(folder, 1.0)
        assert failures == {"open": 4, "fsync": 4, "replace": 2, "write": 2}[call]
        assert_holds(folder, 2.0)

    @pytest.mark.parametrize("call", CALLS)
    def test_a_first_save_that_fails_leaves_no_checkpoint(self, tmp_path, monkeypatch, call):
        self.fail_at(monkeypatch, call, 0)
        with pytest.raises(OSError, match="No space"):
            save(tmp_path, 1.0)
        assert listing(tmp_path) == {}

    @staticmethod
    def fail_at(patch, call, place):
        """The call number ``place`` to the system's ``call``, made by the checkpoint, fails."""
        state = {"calls": 0, "failed": False}

        def failing(function):
            def wrapped(*args, **options):
                state["calls"] += 1
                if state["calls"] == place + 1:
                    state["failed"] = True
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return function(*args, **options)

            return wrapped

        class FullFile:
            def __init__(self, *args):
                self.file = open(*args)  # noqa: SIM115

            def __enter__(self):
                return self

            def __exit__(self, *_error):
                self.file.close()

            def __getattr__(self, name):
                return getattr(self.file, name)

            def write(self, content):
                self.file.write(content[: len(content) // 2])
                failing(lambda: self.file.write(content[len(content) // 2 :]))()

        if call == "write":
            patch.setattr(checkpoint, "open", FullFile, raising=False)
        elif call == "open":
            opens = failing(open)
            patch.setattr(checkpoint, "open", opens, raising=False)
            patch.setattr(checkpoint.os, "open", failing(os.open))
        else:
            patch.setattr(checkpoint.os, call, failing(getattr(os, call)))
        return state


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
