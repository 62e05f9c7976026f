"""Whatever ends a writer, a file, a folder or a link is as before or as it was to be."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cnnctl.errors import RunError
from cnnctl.io import atomic
from cnnctl.io.atomic import remove, remove_abandoned, replacing, write_text, writing


def fill_file(path, text):
    path.write_text(text)


def fill_folder(path, text):
    (path / "inner").mkdir(parents=True)
    (path / "inner/file").write_text(text)


def fill_link(path, text):
    path.symlink_to(text)


def content(path):
    """What is at a path, of whatever kind; None if nothing is."""
    if path.is_symlink():
        return str(path.readlink())
    if path.is_dir():
        return (path / "inner/file").read_text()
    return path.read_text() if path.exists() else None


def names_in(folder):
    return sorted(each.name for each in folder.iterdir())


FILLS = pytest.mark.parametrize("fill", [fill_file, fill_folder, fill_link])


@FILLS
def test_what_was_made_takes_the_place(fill, tmp_path):
    path = tmp_path / "a"
    if fill is not fill_folder:
        fill(path, "before")
    with replacing(path) as partial:
        assert partial.parent == tmp_path
        fill(partial, "after")
        assert content(path) == (None if fill is fill_folder else "before")
    assert content(path) == "after"
    assert names_in(tmp_path) == ["a"]


@FILLS
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_leaves_everything_as_before(fill, error, tmp_path):
    path = tmp_path / "a"
    fill(path, "before")

    def fail():
        with replacing(path) as partial:
            fill(partial, "half")
            raise error

    with pytest.raises(error):
        fail()
    assert content(path) == "before"
    assert names_in(tmp_path) == ["a"]


@FILLS
def test_what_a_killed_process_of_the_same_number_left_is_not_written_to(fill, tmp_path):
    path, outside = tmp_path / "a", tmp_path / "outside"
    outside.write_text("untouched")
    fill(tmp_path / f".partial-{os.getpid()}-a", str(outside))
    write_text(path, "new")
    assert content(path) == "new"
    assert outside.read_text() == "untouched"
    assert names_in(tmp_path) == ["a", "outside"]


def test_everything_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """The files, their folders, then the name; the name itself before the block is left."""
    names = []

    def fsync(descriptor):
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    rename = Path.replace
    monkeypatch.setattr(Path, "replace",
                        lambda self, to: (names.append("renamed"), rename(self, to)))  # fmt: skip
    with replacing(tmp_path / "a") as partial:
        fill_folder(partial, "text")
    assert names[-2:] == ["renamed", tmp_path.name]
    assert sorted(names[:-2]) == sorted([partial.name, "file", "inner"])
    names.clear()
    with writing(tmp_path / "b") as file:
        file.write(b"text")
    part, *rest = names
    assert part.startswith(".b.")
    assert rest == ["renamed", tmp_path.name]


@pytest.mark.parametrize(("number", "hint"), [
    (errno.ENOSPC, "free some space, or name another"),
    (errno.EROFS, "name another"),
    (errno.EISDIR, "move the folder of that name aside"),
])  # fmt: skip
def test_what_cannot_be_written_says_why(number, hint, tmp_path):
    with pytest.raises(RunError) as caught, replacing(tmp_path / "a", elsewhere="name another"):
        raise OSError(number, os.strerror(number))
    assert caught.value.message == f"cannot write {tmp_path / 'a'}: {os.strerror(number)}"
    assert caught.value.hint == hint


@pytest.mark.parametrize("parent", ["missing", "file"])
def test_a_folder_that_is_none(parent, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / parent / "a", "text")


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_who_may_read_what_is_written(mode, tmp_path):
    path = tmp_path / "new/a"
    with writing(path, mode=mode, buffer=1 << 16) as file:
        file.write(b"text")
        (part,) = path.parent.iterdir()
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        assert not path.exists()
    assert path.read_bytes() == b"text"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert names_in(path.parent) == ["a"]


WRITER = """
import sys
from pathlib import Path
from cnnctl.io.atomic import writing
with writing(Path(sys.argv[1])) as file:
    file.write(b"half")
    print("writing", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_files_of_writers_that_are_no_more_are_removed(tmp_path):
    path = tmp_path / "a"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    for each in writers:
        assert each.stdout.readline() == "writing\n"
    (tmp_path / ".b.1.part").touch()
    writers[0].send_signal(signal.SIGKILL)
    writers[0].communicate()
    assert len(names_in(tmp_path)) == 3
    remove_abandoned(tmp_path, "a")
    assert len(names_in(tmp_path)) == 2
    writers[1].communicate("\n")
    assert writers[1].returncode == 0
    assert path.read_bytes() == b"half"
    assert names_in(tmp_path) == [".b.1.part", "a"]


def test_without_locks_files_of_a_day_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_lock", lambda file, wait: False)
    for name, age in ((".a.1.part", 100_000), (".a.2.part", 1_000)):
        path = tmp_path / name
        path.touch()
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    remove_abandoned(tmp_path, "a")
    assert names_in(tmp_path) == [".a.2.part"]
    with writing(tmp_path / "a") as file:
        file.write(b"text")
    assert (tmp_path / "a").read_bytes() == b"text"


@FILLS
def test_removing_follows_no_link(fill, tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    fill_folder(outside, "kept")
    fill(inside, str(outside))
    if fill is fill_folder:
        (inside / "link").symlink_to(outside)
    remove(inside)
    remove(inside)
    assert names_in(tmp_path) == ["outside"]
    assert content(outside) == "kept"
