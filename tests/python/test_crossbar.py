import numpy as np
import pytest

import xbar

WIRED = dict(tile_rows=16, tile_columns=16, on_ohm=20e3)


def test_ideal_wires_give_the_weight_itself(random):
    w = random.normal(size=(10, 20)).astype(np.float32)
    ideal = xbar.Technology(source_ohm=0, sink_ohm=0, wordline_ohm=0, bitline_ohm=0)
    matrix = xbar.CrossbarMatrix(w, ideal)
    np.testing.assert_allclose(matrix.forward_weight, w, atol=1e-5 * np.abs(w).max())
    x = random.normal(size=(3, 20)).astype(np.float32)
    # Single precision: 20 products of order 1.
    np.testing.assert_allclose(matrix.forward(x), x @ w.T, atol=2e-5)
    np.testing.assert_allclose(matrix.backward(x[:, :10]), x[:, :10] @ w, atol=2e-5)
    assert matrix.forward(x[0]).shape == (10,)


def test_effective_weights_are_those_of_the_tiles(random):
    w = random.normal(size=(12, 16)).astype(np.float32)
    technology = xbar.Technology(**WIRED)
    matrix = xbar.CrossbarMatrix(w, technology, surrogate="exact")
    wires = {name: getattr(technology, name) for name in
             ("source_ohm", "sink_ohm", "wordline_ohm", "bitline_ohm")}
    plus, minus = (xbar.effective(matrix.tile_conductance(plane, 0), **wires) for plane in (0, 1))
    width = technology.g_max_siemens - technology.g_min_siemens
    expected = matrix.weight_range / width * (plus - minus).T[:12]
    np.testing.assert_allclose(matrix.forward_weight, expected, atol=1e-5 * np.abs(w).max())
    assert np.abs(matrix.forward_weight - w).max() > 0.01


def test_matrices_are_views(random):
    matrix = xbar.CrossbarMatrix(random.normal(size=(8, 8)), xbar.Technology(**WIRED))
    first, second = matrix.forward_weight, matrix.forward_weight
    assert first.ctypes.data == second.ctypes.data
    assert not first.flags.writeable
    before = first.copy()
    version = matrix.version
    matrix.update(np.full((8, 8), 0.1))
    assert matrix.version != version
    assert np.abs(second - before).max() > 0.01
    del matrix
    assert np.isfinite(first).all()


def test_swapped_terminals_read_backward_by_another_matrix(random):
    w = random.normal(size=(16, 16)).astype(np.float32)
    swap = xbar.CrossbarMatrix(w, xbar.Technology(terminals="swap", **WIRED))
    keep = xbar.CrossbarMatrix(w, xbar.Technology(**WIRED))
    np.testing.assert_array_equal(keep.forward_weight, keep.backward_weight)
    assert np.abs(swap.forward_weight - swap.backward_weight).max() > 1e-4


def test_converters_quantise(random):
    w = random.normal(size=(8, 16)).astype(np.float32)
    x = random.uniform(0, 1, (40, 16)).astype(np.float32)
    exact = xbar.CrossbarMatrix(w, xbar.Technology(**WIRED)).forward(x)
    errors = []
    for bits in (4, 8):
        matrix = xbar.CrossbarMatrix(w, xbar.Technology(input_bits=bits, adc_bits=bits, **WIRED))
        assert matrix.has_converters
        errors.append(np.abs(matrix.forward(x) - exact).max() / np.abs(exact).max())
    # A step of 4 bits is a seventh of the range, of 8 bits a 127th: 18 times less, spread aside.
    assert 0.01 < errors[0] < 0.5 and errors[1] < errors[0] / 6


def test_state_goes_on_bit_for_bit(random):
    w = random.normal(size=(8, 12)).astype(np.float32)
    noisy = xbar.Technology(write_noise=0.02, read_noise=0.01, device_variation=0.1, **WIRED)
    one, other = (xbar.CrossbarMatrix(v, noisy, weight_range=4.0) for v in (w, np.zeros_like(w)))
    delta = random.normal(size=w.shape) * 0.1
    one.update(delta)
    other.load_state(*one.state())
    for matrix in (one, other):
        matrix.update(delta)
    np.testing.assert_array_equal(one.weight, other.weight)
    x = random.normal(size=(2, 12))
    np.testing.assert_array_equal(one.forward(x), other.forward(x))


def test_pulses_of_a_device(random):
    device = xbar.PulseDevice(xbar.device_names()[0])
    again = xbar.PulseDevice.parse(device.to_toml())
    assert again.parameters == device.parameters
    technology = xbar.Technology(device=device, source_ohm=0, sink_ohm=0, wordline_ohm=0,
                                 bitline_ohm=0)
    assert technology.g_max_siemens == pytest.approx(device.g_max_siemens)
    matrix = xbar.CrossbarMatrix(np.zeros((4, 4)), technology, weight_range=1.0)
    matrix.update(np.full((4, 4), 0.3))
    assert matrix.pulses["up"] > 0
    assert matrix.weight.mean() > 0.05
    with pytest.raises(ValueError, match="update_from_signals"):
        matrix.update_from_signals(np.ones((1, 4)), np.ones((1, 4)), 0.1)


def test_pulsed_cells_climb():
    device = xbar.PulseDevice(xbar.device_names()[0])
    low = np.full((3, 5), device.g_min_siemens)
    cells = xbar.PulsedCells(device, low)
    before = cells.conductance
    ups = np.zeros((3, 5), np.float32)
    ups[1] = 20
    cells.pulse(ups, np.zeros_like(ups))
    assert np.all(cells.conductance[[0, 2]] == before[[0, 2]])
    assert cells.conductance[1].mean() > before[1].mean()
    with pytest.raises(ValueError, match="down"):
        cells.pulse(ups, -ups)


def test_update_model_follows_its_formula():
    x, d, nu = np.float32([0.2, 0.5]), np.float32([0.1, -0.1]), 3.0
    w0 = 1 / (1 - np.exp(-nu))
    expected = [0.2 + (w0 - 0.2) * (1 - np.exp(-nu * 0.1)),
                0.5 + (1 - w0 - 0.5) * (1 - np.exp(-nu * 0.1))]
    found = xbar.apply_update(x, d, update="asymmetric", nonlinearity=nu)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (dict(on_ohms=1.0), "on_ohm"),
        (dict(layout="diferential"), "diferential"),
        (dict(tile_rows=0), "tile"),
        (dict(on_ohm="much"), "on_ohm: expected float, got 'much'"),
        (dict(device="no such device"), "no such device"),
    ],
)
def test_technologies_refuse(keywords, message):
    with pytest.raises((ValueError, OSError), match=message):
        xbar.Technology(**keywords)


def test_matrices_refuse():
    with pytest.raises(ValueError, match="x: expected 3 values"):
        xbar.CrossbarMatrix(np.ones((2, 3))).forward(np.ones(2))
    with pytest.raises(ValueError, match="delta: expected 2 x 3"):
        xbar.CrossbarMatrix(np.ones((2, 3))).update(np.ones((3, 2)))
    with pytest.raises(ValueError, match="keywords"):
        xbar.CrossbarMatrix(np.ones((2, 3)), refreshes=1)
