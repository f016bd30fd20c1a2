"""Stochastic gradient descent whose changes of weights on arrays go through the device model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .. import InvalidArgument
from .layers import CrossbarLayer


class CrossbarSGD(torch.optim.Optimizer):
    """SGD with momentum, v <- momentum v + (g + weight_decay w), delta = -lr v, for all parameters
    of `model`. Parameters in digital memory get delta added. Cells (gradients="device") are asked
    for it: pulses, non-linearity and noise decide what becomes of it. Where the arrays form the
    gradient themselves (update_rule stochastic, tiki-taka), they take the signals of the backward
    pass, without momentum or decay.

    Raises InvalidArgument for options out of range, and for momentum or weight decay together with
    arrays that form their gradient.
    """

    def __init__(
        self, model: nn.Module, lr: float, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        if not lr > 0:
            raise InvalidArgument(f"lr: expected a number > 0, got {lr}")
        if not 0 <= momentum < 1:
            raise InvalidArgument(f"momentum: expected 0 to 1, without 1, got {momentum}")
        if not weight_decay >= 0:
            raise InvalidArgument(f"weight_decay: expected a number >= 0, got {weight_decay}")
        self._on_cells = {
            id(layer.weight): layer
            for layer in model.modules()
            if isinstance(layer, CrossbarLayer) and layer.gradients == "device"
        }
        forming = [one.matrix_name for one in self._on_cells.values() if one.matrix.takes_signals]
        if forming and (momentum > 0 or weight_decay > 0):
            raise InvalidArgument(
                f"momentum, weight_decay: expected 0 for {forming[0]}, whose arrays form the "
                f"gradient; got {momentum} and {weight_decay}"
            )
        defaults = dict(lr=lr, momentum=momentum, weight_decay=weight_decay)
        super().__init__(model.parameters(), defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override,unused-ignore]
        """One update of every parameter that has a gradient (or signals)."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                layer = self._on_cells.get(id(parameter))
                if layer is not None and layer.matrix.takes_signals:
                    layer.request_from_signals(group["lr"])
                    continue
                if parameter.grad is None:
                    continue
                delta = self._velocity(parameter, group) * -group["lr"]
                if layer is None:
                    parameter.add_(delta)
                else:
                    layer.request(delta)
        return loss

    def _velocity(self, parameter: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
        assert parameter.grad is not None
        wanted: torch.Tensor = parameter.grad.add(parameter, alpha=group["weight_decay"])
        if group["momentum"] == 0:
            return wanted
        state = self.state[parameter]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(parameter)
        velocity: torch.Tensor = state["velocity"]
        velocity.mul_(group["momentum"]).add_(wanted)
        return velocity
