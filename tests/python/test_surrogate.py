import numpy as np
import pytest

import xbar

WIRES = dict(source_ohm=100.0, sink_ohm=50.0, wordline_ohm=1.0, bitline_ohm=1.0)
NAMES = [model["name"] for model in xbar.surrogate_models()]


@pytest.mark.parametrize("name", NAMES)
def test_members_agree_with_effective(array, name):
    tiles = np.stack([array(12, 9), array(12, 9)])
    model = xbar.Surrogate(name, **WIRES)
    assert model.model == name
    model.refresh(tiles)
    found = model.effective(tiles)
    for k in range(2):
        np.testing.assert_allclose(found[k], xbar.effective(tiles[k], model=name, **WIRES),
                                   rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_differences(array, random, name):
    g = array(5, 4)
    cotangent = random.normal(size=g.shape)
    direction = random.normal(size=g.shape) * 1e-5
    model = xbar.Surrogate(name, **WIRES)
    model.refresh(g)
    step = 1e-4
    numeric = np.sum(cotangent * (model.effective(g + step * direction)
                                  - model.effective(g - step * direction))) / (2 * step)
    # Central differences of double precision: about 1e-8 of the gradient here.
    assert np.sum(model.gradient(g, cotangent) * direction) == pytest.approx(numeric, rel=1e-5)


def test_results_are_written_in_place(array):
    g = array(6, 6)
    out = np.empty_like(g)
    model = xbar.Surrogate("ladder", **WIRES)
    returned = model.effective(g, out=out)
    assert returned.ctypes.data == out.ctypes.data
    np.testing.assert_array_equal(out, model.effective(g))
    with pytest.raises(ValueError, match="out"):
        model.effective(g, out=np.empty((5, 6)))


def test_measuring_members_want_a_refresh(array):
    measuring = [model["name"] for model in xbar.surrogate_models() if model["measures"]]
    assert "cell-ratio" in measuring
    for name in measuring:
        with pytest.raises(ValueError, match="refresh"):
            xbar.Surrogate(name, **WIRES).effective(array(4, 4))
    with pytest.raises(ValueError, match="conductance"):
        xbar.Surrogate("ideal").effective([[-1.0]])
