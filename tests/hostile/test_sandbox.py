"""The check in a process of its own: the same result, and a coded error whatever happens to the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hostile_trees import only_maps, sound, write_folder, write_zip

from vadbench.datasets.registry import open_dataset
from vadbench.datasets.synthesize import synthesize
from vadbench.entries import sandbox, sandbox_child
from vadbench.entries.sandbox import Limits, run_limited
from vadbench.errors import DataError, UsageError
from vadbench.validation.submission_check import validate

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these limits are POSIX's")


@pytest.fixture
def packed(tmp_path):
    return write_zip(only_maps(), tmp_path / "m.zip")


def codes(validation):
    return [group.code for group in validation.groups]


@pytest.fixture
def child(monkeypatch):
    """Let the process run other code in place of the check, with the same beginning."""

    def use(code):
        text = textwrap.dedent(code)
        program = sandbox._BEGINNING.replace(
            "\nmain()\n", f"\nimport vadbench.entries.sandbox_child as child\n{text}\n"
        )
        monkeypatch.setattr(sandbox, "_BEGINNING", program)

    return use


IN_PLACE_OF_THE_CHECK = """
def answered(request):
    {}
child._answered = answered
main()
"""


def test_it_finds_what_the_check_finds(tmp_path, packed):
    assert run_limited(packed) == validate(packed)
    broken = write_folder(only_maps() | {"x": b"", "provenance.json": b"[]"}, tmp_path / "broken")
    found = run_limited(broken)
    assert found == validate(broken)
    assert found.exit_code == 1


def test_names_that_are_no_text_arrive(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9\x1b.zip")
    try:
        write_zip(only_maps(), path)
    except OSError:
        pytest.skip("this system takes no such name")
    assert run_limited(path) == validate(path)


def test_a_relative_path_is_the_callers(packed, monkeypatch):
    monkeypatch.chdir(packed.parent)
    assert run_limited("m.zip") == validate("m.zip")


@pytest.mark.parametrize(
    ("code", "expected", "said"),
    [
        ("bytearray(2**33)", "S170", "it asked for more"),
        ("raise MemoryError", "S170", "it asked for more"),
        ("import os; os.kill(os.getpid(), 9)", "S172", "SIGKILL"),
        ("import os; os.kill(os.getpid(), 11)", "S172", "SIGSEGV"),
        ("import os; os.abort()", "S172", "SIGABRT"),
        ("import os; os._exit(0)", "S172", "no result"),
        ("import os; os._exit(3)", "S172", "exit status 3"),
        ("raise RuntimeError('\\x1b[31m' + 'x' * 10_000)", "S172", "exit status 98"),
        ("return child.RESULT, b'{}'", "S172", "no result"),
        ("return child.RESULT, b'\\xff' * 100", "S172", "no result"),
        ('return child.ERROR, b\'{"kind": "SystemExit"}\'', "S172", "no result"),
        ("return b'other', b''", "S172", "no result"),
        ("return child.RESULT, bytes(2**22)", "S172", "a longer one"),
        ("open('written', 'w').write('x' * 10_000)", "S172", "exit status 98"),
        ("[open('/dev/null') for _ in range(100)].sort()", "S172", "exit status 98"),
    ],
)
def test_whatever_happens_is_a_coded_error(packed, child, monkeypatch, code, expected, said):
    monkeypatch.chdir(packed.parent)
    child(IN_PLACE_OF_THE_CHECK.format(code))
    validation = run_limited(packed, limits=Limits(address_space_bytes=2**30, wall_seconds=60))
    assert codes(validation) == [expected]
    (group,) = validation.groups
    assert said in group.got
    assert "\x1b" not in group.got
    assert len(group.got) < 300
    assert not Path("written").exists() or Path("written").stat().st_size == 0


def test_garbage_on_standard_output_is_no_result(packed, child):
    child("import sys; print('validation'); print('[]'); print('x')")
    assert codes(run_limited(packed)) == ["S172"]


def test_what_libraries_print_is_not_part_of_the_result(packed, child):
    child("import os; old = child._answered; child._answered = lambda r: (os.write(1, b'hello'), old(r))[1]; main()")
    assert run_limited(packed) == validate(packed)


def test_processor_time_is_limited(packed, child):
    child(IN_PLACE_OF_THE_CHECK.format("while True: pass"))
    start = time.monotonic()
    validation = run_limited(packed, limits=Limits(cpu_seconds=1))
    assert codes(validation) == ["S171"]
    assert "processor time" in validation.groups[0].expected
    assert time.monotonic() - start < 10


def test_a_process_that_sleeps_is_ended_as_well(packed, child):
    child(IN_PLACE_OF_THE_CHECK.format("import time; time.sleep(60)"))
    start = time.monotonic()
    assert codes(run_limited(packed, limits=Limits(wall_seconds=0.5))) == ["S171"]
    assert time.monotonic() - start < 10


def test_a_real_check_can_run_out_of_memory(tmp_path):
    path = write_zip(sound(), tmp_path / "m.zip")
    assert codes(run_limited(path, limits=Limits(address_space_bytes=100 * 2**20)))[0] in ("S170", "S172")


def test_the_process_gets_no_secret_and_nothing_of_the_current_folder(packed, child, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", str(packed.parent))
    monkeypatch.setenv("VADBENCH_CACHE", "/passed-on")
    (packed.parent / "numpy.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(packed.parent)
    child(
        IN_PLACE_OF_THE_CHECK.format(
            """
    import os, sys, json, numpy, vadbench, resource
    from vadbench.errors import UsageError
    limits = [resource.getrlimit(getattr(resource, 'RLIMIT_' + n)) for n in ('CORE', 'FSIZE', 'NOFILE', 'AS', 'CPU')]
    words = json.dumps([sorted(os.environ), sys.path, vadbench.__file__, limits])
    return child.ERROR, json.dumps({'kind': 'UsageError', 'code': 'U999', 'message': words}).encode()
"""
        )
    )
    with pytest.raises(UsageError) as caught:
        run_limited(packed)
    names, places, package, limits = json.loads(caught.value.message)
    assert "AWS_SECRET_ACCESS_KEY" not in names
    assert "VADBENCH_CACHE" in names
    assert set(names) <= {*sandbox._PASSED_ON, *sandbox._ONE_THREAD, "LC_CTYPE"}
    assert str(packed.parent) not in places
    assert "" not in places
    assert Path(package) == Path(sandbox.__file__).parents[1] / "__init__.py"
    assert limits == [[0, 0], [0, 0], [64, 64], [2**32, 2**32], [1800, 1801]]


def test_an_interrupt_ends_the_process(packed, tmp_path):
    marker = tmp_path / "child"
    code = f"""
        import signal, sys
        # A shell that starts the tests in the background hands on an ignored SIGINT.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.path[:0] = {sys.path!r}
        from vadbench.entries import sandbox
        sandbox._BEGINNING = "import os, time; open({str(marker)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
        sandbox.run_limited({str(packed)!r})
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 30
        while not (marker.exists() and marker.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in words
    with pytest.raises(ProcessLookupError):
        os.kill(int(marker.read_text()), 0)


def test_a_wrong_call_is_raised(packed, tmp_path):
    for call, code in (
        (lambda: run_limited("https://example.org/m.zip"), "U245"),
        (lambda: run_limited(packed, root=tmp_path), "U246"),
        (lambda: run_limited(packed, dataset_id="folder"), "U246"),
        (lambda: run_limited(tmp_path / "nothing"), "U130"),
        (lambda: run_limited(packed, dataset_id="unknown", root=tmp_path), "U111"),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code == code


def test_a_data_set_that_is_not_whole_is_raised(packed, tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError):
        run_limited(packed, dataset_id="ucsd-ped2", root=tmp_path / "data")


def test_a_process_that_cannot_be_started_is_a_coded_error(packed, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(packed.parent / "no-python"))
    assert codes(run_limited(packed)) == ["S172"]


def test_a_data_set_is_read_and_nothing_written(tmp_path):
    synthesize(tmp_path / "data", seed=0, test_clips=2, training_clips=1, frames=12)
    files = {name: data.replace(b'"folder"', b'"synthetic"') for name, data in sound().items()}
    path = write_zip(files, tmp_path / "m.zip")
    dataset = open_dataset("synthetic", tmp_path / "data")
    before = sorted(tmp_path.rglob("*"))
    found = run_limited(path, dataset_id="synthetic", root=tmp_path / "data")
    assert sorted(tmp_path.rglob("*")) == before
    assert found == validate(path, dataset)
    assert "S104" in codes(found)


def test_limits_that_a_system_lacks_are_named(packed, monkeypatch):
    ended = sandbox._Ended(0, b'validation\n["memory"]\n' + validate(packed).to_json().encode(), b"")
    monkeypatch.setattr(sandbox, "_run", lambda *_: ended)
    (check,) = [check for check in run_limited(packed).checks if check.name == "limits"]
    assert not check.made
    assert "memory" in check.remark
    monkeypatch.setattr(sys, "platform", "win32")
    assert "memory" in sandbox_child.apply_limits({})
