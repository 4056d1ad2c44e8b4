"""Settings of the property tests: the same inputs on every run and machine."""

from hypothesis import settings

settings.register_profile("vadbench", derandomize=True, deadline=None, max_examples=50, database=None)
settings.load_profile("vadbench")
