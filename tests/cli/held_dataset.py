"""Run ``vadbench score`` on a data set that holds still at one clip: ``held_dataset.py FOLDER score ARGUMENTS…``.

The clip that the file ``FOLDER/hold`` names is held while that file is there. ``FOLDER/held`` appears when the clip is
reached, with the process that works on it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from vadbench import Truth
from vadbench.datasets.base import Dataset
from vadbench.datasets.registry import open_dataset


class HeldDataset(Dataset):
    """A data set whose truth of one clip is not given while it is held."""

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        self.id, self.root, self.track_source = dataset.id, dataset.root, dataset.track_source
        self.clips, self.training_clips = dataset.clips, dataset.training_clips
        self._dataset, self._folder = dataset, folder

    def truth(self, clip_id: str) -> Truth:
        hold = self._folder / "hold"
        while hold.exists() and hold.read_text() == clip_id:
            if not (self._folder / "held").exists():
                (self._folder / "holding").write_text(str(os.getpid()))
                (self._folder / "holding").rename(self._folder / "held")
            time.sleep(0.02)
        return self._dataset.truth(clip_id)


def main(folder: str, *arguments: str) -> int:
    import held_dataset

    import vadbench.cli.score
    from vadbench.cli import main as command

    def opened(*place: Any, **choices: Any) -> Dataset:
        # Of the module that workers import, not of this program.
        return held_dataset.HeldDataset(open_dataset(*place, **choices), Path(folder))

    vadbench.cli.score.open_dataset = opened
    # A program that is started in the background ignores interruptions, and so do those that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return command(list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
