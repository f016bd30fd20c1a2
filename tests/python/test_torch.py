import io
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import xbar

torch = pytest.importorskip("torch")
nn = torch.nn

from xbar.torch import CrossbarConv2d, CrossbarLinear, CrossbarSGD, convert  # noqa: E402

IDEAL = xbar.Technology(source_ohm=0, sink_ohm=0, wordline_ohm=0, bitline_ohm=0)
WIRED = xbar.Technology(tile_rows=16, tile_columns=16, on_ohm=20e3)
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(1)


@pytest.mark.parametrize("geometry", [dict(), dict(stride=2, padding=1), dict(dilation=(1, 2))])
def test_ideal_wires_are_pytorchs_own_layers(geometry):
    digital = nn.Sequential(nn.Conv2d(2, 3, 3, **geometry), nn.Flatten(), nn.LazyLinear(4))
    x = torch.randn(5, 2, 9, 8)
    digital(x)
    expected_x, found_x = (x.clone().requires_grad_() for _ in range(2))
    expected = digital(expected_x)
    crossbar = convert(nn.Sequential(digital[0], digital[1], digital[2]), IDEAL)
    assert isinstance(crossbar[0], CrossbarConv2d) and isinstance(crossbar[2], CrossbarLinear)
    found = crossbar(found_x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    expected.square().sum().backward()
    found.square().sum().backward()
    torch.testing.assert_close(found_x.grad, expected_x.grad, rtol=1e-3, atol=1e-3)
    for one, other in zip(crossbar.parameters(), digital.parameters()):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-2)


def test_wires_act_forward_and_backward():
    layer = CrossbarLinear(16, 12, technology=WIRED, gradients="device")
    x = torch.randn(3, 16, requires_grad=True)
    y = layer(x)
    weight = layer.effective_weight()
    assert (weight - layer.weight).abs().max() > 1e-3
    torch.testing.assert_close(y, x @ weight.t() + layer.bias)
    dy = torch.randn_like(y)
    y.backward(dy)
    torch.testing.assert_close(x.grad, dy @ torch.tensor(layer.matrix.backward_weight))
    torch.testing.assert_close(layer.weight.grad, dy.t() @ x.detach())


def test_adjoint_is_the_derivative_of_what_is_computed():
    # The closed form measures nothing: its adjoint is the whole derivative.
    layer = CrossbarLinear(8, 6, bias=False, technology=WIRED, gradients="adjoint",
                           surrogate="closed-form", weight_range=1.0, refresh=1)
    x, c = torch.randn(4, 8), torch.randn(4, 6)
    (layer(x) * c).sum().backward()
    adjoint = layer.weight.grad.clone()
    direction = torch.where(layer.weight > 0, 1.0, -1.0) * torch.rand_like(layer.weight)
    losses = []
    step = 1e-2
    for sign in (1, -1):
        with torch.no_grad():
            layer.weight.add_(sign * step * direction)
            losses.append(float((layer(x) * c).sum()))
            layer.weight.sub_(sign * step * direction)
    numeric = (losses[0] - losses[1]) / (2 * step)
    # Single precision differences over a hundredth of the range.
    assert float((adjoint * direction).sum()) == pytest.approx(numeric, rel=0.02, abs=0.02)
    straight = CrossbarLinear.of(nn.Linear(8, 6, bias=False), WIRED, "straight-through")
    (straight(x) * c).sum().backward()
    torch.testing.assert_close(straight.weight.grad, c.t() @ x)


def test_any_optimizer_trains_digital_weights_through_arrays():
    layer = CrossbarLinear(8, 4, technology=WIRED, weight_range=2.0)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    x = torch.randn(64, 8)
    target = x @ torch.randn(8, 4) * 0.3
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (layer(x) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("rule", ["outer-product", "stochastic", "tiki-taka"])
def test_pulses_train_cells(rule):
    device = xbar.PulseDevice(xbar.device_names()[0])
    technology = xbar.Technology(device=device, source_ohm=1, sink_ohm=1, wordline_ohm=0.1,
                                 bitline_ohm=0.1)
    layer = CrossbarLinear(6, 3, technology=technology, gradients="device", weight_range=1.0,
                           update_rule=rule)
    optimizer = CrossbarSGD(layer, lr=0.1)
    x = torch.rand(32, 6)
    target = x @ torch.full((6, 3), 0.3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (layer(x) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert layer.matrix.pulses["up"] > 0
    np.testing.assert_allclose(layer.weight.detach().numpy(), layer.matrix.weight)
    assert losses[-1] < 0.5 * losses[0]


def test_sgd_is_pytorchs_for_digital_parameters():
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    other.load_state_dict(one.state_dict())
    options = dict(lr=0.1, momentum=0.9, weight_decay=0.01)
    optimizers = CrossbarSGD(one, **options), torch.optim.SGD(other.parameters(), **options)
    x = torch.randn(5, 3)
    for _ in range(3):
        for model, optimizer in zip((one, other), optimizers):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(one.weight, other.weight)


def test_state_dict_goes_round_with_the_cells():
    noisy = xbar.Technology(write_noise=0.05, device_variation=0.2, tile_rows=16, tile_columns=16)

    def make():
        torch.manual_seed(7)
        return convert(nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 4)), noisy,
                       gradients="device", weight_range=2.0)

    one, other = make(), make()
    one[0].request(torch.randn(8, 10) * 0.2)
    x = torch.randn(3, 10)
    assert not torch.equal(one(x), other(x))
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file))
    torch.testing.assert_close(one(x), other(x), rtol=0, atol=0)
    for model in (one, other):
        model[0].request(torch.full((8, 10), 0.1))
    torch.testing.assert_close(one(x), other(x), rtol=0, atol=0)


def test_arrays_that_changed_before_backward_are_refused():
    layer = CrossbarLinear(4, 3, technology=WIRED, gradients="device")
    loss = layer(torch.randn(2, 4)).sum()
    layer.request(torch.full((3, 4), 0.1))
    with pytest.raises(RuntimeError, match="before the optimiser's step"):
        loss.backward()


def test_converters_take_part():
    layer = CrossbarLinear(16, 8, technology=xbar.Technology(input_bits=4, adc_bits=6,
                                                             source_ohm=0, sink_ohm=0,
                                                             wordline_ohm=0, bitline_ohm=0))
    digital = nn.Linear(16, 8)
    with torch.no_grad():
        layer.weight.copy_(digital.weight), layer.bias.copy_(digital.bias)
    x = torch.rand(20, 16, requires_grad=True)
    off = (layer(x) - digital(x)).abs().max()
    assert 1e-4 < off < 0.3
    layer(x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_refusals_change_nothing():
    model = nn.Sequential(nn.Linear(4, 4), nn.Conv2d(4, 4, 3, groups=2))
    with pytest.raises(ValueError, match="groups"):
        convert(model)
    assert type(model[0]) is nn.Linear
    with pytest.raises(ValueError, match="keep"):
        convert(model, keep=["2"])
    kept = convert(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), keep=["0"])
    assert type(kept[0]) is nn.Linear and isinstance(kept[1], CrossbarLinear)
    with pytest.raises(ValueError, match="gradients"):
        CrossbarLinear(2, 2, gradients="adjoined")
    with pytest.raises(ValueError, match="lr"):
        CrossbarSGD(model, lr=0)


@pytest.mark.parametrize("order", ["import torch, xbar", "import xbar, torch"])
def test_lives_beside_pytorch_whoever_comes_first(order):
    work = (
        f"{order}; import numpy as np; a = torch.randn(200, 200); (a @ a).sum();"
        "torch.nn.Conv2d(3, 8, 3)(torch.randn(2, 3, 16, 16));"
        "m = xbar.CrossbarMatrix(np.ones((99, 99))); m.forward(np.ones((99, 99)));"
        "xbar.train('lenet5', 'glyphs', epochs=0); print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_example_learns():
    done = subprocess.run([sys.executable, ROOT / "examples/python/lenet5.py", "3000", "2"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("epoch 2:") and float(last.split()[2]) > 60
