"""Lessons 6 to 11: their data are what they say, and their networks learn what the text says."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from tests.docs.lessons import LESSONS, imported

KEY = jax.random.key(3)


def test_different_lengths_are_learned_and_padding_does_not_count():
    lesson = imported("different_lengths")
    sequences, classes = lesson.whistles(600, seed=0)
    lengths = np.array([len(sequence) for sequence in sequences])
    assert (lengths.min(), lengths.max()) == (10, 80)
    batch = lesson.padded(sequences, classes)
    np.testing.assert_array_equal(batch.mask.sum(-1), lengths)
    np.testing.assert_array_equal(batch.xs[7, : lengths[7]], sequences[7])
    network = lesson.learn(lesson.with_mask, "last", batch, 60).model
    test = lesson.padded(*lesson.whistles(300, seed=1))
    correct = lesson.right(network, test, test.mask)
    assert correct.mean() > 0.8  # a guess is right for 1/3
    assert np.mean(list(lesson.by_length(correct, test).values())) == pytest.approx(correct.mean(), abs=0.1)
    longer = lesson.repadded(test, 300)
    np.testing.assert_array_equal(network(test.xs, mask=test.mask)[1], network(longer.xs, mask=longer.mask)[1])
    assert lesson.right(network, longer, None).mean() < 0.6


def test_tags_before_a_spike_need_both_directions():
    lesson = imported("tags")
    xs, tags = (np.asarray(array) for array in lesson.draw(KEY, 200))
    spikes = xs[..., 0] > 1.75  # noise of 0.5 reaches it from 0, and below it from 3, once in a hundred spikes
    expected = np.array([[tag_at(row, step) for step in range(lesson.STEPS)] for row in spikes])
    assert (tags == expected).mean() > 0.99
    found = {}
    for name, network in lesson.make_networks().items():
        found[name] = lesson.found(lesson.tagged(lesson.learn(network, 100), xs), tags)
    assert found["forward"]["before"] < 0.02
    assert found["forward"]["after"] > 0.9
    assert found["forward"]["all steps"] < 1 - (tags == 1).mean() + 0.005
    assert min(found["both directions"].values()) > 0.9


def tag_at(spikes: np.ndarray, step: int) -> int:
    """1 if a spike comes within the next four steps, else 2 if one came within the last four, or now."""
    if spikes[step + 1 : step + 5].any():
        return 1
    return 2 if spikes[max(step - 4, 0) : step + 1].any() else 0


def test_own_outputs_help_a_network_on_its_own():
    lesson = imported("own_outputs")
    test = lesson.waves(KEY, 50, lesson.CONTEXT + lesson.AHEAD)
    assert len(np.unique(np.asarray(test[:, 0]))) == 50
    losses = lesson.losses()
    forced, own = (
        lesson.errors(lesson.learn(losses[name], 200, 1), test)
        for name in ("teacher forcing", "own outputs, 10 points")
    )
    assert forced.one_step < own.one_step < 0.02
    assert forced.alone.shape == own.alone.shape == (100,)
    assert forced.alone[:50].mean() > 3 * own.alone[:50].mean()


@pytest.mark.slow
def test_noise_on_the_inputs_helps_too_and_costs_nothing_one_step_ahead():
    lesson = imported("own_outputs")
    test = lesson.waves(KEY, 200, lesson.CONTEXT + lesson.AHEAD)
    forced, noisy, short, long = (lesson.errors(lesson.learn(loss, 400), test) for loss in lesson.losses().values())
    of_zero = float((test**2).mean())
    assert forced.alone[:50].mean() > of_zero
    assert forced.alone[:50].mean() > 5 * max(error.alone[:50].mean() for error in (noisy, short, long))
    assert noisy.one_step < 2 * forced.one_step
    assert long.alone.mean() < short.alone.mean() < of_zero


def test_digits_are_reversed_by_attention():
    lesson = imported("digits")
    pairs = lesson.draw(KEY, 50, 3, 9)
    for source, target, mask in zip(*map(np.asarray, pairs), strict=True):
        np.testing.assert_array_equal(target[mask], source[mask][::-1])
        assert not target[~mask].any()
    network = lesson.learn("additive", 250)
    shares = lesson.by_length(network)
    assert list(shares) == list(range(3, 17))
    assert min(shares[length] for length in (3, 4, 5)) > 0.8  # a guess is right for 0.001
    test = lesson.draw(KEY, 100, 7, 7)
    weights = np.asarray(network.generate(test.sources, 7).weights)
    assert (weights.argmax(-1) == np.arange(7)[::-1]).mean() > 0.6  # by chance 1/7
    untrained = lesson.make_network(lesson.NoAttention)
    np.testing.assert_allclose(untrained.generate(test.sources, 2).weights, 1 / 7, rtol=1e-6)


def test_characters_learn_rules():
    lesson = imported("characters")
    written = lesson.sentences()
    assert (len(written), len(set(written))) == (1776, 1776)
    assert {"the mice that see the fox run.\n", "the child waits.\n"} <= set(written)
    assert not {"the mice that sees the fox run.\n", "the child wait.\n"} & set(written)
    text = lesson.make_text(1500)
    assert (len(text.kept_out), set(text.known) & set(text.kept_out)) == (355, set())
    probabilities = lesson.chances(text.known)
    surprises = lesson.true_surprise(text, text.known[5])
    assert surprises.sum() == pytest.approx(-np.log2(probabilities[5]))
    history = lesson.learn(text, 300)
    bits = history.losses[-50:].mean() / np.log(2)
    assert lesson.least_bits(text.known) < bits < 0.6
    assert lesson.bits_by_frequency(text) > 3.9
    shares = lesson.judged(lesson.write(history.model, text, 0.5), text)
    assert shares.right > 0.2
    assert shares.new > 0.02


def test_long_sequence_is_learned_with_bounded_memory():
    lesson = imported("long_sequence")
    data, test = lesson.switch(jax.random.key(0), 100_000), lesson.switch(jax.random.key(1), 4000)
    xs, ys = np.asarray(test[0])[:, 0], np.asarray(test[1])
    value, expected = 0.0, []
    for x in xs:
        value = np.sign(x) if abs(x) > 0.5 else value  # five standard deviations of the noise
        expected.append(value)
    np.testing.assert_array_equal(ys, expected)
    carried = lesson.tried(lesson.carried, data, test, 100)
    assert carried.errors[1] < 0.1  # that of 0 is 1
    whole = lesson.tried(lesson.carried, data, test, 100_000)
    assert whole.errors[1] > 0.5
    assert (carried.updates, whole.updates) == (1000, 1)
    assert whole.memory > 100 * carried.memory


def test_long_sequence_carries_the_state():
    """The first chunk's loss does not depend on it, the second's does: it is that of the updated network."""
    lesson = imported("long_sequence")
    xs, ys = lesson.switch(KEY, 40)
    (first, second), (_, reset) = (
        lesson.learn(loss, lesson.make_network(0), (xs, ys), 20).losses for loss in (lesson.carried, lesson.from_zero)
    )
    once = lesson.learn(lesson.carried, lesson.make_network(0), (xs[:20], ys[:20]), 20)
    assert once.losses[0] == first
    state, _ = lesson.make_network(0)(xs[None, :20])
    for start, expected in ((state, second), (None, reset)):
        value, _ = lesson.carried(once.model, (xs[None, 20:], ys[None, 20:]), start)
        assert float(value) == pytest.approx(float(expected), rel=5e-5)
    assert abs(second - reset) > 3e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    "lesson", ["different_lengths", "tags", "own_outputs", "digits", "characters", "long_sequence"]
)
def test_they_run_and_draw(lesson, tmp_path):
    plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    command = [sys.executable, str(LESSONS / f"{lesson}.py"), "--picture", str(tmp_path / "drawn.png")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")
