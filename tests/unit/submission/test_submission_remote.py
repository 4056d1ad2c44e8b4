"""Submissions behind URLs: the same rules as on disk, few requests, clear errors, and nothing secret in them."""

from __future__ import annotations

import pickle
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from made_submissions import clip_of, maps, pack, read_maps, write, write_with_zarr
from small_web import Web, small_web
from untidy_archives import LOCAL, UNTIDY, patched

from vadbench.errors import SubmissionError, UsageError, VadbenchError
from vadbench.submission import Submission, remote_connection, remote_http, remote_store
from vadbench.submission.remote_place import is_allowed_address, remote_place
from vadbench.submission.remote_store import Failure, Store, StoreError, TransientError
from vadbench.submission.remote_tree import RemoteFolderTree
from vadbench.submission.tree import is_url
from vadbench.submission.zip_tree import ZipTree


class HeldStore(Store):
    """Files held in memory in the place of a bucket's; remembers what it was asked for, and fails when told to."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.failures: list[Exception] = []

    def _remember(self, what: str) -> None:
        self.asked.append(what)
        if self.failures:
            raise self.failures.pop(0)

    def size(self) -> int:
        self._remember("size")
        if "" not in self.files:
            raise StoreError(Failure.ABSENT, "nothing")
        return len(self.files[""])

    def read(self, name: str, start: int, stop: int) -> bytes:
        self._remember(f"read {name}")
        return self.files[name][start:stop]

    def names(self, folder: str, *, below: bool) -> Iterator[tuple[str, int]]:
        self._remember(f"names {folder}")
        start = f"{folder}/" if folder else ""
        seen = set()
        for name, data in self.files.items():
            if name and (name != start or data) and name.startswith(start):
                first, slash, _ = name[len(start) :].partition("/")
                if below or not slash:
                    yield name, len(data)
                elif first not in seen:
                    seen.add(first)
                    yield f"{start}{first}/", 0


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> HeldStore:
    """The store that every URL leads to; without pauses between attempts."""
    store = HeldStore({})
    monkeypatch.setattr(remote_connection, "S3Store", lambda *_: store)
    monkeypatch.setattr(remote_connection, "PAUSES", (0.0, 0.0, 0.0))
    return store


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(remote_connection, "PAUSES", (0.0, 0.0, 0.0))
    with small_web() as server:
        yield server


def read_all(place: str | Path) -> None:
    submission = Submission.open(place)
    for clip_id in submission.clip_ids:
        for _ in submission.clip(clip_id).maps.blocks():
            pass


def failure(code: str, place: str | Path, *said: str) -> VadbenchError:
    with pytest.raises((SubmissionError, UsageError)) as caught:
        read_all(place)
    assert caught.value.code == code, caught.value
    for words in said:
        assert words in str(caught.value)
    return caught.value


def same(one: Submission, other: Submission) -> None:
    assert one.metadata == other.metadata
    assert one.clip_ids == other.clip_ids
    for clip_id in one.clip_ids:
        assert one.content_lines(clip_id) == other.content_lines(clip_id)
    assert one.fingerprint == other.fingerprint


def test_a_zip_behind_a_url_is_the_folder(full: Path, tmp_path: Path, web: Web) -> None:
    web.files["/m.zip"] = pack(full, tmp_path / "m.zip").read_bytes()
    remote = Submission.open(f"{web.url}/m.zip")
    assert (remote.path, remote.shown) == (None, f"{web.url}/m.zip")
    same(remote, Submission.open(full))
    np.testing.assert_array_equal(read_maps(f"{web.url}/m.zip"), read_maps(full))
    assert all(asked is not None for _, asked in web.requests), "never the whole file"


def test_a_folder_of_a_store_is_the_folder(full: Path, held: HeldStore) -> None:
    held.files = contents(full)
    for url in ("s3://bucket/m", "s3://bucket/m/", "s3://bucket"):
        remote = Submission.open(url)
        assert remote.shown == url.rstrip("/")
        same(remote, Submission.open(full))


def test_a_zip_in_a_store_is_the_folder(full: Path, tmp_path: Path, held: HeldStore) -> None:
    held.files = {"": pack(full, tmp_path / "m.zip").read_bytes()}
    for url in ("s3://bucket/m.zip", "s3://bucket/m"):
        same(Submission.open(url), Submission.open(full))


def test_few_requests_for_a_zip(tmp_path: Path, web: Web) -> None:
    folder = write_with_zarr(tmp_path / "m", {f"{n:02d}": maps((40, 6, 7), seed=n) for n in range(12)})
    web.files["/m.zip"] = pack(folder, tmp_path / "m.zip").read_bytes()
    submission = Submission.open(f"{web.url}/m.zip")
    # Size, directory, submission.toml, and the zarr.json of the group of all clips.
    assert len(web.requests) == 4
    layout = submission.layout("03")
    # That of the clip, and that of its score maps; five chunks.
    assert len(web.requests) == 6
    assert len(list(submission.clip("03").maps.blocks())) == 5
    assert len(web.requests) == 11
    worker = pickle.loads(pickle.dumps(submission))  # noqa: S301 - our own bytes
    assert worker.layout("03").map_shape == layout.map_shape
    submission.content_lines("03", score_maps_sha256="0" * 64)
    assert len(web.requests) == 11
    assert max(Counter(web.requests).values()) == 1, "nothing is asked for twice"


def test_few_requests_for_a_folder(tmp_path: Path, held: HeldStore) -> None:
    held.files = contents(write_with_zarr(tmp_path / "m", {f"{n:02d}": maps((40, 6, 7)) for n in range(12)}))
    submission = Submission.open("s3://bucket/m")
    assert held.asked == [
        "names ",
        "read submission.toml",
        "names predictions.zarr",
        "read predictions.zarr/zarr.json",
    ]
    held.asked.clear()
    submission.layout("03")
    clip = "predictions.zarr/03"
    assert held.asked[0] == f"names {clip}"
    assert sorted(held.asked[1:]) == [f"read {clip}/score_maps/zarr.json", f"read {clip}/zarr.json"]
    held.asked.clear()
    list(submission.clip("03").maps.blocks())
    assert sorted(held.asked) == [f"read {clip}/score_maps/c/{n}/0/0" for n in range(5)]


def test_a_large_directory_is_read_apart_from_the_end(
    full: Path, tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vadbench.submission.remote_tree._TAIL", 60)
    web.files["/m.zip"] = pack(full, tmp_path / "m.zip").read_bytes()
    same(Submission.open(f"{web.url}/m.zip"), Submission.open(full))


def test_another_opening_looks_again(full: Path, plain: Path, held: HeldStore) -> None:
    held.files = contents(full)
    before = Submission.open("s3://bucket/m")
    held.files = contents(plain)
    assert Submission.open("s3://bucket/m").clip_ids == ("01",)
    assert before.clip_ids == ("01", "02")


@pytest.mark.parametrize("change", UNTIDY)
def test_an_untidy_archive_is_refused_as_on_disk(plain: Path, tmp_path: Path, held: HeldStore, change) -> None:
    held.files = {"": change(pack(plain, tmp_path / "m.zip").read_bytes())}
    failure("S122", "s3://bucket/m.zip")


def test_random_damage_is_refused_as_on_disk(plain: Path, tmp_path: Path, held: HeldStore) -> None:
    data = pack(plain, tmp_path / "m.zip").read_bytes()
    rng = np.random.default_rng(0)
    place = tmp_path / "n.zip"
    codes = Counter()
    for _ in range(200):
        damaged = bytearray(data)
        damaged[rng.integers(0, len(data))] ^= 1 << rng.integers(8)
        place.write_bytes(damaged)
        held.files = {"": bytes(damaged)}
        outcomes = []
        for opened in (place, "s3://bucket/m.zip"):
            try:
                read_all(opened)
                outcomes.append("sound")
            except SubmissionError as error:
                outcomes.append(error.code)
        # A header is looked at when its member is read: what is wrong may be seen elsewhere first, but is always seen.
        assert (outcomes[0] == "sound") == (outcomes[1] == "sound"), bytes(damaged)
        codes[outcomes[1]] += 1
    assert codes["S122"] > 100


def test_the_header_of_what_is_not_read_is_not_asked_for(plain: Path, tmp_path: Path, held: HeldStore) -> None:
    """A member is verified when it is read: what is used is always verified, what is not is no cost."""
    held.files = {"": patched(LOCAL, 30, b"X")(pack(plain, tmp_path / "m.zip").read_bytes())}
    submission = Submission.open("s3://bucket/m.zip")
    with pytest.raises(SubmissionError, match="local header"):
        list(submission.clip("01").maps.blocks())


@pytest.mark.parametrize(
    "names",
    [
        ["a//b"],
        ["predictions.zarr//x"],
        ["/submission.toml"],
        ["../submission.toml"],
        ["predictions.zarr/../x"],
        ["a\\b"],
        ["C:/x"],
        ["a\0b"],
        ["SUBMISSION.TOML"],
        ["submission.toml/x"],
        ["Predictions.zarr/x"],
        ["predictions.zarr"],
        ["predictions.zarr/01/a//b"],
        ["predictions.zarr/01/Score_Maps/zarr.json"],
        ["predictions.zarr/01/score_maps/c/../c/0/0/0"],
        ["predictions.zarr/01/score_maps/c/0"],
        ["predictions.zarr/01/score_maps/c/0/0/0/0/0"],
        ["predictions.zarr/01/score_maps/c/3/0/0"],
        ["predictions.zarr/01/note.txt"],
        ["note.txt"],
    ],
)
def test_names_that_a_zip_could_not_have_are_refused(plain: Path, held: HeldStore, names: list[str]) -> None:
    held.files = contents(plain) | dict.fromkeys(names, b"x")
    failure("S120", "s3://bucket/m")


def test_markers_of_folders_and_leavings_are_ignored(plain: Path, held: HeldStore) -> None:
    markers = ["predictions.zarr/", "predictions.zarr/01/", "predictions.zarr/01/score_maps/c/"]
    leavings = {".DS_Store": b"x", "predictions.zarr/01/score_maps/Thumbs.db": b"x"}
    held.files = contents(plain) | dict.fromkeys(markers, b"") | leavings
    same(Submission.open("s3://bucket/m"), Submission.open(plain))
    held.files["predictions.zarr/01/"] = b"x"
    failure("S120", "s3://bucket/m", "content of its own")


def test_endless_listings_are_cut_off(plain: Path, held: HeldStore, monkeypatch: pytest.MonkeyPatch) -> None:
    held.files = contents(plain)

    def endless(*_: object, **__: object) -> Iterator[tuple[str, int]]:
        number = 0
        while True:
            number += 1
            yield str(number), 1

    monkeypatch.setattr(held, "names", endless)
    failure("S120", "s3://bucket/m", "more than 100000")


def test_sizes_are_checked_before_anything_is_read(plain: Path, held: HeldStore) -> None:
    held.files = contents(plain) | {"submission.toml": b"x" * 70_000}
    failure("S123", "s3://bucket/m", "submission.toml")
    held.files = contents(plain) | {"predictions.zarr/01/score_maps/c/1/0/0": b"x" * 200_000}
    failure("S134", "s3://bucket/m", "200000 bytes")
    assert not [asked for asked in held.asked if "c/1/0/0" in asked or "toml" in asked][1:]


def test_what_is_no_submission_is_told_apart(plain: Path, tmp_path: Path, held: HeldStore, web: Web) -> None:
    failure("S126", "s3://bucket/m")
    held.files = {"": b""}
    failure("S101", "s3://bucket/m", "no zip")
    held.files = {"": b"word" * 100}
    failure("S101", "s3://bucket/m.zip", "no zip")
    held.files = {f"inner/{name}": data for name, data in contents(plain).items()}
    assert "s3://bucket/m/inner" in failure("S101", "s3://bucket/m").hint
    held.files = contents(plain / "predictions.zarr")
    assert "Zarr group" in failure("S101", "s3://bucket/m").hint
    web.files |= {"/page": b"<html>" * 10, "/empty": b"", "/two": b"PK"}
    failure("S101", f"{web.url}/page", "the web has no folders")
    failure("S101", f"{web.url}/empty")
    failure("S101", f"{web.url}/two")
    failure("S126", f"{web.url}/nothing", "404")


def test_a_marker_in_the_place_of_the_folder(plain: Path, held: HeldStore) -> None:
    held.files = contents(plain) | {"": b""}
    assert Submission.open("s3://bucket/m").clip_ids == ("01",)
    assert Submission.open("s3://bucket/m.zip").clip_ids == ("01",)


REFUSED = [
    "gs://bucket/m",
    "file:///etc/passwd",
    "ftp://example.org/m.zip",
    "memory://m",
    "s3://",
    "s3:///m",
    "s3://key:secret@bucket/m",
    "s3://bucket:9000/m",
    "s3://bucket/a//b",
    "s3://bucket/a/../b",
    "s3://bucket/a\\b/c\\d",
    "http://example.org/m.zip",
    "http://127.0.0.1.example.org/m.zip",
    "http://localhost@example.org/m.zip",
    "https:///m.zip",
    "https://[::1/m.zip",
    "https://example.org:port/m.zip",
    "https://example.org/a b",
    "https://example.org/\x1b[2J",
    "https://example.org/" + "x" * 5000,
]


@pytest.mark.parametrize("url", REFUSED)
def test_urls_that_are_not_read(url: str) -> None:
    error = failure("U138", url)
    assert "secret" not in str(error)
    assert "\x1b" not in str(error)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.8.7:81", "[::1]:9000"])
def test_http_is_for_this_machine(host: str) -> None:
    assert remote_place(f"http://{host}/m.zip").shown == f"http://{host}/m.zip"


def test_a_path_is_no_url(tmp_path: Path) -> None:
    assert not is_url(Path("s3://bucket/m"))
    assert not is_url("C://folder")
    assert not is_url(str(tmp_path))
    assert "as text" in failure("U130", Path("s3://bucket/m")).hint


def test_transient_failures_are_tried_again(plain: Path, held: HeldStore) -> None:
    held.files = contents(plain)
    held.failures = [TransientError("slow"), TransientError("slow"), TransientError("slow")]
    assert Submission.open("s3://bucket/m").clip_ids == ("01",)
    held.failures = [TransientError("no answer in time")] * 4
    failure("S127", "s3://bucket/m", "no answer in time", "later")
    held.failures, held.asked = [StoreError(Failure.REFUSED, "no", "ask the owner")] * 2, []
    failure("S125", "s3://bucket/m", "ask the owner")
    assert held.asked == ["names ", "size"], "what is refused is not asked for again"


def test_a_file_that_goes_or_shrinks(plain: Path, held: HeldStore, web: Web) -> None:
    held.files = contents(plain)
    submission = Submission.open("s3://bucket/m")
    submission.layout("01")
    held.failures = [StoreError(Failure.ABSENT, "the server's answer is 404")]
    with pytest.raises(SubmissionError, match="S126"):
        list(submission.clip("01").maps.blocks())
    web.files["/m.zip"] = b"PK\3\4" + b"x" * 10_000
    place = f"{web.url}/m.zip"
    web.answer = lambda path, asked: web.files.update({path: b"x" * 100}) if asked != "bytes=0-3" else None
    failure("S124", place, "replaced")


SECRETS = ("hunter2", "AKIDEXAMPLE", "5ec7e7")
SIGNED = "X-Amz-Credential=AKIDEXAMPLE%2F2026&X-Amz-Signature=5ec7e7&token=hunter2"


def with_secrets(url: str) -> str:
    return url.replace("http://", "http://user:hunter2@") + "?" + SIGNED + "#hunter2"


def nothing_secret(error: BaseException) -> None:
    texts = [str(error), repr(error), *traceback.format_exception(error)]
    source = {line for line in texts if "with_secrets" in line}
    assert not [(secret, text) for secret in SECRETS for text in texts if secret in text and text not in source]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 418, 429, 500, 503])
def test_what_an_answer_means_and_nothing_secret(web: Web, status: int) -> None:
    web.answer = lambda *_: (status, {}, SIGNED.encode())
    code = {401: "S125", 403: "S125", 404: "S126", 410: "S126"}.get(status, "S127")
    nothing_secret(failure(code, with_secrets(f"{web.url}/m.zip"), str(status), f"{web.url}/m.zip"))
    assert len(web.requests) == (4 if status in (429, 500, 503) else 1)


def test_user_and_query_are_sent(plain: Path, tmp_path: Path, web: Web) -> None:
    web.files["/m.zip"] = pack(plain, tmp_path / "m.zip").read_bytes()
    submission = Submission.open(with_secrets(f"{web.url}/m.zip"))
    assert submission.clip_ids == ("01",)
    assert {path for path, _ in web.requests} == {f"/m.zip?{SIGNED}"}, "as it was signed"
    assert all(headers["Authorization"].startswith("Basic ") for headers in web.headers)
    assert not [secret for secret in SECRETS if secret in repr(submission) + repr(submission._tree)]
    again = pickle.loads(pickle.dumps(submission))  # noqa: S301 - our own bytes
    assert again.fingerprint == submission.fingerprint
    web.files["/m.zip"] = web.files["/m.zip"].replace(b"PK\x03\x04", b"PK\x03\x05")
    with pytest.raises(SubmissionError) as caught:
        read_all(with_secrets(f"{web.url}/m.zip"))
    nothing_secret(caught.value)


def test_a_server_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_connection, "PAUSES", (0.0,))
    with small_web() as closed:
        url = closed.url
    nothing_secret(failure("S127", with_secrets(f"{url}/m.zip"), "refuses the connection"))
    # A name that no server has (RFC 6761), whether or not there is a network.
    error = failure("S127", f"https://vadbench.invalid/m.zip?{SIGNED}", "https://vadbench.invalid/m.zip")
    nothing_secret(error)
    assert "name of the server" in error.got or "no answer" in error.got


def test_a_server_that_does_not_answer(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_connection, "PAUSES", (0.0,))
    monkeypatch.setattr("vadbench.submission.remote_http._READ_SECONDS", 0.2)
    gone = threading.Event()

    def silent(*_: object) -> None:
        gone.wait(5)

    web.answer = silent
    try:
        failure("S127", f"{web.url}/m.zip", "no answer in time")
    finally:
        gone.set()


def whole(web: Web):
    return lambda path, _: web.of(path, None)


def lying(**headers: str):
    return lambda web: lambda path, asked: (206, {**web.of(path, asked)[1], **headers}, web.of(path, asked)[2])


@pytest.mark.parametrize(
    "misbehave",
    [
        whole,
        lying(**{"Content-Range": "bytes 5-8/1000"}),
        lying(**{"Content-Range": "bytes 0-2/1000"}),
        lying(**{"Content-Range": "bytes 0-3/*"}),
        lying(**{"Content-Range": ""}),
        lying(**{"Content-Encoding": "gzip"}),
    ],
)
def test_a_server_that_gives_other_parts_is_refused(plain: Path, tmp_path: Path, web: Web, misbehave) -> None:
    web.files["/m.zip"] = pack(plain, tmp_path / "m.zip").read_bytes()
    web.answer = misbehave(web)
    assert "download" in failure("S128", f"{web.url}/m.zip").hint


def test_an_answer_that_is_cut_off_or_never_ends(plain: Path, tmp_path: Path, web: Web) -> None:
    web.files["/m.zip"] = pack(plain, tmp_path / "m.zip").read_bytes()
    # More than was asked for is not read; the next request has a connection of its own.
    web.answer = lambda path, asked: (
        *web.of(path, asked)[:2],
        web.of(path, asked)[2] + b"\0" * 100_000,
    )
    read_all(f"{web.url}/m.zip")
    web.answer = lambda path, asked: (206, {**web.of(path, asked)[1], "Content-Length": "99"}, b"ab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vadbench.submission.remote_http._READ_SECONDS", 0.2)
        failure("S127", f"{web.url}/m.zip")


def test_redirects(plain: Path, tmp_path: Path, web: Web) -> None:
    data = pack(plain, tmp_path / "m.zip").read_bytes()
    targets = {"/m.zip": f"/signed/1?{SIGNED}"}
    web.files["/signed/1"] = data
    web.answer = lambda path, _: (302, {"Location": targets[path]}, b"") if path in targets else None
    submission = Submission.open(f"{web.url}/m.zip")
    read_all(f"{web.url}/m.zip")
    assert [path for path, _ in web.requests].count("/m.zip") == 2, "once an opening"
    # The signature of the address has run out; the one that was given leads to another.
    web.files = {"/signed/2": data}
    targets["/m.zip"] = "/signed/2"
    list(submission.clip("01").maps.blocks())
    for target in ("http://example.org/m.zip", "ftp://example.org/m.zip", "file:///etc/passwd", "s3://bucket/m.zip"):
        targets["/m.zip"] = target
        failure("S127", f"{web.url}/m.zip", "not https")
    targets["/m.zip"] = "/m.zip"
    failure("S127", f"{web.url}/m.zip", "one redirect after the other")


def test_a_redirect_to_this_machine_is_not_followed_from_elsewhere(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server of the tests is on the loopback; here it is taken for one that is not.
    asked = iter([False])
    monkeypatch.setattr(remote_http, "is_on_this_machine", lambda url: next(asked, True))
    web.files["/inner"] = b"PK"
    web.answer = lambda path, _: (302, {"Location": f"{web.url}/inner"}, b"") if path == "/m.zip" else None
    failure("S127", f"{web.url}/m.zip", "a redirect to this machine")
    assert {path for path, _ in web.requests} == {"/m.zip"}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1:81", "[::1]"])
def test_addresses_of_this_machine(scheme: str, host: str) -> None:
    assert is_allowed_address(f"{scheme}://{host}/m.zip")
    assert not is_allowed_address(f"{scheme}://{host}/m.zip", loopback=False)
    assert is_allowed_address("https://example.org/m.zip", loopback=False)


@pytest.mark.parametrize("url", ["s3://bucket/m", "http://localhost:1/m.zip"])
def test_without_the_packages(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(remote_store, "importlib", SimpleNamespace(import_module=without))
    assert failure("U139", url).hint == "pip install 'vadbench[remote]'"


class Gate(HeldStore):
    """Remembers the chunks that were asked for, which come the later the earlier they are in an array."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.chunks: list[str] = []

    def read(self, name: str, start: int, stop: int) -> bytes:
        if "/c/" in name:
            self.chunks.append(name)
            time.sleep(0.002 * (-len(self.chunks) % 4))
        return super().read(name, start, stop)


def test_chunks_are_read_ahead_in_order_and_not_too_far(
    tmp_path: Path, held: HeldStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_with_zarr(tmp_path / "m", {"01": maps((100, 6, 7), dtype="float32")}, chunk_frames=5)
    store = Gate(contents(folder))
    monkeypatch.setattr(remote_connection, "S3Store", lambda *_: store)
    expected = read_maps(folder)
    np.testing.assert_array_equal(read_maps("s3://bucket/m"), expected)
    store.chunks.clear()
    monkeypatch.setattr(remote_connection, "LARGEST_KEPT", 0)
    blocks = Submission.open("s3://bucket/m").clip("01").maps.blocks()
    for number, (start, block) in enumerate(blocks, start=1):
        np.testing.assert_array_equal(block, expected[start : start + len(block)])
        assert len(store.chunks) <= number + 4
        if number == 10:
            break
    blocks.close()
    assert len(store.chunks) <= 15, "nothing more is asked for than is wanted"


def test_a_damaged_chunk_is_named_though_others_were_read_ahead(tmp_path: Path, held: HeldStore) -> None:
    held.files = contents(write_with_zarr(tmp_path / "m", {"01": maps((100, 6, 7))}, chunk_frames=5))
    held.files["predictions.zarr/01/score_maps/c/7/0/0"] = b"damaged"
    submission = Submission.open("s3://bucket/m")
    blocks = submission.clip("01").maps.blocks()
    assert [start for start, _ in islice(blocks, 7)] == list(range(0, 35, 5))
    with pytest.raises(SubmissionError, match="c/7/0/0"):
        next(blocks)


def test_the_directory_is_the_same_however_it_is_read(full: Path, tmp_path: Path, held: HeldStore) -> None:
    packed = pack(full, tmp_path / "m.zip")
    held.files = {"": packed.read_bytes()}
    remote = Submission.open("s3://bucket/m.zip")._tree
    assert remote.files() == ZipTree(packed).files()
    held.files = contents(full)
    folder = Submission.open("s3://bucket/m")._tree
    assert isinstance(folder, RemoteFolderTree)
    assert folder.files() == remote.files()
    for place in ("", "predictions.zarr", "predictions.zarr/01", "predictions.zarr/01/instances", "nothing"):
        assert folder.entries(place) == remote.entries(place)


def test_a_writer_does_not_write_to_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="U160"):
        write("s3://bucket/m", {"01": clip_of()})
    assert list(tmp_path.iterdir()) == []
