import signal
import threading
import time

import numpy as np
import pytest

import xbar


def test_pulses_of_a_known_cell():
    # dG = 0.05 (1 - x) up and 0.05 x down of a range from 1 to 11 uS, without noise.
    x, siemens, up = 0.0, [], []
    for direction in [True] * 60 + [False] * 60:
        x += 0.05 * (1 - x) if direction else -0.05 * x
        siemens.append(1e-6 + 10e-6 * x)
        up.append(direction)
    found = xbar.fit_pulses([siemens], [up], model=["soft-bounds"])
    best = found.models[found.best]
    assert best.name == "soft-bounds"
    assert best.curve_rms < 1e-3
    steps = found.device.parameters
    assert steps["up_step"] == pytest.approx(0.05, rel=0.05)
    assert found.device.g_max_siemens == pytest.approx(11e-6, rel=0.05)
    with pytest.raises(ValueError, match="did you mean|unknown|expected"):
        xbar.fit_pulses([siemens], [up], model=["soft-bound"])
    with pytest.raises(ValueError, match="up: expected"):
        xbar.fit_pulses([siemens], [up[:-1]])


def test_files_as_the_program_reads_them(tmp_path):
    with pytest.raises(OSError, match="nothing.csv"):
        xbar.fit_pulse_files([str(tmp_path / "nothing.csv")])


def test_sweep_of_a_sinh_cell():
    volt = np.concatenate([np.linspace(0, 1, 41), np.linspace(1, 0, 41)[1:]])
    found = xbar.fit_iv(volt, 1e-4 * np.sinh(2 * volt) / 2)
    sinh = next(model for model in found.models if model.name == "sinh")
    linear = next(model for model in found.models if model.name == "linear")
    assert sinh.rms < 1e-4 < linear.rms
    assert found.models[found.best].name != "linear"
    assert sinh.parameters[0].value == pytest.approx(2, rel=1e-3)
    assert sinh.branches[0].conductance.value == pytest.approx(1e-4, rel=1e-3)


def test_retention():
    second = np.geomspace(1, 1e4, 20)
    found = xbar.fit_retention(second, 3.0 * second**-0.05)
    assert found.exponent.value == pytest.approx(0.05, rel=1e-6)
    with pytest.raises(ValueError, match="rising"):
        xbar.fit_retention(second[::-1], second)


def test_ctrl_c_ends_a_fit():
    # Many noisy pulses and all models: half a minute and more.
    rng = np.random.default_rng(1)
    up = [True] * 2000 + [False] * 2000
    siemens = []
    for _ in range(8):
        x, curve = 0.05, []
        for direction in up:
            step = 0.004 * (1 - x) if direction else -0.004 * x
            x = float(np.clip(x + step * (1 + rng.standard_normal()), 0, 1))
            curve.append(1e-6 + 1e-5 * x)
        siemens.append(curve)
    press = threading.Timer(1, signal.raise_signal, [signal.SIGINT])
    begin = time.perf_counter()
    press.start()
    with pytest.raises(KeyboardInterrupt):
        xbar.fit_pulses(siemens, [up] * 8)
    assert time.perf_counter() - begin < 6
