"""LeNet-5 in PyTorch, on crossbar arrays: trained with the wires in forward and backward.

    PYTHONPATH=build/release/python python3 examples/python/lenet5.py [IMAGES] [EPOCHS]
"""

import sys

import torch
from torch import nn

import xbar
from xbar.torch import convert

images = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
torch.manual_seed(1)
data = xbar.DataSet("glyphs")
x, y = torch.tensor(data.train_images[:images]), torch.tensor(data.train_labels[:images]).long()
test_x, test_y = torch.tensor(data.test_images), torch.tensor(data.test_labels).long()

model = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
)
technology = xbar.Technology(on_ohm=20e3, wordline_ohm=1, bitline_ohm=1, gain="column")
convert(model, technology, weight_scale="headroom", headroom=2, gradients="adjoint")
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(epochs):
    model.train()
    for batch in torch.randperm(len(x)).split(64):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        correct = (model(test_x).argmax(1) == test_y).float().mean()
    print(f"epoch {epoch + 1}: {100 * correct:.2f} % on the test images")
