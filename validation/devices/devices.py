"""What the commands of this folder train with."""

# Arrays as in the other studies; the devices bring their own resistances.
TECHNOLOGY = {"tile-rows": "64", "tile-columns": "64", "source-ohm": "500", "sink-ohm": "100",
              "wordline-ohm": "2.5", "bitline-ohm": "2.5"}

# Flags of each rule, the same for all devices.
RULES = {
    "outer-product": {"momentum": "0"},
    "program-verify": {"momentum": "0"},
    "stochastic": {"momentum": "0"},
    "sign": {"momentum": "0", "sign-threshold": "0.1"},
    "mixed-precision": {"momentum": "0"},
    "tiki-taka": {"momentum": "0", "zero-shift": "true"},
    "tiki-taka-v2": {"momentum": "0", "zero-shift": "true"},
}


def pulses(value):
    """Flags of DEVICE/RULE."""
    device, rule = value.split("/")
    return {"device": device, "update-rule": rule} | RULES[rule]
