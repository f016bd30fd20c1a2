"""Products by the effective weights of arrays, and what they give backwards."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional, grad

if TYPE_CHECKING:
    from .layers import CrossbarConv2d, CrossbarLayer


# PyTorch 1.13 does not say what these take.
_input_gradient: Any = grad.conv2d_input
_weight_gradient: Any = grad.conv2d_weight


class Read(torch.autograd.Function):
    """y = x W_forward^T; backwards dx = dy W_backward, dW = dy^T x through the layer's arrays."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, layer: CrossbarLayer) -> Any:
        if layer.matrix.has_converters:
            y = torch.from_numpy(
                layer.matrix.forward(x.detach().numpy(), following=layer.training)
            )
        else:
            layer.matrix.next_read()
            y = x @ view(layer.matrix.forward_weight).t()
        _keep(ctx, x, layer)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        dy = gradients[0].contiguous()
        x, layer = _kept(ctx)
        dx = dw = None
        if ctx.needs_input_grad[0]:
            if layer.matrix.has_converters:
                dx = torch.from_numpy(layer.matrix.backward(dy.numpy(), following=layer.training))
            else:
                layer.matrix.next_read()
                dx = dy @ view(layer.matrix.backward_weight)
        if layer.matrix.takes_signals:
            layer.keep_signals(x, dy)
        elif ctx.needs_input_grad[1]:
            dw = _through_arrays(layer, dy.t() @ x)
        return dx, dw, None


class Convolve(torch.autograd.Function):
    """The same of a convolution, by PyTorch's own: for arrays that act as a matrix, without
    converters between, and that do not form their gradient from the patches."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, layer: CrossbarConv2d) -> Any:
        layer.matrix.next_read()
        kernel = view(layer.matrix.forward_weight).reshape(weight.shape)
        _keep(ctx, x, layer)
        return functional.conv2d(x, kernel, None, layer.stride, layer.padding, layer.dilation)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        dy = gradients[0].contiguous()
        x, layer = _kept(ctx)
        shape = layer.weight.shape
        geometry = (layer.stride, layer.padding, layer.dilation)
        dx = dw = None
        if ctx.needs_input_grad[0]:
            layer.matrix.next_read()
            kernel = view(layer.matrix.backward_weight).reshape(shape)
            dx = _input_gradient(x.shape, kernel, dy, *geometry)
        if ctx.needs_input_grad[1]:
            dw = _weight_gradient(x, shape, dy, *geometry)
            dw = _through_arrays(layer, dw.reshape(shape[0], -1)).reshape(shape)
        return dx, dw, None


def view(matrix: Any) -> torch.Tensor:
    """The arrays' matrix where it lies: read-only for NumPy, of which PyTorch would warn; nothing
    here writes to it."""
    memory = (ctypes.c_float * matrix.size).from_address(matrix.ctypes.data)
    seen: torch.Tensor = torch.from_numpy(np.frombuffer(memory, np.float32))
    shaped: torch.Tensor = seen.reshape(matrix.shape)
    return shaped


def _keep(ctx: Any, x: torch.Tensor, layer: CrossbarLayer) -> None:
    ctx.layer, ctx.version = layer, layer.matrix.version
    ctx.save_for_backward(x)


def _kept(ctx: Any) -> tuple[torch.Tensor, Any]:
    (x,) = ctx.saved_tensors
    layer: Any = ctx.layer
    if layer.matrix.version != ctx.version and not layer.matrix.has_read_noise:
        raise RuntimeError(
            f"{layer.matrix_name}: expected arrays as they were in the forward pass, found "
            "them changed since; call backward before the optimiser's step"
        )
    return x, layer


def _through_arrays(layer: CrossbarLayer, dw: torch.Tensor) -> torch.Tensor:
    if layer.gradients != "adjoint":
        return dw
    through: torch.Tensor = torch.from_numpy(
        layer.matrix.backpropagate(dw.contiguous().numpy())
    )
    return through
