"""Tasks that ask for a long memory: their targets recomputed from their inputs, their examples as in their papers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.data import tasks as synthetic

TASKS = {
    "adding": synthetic.adding(13),
    "copy": synthetic.copy_memory(7),
    "order of two": synthetic.temporal_order(60),
    "order of three": synthetic.temporal_order(101, marks=3),
    "parity": synthetic.parity(4, 11),
    "running parity": synthetic.running_parity(9),
    "selective copy": synthetic.selective_copy(14, 5, symbols=3),
}
EXAMPLES = 3000


@pytest.fixture(scope="module")
def batches():
    """A large batch of each task, compiled, in NumPy. Without optimization compiling takes a sixth of the time."""
    options = {"xla_backend_optimization_level": 0}
    draw = jax.jit(
        lambda key: {name: task.draw(key, EXAMPLES) for name, task in TASKS.items()}, compiler_options=options
    )
    return {seed: jax.tree.map(np.asarray, draw(jax.random.key(int(seed)))) for seed in ("3", "03", "4")}


@pytest.fixture(params=TASKS)
def name(request):
    return request.param


def letters_of(batch):
    """The symbols of one-hot inputs, -1 where there is none."""
    assert set(np.unique(batch.xs)) <= {0.0, 1.0}
    np.testing.assert_array_equal(batch.xs.sum(axis=2), batch.mask)
    return np.where(batch.mask, batch.xs.argmax(axis=2), -1)


def shares(values, count):
    """Count the values 0 ... count - 1."""
    return np.bincount(np.ravel(values), minlength=count) / np.size(values)


def adding_answers(batch):
    assert np.array_equal(np.unique(batch.xs[..., 1]), [0, 1])
    return np.repeat(np.sum(batch.xs[..., 0] * batch.xs[..., 1], axis=1, keepdims=True), 13, axis=1)


def copied(batch):
    letters = letters_of(batch)
    return np.concatenate([np.full((len(letters), 17), 8), letters[:, :10]], axis=1)


def orders(batch):
    """The marks of each sequence, read from left to right as a binary number."""
    numbers = [int("".join("01"[mark - 6] for mark in row[row >= 6]), 2) for row in letters_of(batch)]
    return np.repeat(np.array(numbers)[:, None], batch.mask.shape[1], axis=1)


def parities(batch):
    ones = np.zeros(len(batch.xs), int)
    answers = np.zeros(batch.mask.shape, int)
    for step, bits in enumerate(letters_of(batch).T):
        ones += bits == 1
        answers[:, step] = np.where(ones % 2 == 1, 1, 0)
    return answers


def told(batch):
    rows = [row[row < 3] for row in letters_of(batch)]
    return np.concatenate([np.zeros((len(rows), 14), int), np.array(rows)], axis=1)


ANSWERS = {
    "adding": adding_answers,
    "copy": copied,
    "order of two": orders,
    "order of three": orders,
    "parity": parities,
    "running parity": parities,
    "selective copy": told,
}


def test_the_answers_follow_from_the_inputs(name, batches):
    task, batch = TASKS[name], batches["3"][name]
    assert batch.xs.shape == (EXAMPLES, task.steps, task.inputs)
    assert batch.xs.dtype == np.float32
    counts = batch.scored
    assert counts.any(axis=1).all()
    assert not (counts & ~batch.mask).any()
    np.testing.assert_allclose(batch.targets[counts], ANSWERS[name](batch)[counts], rtol=1e-6)
    if task.loss == "cross entropy":
        assert np.array_equal(np.unique(batch.targets[counts]), np.arange(task.outputs))


def test_the_same_key_gives_the_same_examples(name, batches):
    """Compiled among the other tasks, or alone and of another size of batch."""
    once, other = batches["3"][name], batches["4"][name]
    jax.tree.map(np.testing.assert_array_equal, once, batches["03"][name])
    assert not np.array_equal(once.xs, other.xs)
    assert not np.array_equal(once.xs[0], once.xs[1])


def test_the_baseline_is_the_loss_of_an_answer_that_does_not_look(name, batches):
    """To each question of a sequence, the first, the second ..., the answer that fits all the examples best."""
    task, batch = TASKS[name], batches["3"][name]
    answers = batch.targets[batch.scored].reshape(EXAMPLES, -1).T
    if task.loss == "squared error":
        assert answers.var(axis=1).mean() == pytest.approx(task.baseline, rel=0.05)
        assert task.chance is None
    else:
        share = np.array([shares(given, task.outputs) for given in answers])
        entropies = -np.sum(share * np.log(np.maximum(share, 1e-9)), axis=1)
        assert entropies.mean() == pytest.approx(task.baseline, rel=0.01)
        assert share.max(axis=1).mean() == pytest.approx(task.chance, rel=0.1)


@pytest.mark.parametrize("blanks", [1, 50, 1000])
def test_the_published_baselines(blanks):
    assert synthetic.copy_memory(blanks).baseline == pytest.approx(10 * np.log(8) / (blanks + 20))
    assert synthetic.adding(100).baseline == pytest.approx(0.1667, abs=1e-4)


@pytest.mark.parametrize("name", [name for name in TASKS if "parity" not in name and "order" not in name])
def test_sequences_of_one_length_are_whole(name, batches):
    assert batches["3"][name].mask.all()


def test_one_number_of_each_half_is_marked(batches):
    batch = batches["3"]["adding"]
    numbers, marks = batch.xs[..., 0], batch.xs[..., 1]
    np.testing.assert_array_equal(marks[:, :6].sum(axis=1), 1)
    np.testing.assert_array_equal(marks[:, 6:].sum(axis=1), 1)
    np.testing.assert_allclose(marks.mean(axis=0), [1 / 6] * 6 + [1 / 7] * 7, atol=0.03)
    tenths = np.histogram(numbers, bins=10, range=(0, 1))[0] / numbers.size
    np.testing.assert_allclose(tenths, 0.1, atol=0.01)
    np.testing.assert_array_equal(np.flatnonzero(batch.scored.any(axis=0)), [12])


def test_ten_symbols_a_gap_and_a_marker(batches):
    letters = letters_of(batches["3"]["copy"])
    np.testing.assert_allclose(shares(letters[:, :10], 8), 1 / 8, atol=0.01)
    assert (letters[:, 10:] == [8] * 6 + [9] + [8] * 10).all()
    assert batches["3"]["copy"].scored.all()


@pytest.mark.parametrize(
    ("name", "shortest", "windows"),
    [("order of two", 60, [(6, 12), (30, 36)]), ("order of three", 101, [(10, 20), (33, 43), (66, 76)])],
)
def test_marks_stand_where_the_paper_puts_them(name, shortest, windows, batches):
    batch = batches["3"][name]
    letters, lengths = letters_of(batch), batch.mask.sum(axis=1)
    np.testing.assert_allclose(shares(lengths - shortest, 1 + shortest // 10), 1 / (1 + shortest // 10), atol=0.035)
    assert (letters[:, 0] == 4).all()
    assert (letters[np.arange(EXAMPLES), lengths - 1] == 5).all()
    for first, last in windows:
        where = np.argwhere(letters[:, first : last + 1] >= 6)
        assert len(where) == EXAMPLES  # one each
        np.testing.assert_allclose(shares(where[:, 1], last - first + 1), 1 / (last - first + 1), atol=0.03)
    between = letters[:, 1:shortest][letters[:, 1:shortest] < 4]
    assert between.size >= EXAMPLES * (shortest - 2 - len(windows))
    np.testing.assert_allclose(shares(between, 4), 1 / 4, atol=0.01)


def test_only_the_last_step_of_each_sequence_counts(batches):
    for name in ("adding", "order of two", "order of three", "parity"):
        batch = batches["3"][name]
        steps = np.arange(batch.mask.shape[1])
        np.testing.assert_array_equal(batch.scored, steps == batch.mask.sum(axis=1, keepdims=True) - 1)


def test_lengths_of_parity_spread_over_their_range(batches):
    batch = batches["3"]["parity"]
    np.testing.assert_allclose(shares(batch.mask.sum(axis=1) - 4, 8), 1 / 8, atol=0.03)
    assert (np.diff(batch.mask.astype(int), axis=1) <= 0).all()  # padding comes last
    np.testing.assert_allclose(shares(letters_of(batch)[batch.mask], 2), 1 / 2, atol=0.02)
    assert batches["3"]["running parity"].mask.all()
    assert batches["3"]["running parity"].scored.all()


def test_tokens_stand_anywhere_between_the_noise(batches):
    batch = batches["3"]["selective copy"]
    letters = letters_of(batch)
    holds = letters[:, :14] < 3
    np.testing.assert_array_equal(holds.sum(axis=1), 5)
    np.testing.assert_allclose(holds.mean(axis=0), 5 / 14, atol=0.04)
    np.testing.assert_allclose(np.corrcoef(holds.T)[0, 1:], -1 / 13, atol=0.08)
    assert (letters[:, :14][~holds] == 3).all()
    assert (letters[:, 14:] == 4).all()
    np.testing.assert_array_equal(batch.scored, np.arange(19)[None].repeat(EXAMPLES, 0) >= 14)
    np.testing.assert_allclose(shares(letters[:, :14][holds], 3), 1 / 3, atol=0.02)


def test_tasks_come_in_float64(x64, name):
    batch = jax.eval_shape(lambda: TASKS[name].draw(jax.random.key(0), 2))
    assert batch.xs.dtype == jnp.float64
    assert TASKS[name].loss == "cross entropy" or batch.targets.dtype == jnp.float64


@pytest.mark.parametrize(
    ("make", "name", "found", "least"),
    [
        (lambda: synthetic.adding(1), "steps", 1, 2),
        (lambda: synthetic.copy_memory(0), "blanks", 0, 1),
        (lambda: synthetic.temporal_order(9), "steps", 9, 10),
        (lambda: synthetic.parity(0, 5), "shortest", 0, 1),
        (lambda: synthetic.parity(6, 5), "longest", 5, 6),
        (lambda: synthetic.selective_copy(4, 5), "steps", 4, 5),
        (lambda: synthetic.selective_copy(4, 2, symbols=1), "symbols", 1, 2),
    ],
)
def test_a_size_that_is_too_small_is_refused(make, name, found, least):
    with pytest.raises(tt.InputError) as raised:
        make()
    assert raised.value.fields() == {"code": "too-small", "found": found, "expected": f"at least {least}"}
    assert str(raised.value) == f"{name} must be at least {least}, got {found}"


def test_temporal_order_has_two_or_three_marks():
    with pytest.raises(tt.InputError, match="temporal order has 2 or 3 marks, got marks=4") as raised:
        synthetic.temporal_order(60, marks=4)
    assert raised.value.fields() == {"code": "bad-size", "found": 4, "expected": [2, 3]}
