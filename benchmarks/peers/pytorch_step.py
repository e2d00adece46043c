"""PyTorch's reference step: ``torch.nn.RNN``, a linear readout and ``torch.optim.Adam`` in a Python loop."""

import numpy as np
import task
import torch

args = task.arguments(threads=("1", "2"), adam=("default", "fused"))
torch.set_num_threads(int(args.threads))
torch.manual_seed(args.seed)
random = np.random.default_rng(args.seed)


class Network(torch.nn.Module):
    """The RNN and its readout."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = torch.nn.RNN(1, task.HIDDEN, nonlinearity="relu", batch_first=True)
        self.readout = torch.nn.Linear(task.HIDDEN, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, 1) -> (B, T, 1)."""
        return self.readout(self.rnn(x)[0])


network = Network()
fused = True if args.adam == "fused" else None
optimizer = torch.optim.Adam(network.parameters(), lr=task.LEARNING_RATE, fused=fused)
mean_squared_error = torch.nn.MSELoss()


def step() -> None:
    """Do one training step."""
    x, y = task.next_batch(random)
    optimizer.zero_grad()
    mean_squared_error(network(torch.from_numpy(x)), torch.from_numpy(y)).backward()
    optimizer.step()


chunks = task.time_chunks(step)
torch.save(network.state_dict(), args.out / "model.pt")
with torch.no_grad():
    task.answer(chunks, lambda x: network(torch.from_numpy(x)).numpy(), "torch", "numpy")
