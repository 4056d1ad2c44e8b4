"""Beginnings of the examples of ``--help`` that need data and a method: they work with the package alone."""

from __future__ import annotations

DATA_AND_METHOD = """\
vadbench data synthesize walkway --seed 7
  echo '[method]
  name = "Brightness as the score"
  authors = []
  year = 2026
  code = "https://example.org/brightness"
  [training]
  supervision = "zero-shot"
  data = []
  pretrained = []' > method.toml
"""
"""Makes a synthetic data set, and what ``--metadata`` needs."""

TRAINING_SCORES = """\
  vadbench convert walkway/Train --from images \\
    --part training --dataset synthetic --root walkway \\
    --metadata method.toml --out bright"""
"""Takes the brightness of the training frames for scores."""
