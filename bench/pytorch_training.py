#!/usr/bin/env python3
"""The opponent of bench_training: training steps of the same networks in PyTorch on CPU.

Reads lines "MODEL PARAMETERS BATCH STEPS" and answers each with one line of JSON, the seconds of
every step by phase: {"forward": [...], "backward": [...], "update": [...]}. The first line written
says which PyTorch it is. PARAMETERS is how many trainable numbers MODEL has in xbar: another number
here ends the program, so that never two different networks are compared.
"""

import json
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError:
    sys.exit("pytorch_training: no PyTorch, its rows stay empty")


def conv3x3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)


class BasicBlock(nn.Module):
    """The residual block of ResNet for CIFAR, with the shortcut without parameters."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.pad = (outputs - inputs) // 2
        self.stride = stride

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)), inplace=True)))
        if self.stride != 1:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return functional.relu(x + y, inplace=True)


def resnet20():
    layers = [conv3x3(3, 16), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    inputs = 16
    for outputs in (16, 32, 64):
        for _ in range(3):
            layers.append(BasicBlock(inputs, outputs, 1 if inputs == outputs else 2))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def vgg_stages(stages):
    layers = []
    inputs = 3
    for widths in stages:
        for width in widths:
            layers += [conv3x3(inputs, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return [*layers, nn.Flatten()]


def vgg8s():
    return nn.Sequential(*vgg_stages([(32, 32), (64, 64), (128, 128)]), nn.Linear(2048, 256),
                         nn.ReLU(inplace=True), nn.Linear(256, 10))


def vgg16():
    return nn.Sequential(
        *vgg_stages([(64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3]), nn.Linear(512, 10))


def lenet5():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2),
                         nn.Conv2d(6, 16, 5), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(400, 120), nn.ReLU(inplace=True), nn.Linear(120, 84),
                         nn.ReLU(inplace=True), nn.Linear(84, 10))


MODELS = {"lenet5": lenet5, "vgg8s": vgg8s, "resnet20": resnet20, "vgg16": vgg16}
WARM_UP_STEPS = 2


class Training:
    """A network, one batch of noise and an optimiser."""

    def __init__(self, name, parameters, batch):
        self.model = MODELS[name]()
        self.model.train()
        found = sum(p.numel() for p in self.model.parameters())
        if found != parameters:
            sys.exit(f"pytorch_training: {name}: expected {parameters} parameters, found {found}")
        shape = (1, 28, 28) if name == "lenet5" else (3, 32, 32)
        self.images = torch.rand(batch, *shape)
        self.labels = torch.arange(batch) % 10
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-4, momentum=0.9)
        for _ in range(WARM_UP_STEPS):
            self.step()

    def step(self):
        """Seconds of forward, backward and update."""
        begin = time.perf_counter()
        loss = functional.cross_entropy(self.model(self.images), self.labels)
        after_forward = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        after_backward = time.perf_counter()
        self.optimizer.step()
        return after_forward - begin, after_backward - after_forward, time.perf_counter() - after_backward


def main():
    torch.manual_seed(1)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    kept = None  # the latest network; the former ones' memory is not needed any more
    kept_line = None
    for line in sys.stdin:
        name, parameters, batch, steps = line.split()
        if kept_line != (name, parameters, batch):
            kept = Training(name, int(parameters), int(batch))
            kept_line = (name, parameters, batch)
        kept.step()  # finds the caches full of others' data
        phases = zip(*[kept.step() for _ in range(int(steps))])
        print(json.dumps(dict(zip(("forward", "backward", "update"), map(list, phases)))), flush=True)


if __name__ == "__main__":
    main()
