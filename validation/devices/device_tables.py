"""Studies of this folder as a section of docs/results.md: tables and plots."""

from folders import percent

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"]


def accuracy(study, value):
    """"97.20 (0.10)", or what failed."""
    text = percent(study.mean(value, "in-situ"))
    spread = study.spread(value, "in-situ")
    if spread is not None:
        text += f" ({percent(spread)})"
    failed = len(study.failures(value, "in-situ"))
    return f"{text} {failed} failed".strip() if failed else text or "-"


def grid(study):
    """Devices and rules in the order of the study; texts by both."""
    pairs = [value.split("/") for value in study.values]
    devices = list(dict.fromkeys(device for device, _ in pairs))
    rules = list(dict.fromkeys(rule for _, rule in pairs))
    return devices, rules


def plot(study, path):
    """A line a device, a dot a rule, at the mean accuracy; a bar of a standard deviation each way."""
    devices, rules = grid(study)
    left, right, top, step = 150, 640, 58, 30
    height = top + step * len(devices) + 34
    place = lambda share: left + (right - left) * share  # noqa: E731
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="680" height="{height}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="680" height="{height}" fill="white"/>',
             f'<text x="10" y="18" font-size="14">{study.model}: test accuracy by device and update '
             'rule, %</text>']
    for k, rule in enumerate(rules):
        x, y = 12 + 95 * k, 38
        lines.append(f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{COLOURS[k % 7]}"/>'
                     f'<text x="{x + 7}" y="{y}" font-size="11">{rule}</text>')
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        x = place(share)
        lines.append(f'<line x1="{x}" x2="{x}" y1="{top}" y2="{height - 30}" stroke="#ddd"/>'
                     f'<text x="{x}" y="{height - 14}" text-anchor="middle">{100 * share:g}</text>')
    for row, device in enumerate(devices):
        middle = top + step * row + step / 2
        lines.append(f'<text x="{left - 8}" y="{middle + 4}" text-anchor="end">{device}</text>')
        for k, rule in enumerate(rules):
            value = f"{device}/{rule}"
            mean = study.mean(value, "in-situ")
            if mean is None:
                continue
            y = middle + 3 * (k - (len(rules) - 1) / 2)
            spread = study.spread(value, "in-situ") or 0
            first, last = place(max(mean - spread, 0)), place(min(mean + spread, 1))
            lines.append(f'<line x1="{first:.1f}" x2="{last:.1f}" y1="{y}" y2="{y}" '
                         f'stroke="{COLOURS[k % 7]}" stroke-width="2"/>'
                         f'<circle cx="{place(mean):.1f}" cy="{y}" r="4" fill="{COLOURS[k % 7]}"/>')
    path.write_text("\n".join([*lines, "</svg>"]) + "\n", encoding="utf-8")


def table(header, lines):
    rows = [header, ["---"] * len(header), *lines]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def rules_text(study, out):
    devices, rules = grid(study)
    picture = out.with_name(f"devices-{study.model}.svg")
    plot(study, picture)
    found = [[device, *(accuracy(study, f"{device}/{rule}") for rule in rules)]
             for device in devices]
    return (table(["device", *rules], found) + f"\n![{study.model}]({picture.name})\n" +
            trends(study, devices, rules))


def best(study, device, rules):
    found = [mean for rule in rules
             if (mean := study.mean(f"{device}/{rule}", "in-situ")) is not None]
    return max(found) if found else None


def trends(study, devices, rules):
    """What is published, held to the numbers."""
    plain = [rule for rule in ("outer-product", "stochastic") if rule in rules]
    kept = [rule for rule in ("tiki-taka", "tiki-taka-v2", "mixed-precision") if rule in rules]
    text = ""
    for device in ("reram-sb", "reram-es"):
        before, after = best(study, device, plain), best(study, device, kept)
        if device not in devices or before is None or after is None:
            continue
        verdict = "reproduced" if after > before + 0.02 else "not reproduced"
        text += (f"- Steps that differ up and down spoil plain training, and Tiki-Taka or a digital "
                 f"accumulator repairs it [Gokmen2020, LeGallo2018]; {device}: {percent(before)} % "
                 f"plain, {percent(after)} % repaired: **{verdict}**.\n")
    first, last = best(study, "neurosim-training", plain), best(study, "ag-a-si", plain)
    if first is not None and last is not None:
        verdict = ("reproduced" if first > last + 0.01 else
                   "not reproduced" if first < last - 0.01 else "no difference beyond the spread")
        text += (f"- A device with labels 1.75/1.46 and little noise trains better than Ag:a-Si with "
                 f"2.4/4.88 and 3.5 % noise [Peng2021]: {percent(first)} % against "
                 f"{percent(last)} %: **{verdict}**.\n")
    return "\n" + text if text else ""


def values_text(study):
    return table([study.title, "accuracy, % (spread)"],
                 [[value, accuracy(study, value)] for value in study.values])


def device_text(studies, out):
    text = ("\n## Training by pulses\n\nPresets of `xbar info --devices` (docs/devices.md) on wired "
            "arrays, trained in-situ; means over the seeds, in brackets their\nstandard deviation; by "
            "the exact circuit. Flags of the rules: `validation/devices/devices.py`.\n")
    for study in studies:
        run = study.first_run()
        images = run["results"]["train_images"] if run else "?"
        ideal = [mean for value in study.values
                 if (mean := study.mean(value, "ideal")) is not None]
        text += (f"\n### {study.name}: {study.model}, seeds {', '.join(study.seeds)}\n\n{images} "
                 f"training images, epochs {study.settings['epochs']}, batch "
                 f"{study.settings['batch']}. Ideal arithmetic, with momentum: "
                 f"{percent(ideal[0]) if ideal else '-'} %.\n\n")
        text += rules_text(study, out) if "/" in study.title else values_text(study)
    return text
