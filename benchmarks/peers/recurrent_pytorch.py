"""PyTorch's recurrent training step: its RNN, GRU or LSTM, a linear readout and Adam, in a Python loop.

There are three versions: with the defaults; without oneDNN; and compiled. The compiled version includes the recurrent
layer, which torch.compile skips by default, and has no oneDNN, whose LSTM it cannot compile.
"""

import recurrent_task

args = recurrent_task.arguments()

from collections.abc import Callable  # noqa: E402

import torch  # noqa: E402

torch.set_num_threads(args.cores)
torch._dynamo.config.allow_rnn = True
RNN = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[args.cell]
options = {"nonlinearity": "relu"} if args.cell == "elman" else {}
batches = recurrent_task.batches(args)


def training(compiled: bool) -> Callable[[int], None]:
    """Return a function that does a number of training steps of a new network."""
    cell = RNN(1, args.hidden, batch_first=True, **options)
    readout = torch.nn.Linear(args.hidden, 1)
    optimizer = torch.optim.Adam([*cell.parameters(), *readout.parameters()], lr=0.001)

    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.mse_loss(readout(cell(x)[0]), y)

    value = torch.compile(loss) if compiled else loss

    def run(steps: int) -> None:
        for _ in range(steps):
            x, y = map(torch.from_numpy, next(batches))
            optimizer.zero_grad()
            value(x, y).backward()
            optimizer.step()

    return run


def without_onednn(run: Callable[[int], None]) -> Callable[[int], None]:
    """Return the same function with PyTorch's own matrix products."""

    def bare(steps: int) -> None:
        with torch.backends.mkldnn.flags(enabled=False):
            run(steps)

    return bare


plain = training(compiled=False)
sides = {
    "PyTorch": plain,
    "PyTorch without oneDNN": without_onednn(plain),
    "torch.compile": without_onednn(training(compiled=True)),
}
recurrent_task.measure(sides, args.chunks, "torch", "numpy")
