"""Rows on other clips than the rest, and rows with scenes: what a ranking says of them."""

from __future__ import annotations

import numpy as np
from made_methods import made_rankings, made_row

from leaderboard.site.method_data import pairs_with_values
from vadbench.comparison import Unit, replicates


def test_rows_on_other_clips_have_no_ranks_and_pair_up_with_nothing() -> None:
    rows = [made_row(seed, n_clips=n) for seed, n in ((0, 8), (1, 8), (2, 6))]
    [ranking] = made_rankings(rows)
    ranks = {own.row.method: own.estimates["pixel_ap"].ranks for own in ranking.rows}
    assert ranks["method-2"] is None
    assert ranks["method-0"] is not None
    # Intervals of its own it has: they need no other row.
    assert all(own.estimates["pixel_ap"].clips is not None for own in ranking.rows)
    assert any("6 of the 8 clips" in remark for remark in ranking.remarks)
    assert pairs_with_values([row.report for row in rows], ["pixel_ap"]) == {"pixel_ap": 1}


def test_values_in_resamples_of_scenes_come_with_a_row() -> None:
    row = made_row(0, "shanghaitech", n_clips=24)
    statistics = row.statistics
    assert statistics is not None
    [ranking] = made_rankings([row])
    [ranked] = ranking.rows
    expected = replicates(row.report, statistics, unit=Unit.SCENES)["pixel_ap"]
    np.testing.assert_array_equal(ranked.estimates["pixel_ap"].scene_replicates, expected)
