"""Paths of the oracle tests: the literal reference implementations lie beside the tests."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# The same inputs on every run and machine.
settings.register_profile("vadbench", derandomize=True, deadline=None, max_examples=120, database=None)
settings.load_profile("vadbench")
