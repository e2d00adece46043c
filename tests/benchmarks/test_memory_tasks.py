"""The benchmark of long memories on contests so small that they take seconds: what is measured is what is told."""

import importlib
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.data.tasks import Batch, Task, adding, parity, temporal_order
from throughtime.training import DivergedError, Progress

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def on_path():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def runs(on_path):
    return importlib.import_module("memory.runs")


@pytest.fixture(scope="module")
def contests(on_path):
    return importlib.import_module("memory.contests")


@pytest.fixture(scope="module")
def tiny(runs, contests):
    build = contests.flat(tt.Elman, recurrent_init="uniform")
    contestants = (
        runs.Contestant("trained", build, 0.01, ("<=", 10.0)),
        runs.Contestant("broken off", build, 0.01, ("<=", 0.0)),
    )
    return runs.Contest("Tiny adding", adding(3), adding(3), "squared error", 50, 4, 20, 1e-9, contestants)


def train_until_step_two(state, *_, **__):
    """In the place of the training loop: one report, and then no number."""
    yield Progress(state._replace(step=jnp.int32(1)), 20, np.ones(1), 0.5, 0.25)
    raise DivergedError("the loss of step 2 is nan")


@pytest.fixture(scope="module")
def records(runs, tiny):
    """A training that goes well, and one that breaks off."""
    good, bad = tiny.contestants
    trained = runs.run(tiny, good, seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "run_steps", train_until_step_two)
        patch.setattr(runs, "tester", lambda contest: lambda network, key, examples: 0.25)
        broken_off = runs.run(tiny, bad, seed=1)
    return [{"task": "tiny", "network": good.title} | trained, {"task": "tiny", "network": bad.title} | broken_off]


def test_a_run_tells_how_it_went(records):
    record = records[0]
    assert record["failure"] is None
    assert record["parameters"] == 5 * (2 + 5 + 1) + 6  # 6 units would need 61
    assert record["steps"] == 20
    assert [step for step, _ in record["curve"]] == list(range(21))
    assert record["figure"] == pytest.approx(record["curve"][-1][1], rel=0.2)  # other examples
    assert record["figure"] < record["curve"][0][1]


def test_a_run_that_breaks_off_says_so(records):
    record = records[1]
    assert record["failure"] == "the loss of step 2 is nan"
    assert (record["steps"], record["seconds"], record["compile_seconds"]) == (1, 0.5, 0.25)
    assert [step for step, _ in record["curve"]] == [0, 1]


def test_no_network_has_more_parameters_than_the_others(runs, contests):
    for contest in (contests.CONTESTS["parity"], contests.CONTESTS["selective-copy"]):
        who = contest.contestants[-1]
        units = runs.widest(contest, who)
        assert runs.count(contest, who, units) <= contest.parameters < runs.count(contest, who, units + 1)
        assert runs.count(contest, who, units) > 0.9 * contest.parameters


def test_padding_changes_no_answer_that_counts(runs):
    """So that no mask is needed."""

    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})  # compiles faster
    def both(key):
        batch = temporal_order(30).draw(key, 20)
        cell = tt.Elman(8, 3, recurrent_init="uniform", key=key)
        network = tt.RecurrentNetwork(cell, 4, key=key)
        return batch, runs.answers(network, batch), network(batch.xs, mask=batch.mask)[1]

    batch, came, masked = both(jax.random.key(2))
    assert not batch.mask.all()
    np.testing.assert_allclose(came[batch.scored], masked[batch.scored], rtol=1e-5, atol=1e-6)


def known(batch_size):
    """Bits of which the network below gets three in four right where they count, and none elsewhere."""
    bits = jnp.tile(jnp.array([[0, 1, 1]]), (batch_size, 1))
    wrong = (jnp.arange(batch_size) % 4 == 0)[:, None] | (jnp.arange(3) < 2)[None]
    scored = jnp.tile(jnp.array([[False, False, True]]), (batch_size, 1))
    return Batch(jax.nn.one_hot(bits, 2), jnp.where(wrong, 1 - bits, bits), scored, scored)


def test_only_answers_that_count_are_tested(runs, tiny):
    def says_the_bit(xs):
        return None, xs * jnp.log(3.0)  # the scores of probabilities 3/4 and 1/4

    task = Task(2, 2, 3, "cross entropy", 1.0, 0.5, lambda key, batch_size: known(batch_size))
    network = jax.tree_util.Partial(says_the_bit)
    accuracy = runs.tester(tiny._replace(test=task, measure="accuracy"))(network, jax.random.key(0), 512)
    assert accuracy == 0.75
    entropy = runs.tester(tiny._replace(test=task, measure="cross entropy"))(network, jax.random.key(0), 512)
    assert entropy == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), rel=1e-5)


def test_the_baseline_goes_with_the_measure(tiny):
    assert tiny.baseline == pytest.approx(1 / 6)
    assert tiny._replace(test=parity(1, 3), measure="accuracy").baseline == 0.5
    assert tiny._replace(test=parity(1, 3), measure="cross entropy").baseline == pytest.approx(np.log(2))


def test_training_stops_where_a_check_is_good_enough(runs, tiny, monkeypatch):
    monkeypatch.setattr(runs, "run_steps", train_until_step_two)
    monkeypatch.setattr(runs, "tester", lambda contest: lambda network, key, examples: 1e-10)
    record = runs.run(tiny, tiny.contestants[0], seed=2)
    assert (record["failure"], record["steps"]) == (None, 1)
    assert not tiny.is_solved(1e-8)
    accurate = tiny._replace(measure="accuracy", solved=0.9)
    assert accurate.is_solved(0.9)
    assert not accurate.is_solved(0.89)


def test_the_page_tells_failures_and_what_was_foretold(records, tiny, contests, monkeypatch, tmp_path):
    pages, picture = importlib.import_module("memory.pages"), importlib.import_module("memory.picture")
    monkeypatch.setitem(contests.CONTESTS, "tiny", tiny)
    facts = {"date": "2026-01-02", "machine": {"cores": "2"}, "versions": {}, "commands": ["run"]}
    text = pages.page(facts, records, "x.png")
    trained_row, broken_row = (
        next(line for line in text.splitlines() if line.startswith(f"| {r['network']}")) for r in records
    )
    header, lines = (line for line in text.splitlines() if line.startswith(("| network", "| ---")))
    assert header.count("|") == lines.count("|") == trained_row.count("|") == broken_row.count("|")
    named = dict(zip(header.split(" | "), trained_row.split(" | "), strict=True))
    assert (named["units"], named["parameters"], named["Adam"], named["steps"]) == ("5", "46", "0.01", "20")
    assert f"| {records[0]['figure']:.4f} | <= 10 | 1 of 1 |" in trained_row
    assert broken_row.endswith("| <= 0 | 0 of 1 |")
    assert f"- broken off, seed 1: {records[1]['failure']}" in text
    picture.picture(tmp_path / "x.png", records)
    assert (tmp_path / "x.png").stat().st_size > 5000
