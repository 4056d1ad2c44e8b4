"""A submission behind a URL is checked like one on disk, and nothing secret in the URL is shown."""

import pytest
from made_submissions import SHAPE, clip_of, dataset_of, maps, pack, write, write_with_zarr
from small_web import small_web

from vadbench.submission import remote_connection
from vadbench.validation import validate


@pytest.fixture
def web(monkeypatch):
    pytest.importorskip("aiohttp", reason="needs the packages of vadbench[remote]")
    monkeypatch.setattr(remote_connection, "PAUSES", (0.0, 0.0, 0.0))
    with small_web() as server:
        yield server


def test_behind_a_url(web, tmp_path):
    path = write(tmp_path / "m", {"01": clip_of(seed=1), "02": clip_of(seed=2)})
    web.files["/m.zip"] = pack(path, tmp_path / "m.zip").read_bytes()
    dataset = dataset_of({"01": SHAPE, "02": SHAPE})
    result = validate(f"{web.url}/m.zip?token=secret", dataset)
    assert (result.n_errors, result.fingerprint) == (0, validate(path, dataset).fingerprint)
    assert "secret" not in result.to_json()


def test_damaged_chunks_behind_a_url_hide_no_others(web, tmp_path):
    path = write_with_zarr(tmp_path / "m", {"01": maps()}, chunk_frames=2)
    for chunk in ("1/0/0", "7/0/0"):
        (path / "predictions.zarr/01/score_maps/c" / chunk).write_bytes(b"damaged")
    web.files["/m.zip"] = pack(path, tmp_path / "m.zip").read_bytes()
    (group,) = [group for group in validate(f"{web.url}/m.zip").groups if group.severity == "error"]
    assert (group.code, group.count) == ("S134", 2)
    assert [place.split(" · ")[-1] for place in group.where] == [
        "chunk c/1/0/0 (frames 2–3)",
        "chunk c/7/0/0 (frames 14–15)",
    ]


def test_what_cannot_be_reached(web):
    result = validate(f"{web.url}/gone.zip?token=secret")
    assert [group.code for group in result.groups] == ["S126"]
    assert "secret" not in result.to_json()
