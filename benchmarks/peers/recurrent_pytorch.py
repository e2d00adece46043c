"""PyTorch's recurrent training step: its RNN, GRU or LSTM, a linear readout and Adam, in a loop of Python's."""

import recurrent_task

args = recurrent_task.arguments()

import numpy as np  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(args.cores)
random = np.random.default_rng(0)
RNN = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[args.cell]
options = {"nonlinearity": "relu"} if args.cell == "elman" else {}
cell = RNN(1, args.hidden, batch_first=True, **options)
readout = torch.nn.Linear(args.hidden, 1)
optimiser = torch.optim.Adam([*cell.parameters(), *readout.parameters()], lr=0.001)
places = np.arange(args.steps + 1) * 0.04


def run(steps: int) -> None:
    """So many training steps."""
    for _ in range(steps):
        y = np.sin(random.random((args.batch, 1)) * 8 + places).astype(np.float32)[..., None]
        x, y = torch.from_numpy(y[:, :-1]), torch.from_numpy(y[:, 1:])
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(readout(cell(x)[0]), y).backward()
        optimiser.step()


recurrent_task.measure({"PyTorch": run}, args.chunks, "torch", "numpy")
