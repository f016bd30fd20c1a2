"""What the commands of this folder train with."""

# Arrays as in the other studies; the devices bring their own resistances.
TECHNOLOGY = {"tile-rows": "64", "tile-columns": "64", "source-ohm": "500", "sink-ohm": "100",
              "wordline-ohm": "2.5", "bitline-ohm": "2.5"}

# Flags of each rule, the same for all devices. Cells hold weights of up to three times the bound of
# the initialisation: a wider range makes every pulse, and what it does by chance, larger.
COMMON = {"momentum": "0", "headroom": "3"}
TRANSFER = {"learning-rate": "0.5", "zero-shift": "true", "transfer-rate": "0.05",
            "transfer-columns": "40"}
RULES = {
    "outer-product": {},
    "program-verify": {"verify-rounds": "5"},
    "stochastic": {"learning-rate": "0.1"},
    "sign": {"sign-threshold": "0.1"},
    "mixed-precision": {},
    "tiki-taka": TRANSFER,
    "tiki-taka-v2": TRANSFER,
}


def pulses(value):
    """Flags of DEVICE/RULE."""
    device, rule = value.split("/")
    return {"device": device, "update-rule": rule} | COMMON | RULES[rule]
