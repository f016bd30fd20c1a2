"""Circuit-accurate simulation of resistive crossbars for neural networks (docs/python.md)."""

import os as _os

# Threads that wait sleep instead of spinning (docs/adr/0005-waiting-threads.md). OpenMP reads this
# when it is loaded: it has no effect where another package has loaded it before.
_os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from . import _xbar
from ._xbar import *  # noqa: F401,F403

__version__: str = getattr(_xbar, "__version__")  # which the stub leaves out
__all__ = [name for name in dir(_xbar) if not name.startswith("_")]
