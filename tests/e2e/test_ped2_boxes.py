"""Published boxes without scores on Ped2: the numbers of docs/converting-objects.md, where the data are at hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vadbench.cli import main
from vadbench.datasets import open_dataset
from vadbench.evaluation.evaluate import evaluate

SHARED = (Path(__file__).parents[2] / ".." / "shared" / "data").resolve()
PED2 = SHARED / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2"
BOXES = SHARED / "ucsd_ped2_boxes" / "vec_vad_ped2_test.csv"
PAGE = (Path(__file__).parents[2] / "docs" / "converting-objects.md").read_text(encoding="utf-8")
METRICS = ("rbdc", "tbdc", "frame_auroc_micro", "frame_auroc_macro")
NUMBER = r"(\d+\.\d\d)"

pytestmark = pytest.mark.skipif(
    not (PED2.is_dir() and BOXES.is_file()), reason="no copy of Ped2 and its boxes in shared/data"
)


PROTOCOLS = re.findall(rf"^\| `([a-z0-9].*?)` \| {NUMBER} \| {NUMBER} \| {NUMBER} \| {NUMBER} \|$", PAGE, re.MULTILINE)
INPUTS = re.findall(rf"^\| (.*?) \| {NUMBER} {NUMBER} \| {NUMBER} {NUMBER} \|$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def score():
    dataset = open_dataset("ucsd-ped2", PED2)
    return lambda path, protocol, metrics=METRICS: evaluate(path, dataset, protocol, metrics).scores


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    path = tmp_path_factory.mktemp("metadata") / "method.toml"
    path.write_text(PAGE[PAGE.index("[method]") : PAGE.index("EOF\n```", PAGE.index("[method]"))], encoding="utf-8")
    return path


def converted(out, metadata, *options, source=BOXES):
    known = ["--from", "aed", "--constant-score", "1.0", "--dataset", "ucsd-ped2", "--metadata", str(metadata)]
    assert main(["convert", str(source), *known, "--out", str(out), *options]) == 0
    return out


@pytest.fixture(scope="module")
def boxes(tmp_path_factory, metadata):
    return converted(tmp_path_factory.mktemp("boxes") / "boxes", metadata)


@pytest.fixture(scope="module")
def scores(boxes, score):
    return {protocol: score(boxes, protocol) for protocol, *_ in PROTOCOLS}


def cents(scores, keys=METRICS):
    return [f"{100 * scores[key].value:.2f}" for key in keys]


def test_the_table_of_protocols_is_what_is_measured(scores):
    assert len(PROTOCOLS) == 8
    for protocol, *stated in PROTOCOLS:
        assert cents(scores[protocol]) == stated, protocol


def test_the_explanation_holds(scores):
    grouped, sequential = scores["standard"], scores["aed-2021"]
    stated = re.search(r"(\d+ \d+) of the (\d+ \d+) boxes meet no", PAGE)
    n_false, n_boxes = (int(number.replace(" ", "")) for number in stated.groups())
    assert n_boxes == len(BOXES.read_text().splitlines()) - 1
    per_frame = n_false / 2010
    assert f"{per_frame:.2f} false positives a frame" in PAGE
    found = sequential["rbdc"].order_bounds[1]
    assert f"{100 * found:.2f} % of the regions" in PAGE
    # One straight line from the origin, read up to 1 false positive a frame.
    assert grouped["rbdc"].value == pytest.approx(found / per_frame / 2, rel=1e-12)
    assert grouped["tbdc"].value == pytest.approx(1 / per_frame / 2, rel=1e-12)
    for key, words in (("rbdc", "0.00 to 99.54"), ("tbdc", "0.00 to 100.00")):
        assert " to ".join(f"{100 * bound:.2f}" for bound in sequential[key].order_bounds) == words
        assert words in PAGE


def test_the_table_of_inputs_is_what_is_measured(scores, score, metadata, tmp_path, capsys):
    header, *rows = BOXES.read_text().splitlines()
    (tmp_path / "reversed.csv").write_text("\n".join([header, *rows[::-1]]) + "\n")
    inclusive = ("--corners", "inclusive", "--clip-to-frame")
    inputs = {
        "rows of the file": converted(tmp_path / "a", metadata, source=tmp_path / "reversed.csv"),
        "`--corners inclusive": converted(tmp_path / "b", metadata, *inclusive),
    }
    assert "1 038 boxes" in capsys.readouterr().out
    objects, both = METRICS[:2], ("standard", "aed-2021")
    measured = {"as above": [scores[protocol] for protocol in both]}
    measured |= {begin: [score(path, protocol, objects) for protocol in both] for begin, path in inputs.items()}
    assert len(INPUTS) == len(measured)
    for (name, *stated), (begin, found) in zip(INPUTS, measured.items(), strict=True):
        assert name.startswith(begin)
        assert [*cents(found[0], objects), *cents(found[1], objects)] == stated, name
