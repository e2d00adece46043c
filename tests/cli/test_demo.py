"""The sine wave from data to gallery: what is promised of the numbers, the files, and of being killed."""

import json
import os
import random
import subprocess
import sys

import jax
import jax.numpy as jnp
import matplotlib.image
import numpy as np
import optax
import pytest
from jax.experimental.compilation_cache import compilation_cache

import throughtime as tt
from throughtime.cli import sine_wave as demo
from throughtime.layers.autoregression import rollout

STEPS = 2000
CACHE = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory):
    """The folder where all runs here, other processes' too, find what one of them compiled, as on a user's machine."""
    folder = tmp_path_factory.mktemp("compiled")
    before = {name: getattr(jax.config, name) for name in CACHE}
    for name, value in zip(CACHE, (str(folder), 0.0), strict=True):
        jax.config.update(name, value)
    compilation_cache.reset_cache()  # JAX looks at its folder only once
    yield folder
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def reports(out):
    """The reports of one whole run with the default seed; its checkpoint is in ``model``."""
    reports = []
    demo.learn(folder=out / "model", callback=reports.append)
    return reports


@pytest.fixture(scope="module")
def metrics(out, reports):
    return demo.write_results(out, reports[-1], 0)


@pytest.fixture(scope="module")
def short():
    """The same run, stopped after 300 steps."""
    return demo.learn(steps=300)


def assert_identical(learned, other):
    """The training states, the errors and the snapshots, bit for bit; not the times."""
    assert jax.tree.structure(learned.state) == jax.tree.structure(other.state)
    states = [jax.tree.leaves(run.state._replace(key=jax.random.key_data(run.state.key))) for run in (learned, other)]
    for first, second in zip(*states, strict=True):
        assert np.asarray(first).tobytes() == np.asarray(second).tobytes()
    assert learned.mse == other.mse
    assert list(learned.snapshots) == list(other.snapshots)
    for step, predictions in learned.snapshots.items():
        np.testing.assert_array_equal(predictions, other.snapshots[step])


class TestLearning:
    def test_a_report_every_hundred_steps(self, reports):
        assert [report.mse[-1][0] for report in reports] == list(range(0, STEPS + 1, 100))
        assert [int(report.state.step) for report in reports] == list(range(0, STEPS + 1, 100))
        assert list(reports[-1].snapshots) == list(range(100, STEPS + 1, 100))

    def test_the_error_falls_as_the_notebooks_did(self, reports):
        errors = [error for _, error in reports[-1].mse]
        assert 0.1 < errors[0] < 1
        assert errors[-1] < 1e-3
        assert np.median(errors[-10:]) < 5e-4

    def test_the_error_is_that_of_the_whole_series(self, reports):
        """Against NumPy: ReLU units, 50 windows of 30 steps, evenly spaced from 0 to where the last one fits."""
        network = reports[-1].state.model
        starts = np.linspace(0, 10 - 30 * 0.04, 50)
        windows = np.sin(starts[:, None] + np.arange(31) * 0.04)
        h, errors = np.zeros((50, 100)), []
        for t in range(30):
            before = windows[:, t : t + 1] @ np.asarray(network.cell.w_x).T + h @ np.asarray(network.cell.w_h).T
            h = np.maximum(before + np.asarray(network.cell.b), 0)
            predicted = h @ np.asarray(network.readout.weight)[0] + np.asarray(network.readout.bias)
            errors.append((predicted - windows[:, t + 1]) ** 2)
        assert reports[-1].mse[-1][1] == pytest.approx(np.mean(errors), rel=1e-3)

    def test_a_snapshot_is_a_run_from_the_start(self, short, reports):
        """Weights, moments, key, predictions: one run gives what the notebook trained twenty for. The seed repeats."""
        assert_identical(short, reports[3])

    def test_another_seed_gives_other_numbers(self, short):
        other = demo.learn(steps=1, seed=1)
        assert other.mse[0] != short.mse[0]
        assert other.mse[-1][0] == 1
        assert not np.array_equal(other.state.model.cell.w_x, short.state.model.cell.w_x)

    def test_long_runs_keep_the_gallery_and_the_last_step(self, monkeypatch):
        monkeypatch.setattr(demo, "GALLERY", 200)
        learned = demo.learn(steps=450)
        assert list(learned.snapshots) == [100, 200, 450]
        assert [step for step, _ in learned.mse] == [0, 100, 200, 300, 400, 450]

    @pytest.mark.parametrize("steps", [0, -5])
    def test_no_steps_are_refused(self, steps):
        with pytest.raises(tt.InputError, match=f"expected at least 1 training step, got {steps}"):
            demo.learn(steps=steps)


class TestFiles:
    def test_metrics(self, out, metrics, reports):
        written = json.loads((out / "metrics.json").read_text())
        assert written == json.loads(json.dumps(metrics))
        assert written["steps"] == STEPS
        assert written["seed"] == 0
        assert written["mse"] == [[step, error] for step, error in reports[-1].mse]
        assert written["train_seconds"] > 0
        assert written["us_per_step"] == pytest.approx(written["train_seconds"] / STEPS * 1e6)
        assert written["continuation_points"] == 200

    def test_the_saved_network_makes_the_test_error(self, out, metrics, reports):
        network = tt.load(out / "model")
        xs = np.sin(5 + np.arange(30) * 0.04)[:, None]
        targets = np.sin(5 + np.arange(1, 31) * 0.04)[:, None]
        predictions = network(jnp.asarray(xs, jnp.float32))[1]
        assert float(np.mean((predictions - targets) ** 2)) == pytest.approx(metrics["test_mse"], rel=1e-4)
        assert metrics["test_mse"] < 5e-3
        np.testing.assert_allclose(predictions, reports[-1].snapshots[STEPS], atol=1e-6)
        np.testing.assert_array_equal(network.cell.w_h, reports[-1].state.model.cell.w_h)

    def test_the_continuation_error_is_of_predictions_fed_back(self, metrics, reports):
        xs = np.sin(5 + np.arange(30) * 0.04)[:, None]
        generated = rollout(reports[-1].state.model, jnp.asarray(xs, jnp.float32), 200)[:, 0]
        truth = np.sin(5 + np.arange(30, 230) * 0.04)
        assert metrics["continuation_mse"] == pytest.approx(float(np.mean((generated - truth) ** 2)), rel=1e-3)

    def test_a_network_that_has_met_its_own_errors_goes_on_alone(self, metrics):
        assert metrics["continuation_follows"] < 50
        assert metrics["alone_follows"] == 200
        assert metrics["alone_mse"] < 1e-3 < metrics["continuation_mse"]

    @pytest.mark.usefixtures("metrics")
    def test_pictures(self, out):
        wide, single = (880, 440), (550, 385)
        sizes = dict.fromkeys(("series.png", "training_instance.png", "testing.png", "continuation.png"), wide)
        sizes |= {f"gallery/step_{step:04d}.png": single for step in range(100, STEPS + 1, 100)}
        sizes |= {"gallery.png": (1595, 1067)}
        assert {str(path.relative_to(out)) for path in out.rglob("*.png")} == set(sizes)
        contents = set()
        for name, (width, height) in sizes.items():
            image = matplotlib.image.imread(out / name)
            assert image.shape == (height, width, 4), name
            assert image[..., :3].std() > 0.03, name
            contents.add(image.tobytes())
        assert len(contents) == len(sizes)

    def test_pictures_can_be_left_out(self, tmp_path, short):
        demo.write_results(tmp_path, short, 0, pictures=False)
        assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


class TestResuming:
    # The parent allows each report by a line, so that a kill finds a run that is under way.
    RUN = """
import sys
from pathlib import Path
from throughtime.cli import sine_wave as demo

def report(learned):
    print(int(learned.state.step), flush=True)
    sys.stdin.readline()

demo.SECONDS = 0.0  # a checkpoint at each report
demo.learn(folder=Path(sys.argv[1]), resume=sys.argv[2] == "resume", callback=report)
"""

    def killed(self, folder, compiled, resume, allowed, delay):
        """Train in another process, with SIGKILL ``delay`` seconds after so many reports; which steps it reported."""
        environment = os.environ | {
            "JAX_COMPILATION_CACHE_DIR": str(compiled),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        command = [sys.executable, "-c", self.RUN, str(folder), "resume" if resume else "start"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            reported = [int(process.stdout.readline())]
            process.stdin.write("go on\n" * allowed)
            process.stdin.flush()
            reported += [int(process.stdout.readline()) for _ in range(allowed - 1)]
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
        assert process.returncode == -9
        return reported

    def test_a_killed_run_ends_as_one_that_was_not(self, tmp_path, compiled, reports):
        moments, folder = random.Random(4), tmp_path / "model"
        done = 0
        for kill in range(3):
            reported = self.killed(folder, compiled, kill > 0, moments.randint(2, 5), moments.uniform(0, 0.03))
            assert reported[0] >= done  # it went on from where the kill left it
            assert reported == list(range(reported[0], reported[-1] + 1, 100))
            done = reported[-1]
        assert 0 < done < STEPS
        resumed = []
        learned = demo.learn(folder=folder, resume=True, callback=resumed.append)
        assert int(resumed[0].state.step) >= done
        assert_identical(learned, reports[-1])
        assert learned.seconds > resumed[0].seconds > 0

    def test_checkpoints_by_time_and_at_the_end(self, tmp_path, monkeypatch):
        kept, write = [], demo._write

        def noted(folder, learned, seed):
            kept.append(int(learned.state.step))
            write(folder, learned, seed)

        monkeypatch.setattr(demo, "_write", noted)
        stopped = demo.learn(folder=tmp_path, callback=lambda learned: learned.state.step == 300)
        assert kept == [100, 300]
        assert_identical(demo._read(tmp_path, "elman", 0, optax.adam(demo.LEARNING_RATE)), stopped)

    def test_a_finished_run_goes_on_for_more_steps(self, tmp_path, reports):
        demo._write(tmp_path, reports[1], 0)
        learned = demo.learn(steps=250, folder=tmp_path, resume=True)
        assert [step for step, _ in learned.mse] == [0, 100, 200, 250]
        assert learned.mse[:3] == reports[2].mse

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"seed": 3}, "was trained with seed 0, not 3: give --seed 0 to resume it"),
            ({"cell": "gru"}, "was trained with cell elman, not gru: give --cell elman to resume it"),
        ],
    )
    @pytest.mark.usefixtures("reports")
    def test_another_run_is_not_resumed(self, out, options, message):
        with pytest.raises(tt.InputError, match=message):
            demo.learn(folder=out / "model", resume=True, **options)

    def test_there_must_be_something_to_resume(self, tmp_path):
        with pytest.raises(tt.InputError, match=r"holds no checkpoint: there is no checkpoint\.json in it"):
            demo.learn(folder=tmp_path / "model", resume=True)

    def test_something_else_is_not_resumed(self, tmp_path):
        from throughtime.training import checkpoint

        checkpoint.save(tmp_path, "forecaster", {}, {"w": {"a": np.zeros(2)}})
        with pytest.raises(tt.InputError, match="holds a forecaster: expected the checkpoint of a demo to resume"):
            demo.learn(folder=tmp_path, resume=True)


def test_a_run_that_diverges_keeps_its_last_good_checkpoint(tmp_path, monkeypatch, reports):
    """From step 100 on with a learning rate of 10,000: the folder still holds step 100, and can be gone on from."""
    demo._write(tmp_path, reports[1], 0)
    monkeypatch.setattr(demo, "LEARNING_RATE", 1e4)
    with pytest.raises(
        tt.InputError, match=r"training diverged at step 10[2-9]: the loss is .* a learning rate that is"
    ):
        demo.learn(steps=300, folder=tmp_path, resume=True)
    monkeypatch.undo()
    assert_identical(demo._read(tmp_path, "elman", 0, optax.adam(demo.LEARNING_RATE)), reports[1])
    assert_identical(demo.learn(steps=200, folder=tmp_path, resume=True), reports[2])
