"""``vadbench compare``: what a person sees, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_statistics import made_statistics

from vadbench.cli import main

Out = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three methods on Ped2 with their statistics beside."""
    folder = tmp_path_factory.mktemp("reports")
    paths = []
    for k, (name, quality) in enumerate({"good": 0.62, "better": 0.6, "weak": 0.2}.items()):
        report, statistics = made_statistics(k, quality=quality, name=f"{name.title()} [bold]")
        report.write(folder / f"{name}.report.json")
        statistics.write(folder / f"{name}.statistics.json")
        paths.append(str(folder / f"{name}.report.json"))
    return paths


def run(capsys: Out, *arguments: str) -> tuple[int, str, str]:
    code = main(["compare", "--resamples", "200", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_tables_and_words(capsys: Out, reports: list[str]) -> None:
    code, out, err = run(capsys, *reports)
    assert (code, err) == (0, "")
    assert "ucsd-ped2: 12 clips\n" in out
    assert "A  good · Good [bold]" in out
    for shown in ("Pixel-AUROC, per cent", "Frame-AUROC (macro), per cent", "ranks", "Holm", "A-B", "B-C", "1 to 2"):
        assert shown in out
    assert "200 resamples, seed 0" in out
    assert "2/4096 = 0.00049; after Holm over 3 pairs it is 0.0015" in " ".join(out.split())


def test_the_same_call_prints_the_same(capsys: Out, reports: list[str]) -> None:
    call = [*reports, "--metrics", "rbdc"]
    first = run(capsys, *call)
    assert first == run(capsys, *call)
    assert first[1] != run(capsys, *call, "--seed", "1")[1]


def test_metrics_baseline_and_confidence(capsys: Out, reports: list[str]) -> None:
    for given in ("weak", reports[2]):
        code, out, _ = run(
            capsys, *reports, "--metrics", "rbdc,tbdc", "--baseline", given, "--confidence", "0.9", "--seed", "5"
        )
        assert code == 0
        assert "C  weak · Weak [bold]  (baseline)" in out
        assert "A-C" in out
        assert "A-B" not in out
        assert "Pixel" not in out
        assert "90 %, clips" in out
        assert "seed 5" in out


def test_of_many_pairs_a_baseline_is_suggested(capsys: Out, tmp_path: Path, reports: list[str]) -> None:
    paths = []
    for k in range(6):
        report, statistics = made_statistics(k)
        paths.append(str(report.write(tmp_path / f"m{k}.report.json")))
        statistics.write(tmp_path / f"m{k}.statistics.json")
    call = [*paths, "--metrics", "rbdc"]
    assert "15 pairs in each metric; --baseline REPORT" in run(capsys, *call)[1]
    assert "--baseline" not in run(capsys, *call, "--baseline", "m0")[1]
    assert "--baseline" not in run(capsys, *reports, "--metrics", "rbdc")[1]


def test_too_few_resamples_print_no_interval(capsys: Out, reports: list[str]) -> None:
    code, out, _ = run(capsys, *reports, "--metrics", "rbdc", "--confidence", "0.999999")
    assert code == 0
    assert "95 %, clips" not in out
    assert "200 resamples are too few for intervals of 99.9999 %, which need 10000000" in " ".join(out.split())


def test_statistics_with_other_numbers_are_refused(capsys: Out, tmp_path: Path) -> None:
    report, statistics = made_statistics(0)
    flagged = statistics.declared.copy()
    flagged[:, 1] += 1000
    replace(statistics, declared=flagged).write(tmp_path / "m.statistics.json")
    code, _, err = run(capsys, str(report.write(tmp_path / "m.report.json")))
    assert (code, "error[U265]" in err, "pixel_f1_declared" in err) == (2, True, True)


def test_json(capsys: Out, reports: list[str]) -> None:
    code, out, _ = run(capsys, *reports, "--json", "--metrics", "pixel_ap")
    content = json.loads(out)
    assert code == 0
    assert content["methods"] == ["good", "better", "weak"]
    assert list(content["metrics"]) == ["pixel_ap"]
    assert len(content["metrics"]["pixel_ap"]["differences"]) == 3


def test_one_report_has_intervals_alone(capsys: Out, reports: list[str]) -> None:
    code, out, _ = run(capsys, reports[0])
    assert code == 0
    assert "95 %, clips" in out
    assert "pair" not in out
    assert "ranks" not in out


def test_everything_fits_sixty_columns(capsys: Out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for k in range(2):
        report, statistics = made_statistics(k, dataset="shanghaitech", n_clips=30, quality=0.1 + 0.8 * k)
        paths.append(str(report.write(tmp_path / f"m{k}.report.json")))
        statistics.write(tmp_path / f"m{k}.statistics.json")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    code, out, _ = run(capsys, *paths, "--metrics", "pixel_ap,pixel_f1,rbdc,frame_auroc_macro")
    assert code == 0
    assert "95 %, scenes" in out
    lines = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines() if not line.startswith("vadbench/1|")]
    assert max(map(len, lines)) <= 60
    assert "…" not in out


def test_a_report_without_statistics_says_how_to_make_them(capsys: Out, tmp_path: Path) -> None:
    report, _ = made_statistics(0, protocol="standard+pixel.fpr_limit=0.05")
    path = str(report.write(tmp_path / "demo" / "m.report.json"))
    code, out, err = run(capsys, path)
    assert (code, out) == (2, "")
    assert "error[U269]" in err
    command = f"vadbench score {tmp_path / 'demo' / 'm'} --protocol standard+pixel.fpr_limit=0.05 --statistics"
    assert command in err


def test_statistics_of_another_report_are_refused(capsys: Out, tmp_path: Path) -> None:
    report, _ = made_statistics(0)
    made_statistics(1)[1].write(tmp_path / "m.statistics.json")
    code, _, err = run(capsys, str(report.write(tmp_path / "m.report.json")))
    assert code == 2
    assert "error[U265]" in err


def test_other_data_sets_are_refused_in_words(capsys: Out, tmp_path: Path, reports: list[str]) -> None:
    report, statistics = made_statistics(0, dataset="avenue", n_clips=21)
    statistics.write(tmp_path / "m.statistics.json")
    code, out, err = run(capsys, reports[0], str(report.write(tmp_path / "m.report.json")))
    assert (code, out) == (2, "")
    assert "error[U267]" in err
    assert "different data sets" in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--baseline", "nobody"], "U268"),
        (["--seed", "-1"], "U260"),
        (["--resamples", "0"], "U260"),
        (["--confidence", "95"], "U260"),
        (["--metrics", "auroc"], "U120"),
        (["--resamples", "many"], "U100"),
    ],
)
def test_wrong_calls(capsys: Out, reports: list[str], arguments: list[str], code: str) -> None:
    exit_code, out, err = run(capsys, *reports, *arguments)
    assert (exit_code, out) == (2, "")
    assert f"error[{code}]" in err


def test_a_report_twice_is_refused(capsys: Out, reports: list[str]) -> None:
    code, _, err = run(capsys, reports[0], reports[0])
    assert (code, "error[U268]" in err) == (2, True)


def test_files_of_one_name_are_told_apart_by_their_folders(capsys: Out, tmp_path: Path) -> None:
    for name, beside in (("report.json", "statistics.json"), ("m.report.json", "m.statistics.json")):
        paths = []
        for k in range(2):
            report, statistics = made_statistics(k)
            paths.append(report.write(tmp_path / f"m{k}" / name))
            statistics.write(tmp_path / f"m{k}" / beside)
        code, out, _ = run(capsys, *map(str, paths), "--metrics", "rbdc")
        assert code == 0
        for letter, path in zip("AB", paths, strict=True):
            shown = path.parent if name == "report.json" else path
            assert f"{letter}  {shown} · Method" in out


def test_a_file_that_is_no_report(capsys: Out, tmp_path: Path) -> None:
    (tmp_path / "x.report.json").write_text("{}")
    code, _, err = run(capsys, str(tmp_path / "x.report.json"))
    assert (code, "error[D360]" in err) == (1, True)
    code, _, err = run(capsys, str(tmp_path / "absent.report.json"))
    assert (code, "error[U141]" in err) == (2, True)


def test_help(capsys: Out) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    out = capsys.readouterr().out
    assert "\n  vadbench compare demo/background.report.json demo/constant.report.json" in out
    assert "--statistics" in out
