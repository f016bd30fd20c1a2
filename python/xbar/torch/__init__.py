"""Crossbar layers for PyTorch (1.13 or newer): the wired arrays in forward, backward and update."""

from .convert import convert
from .layers import CrossbarConv2d, CrossbarLayer, CrossbarLinear
from .optimizer import CrossbarSGD

__all__ = ["CrossbarConv2d", "CrossbarLayer", "CrossbarLinear", "CrossbarSGD", "convert"]
