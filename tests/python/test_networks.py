import signal

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


def test_stopped_trainings_go_on_bit_for_bit(small, tmp_path):
    class Enough(Exception):
        pass

    keywords = dict(mode="in-situ", epochs=2, seed=3, technology=xbar.Technology(on_ohm=50e3))
    whole = xbar.train("mlp", small, **keywords)
    out = str(tmp_path / "run")
    images = []

    def progress(now):
        if now["phase"] == "train":
            images.append(now["done"])
        if now["done"] > 2000:
            raise Enough

    with pytest.raises(Enough):
        xbar.train("mlp", small, out=out, checkpoint_seconds=1e-6, progress=progress, **keywords)
    with pytest.raises(ValueError, match="holds a training already"):
        xbar.train("mlp", small, out=out, **keywords)
    first = len(images)
    again = xbar.train("mlp", small, out=out, resume=True,
                       progress=lambda now: images.append(now["done"]), **keywords)
    # Not from the beginning.
    assert images[first] > 1900
    for name, tensor in whole["weights"].tensors().items():
        assert np.array_equal(tensor, again["weights"].tensors()[name]), name
    kept = xbar.Weights.read(out + "/weights.safetensors").tensors()
    assert np.array_equal(kept["fc1.weight"], again["weights"].tensors()["fc1.weight"])
    lines = open(out + "/metrics.jsonl").read().splitlines()
    assert sum('"kind":"epoch"' in line for line in lines) == 2


def test_ctrl_c_saves_the_training(small, tmp_path):
    out = str(tmp_path / "run")

    def progress(now):
        if now["done"] > 1000:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        xbar.train("mlp", small, epochs=100, out=out, checkpoint_seconds=0, progress=progress)
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_batch_norm_is_fitted_to_the_arrays(small):
    images = np.zeros((600, 3, 32, 32), np.float32)
    images[:, :, 2:30, 2:30] = small.train_images[:600]
    coloured = xbar.DataSet.of_arrays(images[:500], small.train_labels[:500],
                                      images[500:], small.train_labels[500:600], 10)
    weights = xbar.train("resnet20", coloured, epochs=1, seed=1)["weights"]
    # Strong wires shrink what every layer gives.
    bad = xbar.Technology(on_ohm=5e3, wordline_ohm=5, bitline_ohm=5)
    fitted = xbar.train("resnet20", coloured, mode="batch-norm", weights=weights, technology=bad,
                        surrogate="sneak-ladder", epochs=0)
    assert set(fitted) >= {"deployed_accuracy", "statistics_accuracy", "certificate"}
    before, after = weights.tensors(), fitted["weights"].tensors()
    statistics = [name for name in before if name.endswith("running_mean")]
    assert any(not np.array_equal(before[name], after[name]) for name in statistics)
    assert np.allclose(before["conv1.weight"], after["conv1.weight"])
    with pytest.raises(ValueError, match="weights: expected with mode batch-norm"):
        xbar.train("resnet20", coloured, mode="batch-norm")


def test_remapping_beside_compensations_and_on_line(small, trained):
    bad = xbar.Technology(on_ohm=5e3, wordline_ohm=5, bitline_ohm=5, source_ohm=0, sink_ohm=0)
    result = xbar.remap("mlp", trained["weights"], small, technology=bad, tries=5,
                        surrogate="sneak-ladder", compensation=["gain"], later_stuck_off=0.05)
    plain, gain = result["as_is"]["loss"], result["as_is"]["gain"]["loss"]
    # A gain of each column takes away what the wires take from all of it.
    assert gain < plain
    assert "batch_norm" not in result["as_is"]
    changes = result["as_is"]["correct"].astype(int) - result["remapped"]["correct"].astype(int)
    assert (result["put_right"], result["spoilt"]) == ((changes < 0).sum(), (changes > 0).sum())
    later = result["later"]
    assert later["changed"]["loss"] > result["remapped"]["loss"]
    assert 0 <= later["rewritten"] <= 1
    with pytest.raises(ValueError, match="compensation: expected gain or batch-norm"):
        xbar.remap("mlp", trained["weights"], small, compensation=["gian"])
