import sys

import numpy as np
import pytest


@pytest.fixture
def random(request):
    """Draws of the test's own; the seed is in what pytest prints of a failure."""
    seed = sum(map(ord, request.node.name))
    print(f"seed {seed}", file=sys.stderr)
    return np.random.default_rng(seed)


@pytest.fixture
def array(random):
    def make(m, n, on_ohm=20e3):
        return random.uniform(0.1, 1, (m, n)) / on_ohm

    return make
