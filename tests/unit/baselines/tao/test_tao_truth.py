"""No stage reads the truth of test clips.

Without it, with garbage for it, with that of other clips, and in another order of clips, the real stages write the same
bytes.
"""

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from baselines.tao.filtering import FilterSettings
from baselines.tao.pipeline import run_tao
from baselines.tao.settings import TaoSettings
from vadbench import Dataset, Submission, open_dataset

SETTINGS = TaoSettings(tau=0.5, filtering=FilterSettings(matches=2))


def made(dataset, folder):
    """Bytes of all that a run writes, without what varies from run to run."""
    outcome = run_tao(dataset, SETTINGS, folder / "out")
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    table = json.loads(found.pop("out/provenance.json"))
    del table["run"]
    seconds = [name for name in found if name.endswith("seconds.json")]
    for name in seconds:
        del found[name]
    return {**found, "provenance": json.dumps(table), "fingerprint": Submission.open(outcome.submission).fingerprint}


@pytest.fixture(scope="module")
def expected(small_root, tmp_path_factory):
    dataset = open_dataset("synthetic", small_root)
    folder = tmp_path_factory.mktemp("expected")
    found = made(dataset, folder)
    submission = Submission.open(folder / "out")
    assert sum(len(submission.clip(clip).instances) for clip in dataset.clips) > 0
    return found


@pytest.fixture
def copied(small_root, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(small_root, root)
    return root


def truth_files(root):
    files = [*root.glob("Test/*_gt/*"), root / "Test" / "synthetic.m"]
    assert len(files) == 3 * 14 + 1
    return files


def test_without_any_truth(copied, expected, tmp_path):
    for file in truth_files(copied):
        file.unlink()
    for folder in copied.glob("Test/*_gt"):
        folder.rmdir()
    assert made(open_dataset("synthetic", copied), tmp_path / "made") == expected


def test_with_truth_that_nobody_can_read(copied, expected, tmp_path):
    for file in truth_files(copied):
        file.write_bytes(b"garbage")
    dataset = open_dataset("synthetic", copied)
    with pytest.raises(Exception, match="cannot be read"):
        dataset.truth("01")
    assert made(dataset, tmp_path / "made") == expected


def test_with_labels_and_masks_of_other_clips(copied, small, expected, tmp_path):
    folders = sorted(copied.glob("Test/*_gt"))
    folders[0].rename(copied / "aside")
    for earlier, folder in pairwise(folders):
        folder.rename(earlier)
    (copied / "aside").rename(folders[-1])
    labels = copied / "Test" / "synthetic.m"
    first, *ranges = labels.read_text().splitlines(keepends=True)
    labels.write_text("".join([first, *ranges[1:], ranges[0]]))
    dataset = open_dataset("synthetic", copied)
    assert dataset.fingerprint != small.fingerprint
    assert made(dataset, tmp_path / "made") == expected


def test_with_masks_of_noise(copied, expected, tmp_path):
    rng = np.random.default_rng(0)
    for file in copied.glob("Test/*_gt/*"):
        Image.fromarray(rng.random((48, 64)) > 0.5).save(file)
    assert made(open_dataset("synthetic", copied), tmp_path / "made") == expected


class ClipsAlone(Dataset):
    """A data set without any way to its truth."""

    track_source = "mask-overlap"
    root = None

    def __init__(self, other, order=slice(None)):
        self.id = other.id
        self.clips = other.clips[order]
        self.training_clips = other.training_clips

    def truth(self, clip_id):
        raise AssertionError("the truth was asked for")


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_clips_are_all_that_is_asked_for_and_their_order_does_not_matter(order, small, expected, tmp_path):
    assert made(ClipsAlone(small, order), tmp_path / "made") == expected


def test_a_test_clip_does_not_depend_on_the_others(small, expected, tmp_path):
    alone = made(ClipsAlone(small, slice(1, 2)), tmp_path / "made")
    clip = small.clips[1].id
    own = [name for name in expected if f"/{clip}/" in name or name.endswith(f"test/{clip}.csv")]
    assert len(own) > 10
    assert {name: alone[name] for name in own} == {name: expected[name] for name in own}
