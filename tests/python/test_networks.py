import numpy as np
import pytest

import xbar


@pytest.fixture(scope="module")
def small():
    glyphs = xbar.DataSet("glyphs", seed=1)
    return xbar.DataSet.of_arrays(
        glyphs.train_images[:1500], glyphs.train_labels[:1500],
        glyphs.test_images[:300], glyphs.test_labels[:300], 10,
    )


@pytest.fixture(scope="module")
def trained(small):
    return xbar.train("mlp", small, epochs=3, seed=1)


def test_trains_and_evaluates(small, trained, tmp_path):
    assert len(trained["history"]) == 3
    # Guessing gives 10 %.
    assert trained["accuracy"] > 0.5
    again = xbar.evaluate("mlp", trained["weights"], small)
    assert again["accuracy"] == trained["accuracy"]
    assert again["correct"].mean() == pytest.approx(again["accuracy"])
    path = str(tmp_path / "weights.safetensors")
    trained["weights"].write(path)
    assert xbar.evaluate("mlp", path, small)["loss"] == again["loss"]
    tensors = trained["weights"].tensors()
    assert tensors["fc1.weight"].shape == (256, 784)
    assert xbar.evaluate("mlp", tensors, small)["loss"] == again["loss"]


def test_wires_cost_accuracy_and_remapping_helps(small, trained):
    bad = xbar.Technology(on_ohm=5e3, wordline_ohm=5, bitline_ohm=5)
    result = xbar.remap("mlp", trained["weights"], small, technology=bad,
                        surrogate="sneak-ladder", strategy="optimal")
    as_is, remapped = result["as_is"], result["remapped"]
    assert as_is["loss"] > 1.02 * trained["loss"]
    assert remapped["loss"] < as_is["loss"]
    assert sorted(result["orders"]) == ["fc1", "fc2", "fc3"]
    order = result["orders"]["fc3"]["slot_of_output"]
    assert len(set(order)) == 10


def test_trains_in_situ(small, trained):
    wired = xbar.train("mlp", small, mode="in-situ", epochs=1, seed=1,
                       technology=xbar.Technology(on_ohm=100e3))
    assert wired["accuracy"] > 0.2
    assert set(wired["certificate"]) == {"fc1", "fc2", "fc3"}
    assert "weight_range/fc1" in wired["weights"].metadata
    found = xbar.evaluate("mlp", wired["weights"], small, technology=xbar.Technology(on_ohm=100e3))
    assert found["accuracy"] == pytest.approx(wired["accuracy"], abs=0.02)


def test_progress_of_training_may_stop(small):
    class Enough(Exception):
        pass

    def progress(now):
        if now["done"] > 100:
            raise Enough

    with pytest.raises(Enough):
        xbar.train("mlp", small, epochs=1000, progress=progress)


def test_data_sets_are_views(small):
    images = small.train_images
    assert images.shape == (1500, 1, 28, 28)
    assert images.ctypes.data == small.train_images.ctypes.data
    with pytest.raises(ValueError, match="labels from 0 to 9"):
        xbar.DataSet.of_arrays(images[:1], [10], images[:1], [0], 10)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (dict(mode="insitu"), "mode"),
        (dict(epoch=3), "epochs"),
        (dict(optimizer="sdg"), "sgd"),
        (dict(technology=xbar.Technology()), "technology"),
    ],
)
def test_training_refuses(small, keywords, message):
    with pytest.raises(ValueError, match=message):
        xbar.train("mlp", small, **keywords)


def test_unknown_models_are_refused(small):
    with pytest.raises(ValueError, match="mlp"):
        xbar.evaluate("mpl", {"fc1.weight": np.ones((1, 1))}, small)
