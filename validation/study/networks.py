"""What each network is trained with: the same for all points of all studies.

A network has three lengths: `short`, from drawn weights; `further`, going on from trained ones
(--weights); `full` (--full). Keys are flags of `xbar train`.
"""

# The paper's cells (Ag/Si ReRAM) and arrays [Roy2021]. It does not state its wires: these are
# the defaults of xbar.
TECHNOLOGY = {"on-ohm": "100000", "on-off-ratio": "10", "tile-rows": "64", "tile-columns": "64",
              "source-ohm": "500", "sink-ohm": "100", "wordline-ohm": "2.5", "bitline-ohm": "2.5"}

# Of the supplied resnet20 weights, and of vgg8s here.
RESNET_PIXELS = {"pixel-mean": "0.485,0.456,0.406", "pixel-deviation": "0.229,0.224,0.225"}
VGG_PIXELS = {"pixel-mean": "0.4914,0.4822,0.4465", "pixel-deviation": "0.247,0.2435,0.2616"}

CIFAR_SHORT = {"batch": "64", "learning-rate": "0.05", "epochs": "2", "train-images": "10000",
               "test-images": "2000"}
CIFAR_FURTHER = {"batch": "64", "learning-rate": "0.001", "epochs": "1", "train-images": "4000",
                 "test-images": "1000"}
CIFAR_FULL = {"batch": "128", "learning-rate": "0.1", "weight-decay": "5e-4",
              "warmup-epochs": "1", "augment": "crop-flip"}

NETWORKS = {
    "mlp": {
        "data": "glyphs",
        "short": {"batch": "64", "learning-rate": "0.05", "epochs": "2"},
        "further": {"batch": "64", "learning-rate": "0.01", "epochs": "1"},
        "full": {"batch": "64", "learning-rate": "0.05", "epochs": "10"},
    },
    "lenet5": {
        "data": "mnist",
        "short": {"batch": "64", "learning-rate": "0.05", "epochs": "2"},
        "further": {"batch": "64", "learning-rate": "0.01", "epochs": "1"},
        "full": {"batch": "64", "learning-rate": "0.05", "epochs": "12"},
    },
    "resnet20": {
        "data": "cifar10",
        "short": RESNET_PIXELS | CIFAR_SHORT,
        "further": RESNET_PIXELS | CIFAR_FURTHER,
        "full": RESNET_PIXELS | CIFAR_FULL | {"epochs": "30"},
    },
    "vgg8s": {
        "data": "cifar10",
        "short": VGG_PIXELS | CIFAR_SHORT,
        "further": VGG_PIXELS | CIFAR_FURTHER,
        "full": VGG_PIXELS | CIFAR_FULL | {"epochs": "20"},
    },
}
