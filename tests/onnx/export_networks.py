"""Networks with random weights as ONNX files, with PyTorch's answers to compare with.

Usage: export_networks.py DIR

Writes NAME.onnx, NAME_x.npy (images, a row each) and NAME_y.npy (outputs, a row each).
"""

import sys
import warnings

import numpy
import torch
from torch import nn
from torch.nn import functional

warnings.filterwarnings("ignore")


class PaddedShortcut(nn.Module):
    """Option A of ResNets: every second pixel, between channels of zeros."""

    def __init__(self, width):
        super().__init__()
        self.margin = width // 4

    def forward(self, x):
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.margin, self.margin), "constant", 0)


class Block(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential() if stride == 1 else PaddedShortcut(width)

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + self.shortcut(x))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.avg_pool2d(self.layer3(self.layer2(self.layer1(x))), 8)
        return self.linear(x.view(x.size(0), -1))


class SimpNet(nn.Module):
    """The plain stack of simpnet1m; 0 is a maximum over 2 x 2 pixels."""

    widths = (60, 80, 80, 80, 85, 0, 85, 90, 90, 90, 110, 0, 110, 127, 150)

    def __init__(self):
        super().__init__()
        channels, self.order = 3, []
        for width in self.widths:
            k = len([name for name in self.order if name])
            self.order.append(f"conv{k}" if width else "")
            if width:
                setattr(self, f"conv{k}", nn.Conv2d(channels, width, 3, 1, 1))
                setattr(self, f"bn{k}", nn.BatchNorm2d(width))
                channels = width
        self.fc = nn.Linear(channels, 10)

    def forward(self, x):
        for name in self.order:
            if name:
                norm = getattr(self, name.replace("conv", "bn"))
                x = functional.relu(norm(getattr(self, name)(x)))
            else:
                x = functional.max_pool2d(x, 2)
        return self.fc(functional.adaptive_max_pool2d(x, 1).flatten(1))


class Mixture(nn.Module):
    """What the others have not: branches that are concatenated, pools with margins, ReLU6, means."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 5, 2, 1)
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        self.left = nn.Conv2d(12, 7, (1, 3))
        self.right = nn.Conv2d(12, 9, (3, 1), bias=False)
        self.mean = nn.AvgPool2d(3, 1, 1)
        self.drop = nn.Dropout(0.3)
        self.mix = nn.Linear(16, 11)
        self.norm = nn.BatchNorm1d(11)
        self.out = nn.Linear(11, 10, bias=False)

    def forward(self, x):
        x = self.pool(functional.relu6(self.stem(x)))
        left = functional.hardtanh(self.left(x[:, :, 1:-1, :]), -0.5, 0.75)
        right = self.mean(self.right(x[:, :, :, 1:-1]))
        x = torch.cat([left, right], 1).mean([2, 3])
        return self.out(self.norm(functional.relu(self.mix(self.drop(x)))))


def randomise(network):
    """Statistics and factors that a trained batch norm might have."""
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)


def main():
    folder = sys.argv[1]
    torch.manual_seed(1)
    preserve = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    any_batch = {"dynamic_axes": {"x": {0: "N"}, "y": {0: "N"}}}
    for name, network, options in (
        ("resnet20", ResNet20(), {**preserve, **any_batch}),
        ("resnet20_folded", ResNet20(), {}),
        ("simpnet1m", SimpNet(), {**preserve, **any_batch}),
        ("simpnet1m_folded", SimpNet(), any_batch),
        ("mixture", Mixture(), any_batch),
        ("mixture_old", Mixture(), {**preserve, "opset_version": 9}),
    ):
        randomise(network)
        network.eval()
        x = torch.randn(4, 3, 32, 32)
        with torch.no_grad():
            y = network(x)
        torch.onnx.export(network, x[:1], f"{folder}/{name}.onnx", input_names=["x"],
                          output_names=["y"], **{"opset_version": 13, **options})
        numpy.save(f"{folder}/{name}_x.npy", x.reshape(4, -1).numpy())
        numpy.save(f"{folder}/{name}_y.npy", y.numpy())


main()
