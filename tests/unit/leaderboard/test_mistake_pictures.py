"""Pictures of mistakes: of the predictions that were scored, in the frames that the statistics name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_board import REPOSITORY, write_entry

from baselines.simple import BASELINES, write_submission
from leaderboard.build import make_board
from leaderboard.errors import LeaderboardError
from leaderboard.mistake_pictures import draw_mistakes
from vadbench import evaluate, open_dataset, synthesize
from vadbench.evaluation.statistics_pass import report_statistics


def test_mistakes_are_drawn_from_the_predictions_of_the_report(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    root = synthesize(tmp_path / "data", seed=3, test_clips=2, training_clips=1, frames=16, height=48, width=64)
    dataset = open_dataset("synthetic", root)
    place = write_submission(BASELINES["frame-difference"](), dataset, tmp_path / "predictions" / "mine" / "synthetic")
    report = evaluate(place, dataset)
    statistics = report_statistics(place, dataset, report)
    folder = write_entry(tmp_path / "submissions", "mine", report, statistics)
    shutil.copy(place / "submission.toml", folder / "submission.toml")
    shutil.copytree(REPOSITORY / "leaderboard" / "published", tmp_path / "leaderboard" / "published")
    board = make_board(tmp_path, workers=1)
    pictures = tmp_path / "pictures"
    assert draw_mistakes(board, tmp_path / "nowhere", {"synthetic": tmp_path / "data"}, pictures) == 0
    assert draw_mistakes(board, tmp_path / "predictions", {}, pictures) == 0
    assert draw_mistakes(board, tmp_path / "predictions", {"synthetic": tmp_path / "data"}, pictures) == 1
    drawn = sorted(path.name for path in (pictures / "mine" / "synthetic").iterdir())
    assert drawn
    assert all(name.endswith((", missed track.png", ", false positive.png")) for name in drawn)

    shutil.rmtree(place)
    write_submission(BASELINES["random"](), dataset, place)
    with pytest.raises(LeaderboardError, match="L125"):
        draw_mistakes(board, tmp_path / "predictions", {"synthetic": tmp_path / "data"}, pictures)
