"""A small version of the simulation, and that its page holds what it must."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import simulate
from false_positives import SITUATIONS, rejections, scene_rejections
from interval_coverage import INDEPENDENT, SCENES, draw, hits, true_values
from population import METRICS, made_population

from vadbench.comparison.plain_words import MEASURED_OF_TWELVE

PAIRS = 2000


@pytest.mark.parametrize("n_clips", simulate.N_CLIPS)
def test_the_sign_flip_test_is_wrong_as_often_as_it_says(n_clips: int) -> None:
    """Under no difference, in 3 to 7 % of 2 000 pairs; fewer flips than usual give a p that is as valid."""
    found = rejections(n_clips, "no difference", pairs=PAIRS, seed=0, flips=999)
    assert 0.03 <= found / PAIRS <= 0.07


def test_clips_of_one_scene_break_the_test_and_flipping_scenes_mends_it() -> None:
    assert rejections(107, "scenes alike", pairs=300, seed=0, flips=999) / 300 > 0.2
    assert scene_rejections(pairs=800, seed=0) / 800 <= 0.08


def test_intervals_hold_the_truth_about_as_often_as_measured() -> None:
    population = made_population(0, 300, scene_share=0.0)
    found = hits(population, INDEPENDENT[0], seed=0, experiments=range(60), resamples=200)
    shares = np.array(list(found.values())) / 60
    assert shares.size == 2 * len(METRICS)
    assert shares.min() >= 0.7
    assert 0.8 <= shares.mean() <= 0.99


def test_intervals_over_scenes_hold_more_than_those_over_clips() -> None:
    population = made_population(0, 300, scene_share=0.6)
    found = hits(population, SCENES, seed=0, experiments=range(40), resamples=100)
    means = {unit: np.mean([n for key, n in found.items() if key[2] == unit]) / 40 for unit in ("clips", "scenes")}
    assert means["clips"] + 0.1 < means["scenes"]


def test_the_truth_is_the_score_of_the_whole_population() -> None:
    population = made_population(0, 60, scene_share=0.0)
    first, second = true_values(population)
    assert list(first) == list(METRICS)
    assert first["frame_auroc_macro"] == pytest.approx(population.methods[0].clip_values.mean())
    assert all(first[key] > second[key] for key in METRICS)
    clips, ids = draw(np.random.default_rng(0), population, SCENES)
    assert len(ids) == clips.size == len(set(ids))


def test_the_page_is_rewritten_between_its_markers_alone(tmp_path: Path) -> None:
    page = tmp_path / "statistics.md"
    page.write_text(f"before\n{simulate.BEGIN}\nOLD NUMBERS\n{simulate.END}\nafter\n")
    small = [
        "--pairs",
        "20",
        "--experiments",
        "2",
        "--resamples",
        "20",
        "--flips",
        "99",
        "--processes",
        "1",
        "--scenes",
        "40",
    ]
    assert simulate.main([*small, "--page", str(page)]) == 0
    text = page.read_text()
    assert text.startswith(f"before\n{simulate.BEGIN}\n")
    assert text.endswith(f"{simulate.END}\nafter\n")
    assert "OLD" not in text
    assert all(title in text for title in (*simulate.TITLES.values(), *SITUATIONS))


def measured(table: str) -> dict[str, list[float]]:
    """Numbers of each row of the page's table under a heading."""
    text = simulate.PAGE.read_text(encoding="utf-8").split(table)[1].split("\n\n")[1]
    rows = (line.strip("|").split("|") for line in text.splitlines()[2:])
    return {row[0].strip(): [float(cell.split("±")[0]) for cell in row[1:] if cell.strip()] for row in rows}


def test_the_page_shows_what_was_measured() -> None:
    """As the words of a comparison say it; a full run must not let them drift apart."""
    tests = measured("**How often the sign-flip test")
    assert all(3 <= share <= 7 for share in tests[f"no difference: {SITUATIONS['no difference']}"])
    independent = measured("**How often a nominal 95 %")
    scenes = measured("**The same with 12 scenes")
    assert len(independent) == len(scenes) == len(METRICS)
    of_twelve = [row[index] for row in independent.values() for index in (0, 2)]
    of_twelve += [row[index] for row in scenes.values() for index in (1, 3)]
    assert (int(min(of_twelve)), int(np.ceil(max(of_twelve)))) == MEASURED_OF_TWELVE
    page = simulate.PAGE.read_text(encoding="utf-8")
    assert re.search(r"seed 0, 2000 simulated pairs .*20000 random\nflips .*1000 resamples", page)
