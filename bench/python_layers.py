"""Time of a training step of crossbar layers against PyTorch's own, run in turn.

    OMP_WAIT_POLICY=passive PYTHONPATH=build/release/python python3 bench/python_layers.py [ROUNDS]

A line a case: median milliseconds of PyTorch's layer, and the median ratios of the crossbar
layer's forward pass and of its whole step (forward, backward, optimiser) to PyTorch's.
"""

import statistics
import sys
import time

import xbar
import torch
from torch import nn
from xbar.torch import convert

BATCH = 64
CASES = {
    "linear 784 -> 256": (lambda: nn.Linear(784, 256), (BATCH, 784)),
    "linear 1024 -> 1024": (lambda: nn.Linear(1024, 1024), (BATCH, 1024)),
    "conv2d 6 -> 16, 5x5, 14x14": (lambda: nn.Conv2d(6, 16, 5), (BATCH, 6, 14, 14)),
    "conv2d 64 -> 64, 3x3, 16x16": (lambda: nn.Conv2d(64, 64, 3, padding=1), (BATCH, 64, 16, 16)),
}


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def step(layer, optimizer, x):
    optimizer.zero_grad()
    layer(x).square().mean().backward()
    optimizer.step()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    for name, (make, shape) in CASES.items():
        x = torch.rand(*shape, requires_grad=True)
        layers = {"torch": make()}
        for rule in ("adjoint", "straight-through"):
            layers[rule] = convert(make(), xbar.Technology(), gradients=rule)
        optimizers = {k: torch.optim.SGD(v.parameters(), lr=1e-3) for k, v in layers.items()}
        times = {(k, part): [] for k in layers for part in ("forward", "step")}
        for turn in range(rounds + 2):
            for k, layer in layers.items():
                forward = seconds(lambda: layer(x))
                whole = seconds(lambda: step(layer, optimizers[k], x))
                if turn >= 2:
                    times[k, "forward"].append(forward)
                    times[k, "step"].append(whole)
        text = f"{name:<30}"
        for part in ("forward", "step"):
            own = times["torch", part]
            text += f" {part} {1e3 * statistics.median(own):8.2f} ms"
            for k in ("adjoint", "straight-through"):
                ratio = statistics.median(a / b for a, b in zip(times[k, part], own))
                text += f"  {k} x{ratio:.2f}"
        print(text, flush=True)


if __name__ == "__main__":
    main()
