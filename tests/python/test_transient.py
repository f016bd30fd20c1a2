import signal
import threading
import time
import os

import circuit
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import xbar

WIRES = dict(source_ohm=200.0, sink_ohm=100.0, wordline_ohm=20.0, bitline_ohm=10.0)


def test_currents_over_time_are_scipys(array):
    g = array(2, 3)
    v = np.array([0.2, 0.1])
    farad, rise, stop, steps = 1e-15, 2e-13, 2e-12, 20
    k, right, nodes, fixed, free, _ = circuit.system(g, 200.0, 100.0, 20.0, 10.0)
    k = k.toarray()
    terminal = np.concatenate([v, np.zeros(3)])

    def slope(t, x):
        return (right @ terminal * min(t / rise, 1) - k @ x) / farad

    times = np.linspace(0, stop, steps + 1)
    # In two parts: the corner of the ramp is no place for an integrator to step over.
    x0 = np.zeros(len(free))
    first = solve_ivp(slope, (0, rise), x0, method="Radau", rtol=1e-9, atol=1e-13,
                      t_eval=times[times <= rise])
    second = solve_ivp(slope, (rise, stop), first.y[:, -1], method="Radau", rtol=1e-9,
                       atol=1e-13, t_eval=times[times > rise])
    x = np.concatenate([first.y, second.y], axis=1)
    expected = np.array([x[free[nodes.find(("w", 1, j))]] / 100.0 for j in range(3)]).T
    found = xbar.transient(g, v, node_farad=farad, rise_second=rise, stop_second=stop,
                           steps=steps, **WIRES)
    np.testing.assert_allclose(found.time, times, rtol=1e-12)
    # design: 1e-5 of the peak
    assert np.max(np.abs(found.current - expected)) <= 1e-5 * np.max(expected)
    assert found.energy_imbalance <= 1e-5


def long_call(array, **keywords):
    return xbar.transient(array(64, 64), np.full(64, 0.2), node_farad=1e-15, stop_second=1e-6,
                          steps=10, waveform="pulse:high=1,width=1e-10,period=2e-10,count=5000",
                          **WIRES, **keywords)


def test_ctrl_c_stops_a_long_call(array):
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        long_call(array)
    assert time.perf_counter() - begin < 20


def test_progress_is_told_and_may_stop(array):
    seen = []

    class Enough(Exception):
        pass

    def progress(now):
        seen.append(now)
        if len(seen) == 3:
            raise Enough

    with pytest.raises(Enough):
        long_call(array, progress=progress)
    assert set(seen[-1]) == {"phase", "done", "total", "note"}
    assert 0 <= seen[0]["done"] <= seen[-1]["done"] <= seen[-1]["total"]


def test_programs_a_small_array(array):
    targets = np.array([[1e-3, 3e-3], [5e-3, 8e-3]])
    found = xbar.program(targets, "vteam", tolerance=0.05, source_ohm=1.0, wordline_ohm=0.5)
    assert found.reached == 4
    assert np.all(np.abs(found.conductance / targets - 1) <= 0.05 * 1.0001)
    with pytest.raises(ValueError, match="pulses: expected pulse_second"):
        xbar.program(targets, "vteam", pulses={"volts": 1.0})
