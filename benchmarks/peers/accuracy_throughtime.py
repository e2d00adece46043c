"""throughtime's training to an accuracy: ``tt.steps`` for one network, ``tt.fit_many`` for twenty."""

import accuracy_task

import throughtime as tt

tt.configure()  # before JAX is imported

from collections.abc import Iterable  # noqa: E402

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

from throughtime.training import cross_entropy, masked_mean, squared_error  # noqa: E402

args = accuracy_task.arguments()
run = accuracy_task.Run(args)
task, learned, tested = run.task, run.learned, run.tested
run_network = eqx.filter_jit(lambda model, xs, mask: model(xs, mask=mask))
RAGGED = learned.lengths.min() < learned.xs.shape[1]


def network(seed: int) -> tt.ManyToOne | tt.ManyToMany:
    """Return the task's network with its first weights."""
    cells = [
        eqx.tree_at(lambda cell: (cell.w_x, cell.w_h, cell.b), plain, tuple(map(jnp.asarray, weights)))
        for weights in task.cells(seed)
        for plain in [{"lstm": tt.LSTM, "gru": tt.GRU}[task.cell](task.inputs, task.hidden, key=seed)]
    ]
    if task.bidirectional:
        network = tt.ManyToMany(tt.Bidirectional(*cells), task.outputs, key=seed)
    else:
        network = tt.ManyToOne(cells, task.outputs, key=seed)
    readout = tuple(map(jnp.asarray, task.readout(seed)))
    return eqx.tree_at(lambda network: (network.readout.weight, network.readout.bias), network, readout)


def loss(model: tt.ManyToOne | tt.ManyToMany, batch: tuple[jax.Array, ...]) -> jax.Array:
    """Return the mean loss over sequences, or over the steps of all of them."""
    xs, lengths, targets = batch
    mask = tt.sequence_mask(lengths, xs.shape[1]) if RAGGED else None
    _, found = model(xs, mask=mask)
    if task.outputs == 1:
        return jnp.mean(squared_error(found[:, 0], targets))
    return masked_mean(cross_entropy(found, targets), mask if task.bidirectional else None)


def answers(model: tt.ManyToOne | tt.ManyToMany) -> jax.Array:
    """Return the answers for the held-out examples."""
    return run_network(model, tested.xs, mask=tested.mask if RAGGED else None)[1]


def one_network() -> Iterable[list]:
    """Train one network, and yield it after each epoch."""
    every, steps = accuracy_task.EPOCH, run.epochs * accuracy_task.EPOCH
    model = network(args.seed)
    training = tt.steps(model, loss, batches, optimizer=optimizer, steps=steps, key=args.seed, every=every)
    return ([progress.model] for progress in training)


def many_networks() -> Iterable[list]:
    """Train all networks at once, then again from the first weights, with nothing left to compile."""
    run.epochs = 2
    models, steps = [network(seed) for seed in range(accuracy_task.NETWORKS)], accuracy_task.STEPS_OF_MANY
    for _ in range(run.epochs):
        histories = tt.fit_many(models, loss, batches, optimizer=optimizer, steps=steps, key=args.seed)
        yield [history.model for history in histories]


batches, optimizer = tt.Minibatches(tuple(learned), accuracy_task.BATCH), optax.adam(task.learning_rate)
training = many_networks() if args.task in accuracy_task.MANY else one_network()
run.start()
for models in training:
    if run.evaluate(models, answers):
        break
parameters = sum(leaf.size for leaf in jax.tree.leaves(models[0]) if eqx.is_array(leaf))
run.answer(parameters, "throughtime", "jax", "jaxlib", "equinox", "optax", "numpy")
