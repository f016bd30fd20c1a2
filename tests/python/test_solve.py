import itertools
import signal
import threading
import time
import tracemalloc

import circuit
import numpy as np
import pytest

import xbar

WIRES = dict(source_ohm=100.0, sink_ohm=50.0, wordline_ohm=3.0, bitline_ohm=2.0)
# The published bound of the exact methods, relative to the largest current.
EXACT = 1e-10


def of_circuit(wires):
    return {name.removesuffix("_ohm"): ohm for name, ohm in wires.items()}


def off(found, expected):
    return np.max(np.abs(found - expected)) / np.max(np.abs(expected))


@pytest.mark.parametrize("method", ["line", "direct"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (5, 8), (13, 4)])
def test_currents_and_nodes_are_scipys(array, random, method, shape):
    g = array(*shape)
    v = random.uniform(-0.3, 0.3, shape[0])
    expected, volt = circuit.currents(g, v, **of_circuit(WIRES))
    found = xbar.solve(g, v, method=method, node_voltages=True, branch_currents=True, **WIRES)
    assert found.current.shape == (shape[1],)
    assert off(found.current, expected) <= EXACT
    for name, matrix in (("u", found.wordline_voltage), ("w", found.bitline_voltage)):
        nodes = [[volt((name, i, j)) for j in range(shape[1])] for i in range(shape[0])]
        assert np.max(np.abs(matrix - nodes)) <= EXACT * 0.3
    cells = g * (found.wordline_voltage - found.bitline_voltage)
    np.testing.assert_allclose(found.cell_current, cells, rtol=1e-6, atol=1e-15)
    # What flows in at the left comes out at the bottom.
    assert abs(found.wordline_current[:, 0].sum() - found.current.sum()) <= 1e-9 * np.abs(
        found.wordline_current
    ).max()


@pytest.mark.parametrize("zeros", list(itertools.product([0, 1], repeat=4)))
def test_zero_resistances_merge_nodes(array, random, zeros):
    g = array(4, 5)
    g[1, 2] = 0
    v = random.uniform(0, 0.3, 4)
    wires = {name: ohm * z for (name, ohm), z in zip(WIRES.items(), zeros)}
    expected, _ = circuit.currents(g, v, **of_circuit(wires))
    assert off(xbar.solve(g, v, **wires).current, expected) <= EXACT
    assert off(xbar.effective(g, **wires), circuit.effective(g, **of_circuit(wires))) <= 1e-9


@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
def test_effective_in_both_directions(array, shape):
    g = array(*shape)
    forward = circuit.effective(g, **of_circuit(WIRES))
    assert off(xbar.effective(g, **WIRES), forward) <= 1e-9
    kept = xbar.effective(g, direction="backward", **WIRES)
    assert off(kept, forward.T) <= 1e-9
    # Driver and sense amplifier change places: read from the bitlines' sense ends, the array is
    # one of bitlines as wordlines, counted from those ends.
    turned = np.ascontiguousarray(g[::-1, ::-1].T)
    swapped = circuit.effective(
        turned, source=100.0, sink=50.0, wordline=2.0, bitline=3.0
    )[::-1, ::-1]
    found = xbar.effective(g, direction="backward", terminals="swap", **WIRES)
    assert off(found, swapped) <= 1e-9
    assert off(found, forward.T) > 1e-4


def test_several_inputs_ends_and_each_segment(array, random):
    g = array(3, 4)
    v = random.uniform(0, 1, (3, 5))
    one_by_one = np.array([xbar.solve(g, column, **WIRES).current for column in v.T]).T
    np.testing.assert_allclose(xbar.solve(g, v, **WIRES).current, one_by_one, rtol=1e-11)
    each = dict(WIRES, wordline_ohm=np.full((3, 3), 3.0), bitline_ohm=np.full(4, 2.0),
                source_ohm=np.full(3, 100.0), sink_ohm=np.full(4, 50.0))
    np.testing.assert_allclose(xbar.solve(g, v, **each).current, one_by_one, rtol=1e-11)
    # Driven at both ends, turned round, it is the same.
    both = xbar.solve(g, v, drive="both", **WIRES).current
    turned = xbar.solve(g[:, ::-1], v, drive="both", **WIRES).current[::-1]
    np.testing.assert_allclose(both, turned, rtol=1e-11)
    assert np.all(both > one_by_one)


def test_whole_numbers_are_resistances_too(array):
    g = array(3, 4)
    found = xbar.effective(g, source_ohm=100, sink_ohm=50, wordline_ohm=3, bitline_ohm=2)
    np.testing.assert_array_equal(found, xbar.effective(g, **WIRES))


def test_non_linear_cells(array):
    g = array(3, 3)
    v = np.array([0.5, 0.4, 0.3])
    # Without wires I = sum of G sinh(a v) / a, worked out by hand.
    expected = (g * np.sinh(2 * v)[:, None] / 2).sum(0)
    cells = dict(cell="sinh", cell_parameters={"sinh_alpha": 2.0})
    np.testing.assert_allclose(xbar.solve(g, v, **cells).current, expected, rtol=1e-11)
    line, klu = (xbar.solve(g, v, method=m, **cells, **WIRES) for m in ("line", "direct"))
    assert (line.method, klu.method) == ("line", "klu")
    np.testing.assert_allclose(line.current, klu.current, rtol=1e-9)


def test_netlist_has_every_element(array):
    text = xbar.spice_netlist(array(2, 3), [0.1, 0.2], **WIRES)
    assert sum(line.lower().startswith("rw_") for line in text.splitlines()) == 2 * 2
    assert sum(line.lower().startswith("rb_") for line in text.splitlines()) == 1 * 3


def copied(call):
    """Bytes that NumPy allocated on top of what it hands back."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = call()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    del result
    return peak


def test_arrays_are_not_copied_on_the_way_in(array):
    g = array(300, 300)
    v = np.ones(300)
    assert copied(lambda: xbar.effective(g, model="ideal")) < g.nbytes / 10
    assert copied(lambda: xbar.solve(g, v)) < g.nbytes / 10
    # Another layout is converted, by NumPy, once.
    fortran = np.asfortranarray(g)
    assert g.nbytes <= copied(lambda: xbar.solve(fortran, v)) < 1.2 * g.nbytes


def test_results_are_handed_over(array):
    g = array(8, 8)
    solution = xbar.solve(g, np.ones(8), node_voltages=True, **WIRES)
    for name in ("current", "wordline_voltage"):
        first, second = getattr(solution, name), getattr(solution, name)
        assert first.ctypes.data == second.ctypes.data and not first.flags.owndata
    kept = solution.current
    expected = kept.copy()
    del solution
    np.testing.assert_array_equal(kept, expected)


def test_errors_are_pythons_too(array, tmp_path):
    g = array(2, 2)
    with pytest.raises(ValueError, match="conductance"):
        xbar.solve(-g, [1, 1])
    with pytest.raises(xbar.InvalidArgument, match="voltage"):
        xbar.solve(g, [1, 1, 1])
    with pytest.raises(ValueError, match="conductance: expected an array of 2 axes, got 1"):
        xbar.solve([1, 2], [1, 1])
    with pytest.raises(ValueError, match="conductance: expected an array of numbers"):
        xbar.solve("no array", [1, 1])
    with pytest.raises(ValueError, match="source_ohm"):
        xbar.solve(g, [1, 1], source_ohm=-1.0)
    with pytest.raises(ValueError, match="did you mean"):
        xbar.effective(g, model="ladde")
    with pytest.raises(ValueError, match="wordline_ohm: expected one number"):
        xbar.effective(g, model="ladder", wordline_ohm=[1.0, 1.0])
    with pytest.raises(OSError, match="nothing"):
        xbar.Weights.read(str(tmp_path / "nothing"))
    assert issubclass(xbar.IoError, OSError) and issubclass(xbar.IoError, xbar.Error)
    assert issubclass(xbar.NumericalError, ArithmeticError)
    assert issubclass(xbar.NumericalError, xbar.Error)


def test_a_numerical_failure_is_a_numerical_error():
    # A selector whose exponential overflows at a megavolt: Newton has nowhere to go.
    with pytest.raises(xbar.NumericalError):
        xbar.solve([[1e-4]], [1e9], source_ohm=1.0, cell="sinh", cell_parameters={"sinh_alpha": 5})


def test_other_threads_run_meanwhile(array):
    g = array(600, 600)
    done = threading.Event()
    counts = []

    def work():
        xbar.effective(g, **WIRES)
        done.set()

    worker = threading.Thread(target=work)
    begin = time.perf_counter()
    worker.start()
    count = 0
    while not done.is_set():
        count += 1
        time.sleep(0.001)
    worker.join()
    counts.append(count)
    elapsed = time.perf_counter() - begin
    # With the lock held this loop would go round once or twice.
    assert count >= 5, f"{counts} in {elapsed} s"


@pytest.mark.parametrize(
    ("size", "call"),
    [
        (2500, lambda g: xbar.effective(g, **WIRES)),
        (700, lambda g: xbar.solve(g, np.ones((700, 400)), **WIRES)),
        (1000, lambda g: xbar.solve(g, np.ones((1000, 32)), cell="sinh",
                                    cell_parameters={"sinh_alpha": 2}, **WIRES)),
    ],
)
def test_ctrl_c_ends_long_calls(array, size, call):
    g = array(size, size)
    press = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    begin = time.perf_counter()
    press.start()
    with pytest.raises(KeyboardInterrupt):
        call(g)
    # To its end each takes 20 s and more.
    assert time.perf_counter() - begin < 8
