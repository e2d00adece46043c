"""PyTorch's training of twenty networks at once: ``torch.func.vmap`` over stacked weights, one fused Adam for all.

vmap has no rule for ``nn.LSTM`` and ``nn.GRU``, so the cell is written out, with the products of the inputs before its
loop over time.
"""

import accuracy_task
import numpy as np
import torch

args = accuracy_task.arguments(threads=("1", "2"))
torch.set_num_threads(int(args.threads))
torch.manual_seed(args.seed)
run = accuracy_task.Run(args)
task = run.task
Weights = tuple[torch.Tensor, ...]


def first_weights() -> Weights:
    """Return w_x, w_h, b, the readout's w and b, and for a GRU b_h, each with a first axis of the networks."""
    seeds = range(accuracy_task.NETWORKS)
    cells = zip(*((*task.cells(seed)[0], *task.readout(seed)) for seed in seeds), strict=True)
    weights = [torch.from_numpy(np.stack(of_all)).requires_grad_() for of_all in cells]
    own = [torch.zeros(len(seeds), task.hidden, requires_grad=True)] if task.cell == "gru" else []
    return (*weights, *own)


def lstm(gx: torch.Tensor, w_h: torch.Tensor) -> torch.Tensor:
    """(T, B, 4H), (4H, H) -> (T, B, H)."""
    h = c = gx.new_zeros(gx.shape[1], w_h.shape[1])
    hs = []
    for now in gx.unbind():
        i, f, g, o = torch.addmm(now, h, w_h.T).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        hs.append(h)
    return torch.stack(hs)


def gru(gx: torch.Tensor, w_h: torch.Tensor, b_h: torch.Tensor) -> torch.Tensor:
    """(T, B, 3H), (3H, H), (H,) -> (T, B, H)."""
    h = gx.new_zeros(gx.shape[1], w_h.shape[1])
    hs = []
    for now in gx.unbind():
        (xr, xz, xn), (hr, hz, hn) = now.chunk(3, -1), (h @ w_h.T).chunk(3, -1)
        z = torch.sigmoid(xz + hz)
        n = torch.tanh(xn + torch.sigmoid(xr + hr) * (hn + b_h))
        h = n + z * (h - n)
        hs.append(h)
    return torch.stack(hs)


def answer(weights: Weights, xs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return one network's answers: (T, B, D) -> (B, O)."""
    w_x, w_h, b, w, bias, *own = weights
    hs = {"lstm": lstm, "gru": gru}[task.cell](xs @ w_x.T + b, w_h, *own)
    last = (lengths - 1)[None, :, None].expand(1, -1, hs.shape[-1])
    return hs.gather(0, last)[0] @ w.T + bias


def train() -> Weights:
    """Train all networks at once."""
    weights = first_weights()
    optimizer = torch.optim.Adam(weights, lr=task.learning_rate, fused=True)
    for _ in range(accuracy_task.STEPS_OF_MANY // accuracy_task.EPOCH):
        orders = torch.stack([torch.randperm(len(targets)) for _ in range(accuracy_task.NETWORKS)])
        for places in orders.split(accuracy_task.BATCH, 1):  # (20, B)
            optimizer.zero_grad()
            found = torch.vmap(answer)(weights, xs[:, places].movedim(1, 0), lengths[places])
            losses = torch.nn.functional.cross_entropy(found.movedim(-1, 1), targets[places], reduction="none")
            losses.mean(1).sum().backward()
            optimizer.step()
    return weights


@torch.no_grad()
def answers(weights: Weights) -> torch.Tensor:
    """Return one network's answers for the held-out examples."""
    return answer(weights, torch.from_numpy(run.tested.xs).transpose(0, 1), torch.from_numpy(run.tested.lengths).long())


xs = torch.from_numpy(run.learned.xs).transpose(0, 1).contiguous()
lengths, targets = (torch.from_numpy(array).long() for array in (run.learned.lengths, run.learned.targets))
run.start()
weights = train()
run.evaluate(zip(*weights, strict=True), answers)
run.answer(sum(weight[0].numel() for weight in weights), "torch", "numpy")
