"""``vadbench plot`` as a person sees it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from made_statistics import made_statistics

from vadbench import Report
from vadbench.cli import main
from vadbench.cli.plot import PlotKind, _parser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of three methods with statistics, and one without; two methods have one name."""
    place = tmp_path_factory.mktemp("reports")
    for seed, (file, name) in enumerate([("a", "Alpha"), ("b", "Same $x$"), ("c", "Same $x$"), ("bare", "Bare")]):
        report, statistics = made_statistics(seed, dataset="shanghaitech", n_clips=6, name=name)
        report.write(place / f"{file}.report.json")
        if file != "bare":
            statistics.write(place / f"{file}.statistics.json")
    return place


@pytest.fixture
def calls(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(folder)

    def call(text: str, expect: int = 0) -> str:
        arguments = [word.replace("OUT", str(tmp_path)) for word in shlex.split(text)]
        assert main(["plot", *arguments]) == expect
        out, err = capsys.readouterr()
        if expect:
            assert out == ""
            assert list(tmp_path.iterdir()) == []
            assert err.startswith("error[")
            return err
        assert err == ""
        return out

    return call


BEGINNINGS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("curves a.report.json b.report.json --curves roc,rbdc", ["Alpha", "Same $x$", "false positives per frame"]),
        ("clips a.report.json --metrics pixel_ap,rbdc", ["Pixel-AP", "RBDC", "01_0001"]),
        ("timeline a.report.json mine=b.report.json --clip CLIP", ["mine", "frame (0-based)", "truth: anomalous"]),
        ("bars a.report.json b.report.json c.report.json", ["Same $x$ (b)", "Same $x$ (c)", "score (per cent)"]),
        (
            "sensitivity 1=a.report.json 1.5=b.report.json --parameter 'threshold (px)' --chosen 1.5",
            ["threshold (px)", "1.0", "chosen: 1.5"],
        ),
        (
            "intervals a.report.json b.report.json --metrics pixel_ap,rbdc --resamples 200 --seed 4",
            ["rank", "clips resampled", "seed 4", "one camera"],
        ),
    ],
    ids=list(PlotKind),
)
def test_every_kind(text, words, calls, tmp_path, folder):
    clip = Report.read(folder / "a.report.json").clips[0].id
    printed = calls(f"{text.replace('CLIP', clip)} --out OUT/new/picture.svg")
    assert printed == f"picture  {tmp_path}/new/picture.svg\n"
    drawn = (tmp_path / "new" / "picture.svg").read_text(encoding="utf-8")
    for word in words:
        assert word.replace("01_0001", clip) in drawn


def test_several_formats_at_once_and_again(calls, tmp_path):
    outs = " ".join(f"--out OUT/picture.{suffix}" for suffix in BEGINNINGS)
    text = f"bars a.report.json --metrics rbdc {outs}"
    assert len(calls(text).splitlines()) == 3
    first = {suffix: (tmp_path / f"picture.{suffix}").read_bytes() for suffix in BEGINNINGS}
    for suffix, beginning in BEGINNINGS.items():
        assert first[suffix].startswith(beginning)
    calls(text)
    assert first == {suffix: (tmp_path / f"picture.{suffix}").read_bytes() for suffix in BEGINNINGS}
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("curve a.report.json --out OUT/a.png", "U284", 'did you mean "curves"'),
        ("curves a.report.json --out OUT/a.gif", "U154", ".svg"),
        ("curves a.report.json --out OUT/a.png --curves roc,cor", "U150", "roc"),
        ("curves a.report.json --out OUT/a.png --metrics rbdc", "U285", "clips"),
        ("curves a.report.json --out OUT/a.png --title x", "U285", ""),
        ("bars a.report.json --out OUT/a.png --clip 01", "U285", "timeline"),
        ("bars a.report.json --out OUT/a.png --metrics auc", "U120", ""),
        ("bars gone.report.json --out OUT/a.png", "U141", "gone.report.json"),
        ("bars a.report.json x=b.report.json x=c.report.json --out OUT/a.png", "U286", "NAME=REPORT"),
        ("timeline a.report.json --out OUT/a.png", "U285", "--clip"),
        ("timeline a.report.json --clip none --out OUT/a.png", "U110", ""),
        ("timeline bare.report.json --clip 01 --out OUT/a.png", "U287", "--statistics"),
        ("intervals a.report.json bare.report.json --out OUT/a.png", "U287", "bare.statistics.json"),
        ("sensitivity a.report.json --out OUT/a.png", "U286", "VALUE=REPORT"),
        ("sensitivity 1=a.report.json 1.0=b.report.json --out OUT/a.png", "U286", ""),
        ("sensitivity 1=a.report.json --chosen 2 --out OUT/a.png", "U161", ""),
        ("curves a.report.json", "U100", "--out"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(text, code, hint, calls):
    error = calls(text, expect=2)
    assert error.startswith(f"error[{code}]")
    assert hint in error


def test_a_file_that_is_no_report(calls, folder):
    (folder / "no.report.json").write_text("{}")
    assert calls("curves no.report.json --out OUT/a.png", expect=1).startswith("error[D360]")
    (folder / "no.report.json").write_bytes((folder / "a.report.json").read_bytes())
    (folder / "no.statistics.json").write_text("{}")
    assert calls("timeline no.report.json --clip 01 --out OUT/a.png", expect=1).startswith("error[D373]")
    (folder / "no.statistics.json").write_bytes((folder / "b.statistics.json").read_bytes())
    assert "U28" in calls("timeline no.report.json --clip 01 --out OUT/a.png", expect=2)


def test_the_help_has_an_example_of_a_kind_that_exists(capsys):
    with pytest.raises(SystemExit):
        main(["plot", "--help"])
    text = capsys.readouterr().out
    assert "Example:" in text
    command = text[text.index("vadbench plot curves") :].replace("\\\n", " ")
    options = _parser().parse_args(shlex.split(command)[2:])
    assert options.kind in list(PlotKind)
    assert max(map(len, text.splitlines())) <= 80


def test_the_help_fits_60_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit):
        main(["plot", "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_a_file_that_is_no_plot_is_replaced_only_where_it_is_said(suffix, calls, tmp_path, capsys):
    place = tmp_path / f"mine.{suffix}"
    place.write_bytes(b"a drawing of my own")
    assert main(["plot", "bars", "a.report.json", "--metrics", "rbdc", "--out", str(place)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error[U296]")
    assert "--overwrite" in error
    assert place.read_bytes() == b"a drawing of my own"
    calls(f"bars a.report.json --metrics rbdc --out OUT/mine.{suffix} --overwrite")
    assert place.read_bytes().startswith(BEGINNINGS[suffix])
    # Now it is one of ours, of a kind and in a size that do not matter.
    calls(f"curves a.report.json --curves roc --out OUT/mine.{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [place.name]


def test_long_names_are_names(calls, tmp_path):
    calls(f"bars {'x' * 5_000}=a.report.json --metrics rbdc --out OUT/a.svg")
    assert "xxx…xxx" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    (tmp_path / "a.svg").unlink()
    error = calls(f"bars {'x' * 5_000}=a.report.json {'x' * 5_000}=b.report.json --out OUT/a.svg", expect=2)
    assert error.startswith("error[U286]")
    assert len(error) < 1_000


def test_entries_and_folders_are_taken_as_tables_take_them(calls, folder, tmp_path, tmp_path_factory):
    entries = tmp_path_factory.mktemp("entries")
    for name in ("b", "c"):
        place = entries / name / "shanghaitech"
        place.mkdir(parents=True)
        (place / "report.json").write_bytes((folder / f"{name}.report.json").read_bytes())
        (place / "statistics.json").write_bytes((folder / f"{name}.statistics.json").read_bytes())
    clip = Report.read(folder / "b.report.json").clips[0].id
    calls(f"timeline {entries} mine={folder / 'a.report.json'} --clip {clip} --out OUT/a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(word in drawn for word in ("Same $x$ (b)", "Same $x$ (c)", "mine"))
    calls(f"bars {folder} x={entries}/b/shanghaitech --metrics rbdc --out OUT/b.svg")
    assert "Bare" in (tmp_path / "b.svg").read_text(encoding="utf-8")
    (entries / "empty").mkdir()
    (tmp_path / "a.svg").unlink()
    (tmp_path / "b.svg").unlink()
    assert calls(f"bars {entries}/empty --out OUT/a.svg", expect=2).startswith("error[U275]")


def test_the_commands_of_the_page_can_be_called():
    from vadbench.cli import overlay

    page = (Path(__file__).parents[2] / "docs" / "pictures.md").read_text(encoding="utf-8")
    parsers = {"plot": _parser(), "overlay": overlay._parser()}
    lines = [
        shlex.split(line) for line in page.splitlines() if line.startswith(("vadbench plot ", "vadbench overlay "))
    ]
    kinds = [parsers[words[1]].parse_args(words[2:]) for words in lines]
    assert {options.kind for options in kinds if "kind" in options} == set(PlotKind)
    assert len(kinds) == 10
