"""Measure the test and the intervals by simulation, and write what comes out into docs/statistics.md.

    make simulate

Between the two markers the page is this program's; the rest is left as it is.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path

from false_positives import LEVEL, SITUATIONS, rejections, scene_rejections
from interval_coverage import INDEPENDENT, SCENES, Hits, Setting, hits
from population import METRICS, SCENE_SIZES, Population, made_population

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
BEGIN, END = "<!-- simulated: begin, written by `make simulate` -->", "<!-- simulated: end -->"

N_CLIPS = (12, sum(SCENE_SIZES))
SCENE_SHARE = 0.4
TITLES = {
    "pixel_auroc": "Pixel-AUROC",
    "pixel_ap": "Pixel-AP",
    "pixel_f1": "Pixel-F1",
    "rbdc": "RBDC",
    "frame_auroc_macro": "Frame-AUROC (macro)",
}


@cache
def population(seed: int, n_scenes: int, scene_share: float) -> Population:
    return made_population(seed, n_scenes, scene_share=scene_share)


def covered(setting: Setting, seed: int, n_scenes: int, experiments: range, resamples: int) -> tuple[Setting, Hits]:
    """Work of one process."""
    own = population(seed, n_scenes, SCENE_SHARE if setting.n_scenes else 0.0)
    return setting, hits(own, setting, seed=seed, experiments=experiments, resamples=resamples)


def rejected(n_clips: int, situation: str, pairs: int, seed: int, flips: int) -> tuple[int, str, int, int | None]:
    """Work of one process."""
    wanted = situation == "scenes alike" and n_clips == N_CLIPS[1]
    by_scene = scene_rejections(pairs=pairs, seed=seed) if wanted else None
    return n_clips, situation, rejections(n_clips, situation, pairs=pairs, seed=seed, flips=flips), by_scene


def spans(total: int, length: int) -> Iterator[range]:
    for start in range(0, total, length):
        yield range(start, min(total, start + length))


def rate(count: int, total: int) -> str:
    """Per cent with the half-width of its own 95 % interval."""
    share = count / total
    return f"{100 * share:.1f} ± {196 * math.sqrt(share * (1 - share) / total):.1f}"


def page_part(options: argparse.Namespace, false: dict[tuple[int, str], int], by_scene: int, cover: dict) -> list[str]:
    pairs, experiments = options.pairs, options.experiments
    lines = [
        f"`make simulate` wrote this part: seed {options.seed}, {pairs} simulated pairs of methods for the test "
        f"({options.flips} random",
        f"flips at 107 clips), {experiments} data sets for each interval ({options.resamples} resamples). "
        "± is the 95 % error of the simulation itself.",
        "",
        f"**How often the sign-flip test finds a difference at {100 * LEVEL:g} % where the true means are equal**, "
        "in per cent:",
        "",
        "| situation | 12 clips | 107 clips |",
        "| --- | ---: | ---: |",
    ]
    for situation, title in SITUATIONS.items():
        cells = " | ".join(rate(false[n, situation], pairs) for n in N_CLIPS)
        lines.append(f"| {situation}: {title} | {cells} |")
    lines += [
        f"| the same, with one sign for all clips of a scene (12 scenes) | | {rate(by_scene, pairs)} |",
        "",
        "**How often a nominal 95 % interval holds the true value**, clips independent, in per cent:",
        "",
        "| metric | score, 12 clips | score, 107 clips | difference, 12 clips | difference, 107 clips |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for key in METRICS:
        cells = [
            rate(cover[setting][key, kind, "clips"], experiments)
            for kind in ("score", "difference")
            for setting in INDEPENDENT
        ]
        lines.append(f"| {TITLES[key]} | {' | '.join(cells)} |")
    lines += [
        "",
        f"**The same with 12 scenes whose clips are alike** ({100 * SCENE_SHARE:g} % of the variance is the scene's; "
        "about 107 clips), in per cent:",
        "",
        "| metric | score, over clips | score, over scenes | difference, over clips | difference, over scenes |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for key in METRICS:
        cells = [
            rate(cover[SCENES][key, kind, unit], experiments)
            for kind in ("score", "difference")
            for unit in ("clips", "scenes")
        ]
        lines.append(f"| {TITLES[key]} | {' | '.join(cells)} |")
    return lines


def replaced(page: str, lines: list[str]) -> str:
    """The page with the part between the markers replaced."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return "\n".join([before + BEGIN, "", *lines, "", END + after])


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the test and the intervals by simulation.")
    parser.add_argument("--pairs", type=int, default=2000, help="simulated pairs of methods (2000)")
    parser.add_argument("--experiments", type=int, default=2000, help="data sets for each interval (2000)")
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap (1000)")
    parser.add_argument("--flips", type=int, default=20_000, help="random flips (20000)")
    parser.add_argument(
        "--scenes", type=int, default=4000, help="scenes of the population, some nine clips each (4000)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--page", type=Path, default=PAGE, help="page to be rewritten (docs/statistics.md)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options, began = parsed(arguments), time.monotonic()
    false: dict[tuple[int, str], int] = {}
    cover: dict[Setting, Counter] = {setting: Counter() for setting in (*INDEPENDENT, SCENES)}
    by_scene = 0
    with ProcessPoolExecutor(options.processes) if options.processes > 1 else ThreadPoolExecutor(1) as pool:
        tests = [
            pool.submit(rejected, n, situation, options.pairs, options.seed, options.flips)
            for n in reversed(N_CLIPS)
            for situation in SITUATIONS
        ]
        jobs = [
            pool.submit(covered, setting, options.seed, options.scenes, span, options.resamples)
            for setting in (SCENES, *reversed(INDEPENDENT))
            for span in spans(options.experiments, 100)
        ]
        for done, job in enumerate(as_completed([*tests, *jobs]), start=1):
            if job in tests:
                n_clips, situation, count, scenes = job.result()
                false[n_clips, situation] = count
                by_scene = by_scene if scenes is None else scenes
            else:
                setting, found = job.result()
                cover[setting].update(found)
            seconds = time.monotonic() - began
            sys.stderr.write(f"{done} of {len(tests) + len(jobs)} parts, {seconds:.0f} s\n")
            sys.stderr.flush()
    lines = page_part(options, false, by_scene, cover)
    # What was measured is shown even where the page cannot take it.
    sys.stdout.write("\n".join([*lines, ""]))
    options.page.write_text(replaced(options.page.read_text(encoding="utf-8"), lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
