"""Networks of PyTorch put on crossbar arrays."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch import nn

from .. import InvalidArgument, Technology
from .layers import CrossbarConv2d, CrossbarLinear


def convert(
    model: nn.Module,
    config: Technology | None = None,
    *,
    gradients: str = "adjoint",
    keep: Collection[str] = (),
    **options: Any,
) -> nn.Module:
    """Swaps every nn.Linear and nn.Conv2d of `model` for a crossbar layer with the same weights.

    config      of the arrays; default: Technology()
    gradients   adjoint, straight-through or device, see CrossbarLayer
    keep        names of layers (as in model.named_modules()) that stay digital
    options     as CrossbarMatrix; random streams are named after the layers

    Returns the model, changed in place, or the new layer if the model is one. Raises
    InvalidArgument, and changes nothing, for an unknown name in keep or a layer that does not fit.
    """
    modules = dict(model.named_modules())
    for name in keep:
        if name not in modules:
            raise InvalidArgument(f"keep: expected names of layers of the model, got '{name}'")
    made: dict[str, nn.Module] = {}
    for name, layer in modules.items():
        if name in keep or type(layer) not in (nn.Linear, nn.Conv2d):
            continue
        kind: Any = CrossbarLinear if isinstance(layer, nn.Linear) else CrossbarConv2d
        made[name] = kind.of(layer, config, gradients, name or "layer", **options)
        made[name].train(layer.training)
    if "" in made:
        return made[""]
    for name, layer in made.items():
        parent, _, child = name.rpartition(".")
        setattr(modules[parent], child, layer)
    return model
