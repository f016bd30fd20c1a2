"""Layers whose weights sit on crossbar arrays; biases are digital, as in the C++ layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .. import CrossbarMatrix, InvalidArgument, Technology
from .reads import Convolve, Read


class CrossbarLayer(nn.Module):
    """What the two layers share: a weight, out x in, on a CrossbarMatrix.

    `weight` is an ordinary parameter in digital memory, of PyTorch's shape. With `gradients`
    "adjoint" (the surrogate's exact derivative) or "straight-through" any optimiser trains it, and
    the arrays are written anew, without write noise, before the next forward pass:
    hardware-aware training. With "device" the cells are trained themselves: CrossbarSGD hands what
    it asks for to the device model, and `weight` shows what the cells then hold.

    technology, options   as CrossbarMatrix
    Raises InvalidArgument naming the option.
    """

    weight: nn.Parameter
    bias: nn.Parameter | None

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        technology: Technology | None,
        gradients: str,
        name: str,
        options: dict[str, Any],
    ) -> None:
        super().__init__()
        if gradients not in ("adjoint", "straight-through", "device"):
            raise InvalidArgument(
                f"gradients: expected adjoint, straight-through or device, got '{gradients}'"
            )
        self.gradients = gradients
        self.matrix_name = name
        self.weight = nn.Parameter(weight.detach().to(torch.float32).clone())
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone())
        if gradients != "device":
            options = dict(options, gradients=gradients)
        flat = self.weight.detach().reshape(weight.shape[0], -1)
        self.matrix = CrossbarMatrix(flat.numpy(), technology, name, **options)
        self._written = self.weight._version
        self._signals: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._show_cells()

    def effective_weight(self) -> torch.Tensor:
        """W_forward, out x in: what the arrays multiply by, a copy."""
        return torch.from_numpy(np.array(self.matrix.forward_weight))

    def request(self, delta: torch.Tensor) -> None:
        """Asks the device model for weight += delta; `weight` shows what became of it."""
        self.matrix.update(delta.reshape(self.weight.shape[0], -1).contiguous().numpy())
        self._show_cells()

    def request_from_signals(self, learning_rate: float) -> None:
        """The same by the signals of the backward passes since the last call, in the arrays."""
        for x, dy in self._signals:
            self.matrix.update_from_signals(x.numpy(), dy.numpy(), learning_rate)
        self._signals.clear()
        self._show_cells()

    def get_extra_state(self) -> dict[str, Any]:
        """The cells: all that the arrays need to go on bit for bit."""
        tensors, metadata = self.matrix.state()
        return {
            "tensors": {name: torch.from_numpy(values) for name, values in tensors.items()},
            "metadata": metadata,
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        tensors = {name: values.numpy() for name, values in state["tensors"].items()}
        self.matrix.load_state(tensors, state["metadata"])
        self._show_cells()

    def _show_cells(self) -> None:
        if self.gradients == "device":
            with torch.no_grad():
                held = torch.from_numpy(np.array(self.matrix.weight))
                self.weight.copy_(held.reshape(self.weight.shape))
        self._written = self.weight._version

    def _write_if_changed(self) -> None:
        if self.weight._version != self._written:
            flat = self.weight.detach().reshape(self.weight.shape[0], -1)
            self.matrix.program(flat.contiguous().numpy())
            self._show_cells()

    def _read(self, x: torch.Tensor) -> torch.Tensor:
        self._write_if_changed()
        flat = self.weight.reshape(self.weight.shape[0], -1)
        result: torch.Tensor = Read.apply(x.contiguous(), flat, self)
        return result

    def keep_signals(self, x: torch.Tensor, dy: torch.Tensor) -> None:
        """Of a backward pass, for request_from_signals()."""
        self._signals.append((x, dy))


class CrossbarLinear(CrossbarLayer):
    """y = x W^T + b with W on arrays, for x of shape (..., in_features), as torch.nn.Linear."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        technology: Technology | None = None,
        gradients: str = "adjoint",
        name: str = "linear",
        **options: Any,
    ) -> None:
        digital = nn.Linear(in_features, out_features, bias)
        super().__init__(digital.weight, digital.bias, technology, gradients, name, options)
        self.in_features, self.out_features = in_features, out_features

    @classmethod
    def of(cls, layer: nn.Linear, technology: Technology | None = None,
           gradients: str = "adjoint", name: str = "linear", **options: Any) -> "CrossbarLinear":
        """The layer's weights on arrays."""
        made = cls.__new__(cls)
        CrossbarLayer.__init__(
            made, layer.weight, layer.bias, technology, gradients, name, options
        )
        made.in_features, made.out_features = layer.in_features, layer.out_features
        return made

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self._read(x.reshape(-1, self.in_features))
        y = y.reshape(*x.shape[:-1], self.out_features)
        return y if self.bias is None else y.add(self.bias)


class CrossbarConv2d(CrossbarLayer):
    """A convolution whose patches are the arrays' inputs, as torch.nn.Conv2d with groups = 1.

    They are laid out for the arrays only where these are more than a matrix: with converters, and
    with update rules that form the gradient. Else PyTorch convolves with the effective weights."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
        technology: Technology | None = None,
        gradients: str = "adjoint",
        name: str = "conv2d",
        **options: Any,
    ) -> None:
        digital = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, padding, dilation, bias=bias
        )
        super().__init__(digital.weight, digital.bias, technology, gradients, name, options)
        self._take_geometry(digital)

    @classmethod
    def of(cls, layer: nn.Conv2d, technology: Technology | None = None,
           gradients: str = "adjoint", name: str = "conv2d", **options: Any) -> "CrossbarConv2d":
        """The layer's weights on arrays. Raises InvalidArgument for groups, named or other padding."""
        made = cls.__new__(cls)
        if layer.groups != 1 or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            raise InvalidArgument(
                f"{name}: expected groups 1 and a number of zeros as padding, got groups "
                f"{layer.groups}, padding {layer.padding!r} of {layer.padding_mode}"
            )
        CrossbarLayer.__init__(
            made, layer.weight, layer.bias, technology, gradients, name, options
        )
        made._take_geometry(layer)
        return made

    def _take_geometry(self, layer: nn.Conv2d) -> None:
        self.kernel_size: Any = layer.kernel_size
        self.stride = layer.stride  # type: ignore[assignment]
        self.padding = layer.padding  # type: ignore[assignment]
        self.dilation = layer.dilation  # type: ignore[assignment]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.matrix.has_converters or self.matrix.takes_signals:
            y = self._read_patches(x)
        else:
            self._write_if_changed()
            y = Convolve.apply(x.contiguous(), self.weight, self)
        return y if self.bias is None else y.add(self.bias[:, None, None])

    def _read_patches(self, x: torch.Tensor) -> torch.Tensor:
        patches = functional.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
        count, size, positions = patches.shape
        y: torch.Tensor = self._read(patches.transpose(1, 2).reshape(count * positions, size))
        y = y.reshape(count, positions, -1).transpose(1, 2)
        height = (
            x.shape[2] + 2 * self.padding[0] - self.dilation[0] * (self.kernel_size[0] - 1) - 1
        ) // self.stride[0] + 1
        y = y.reshape(count, -1, height, positions // height)
        return y
