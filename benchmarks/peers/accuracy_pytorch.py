"""PyTorch's training to an accuracy: ``nn.LSTM`` or ``nn.GRU``, a linear readout and fused Adam in a Python loop.

The fastest usual form found: time first, the tensors of all examples in memory, one index for each batch.

- LSTM, one answer: padded. The output of each sequence's last step does not see the padding after it. oneDNN's LSTM,
  which takes no packed sequences, is three times as fast as the packed one.
- Bidirectional GRU: two of them, padded, the second one on sequences turned around by an index. It is faster than
  ``bidirectional=True`` on packed sequences, and padded ones would begin with the padding on the way back.

PyTorch's LSTM has two biases of one gradient. Adam would move their sum twice as far as the other sides' one bias,
which saves a fourth of the steps. The second one stays zero, so that all train the same network.
"""

from collections.abc import Iterator
from itertools import islice

import accuracy_task
import numpy as np
import torch

args = accuracy_task.arguments(threads=("1", "2"))
torch.set_num_threads(int(args.threads))
torch.manual_seed(args.seed)
run = accuracy_task.Run(args)
task = run.task
Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Network(torch.nn.Module):
    """The task's network with its first weights; PyTorch's second bias starts at zero, and a GRU trains it."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[task.cell]
        cells = task.cells(seed)
        self.rnns = torch.nn.ModuleList(kind(task.inputs, task.hidden) for _ in cells)
        self.readout = torch.nn.Linear(task.hidden * len(cells), task.outputs)
        first = [weights for cell in cells for weights in (*cell, np.zeros_like(cell[-1]))]
        with torch.no_grad():
            for parameter, weights in zip(self.parameters(), [*first, *task.readout(seed)], strict=True):
                parameter.copy_(torch.from_numpy(weights))
        if task.cell == "lstm":
            for rnn in self.rnns:
                rnn.bias_hh_l0.requires_grad_(False)

    def forward(self, xs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """(T, B, D) -> (B, O), or (T, B, O) for an answer at each step."""
        if not task.bidirectional:
            return self.readout(self.rnns[0](xs)[0][lengths - 1, torch.arange(len(lengths))])
        steps = torch.arange(len(xs))[:, None]
        places = torch.where(steps < lengths, lengths - 1 - steps, steps)[..., None]  # (T, B, 1)
        ahead, back = self.rnns[0](xs)[0], self.rnns[1](xs.take_along_dim(places, 0))[0]
        return self.readout(torch.cat([ahead, back.take_along_dim(places, 0)], -1))


def loss(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean loss over sequences, or over the steps of all of them; padding has the class -100."""
    if task.outputs == 1:
        return torch.nn.functional.mse_loss(answers[:, 0], targets)
    return torch.nn.functional.cross_entropy(answers.flatten(0, -2), targets.flatten())


def tensors(examples: accuracy_task.Examples) -> Batch:
    """Return all examples, time first."""
    targets = torch.from_numpy(examples.targets)
    if targets.ndim == 2:
        targets = targets.masked_fill(~torch.from_numpy(examples.mask), -100).T.contiguous()
    targets = targets if targets.is_floating_point() else targets.long()
    return (
        torch.from_numpy(examples.xs).transpose(0, 1).contiguous(),
        torch.from_numpy(examples.lengths).long(),
        targets,
    )


def batches() -> Iterator[Batch]:
    """Yield the batches of one epoch."""
    xs, lengths, targets = examples
    for places in torch.randperm(len(lengths)).split(accuracy_task.BATCH):
        yield xs[:, places], lengths[places], targets[..., places]


def trained(network: Network) -> list[torch.nn.Parameter]:
    """Return the parameters that are trained."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def epochs(network: Network) -> Iterator[Network]:
    """Train a network, and yield it after each epoch."""
    optimizer = torch.optim.Adam(trained(network), lr=task.learning_rate, fused=True)
    while True:
        for xs, lengths, targets in batches():
            optimizer.zero_grad()
            loss(network(xs, lengths), targets).backward()
            optimizer.step()
        yield network


def one_after_the_other() -> Iterator[list[Network]]:
    """Train all networks in a loop, and yield them in the end."""
    count = accuracy_task.STEPS_OF_MANY // accuracy_task.EPOCH
    yield [list(islice(epochs(Network(seed)), count))[-1] for seed in range(accuracy_task.NETWORKS)]


@torch.no_grad()
def answers(network: Network) -> torch.Tensor:
    """Return the answers for the held-out examples, sequences first."""
    found = network(*held_out[:2])
    return found.transpose(0, 1) if task.bidirectional else found


examples, held_out = tensors(run.learned), tensors(run.tested)
first = Network(args.seed)
training = one_after_the_other() if args.task in accuracy_task.MANY else ([network] for network in epochs(first))
run.start()
for networks in training:
    if run.evaluate(networks, answers):
        break
run.answer(sum(parameter.numel() for parameter in trained(first)), "torch", "numpy")
