"""The maker of ``trained_in_pytorch.safetensors``: a network that PyTorch trained, and what it forecasts.

    golden/bin/python examples/train_in_pytorch.py

with the environment of ``tests/golden/regenerate.py`` (PyTorch 2.13.0). A bidirectional GRU of two layers and a linear
readout repair a sine wave with noise, of which three values in ten are missing; 200 steps of Adam. The file holds
``weights/NAME`` of the state dict, and inputs (B, T, 2), values and flags, with the outputs (B, T, 1).
"""

from pathlib import Path

import safetensors.torch
import torch

STEPS, BATCH, HIDDEN = 24, 3, 5


class Repair(torch.nn.Module):
    """Two layers in both directions, and a readout of each step."""

    def __init__(self) -> None:
        """Draw random weights."""
        super().__init__()
        self.rnn = torch.nn.GRU(2, HIDDEN, num_layers=2, bidirectional=True, batch_first=True)
        self.readout = torch.nn.Linear(2 * HIDDEN, 1)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        """Return the repaired values (B, T, 1)."""
        return self.readout(self.rnn(xs)[0])


def draw(batch: int, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs (B, T, 2) and the whole wave (B, T, 1)."""
    wave = torch.sin(6.3 * torch.rand(batch, 1) + 0.5 * torch.arange(steps))
    known = (torch.rand(batch, steps) < 0.7).float()
    return torch.stack([known * (wave + 0.1 * torch.randn(batch, steps)), known], dim=-1), wave[..., None]


def main() -> None:
    """Train, forecast, write."""
    torch.manual_seed(0)
    network = Repair()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(200):
        xs, wave = draw(32, STEPS)
        loss = ((network(xs) - wave) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    xs, _ = draw(BATCH, STEPS)
    arrays = {f"weights/{name}": array for name, array in network.state_dict().items()}
    arrays |= {"inputs": xs, "outputs": network(xs).detach()}
    file = Path(__file__).with_name("trained_in_pytorch.safetensors")
    versions = {"torch": torch.__version__, "loss": f"{loss.item():.4f}"}
    safetensors.torch.save_file({name: array.contiguous() for name, array in arrays.items()}, file, versions)
    print(versions, file.stat().st_size)


if __name__ == "__main__":
    main()
