"""One submission, five places: on disk and behind URLs, scored by this process and by workers, gives one report."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vadbench
from vadbench.datasets.synthesize import synthesize
from vadbench.errors import SubmissionError
from vadbench.prediction import Detections, Instances
from vadbench.submission import Submission, SubmissionWriter, remote_connection

pytest.importorskip("s3fs", reason="the extra [remote] is not installed")
moto_server = pytest.importorskip("moto.server", reason="moto is not installed")

METHOD = {"name": "Sketch", "authors": [], "year": 2026, "code": "https://example.org/sketch"}
TRAINING = {
    "supervision": "one-class",
    "data": ["synthetic:train"],
    "pretrained": [],
    "threshold_chosen_on": "training",
}
BUCKET = "submissions"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> vadbench.Dataset:
    root = tmp_path_factory.mktemp("data") / "synthetic"
    synthesize(root, seed=3, test_clips=3, training_clips=1, frames=20, height=48, width=64)
    return vadbench.open_dataset("synthetic", root)


@pytest.fixture(scope="module")
def folder(data: vadbench.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("submissions") / "my-method"
    rng = np.random.default_rng(0)
    maps = {"threshold": 40_000}
    with SubmissionWriter(path, dataset=data, method=METHOD, training=TRAINING, score_maps=maps) as writer:
        for clip in data.clips:
            masks = data.truth(clip.id).masks()
            frames = np.flatnonzero(masks.any(axis=(1, 2)))
            boxes = [[x, 5, x + 9, 20] for x in range(len(frames))]
            writer.write_clip(
                clip.id,
                score_maps=(masks * 30_000 + rng.integers(0, 30_000, masks.shape)).astype(np.uint16),
                instances=Instances.from_masks(
                    frames, masks[frames], rng.random(len(frames)), height=clip.height, width=clip.width
                ),
                detections=Detections(frames, np.array(boxes).reshape(-1, 4), rng.random(len(frames))),
                frame_scores=rng.random(clip.frames),
            )
    return path


@pytest.fixture(scope="module")
def packed(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


@pytest.fixture(scope="module")
def store(folder: Path, packed: Path) -> Iterator[Any]:
    """A server with the interface of S3 that holds the submission as a folder and as a zip."""
    import boto3
    from botocore.config import Config

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, str(folder / "nothing"))
        client = boto3.client("s3", config=Config(retries={"max_attempts": 0}))
        client.create_bucket(Bucket=BUCKET, ACL="public-read")
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                key = f"runs/my-method/{file.relative_to(folder).as_posix()}"
                client.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes(), ACL="public-read")
        client.put_object(Bucket=BUCKET, Key="runs/my-method.zip", Body=packed.read_bytes(), ACL="public-read")
        client.create_bucket(Bucket="private")
        client.put_object(Bucket="private", Key="my-method.zip", Body=packed.read_bytes())
        # Neighbours whose names begin alike.
        client.put_object(Bucket=BUCKET, Key="runs/my-method-2/submission.toml", Body=b"x")
        client.put_object(Bucket=BUCKET, Key="runs/my-method.report.json", Body=b"{}")
        try:
            yield client
        finally:
            client.close()
            server.stop()


@pytest.fixture
def reachable(store: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(remote_connection, "PAUSES", (0.0,))
    return store


def lines(report: vadbench.Report) -> str:
    """The report without the block `run`, which says when and how long."""
    content = json.loads(report.to_json())
    del content["run"]
    return json.dumps(content, sort_keys=True)


PLACES = ("s3 folder", "s3 zip", "web zip", "signed zip")


def place_of(name: str, client: Any) -> str:
    address = client.meta.endpoint_url
    return {
        "s3 folder": f"s3://{BUCKET}/runs/my-method",
        "s3 zip": f"s3://{BUCKET}/runs/my-method.zip",
        "web zip": f"{address}/{BUCKET}/runs/my-method.zip",
        "signed zip": client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "runs/my-method.zip"}),
    }[name]


@pytest.fixture(scope="module")
def expected(folder: Path, data: vadbench.Dataset) -> str:
    return lines(vadbench.evaluate(folder, data))


def test_folder_and_zip_on_disk(packed: Path, data: vadbench.Dataset, expected: str) -> None:
    assert lines(vadbench.evaluate(packed, data)) == expected


@pytest.mark.parametrize("name", PLACES)
def test_the_report_is_the_same_wherever_the_submission_lies(
    name: str, reachable: Any, data: vadbench.Dataset, expected: str
) -> None:
    assert lines(vadbench.evaluate(place_of(name, reachable), data)) == expected


def test_workers_read_the_store_themselves(reachable: Any, data: vadbench.Dataset, expected: str) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        for name in ("s3 folder", "s3 zip"):
            assert lines(vadbench.evaluate(place_of(name, reachable), data, executor=executor)) == expected


def refused(code: str, url: str, *said: str) -> SubmissionError:
    with pytest.raises(SubmissionError) as caught:
        Submission.open(url).fingerprint  # noqa: B018 - reads everything
    assert caught.value.code == code, caught.value
    for words in (url, *said):
        assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)
    return caught.value


def test_what_is_not_there(reachable: Any) -> None:
    refused("S126", f"s3://{BUCKET}/runs/another")
    refused("S126", f"s3://{BUCKET}/runs/another.zip")
    refused("S126", "s3://no-such-bucket/my-method", "NoSuchBucket")
    refused("S101", f"s3://{BUCKET}/runs/my-method/submission.toml", "no zip")
    assert "my-method" in refused("S101", f"s3://{BUCKET}/runs").hint


def test_a_chunk_that_is_missing_or_was_replaced(reachable: Any, folder: Path) -> None:
    submission = Submission.open(f"s3://{BUCKET}/runs/my-method")
    name = "predictions.zarr/02/score_maps/c/1/0/0"
    chunk = {"Bucket": BUCKET, "Key": f"runs/my-method/{name}"}
    submission.layout("02")
    try:
        reachable.put_object(**chunk, Body=b"short")
        with pytest.raises(SubmissionError, match="S124") as caught:
            submission.content_lines("02")
        assert name in str(caught.value)
        reachable.delete_object(**chunk)
        refused("S133", f"s3://{BUCKET}/runs/my-method", "clip 02", "c/1/0/0")
    finally:
        reachable.put_object(**chunk, Body=(folder / name).read_bytes(), ACL="public-read")


def test_names_that_programs_leave_behind(reachable: Any, folder: Path) -> None:
    """Markers of folders, as the console makes them, and what a desktop leaves."""
    added = ["runs/my-method/", "runs/my-method/predictions.zarr/01/", "runs/my-method/.DS_Store"]
    expected = Submission.open(folder).fingerprint
    try:
        for key in added:
            reachable.put_object(Bucket=BUCKET, Key=key, Body=b"")
        assert Submission.open(f"s3://{BUCKET}/runs/my-method/").fingerprint == expected
    finally:
        for key in added:
            reachable.delete_object(Bucket=BUCKET, Key=key)


@pytest.mark.parametrize(
    "key", ["predictions.zarr//x", "predictions.zarr/01/score_maps/../x", "a\\b", "x/submission.toml"]
)
def test_names_that_do_not_belong(key: str, reachable: Any) -> None:
    try:
        reachable.put_object(Bucket=BUCKET, Key=f"runs/my-method/{key}", Body=b"x")
        refused("S120", f"s3://{BUCKET}/runs/my-method")
    finally:
        reachable.delete_object(Bucket=BUCKET, Key=f"runs/my-method/{key}")


def test_more_names_than_a_page_holds(reachable: Any, folder: Path, tmp_path: Path) -> None:
    """A listing comes in pages of a thousand; here of seven."""
    from vadbench.submission.remote_s3 import S3Store

    whole = list(S3Store(BUCKET, "runs/my-method").names("", below=True))
    with pytest.MonkeyPatch.context() as patch:
        called = S3Store._called
        patch.setattr(S3Store, "_called", lambda own, method, **options: called(own, method, MaxKeys=7, **options))
        assert list(S3Store(BUCKET, "runs/my-method").names("", below=True)) == whole
        top = [name for name, _ in S3Store(BUCKET, "runs/my-method").names("", below=False)]
    assert sorted(top) == ["predictions.zarr/", "submission.toml"]
    assert dict(whole) == {
        file.relative_to(folder).as_posix(): file.stat().st_size for file in folder.rglob("*") if file.is_file()
    }


def test_without_credentials_what_is_public_is_read(
    reachable: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    url = f"s3://{BUCKET}/runs/my-method"
    assert Submission.open(url).fingerprint == Submission.open(folder).fingerprint
    hint = refused("S125", "s3://private/my-method.zip").hint
    assert "no credentials were found, and the bucket is not public" in hint
    refused("S125", f"{reachable.meta.endpoint_url}/private/my-method.zip", "403")


def test_another_place_that_refuses(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that the store above never gives, from one that gives no others."""
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    monkeypatch.setattr(remote_connection, "PAUSES", (0.0,))
    answers = {"status": 403, "code": "AccessDenied"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{answers['code']}</Code><Message>key hunter2</Message></Error>".encode()
            self.send_response(int(answers["status"]))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command == "GET" else b"")

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        url = f"s3://{BUCKET}/m"
        assert "AWS_PROFILE" in refused("S125", url, "403 (AccessDenied)").hint
        answers |= {"status": 400, "code": "ExpiredToken"}
        refused("S125", url, "ExpiredToken")
        answers |= {"status": 503, "code": "SlowDown"}
        refused("S127", url, "SlowDown", "later")
        answers |= {"status": 301, "code": "PermanentRedirect"}
        refused("S127", url, "redirect")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        answers |= {"status": 403, "code": "AccessDenied"}
        assert "no credentials were found" in refused("S125", url).hint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    refused("S127", f"s3://{BUCKET}/m", "refuses the connection")


def test_the_copy_on_disk_is_not_touched(folder: Path, reachable: Any, tmp_path: Path) -> None:
    """Nothing is downloaded: reading needs no place on disk."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setenv("TMPDIR", str(tmp_path))
        assert Submission.open(f"s3://{BUCKET}/runs/my-method").fingerprint == Submission.open(copy).fingerprint
    assert sorted(path for path in tmp_path.rglob("*")) == before
