"""Thresholds from training clips: equal to a sort of all scores, recorded, and never from the test set."""

import io
import json
import math
import shutil
import signal
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made_submissions import METHOD, TRAINING, instances, maps, write

from vadbench.datasets.base import Clip
from vadbench.errors import SubmissionError, UsageError
from vadbench.submission import Submission
from vadbench.submission.declared_threshold import (
    PROVENANCE_KEY,
    check_copy_target,
    declaration,
    is_declared_in,
    write_copy,
    write_in_place,
)
from vadbench.submission.packing import pack
from vadbench.submission.quantiles import parsed_quantile, threshold_at_quantile
from vadbench.submission.threshold import (
    ChosenThreshold,
    ScoresOf,
    check_declarable,
    check_training_submission,
    choose_threshold,
)

DTYPES = ("uint8", "uint16", "float32", "float64")
FRAMES, HEIGHT, WIDTH = 11, 5, 6


def by_sorting(scores, quantile):
    """The definition, word by word: the least score that at most a share 1 - Q of all reach; None if there is none."""
    ordered = np.sort(scores.ravel())
    for place, score in enumerate(ordered):
        if place and ordered[place - 1] == score:
            continue
        n_reaching = ordered.size - place
        if Fraction(n_reaching, ordered.size) <= 1 - quantile:
            return score.item(), n_reaching
    return None


def compare(scores, quantile, n_blocks=3):
    dtype = scores.dtype
    expected = by_sorting(scores, quantile)
    greatest = scores.max()
    largest = np.iinfo(dtype).max if dtype.kind == "u" else np.finfo(dtype).max
    if expected is None and greatest == largest:
        with pytest.raises(UsageError) as caught:
            threshold_at_quantile(lambda: np.array_split(scores, n_blocks), dtype, quantile)
        assert caught.value.code == "U206"
        return
    if expected is None:
        above = int(greatest) + 1 if dtype.kind == "u" else np.nextafter(greatest, dtype.type(np.inf)).item()
        expected = above, 0
    found = threshold_at_quantile(lambda: np.array_split(scores, n_blocks), dtype, quantile)
    assert (found.value, found.n_reaching, found.n_scores) == (*expected, scores.size)
    assert type(found.value) is (int if dtype.kind == "u" else float)
    assert np.count_nonzero(scores.astype(np.float64) >= found.value) == found.n_reaching


quantiles = st.one_of(
    st.sampled_from(["0.5", "0.9", "0.99", "0.999", "1", "1e-9"]), st.floats(1e-12, 1.0).map(repr)
).map(parsed_quantile)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data(), quantiles)
@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_to_a_sort_of_any_scores(dtype, data, quantile):
    kind = np.dtype(dtype)
    elements = (
        hnp.from_dtype(kind)
        if kind.kind == "u"
        else st.floats(allow_nan=False, allow_infinity=False, width=8 * kind.itemsize)
    )
    few = st.lists(elements, min_size=1, max_size=3).flatmap(st.sampled_from)
    scores = data.draw(hnp.arrays(kind, st.integers(1, 40), elements=st.one_of(elements, few)))
    compare(scores, quantile, n_blocks=data.draw(st.integers(1, 4)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spread", ["ties", "wide", "narrow"])
def test_equal_to_a_sort_of_many_scores(dtype, spread):
    rng = np.random.default_rng(3)
    drawn = {
        "ties": rng.integers(0, 4, (50, 20)),
        "wide": np.exp(rng.normal(0, 1.5, (50, 20))),
        "narrow": 100 + rng.random((50, 20)),
    }
    scores = drawn[spread].astype(dtype)
    if np.dtype(dtype).kind == "f" and spread != "ties":
        scores -= scores.mean()
    for text in ("0.001", "0.25", "0.5", "0.9", "0.95", "0.999", "0.9999", "1"):
        compare(scores, parsed_quantile(text))


def test_the_share_is_counted_exactly():
    """0.9 of ten scores: one may reach the threshold, though 1 - 0.9 is less than 0.1 in floating point."""
    scores = np.arange(10, dtype=np.uint8)
    found = threshold_at_quantile(lambda: [scores], scores.dtype, parsed_quantile("0.9"))
    assert (found.value, found.n_reaching, found.share) == (9, 1, 0.1)


def test_minus_zero_is_zero():
    scores = np.array([-0.0, 0.0, -1.0, 1.0], dtype=np.float32)
    found = threshold_at_quantile(lambda: [scores], scores.dtype, parsed_quantile("0.25"))
    assert (found.value, found.n_reaching) == (0.0, 3)
    assert math.copysign(1, found.value) == 1


def test_the_quantile_is_the_decimal_that_is_written(tmp_path):
    written = "0.99999999999999999999"
    assert parsed_quantile(written) == 1 - Fraction(1, 10**20)
    assert parsed_quantile("1e-400") == Fraction(1, 10**400)
    assert parsed_quantile(0.1) == parsed_quantile("+.1") == parsed_quantile("1E-1") == Fraction(1, 10)
    _, training = submissions(tmp_path)
    assert chosen_for(training, written).provenance()["quantile"] == written
    assert chosen_for(training, "0.25").provenance()["quantile"] == 0.25


def test_memory_is_not_a_multiple_of_a_block():
    scores = np.zeros(2**23, dtype=np.uint8)
    scores[-1] = 7
    tracemalloc.start()
    try:
        found = threshold_at_quantile(lambda: [scores], scores.dtype, Fraction(99, 100))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.value == 7
    assert peak < scores.nbytes


@pytest.mark.parametrize(
    "text",
    [
        "0.9_9",
        "٠.٩",
        " 0.9",
        "0." + "9" * 41,
        "1e-9999",
        ".",
        "0",
        "-0.5",
        "1.0001",
        "nan",
        "inf",
        "half",
        "",
        "1/2",
        "1e999",
    ],
)
def test_a_quantile_is_above_0_and_at_most_1(text):
    with pytest.raises(UsageError) as caught:
        parsed_quantile(text)
    assert caught.value.code == "U205"


def training_maps(dtype, seed):
    return maps((FRAMES, HEIGHT, WIDTH), dtype, seed)


def submissions(folder, dtype="uint16", **options):
    own = write(folder / "method", {"01": {"score_maps": training_maps(dtype, 9)}}, **options)
    clips = {f"{n:02}": {"score_maps": training_maps(dtype, n)} for n in range(1, 4)}
    return own, write(folder / "training", clips)


CLIPS = tuple(Clip(f"{n:02}", FRAMES, HEIGHT, WIDTH) for n in range(1, 4))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scores_of", ScoresOf)
def test_chosen_on_all_training_clips(tmp_path, dtype, scores_of):
    _, training = submissions(tmp_path, dtype)
    everything = np.concatenate([training_maps(dtype, n) for n in range(1, 4)])
    scores = everything if scores_of is ScoresOf.PIXELS else everything.max(axis=(1, 2))
    calls = []
    opened = Submission.open(training)
    chosen = choose_threshold(opened, Fraction(3, 4), scores_of, progress=lambda *told: calls.append(told))
    assert (chosen.reached.value, chosen.reached.n_reaching) == by_sorting(scores, Fraction(3, 4))
    assert chosen.training_fingerprint == opened.fingerprint
    assert (chosen.n_clips, chosen.n_frames, chosen.n_pixels) == (3, 33, everything.size)
    rounds = 1 if scores_of is ScoresOf.FRAME_MAXIMA else {"uint8": 1, "uint16": 1, "float32": 2, "float64": 4}[dtype]
    assert [told[:2] for told in calls] == [(n, 3 * rounds) for n in range(1, 3 * rounds + 1)]


def chosen_for(training, quantile="0.9"):
    return choose_threshold(Submission.open(training), parsed_quantile(quantile))


def test_declared_and_recorded_in_place(tmp_path):
    own, training = submissions(tmp_path, provenance={"seed": 7})
    before = Submission.open(own).fingerprint
    chosen = chosen_for(training)
    write_in_place(own, declaration(Submission.open(own), chosen))
    after = Submission.open(own)
    assert after.metadata.threshold == chosen.reached.value
    assert after.metadata.training.threshold_chosen_on == "training"
    assert after.fingerprint != before
    provenance = after.provenance()
    assert provenance["seed"] == 7
    assert provenance[PROVENANCE_KEY] == {
        "threshold": chosen.reached.value,
        "quantile": 0.9,
        "of": "pixels",
        "share_reached": chosen.reached.share,
        "training_submission": Submission.open(training).fingerprint,
        "training_clips": 3,
        "training_frames": 33,
        "training_pixels": 33 * HEIGHT * WIDTH,
    }
    assert sorted(path.name for path in own.iterdir()) == ["predictions.zarr", "provenance.json", "submission.toml"]


ODD_TEXTS = {
    "comments": (
        '# mine\nformat = "vadbench.submission/1"\ndataset = "folder" # there\npredictions = ["score_maps"]\n'
        '[method]  # table\nname = "M"\nauthors = []\nyear = 2026\ncode = "https://example.org/m"\n\n'
        '[training]\nsupervision = "one-class"\ndata = []\npretrained = []\nthreshold_chosen_on = "none"  # so far\n'
    ),
    "an old threshold": (
        'format = "vadbench.submission/1"\ndataset = "folder"\npredictions = ["score_maps"]\n'
        "[score_maps]\nlower = 0.0\nthreshold=12 # guessed\nupper = 1.0\n"
        '[method]\nname = "M"\nauthors = []\nyear = 2026\ncode = "https://example.org/m"\n'
        "[training]\nthreshold_chosen_on = 'test'\nsupervision = \"one-class\"\ndata = []\npretrained = []"
    ),
}
STRANGE_TEXTS = {
    "dotted keys": (
        'format = "vadbench.submission/1"\ndataset = "folder"\npredictions = ["score_maps"]\n'
        'method.name = "M"\nmethod.authors = []\nmethod.year = 2026\nmethod.code = "https://example.org/m"\n'
        'training = {supervision = "one-class", data = [], pretrained = [], threshold_chosen_on = "none"}\n'
    ),
    "a head in a string": (
        'format = "vadbench.submission/1"\ndataset = "folder"\npredictions = ["score_maps"]\n'
        '[method]\nname = "M"\nauthors = []\nyear = 2026\ncode = "https://example.org/m"\ndescription = """\n'
        '[training]\nthreshold_chosen_on = "none"\n"""\n'
        '[training]\nsupervision = "one-class"\ndata = []\npretrained = []\nthreshold_chosen_on = "none"\n'
    ),
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ODD_TEXTS)
def test_the_rest_of_the_text_stays(tmp_path, name, end):
    own, training = submissions(tmp_path)
    text = ODD_TEXTS[name].replace("\n", end)
    (own / "submission.toml").write_bytes(text.encode())
    declared = declaration(Submission.open(own), chosen_for(training))
    assert declared.keeps_text
    kept = declared.toml.decode().split(end)
    changed = [line for line in text.split(end) if line not in kept]
    assert all("threshold" in line for line in changed)
    assert len(changed) == (2 if "old" in name else 1)
    write_in_place(own, declared)
    assert Submission.open(own).metadata.threshold == chosen_for(training).reached.value


@pytest.mark.parametrize("name", STRANGE_TEXTS)
def test_a_text_that_cannot_be_changed_by_line_is_written_anew(tmp_path, name):
    own, training = submissions(tmp_path)
    (own / "submission.toml").write_text(STRANGE_TEXTS[name])
    before = Submission.open(own).metadata
    declared = declaration(Submission.open(own), chosen_for(training))
    assert not declared.keeps_text
    write_in_place(own, declared)
    after = Submission.open(own).metadata
    assert after.method == before.method
    assert after.threshold == chosen_for(training).reached.value


def test_a_copy_is_a_folder_or_a_zip_and_the_original_stays(tmp_path):
    own, training = submissions(tmp_path)
    packed = pack(own).path
    declared = {path: path.read_bytes() for path in (own / "submission.toml", packed)}
    chosen = chosen_for(training)
    for source in (own, packed):
        opened = Submission.open(source)
        for out in (tmp_path / f"copy-of-{source.name}.zip", tmp_path / f"copy-of-{source.stem}-{source.suffix[1:]}"):
            write_copy(opened, out, declaration(opened, chosen))
            copy = Submission.open(out)
            assert copy.metadata.threshold == chosen.reached.value
            assert copy.tree.is_archive == (out.suffix == ".zip")
            assert copy.content_lines("01") == opened.content_lines("01")
            with pytest.raises(UsageError) as caught:
                check_copy_target(opened, out)
            assert caught.value.code == "U202"
    with pytest.raises(UsageError) as caught:
        check_copy_target(Submission.open(own), own / "inside")
    assert caught.value.code == "U201"
    assert all(path.read_bytes() == content for path, content in declared.items())


def test_a_zip_needs_a_copy_and_an_old_threshold_a_word(tmp_path):
    own, _ = submissions(
        tmp_path, training=TRAINING | {"threshold_chosen_on": "validation"}, score_maps={"threshold": 5}
    )
    packed = Submission.open(pack(own).path)
    for submission, out, replace, code in (
        (packed, None, True, "U203"),
        (packed, tmp_path / "new", False, "U208"),
        (Submission.open(own), None, False, "U208"),
    ):
        with pytest.raises(UsageError) as caught:
            check_declarable(submission, out, replace=replace)
        assert caught.value.code == code
    check_declarable(packed, tmp_path / "new", replace=True)


def test_a_disk_that_is_full_leaves_the_old_files(tmp_path, monkeypatch):
    own, training = submissions(tmp_path, provenance={"seed": 7})
    declared = declaration(Submission.open(own), chosen_for(training))
    before = {path.name: path.read_bytes() for path in own.iterdir() if path.is_file()}

    class Full(io.FileIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    def opened(path, mode):
        return Full(path, mode)

    monkeypatch.setattr(type(own), "open", opened)
    with pytest.raises(OSError, match="space"):
        write_in_place(own, declared)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in own.iterdir() if path.is_file()} == before


def test_what_was_declared_meanwhile_stays(tmp_path):
    own, training = submissions(tmp_path, provenance={"seed": 7})
    opened, chosen = Submission.open(own), chosen_for(training)
    toml = own / "submission.toml"
    before = toml.read_bytes()
    meanwhile = before.replace(b'threshold_chosen_on = "none"', b'threshold_chosen_on = "test"')
    meanwhile += b"\n[score_maps]\nthreshold = 12\n"
    toml.write_bytes(meanwhile)
    with pytest.raises(SubmissionError) as caught:
        declaration(opened, chosen)
    assert caught.value.code == "S129"
    # And where it comes between the new contents and their writing.
    for name, content in (("submission.toml", meanwhile), ("provenance.json", b'{"seed": 8}')):
        toml.write_bytes(before)
        declared = declaration(opened, chosen)
        (own / name).write_bytes(content)
        with pytest.raises(SubmissionError) as caught:
            write_in_place(own, declared)
        assert caught.value.code == "S129"
        assert (own / name).read_bytes() == content
        assert len(list(own.iterdir())) == 3


def test_an_interruption_waits_until_both_files_are_there(tmp_path, monkeypatch, request):
    own, training = submissions(tmp_path)
    declared = declaration(Submission.open(own), chosen_for(training))
    real = type(own).replace

    def interrupted(self, target):
        real(self, target)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(type(own), "replace", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with pytest.raises(KeyboardInterrupt):
        write_in_place(own, declared)
    assert is_declared_in(own, declared)
    assert len(list(own.iterdir())) == 3


def test_both_files_or_none(tmp_path, monkeypatch):
    for number, provenance in enumerate((None, {"seed": 7})):
        own, training = submissions(tmp_path / f"{number}", provenance=provenance)
        before = {path.name: path.read_bytes() for path in own.iterdir() if path.is_file()}
        declared = declaration(Submission.open(own), chosen_for(training))
        real = type(own).replace

        def refused_once(self, target, real=real):
            if target.name == "submission.toml":
                raise PermissionError(13, "Permission denied")
            return real(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(type(own), "replace", refused_once)
            with pytest.raises(PermissionError):
                write_in_place(own, declared)
        assert {path.name: path.read_bytes() for path in own.iterdir() if path.is_file()} == before


def refused(own, training, clips=CLIPS, test_clips=()):
    with pytest.raises((SubmissionError, UsageError)) as caught:
        check_training_submission(Submission.open(own), Submission.open(training), clips, test_clips)
    return caught.value


def test_the_training_submission_fits(tmp_path):
    own, training = submissions(tmp_path)
    check_training_submission(Submission.open(own), Submission.open(training), CLIPS)


def test_never_the_same_submission(tmp_path):
    own, training = submissions(tmp_path)
    error = refused(own, own)
    assert (error.code, error.where) == ("U207", (str(own),))
    (tmp_path / "link").symlink_to(own)
    assert refused(own, tmp_path / "link").code == "U207"
    copy = shutil.copytree(training, tmp_path / "copy")
    assert refused(copy, training).code == "U207"
    assert refused(pack(copy).path, training).code == "U207"


def test_never_scores_over_another_range(tmp_path):
    """Half as large scores, stored over half the range, give a threshold that means half as much."""
    clips = {f"{n:02}": {"score_maps": training_maps("uint16", n)} for n in range(1, 4)}
    test_clips = {"01": {"score_maps": training_maps("uint16", 9)}}
    own = write(tmp_path / "own", test_clips, score_maps={"lower": 0.0, "upper": 146.0})
    for name, score_maps in (("half", {"lower": 0.0, "upper": 73.0}), ("none", None)):
        error = refused(own, write(tmp_path / name, clips, score_maps=score_maps))
        assert error.code == "U207"
        assert "upper = 146.0" in error.expected
        assert ("upper = 73.0" in error.got) == (name == "half")
    training = write(tmp_path / "alike", clips, score_maps={"lower": 0, "upper": 146})
    check_training_submission(Submission.open(own), Submission.open(training), CLIPS)
    assert refused(write(tmp_path / "silent", test_clips), training).code == "U207"


@pytest.mark.parametrize("change", [{"name": "Other"}, {"version": "2"}])
def test_never_the_scores_of_another_method(tmp_path, change):
    own, _ = submissions(tmp_path)
    clips = {f"{n:02}": {"score_maps": training_maps("uint16", n)} for n in range(1, 4)}
    other = write(tmp_path / "other", clips, method=METHOD | change)
    assert refused(own, other).code == "U207"


def test_never_the_test_clips(tmp_path):
    own, _ = submissions(tmp_path)
    tested = write(tmp_path / "tested", {"01": {"score_maps": training_maps("uint16", 30)}})
    error = refused(own, tested, test_clips=CLIPS[:1])
    assert error.code == "S103"
    assert "these are the test clips" in error.hint


def test_what_does_not_fit_is_said(tmp_path):
    own, training = submissions(tmp_path)
    clip = {"score_maps": training_maps("uint16", 1)}
    clips = {f"{n:02}": clip for n in range(1, 4)}
    others = {
        "S102": write(tmp_path / "a", clips, dataset="avenue"),
        "S103": write(tmp_path / "b", {"01": clip, "02": clip}),
        "S104": write(tmp_path / "c", clips | {"02": {"score_maps": clip["score_maps"][1:]}}),
        "S105": write(tmp_path / "d", clips | {"02": {"score_maps": clip["score_maps"].transpose(0, 2, 1)}}),
        "S107": write(tmp_path / "e", {name: {"score_maps": training_maps("uint8", 1)} for name in clips}),
        "U203": write(tmp_path / "f", {name: {"frame_scores": np.zeros(FRAMES)} for name in clips}),
    }
    for code, path in others.items():
        assert refused(own, path).code == code
    boxes = write(tmp_path / "g", {"01": {"instances": instances()}})
    assert refused(boxes, training).code == "U203"


def test_the_record_is_bounded_as_every_provenance(tmp_path):
    own, training = submissions(tmp_path, provenance={"long": ["x" * 400] * 160})
    with pytest.raises(SubmissionError) as caught:
        declaration(Submission.open(own), chosen_for(training))
    assert caught.value.code == "S123"
    assert isinstance(chosen_for(training), ChosenThreshold)
    assert METHOD["name"] in json.dumps(Submission.open(own).metadata.model_dump(mode="json"))
