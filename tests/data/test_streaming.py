"""Folders of pictures: decoded once, in memory or on the disk, and kept for the next time."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from PIL import Image

from cnnctl.data import fit_to, hold_out, load, normalization
from cnnctl.data.chunks import chunks, mapping
from cnnctl.data.dataset import Dataset, Split, fingerprint, on_disk
from cnnctl.data.images import decode_many, image_reader
from cnnctl.data.images.cache import DecodedCopy
from cnnctl.data.images.decode import Format
from cnnctl.data.images.folder_layout import find_layout
from cnnctl.data.named.places import decoded_folder
from cnnctl.errors import DataError

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of seven noisy 5×4 pictures to train with, three to test with."""
    random = np.random.RandomState(0)
    root = tmp_path / "photos"
    for split, count in (("train", 7), ("test", 3)):
        for label in ("cat", "dog"):
            (root / split / label).mkdir(parents=True)
            for number in range(count):
                noise = random.randint(0, 256, (5, 4, 3)).astype(np.uint8)
                Image.fromarray(noise).save(root / split / label / f"{number}.png")
    return root


@pytest.fixture
def keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding counts as slow, however quick it was."""
    monkeypatch.setattr(image_reader, "WORTH_SECONDS", 0.0)


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_reader, "free_memory", lambda: 40)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that are decoded."""
    names: list[str] = []
    decode = decode_many.decode

    def watched(path: Path, wanted: Format) -> np.ndarray:
        names.append(f"{path.parent.parent.name}/{path.parent.name}/{path.name}")
        return decode(path, wanted)

    for module in (decode_many, image_reader):
        monkeypatch.setattr(module, "decode", watched)
    monkeypatch.setattr(image_reader, "usable_cpus", lambda: 2)
    return names


def read(folder: Path, **arguments: Any) -> Dataset:
    return load("image_folder", {"path": folder.name, **arguments}, base=folder.parent)


def by_pillow(folder: Path, split: str, mode: str = "RGB") -> np.ndarray:
    """The pictures, file by file, each class spread evenly."""
    placed: list[tuple[Fraction, str, Path]] = []
    for label in (folder / split).iterdir():
        own = sorted(label.glob("*.png"))
        placed += [(Fraction(2 * n + 1, len(own)), label.name, path) for n, path in enumerate(own)]
    files = [path for *_, path in sorted(placed)]
    x = np.stack([np.array(Image.open(path).convert(mode)) for path in files])
    return x if x.ndim == 4 else x[..., None]


def store() -> list[str]:
    """What the folder of decoded copies holds."""
    return sorted(path.name for path in decoded_folder().glob("*"))


def same(data: Dataset, folder: Path) -> None:
    assert data.test is not None
    np.testing.assert_array_equal(data.train.x, by_pillow(folder, "train"))
    np.testing.assert_array_equal(data.test.x, by_pillow(folder, "test"))


def test_few_pictures_leave_nothing_behind(folder: Path) -> None:
    data = read(folder)
    same(data, folder)
    assert not on_disk(data.train.x)
    assert data.notes == ()
    assert store() == []


@pytest.mark.usefixtures("keeps")
def test_a_second_reading_takes_the_copy(folder: Path, decoded: list[str]) -> None:
    first = read(folder)
    assert decoded
    assert len(store()) == 2
    assert re.fullmatch(
        r"14 train pictures: decoded in \d\.\d s by \d+ threads?; the decoded copy "
        rf"\(0\.0 MB\) is kept in {decoded_folder()}",
        first.notes[0],
    )
    decoded.clear()
    second = read(folder)
    assert decoded == []
    same(second, folder)
    assert not on_disk(second.train.x)
    assert second.fingerprint == first.fingerprint
    assert second.notes == tuple(
        f"{what}: read from the decoded copy (0.0 MB) in {decoded_folder()}"
        for what in ("14 train pictures", "6 test pictures")
    )


@pytest.mark.usefixtures("no_memory")
def test_pictures_that_are_too_large_for_the_memory_lie_on_the_disk(
    folder: Path, decoded: list[str]
) -> None:
    for _ in range(2):
        data = read(folder)
        same(data, folder)
        assert on_disk(data.train.x)
        assert not data.train.x.flags.writeable
        assert len(store()) == 2
        assert len(decoded) == 22  # the first of a split twice, to know the size
        assert "held on disk, since pictures get a quarter of the 0.0 MB of free" in data.notes[0]


def test_the_splits_share_the_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_reader, "free_memory", lambda: image_reader.SHARE * 15 * 60)
    data = read(folder)
    assert data.test is not None
    assert not on_disk(data.train.x)
    assert on_disk(data.test.x)
    same(data, folder)


@pytest.mark.usefixtures("keeps")
@pytest.mark.parametrize("change", ["times", "size", "added", "removed", "renamed", "put back"])
def test_a_changed_folder_is_decoded_again(folder: Path, decoded: list[str], change: str) -> None:
    read(folder)
    before = store()
    decoded.clear()
    path = folder / "train/dog/3.png"
    other = Image.new("RGB", (4, 5), "red")
    if change == "times":
        os.utime(path, ns=(1, 1))
    elif change == "size":
        other.save(path)
    elif change == "added":
        other.save(folder / "train/dog/31.png")
    elif change == "removed":
        path.unlink()
    elif change == "renamed":
        path.rename(folder / "train/dog/9.png")
    else:  # other pixels in as many bytes, with the time set back
        status = path.stat()
        grey = np.full((5, 4, 3), 9, np.uint8)
        content = io.BytesIO()
        Image.fromarray(grey).save(content, "png")
        path.write_bytes(content.getvalue().ljust(status.st_size, b"\0"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert path.stat().st_size == status.st_size
    same(read(folder), folder)
    assert len(decoded) == len(by_pillow(folder, "train")) + 1  # and no picture of test
    after = store()
    assert len(after) == 2  # the copy of the folder as it was is gone
    assert len(set(after) & set(before)) == 1


@pytest.mark.usefixtures("keeps")
def test_another_format_is_another_copy(folder: Path) -> None:
    for _ in range(2):
        grey = read(folder, color_mode="grayscale")
        np.testing.assert_array_equal(grey.train.x, by_pillow(folder, "train", "L"))
        assert read(folder, image_size=[3, 3], resize=True).train.x.shape == (14, 3, 3, 3)
        same(read(folder), folder)
    assert len(store()) == 6


@pytest.mark.parametrize("room", [40, 1 << 30])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:4096],
        lambda data: data[:10],
        lambda data: b"",
        lambda data: data + b"\0",
        lambda data: b"\0" + data[1:],
        lambda data: b"[]".ljust(4096) + data[4096:],
        lambda data: b"[" * 4096 + data[4096:],
        lambda data: data.replace(b"[14, 5, 4, 3]", b"[14, 4, 5, 3]"),
        lambda data: data.replace(b"[14, 5, 4, 3]", b"[14,-5,-4,3]"),
        lambda data: data.replace(b"[14, 5, 4, 3]", b"[7, 10, 4, 3]"),
        lambda data: data.replace(b"[14, 5, 4, 3]", b"[14,99999,3]"),
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: re.sub(rb'"key": "..', b'"key": "zz', data),
        lambda data: data.replace(b'"sha256"', b'"sha255"'),
    ],
)
@pytest.mark.usefixtures("keeps")
def test_a_damaged_copy_is_made_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch, damage: Any, room: int, decoded: list[str]
) -> None:
    read(folder)
    sound = {name: (decoded_folder() / name).read_bytes() for name in store()}
    for name, data in sound.items():
        if b"[14, 5, 4, 3]" in data:
            (decoded_folder() / name).write_bytes(damage(data))
            assert damage(data) != data
    decoded.clear()
    monkeypatch.setattr(image_reader, "free_memory", lambda: room)
    same(read(folder), folder)
    assert len(decoded) == 15
    assert {name: (decoded_folder() / name).read_bytes() for name in store()} == sound


@pytest.mark.usefixtures("keeps")
def test_a_link_or_a_pipe_in_place_of_a_copy_is_not_followed(folder: Path) -> None:
    read(folder)
    (first, second) = (decoded_folder() / name for name in store())
    moved = first.rename(folder / "moved")
    first.symlink_to(moved)
    second.unlink()
    os.mkfifo(second)
    content = moved.read_bytes()
    same(read(folder), folder)
    assert moved.read_bytes() == content
    assert not first.is_symlink()


@pytest.mark.usefixtures("keeps")
@pytest.mark.parametrize("room", [40, 1 << 30])
def test_a_folder_that_cannot_be_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    (tmp_path / "keras").write_text("a file")
    monkeypatch.setattr(image_reader, "free_memory", lambda: room)
    if room == 40:
        with pytest.raises(DataError, match=r"take 0\.0 MB decoded.*cannot be written") as caught:
            read(folder)
        assert "KERAS_HOME" in (caught.value.hint or "")
    else:
        data = read(folder)
        same(data, folder)
        assert f"no decoded copy is kept: {decoded_folder()}: Not a directory" in data.notes[0]


@pytest.mark.usefixtures("keeps")
@pytest.mark.parametrize("room", [40, 1 << 30])
def test_no_home(folder: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(image_reader, "decoded_folder", homeless)
    monkeypatch.setattr(image_reader, "free_memory", lambda: room)
    if room == 40:
        with pytest.raises(DataError, match="no home folder"):
            read(folder)
    else:
        assert "no home folder" in read(folder).notes[0]


@pytest.mark.usefixtures("keeps")
@pytest.mark.parametrize("full", ["before", "while it is written"])
@pytest.mark.parametrize("room", [40, 1 << 30])
def test_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch, full: str, room: int) -> None:
    if full == "before":
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1000, 900, 100))
        reason = "has room for"
    else:

        def fsync(handle: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", fsync)
        reason = "No space left on device"
    monkeypatch.setattr(image_reader, "free_memory", lambda: room)
    if room == 40:
        with pytest.raises(DataError, match=rf"14 train pictures take .*{reason}") as caught:
            read(folder)
        assert str(decoded_folder()) in caught.value.message
        assert "free some space" in (caught.value.hint or "")
    else:
        data = read(folder)
        same(data, folder)
        assert re.search(rf"no decoded copy is kept: .*{reason}", data.notes[0])
    assert store() == []


DAMAGED = ("test/dog/0.png", "train/cat/3.png", "train/cat/4.png", "train/dog/3.png")


def damage(folder: Path) -> None:
    for name in DAMAGED:
        (folder / name).write_bytes(b"no picture")


@pytest.mark.usefixtures("no_memory")
def test_every_damaged_image_is_named_and_nothing_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_many, "_MOST_AT_ONCE", 1)
    monkeypatch.setattr(image_reader, "usable_cpus", lambda: 8)
    damage(folder)
    for _ in range(3):
        with pytest.raises(DataError, match=r"4 of 20 images cannot be read, first ") as caught:
            read(folder)
        (listed,) = caught.value.diagnostics
        assert sorted(note.partition(": ")[0] for note in listed.notes) == [
            str(folder / name) for name in DAMAGED
        ]
        assert "`on_error: skip`" in (listed.hint or "")
        assert store() == []


def test_ten_damaged_images_are_named_and_the_others_counted(folder: Path) -> None:
    paths = [path for path in folder.rglob("*.png") if path.parent.parent.name == "train"]
    for path in paths[:13]:
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"13 of 20 images cannot be read") as caught:
        read(folder)
    notes = caught.value.diagnostics[0].notes
    assert len(notes) == 11
    assert all(note.endswith(".png: the file is empty") for note in notes[:10])
    assert notes[10] == "and 3 more"


@pytest.mark.usefixtures("keeps")
@pytest.mark.parametrize("free", [1 << 30, 40])
def test_damaged_images_are_left_out_on_request(
    folder: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str], free: int
) -> None:
    """In memory and on the disk; from the copy as well, which knows which they were."""
    monkeypatch.setattr(image_reader, "free_memory", lambda: free)
    before = read(folder)
    assert before.test is not None
    train = [path for path, _ in find_layout(folder).splits["train"]]
    kept = [str(Path(path).relative_to(folder)) not in DAMAGED for path in train]
    damage(folder)
    with pytest.raises(DataError, match="4 of 20"):
        read(folder)
    for again in (False, True):
        decoded.clear()
        data = read(folder, on_error="skip")
        assert bool(decoded) != again
        assert on_disk(data.train.x) == (free == 40)
        np.testing.assert_array_equal(data.train.x, before.train.x[kept])
        np.testing.assert_array_equal(data.train.y, before.train.y[kept])
        assert data.test is not None
        assert len(data.test) == len(data.test.y) == len(before.test) - 1
        assert sorted(path for path, _ in data.skipped) == [str(folder / name) for name in DAMAGED]
        (note,) = [note for note in data.notes if note.startswith(f"{folder / 'train'}: ")]
        assert "left out 3 of 14 images, which cannot be read" in note
        assert "3.png: it is not a PNG, JPEG" in note


def test_a_split_without_a_sound_image_is_no_split(folder: Path) -> None:
    for path in (folder / "test").rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"6 of 6 images cannot be read") as caught:
        read(folder, on_error="skip")
    assert "no image of" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("microseconds", "cpus", "threads"),
    [(10, 1, 1), (10, 2, 2), (10, 16, 2), (130, 16, 3), (330, 16, 8), (90_000, 16, 16)],
)
def test_small_pictures_get_few_threads(
    monkeypatch: pytest.MonkeyPatch, microseconds: int, cpus: int, threads: int
) -> None:
    now = [0.0]

    def decode(path: Path, wanted: Format) -> None:
        now[0] += microseconds * 1e-6

    monkeypatch.setattr(decode_many, "decode", decode)
    monkeypatch.setattr(decode_many.time, "perf_counter", lambda: now[0])
    assert decode_many.useful_threads(Path("x"), Format(None, "RGB", False), cpus) == threads


def test_a_test_picture_that_differs_is_held_against_training(folder: Path) -> None:
    Image.new("RGB", (6, 6)).save(folder / "test/cat/0.png")
    with pytest.raises(DataError, match=r"0\.png is 6x6, others are 5x4 \(.*train/cat/0\.png\)"):
        read(folder)


CHILD = """
import sys
from pathlib import Path
from cnnctl.data import load
from cnnctl.data.images import cache, image_reader
image_reader.WORTH_SECONDS = 0.0
if {on_disk}:
    image_reader.free_memory = lambda: 0
{more}
print("ready", flush=True)
sys.stdin.readline()
data = load("image_folder", {{"path": sys.argv[1]}}, base=Path("/"))
print(data.fingerprint)
"""

STOP = """
import hashlib, time
def hang(*arguments):
    print("writing", flush=True)
    time.sleep(60)
cache.json.dumps = hang
"""


def child(folder: Path, *, on_disk: bool, more: str = "") -> subprocess.Popen[str]:
    script = CHILD.format(on_disk=on_disk, more=more)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


@pytest.mark.parametrize("disk", [False, True])
def test_two_processes_at_once(folder: Path, disk: bool) -> None:
    children = [child(folder, on_disk=disk) for _ in range(3)]
    for process in children:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in children:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.communicate()[0] for process in children}
    assert said == {read(folder).fingerprint + "\n"}
    assert [process.returncode for process in children] == [0, 0, 0]
    assert len(store()) == 2
    assert all(name.endswith(".pictures") for name in store())


@pytest.mark.parametrize("disk", [False, True])
def test_a_writer_that_is_killed(folder: Path, disk: bool) -> None:
    process = child(folder, on_disk=disk, more=STOP)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert go(process) == "writing\n"
    (part,) = store()
    assert part.endswith(".part")
    same(read(folder), folder)
    assert store() == [part]  # its writer is alive
    process.send_signal(signal.SIGKILL)
    process.communicate()
    same(read(folder), folder)
    assert store() == []


IMAGES = st.tuples(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(["RGB", "L", "RGBA", "1", "P"]),
    st.sampled_from(["png", "jpg"]),
    st.integers(0, 2**32 - 1),
)


@examples(20, suppress_health_check=list(HealthCheck))
@given(
    st.lists(IMAGES, min_size=1, max_size=7),
    st.sampled_from(["rgb", "grayscale"]),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_every_way_gives_what_pillow_gives_file_by_file(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[int, int, str, str, int]],
    color_mode: str,
    chunk: int,
    threads: int,
) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "train/a").mkdir(parents=True)
    mode, size = {"rgb": "RGB", "grayscale": "L"}[color_mode], (4, 6)
    expected = []
    for number, (height, width, kind, suffix, seed) in enumerate(drawn):
        noise = np.random.RandomState(seed).randint(0, 256, (height, width, 3)).astype(np.uint8)
        kind = "L" if suffix == "jpg" and kind != "RGB" else kind
        path = folder / f"train/a/{number}.{suffix}"
        Image.fromarray(noise).convert(kind).save(path)
        image = Image.open(path).convert(mode)
        if image.size != size[::-1]:
            image = image.resize(size[::-1], Image.Resampling.BILINEAR)
        expected.append(np.array(image).reshape(*size, -1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        patch.setattr(image_reader, "WORTH_SECONDS", 0.0)
        patch.setattr(decode_many, "_MOST_AT_ONCE", chunk)
        patch.setattr(image_reader, "usable_cpus", lambda: threads)
        found = []
        for free in (1 << 30, 1 << 30, 0, 0):  # decoded, read, mapped; decoded to the disk
            patch.setattr(image_reader, "free_memory", lambda free=free: free)
            if len(found) == 3:
                shutil.rmtree(folder / "keras")
            data = read(folder, color_mode=color_mode, image_size=list(size), resize=True)
            assert on_disk(data.train.x) == (free == 0)
            np.testing.assert_array_equal(data.train.x, np.stack(expected))
            found.append(data.fingerprint)
    assert len(set(found)) == 1


def test_nothing_takes_what_lies_on_the_disk_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 MB pass through loading, holding out, checking and normalizing in far less."""
    folder = tmp_path / "large"
    (folder / "train/a").mkdir(parents=True)
    for number in range(100):
        Image.new("L", (10, 10), number).save(folder / f"train/a/{number:03}.png")
    monkeypatch.setattr(image_reader, "free_memory", lambda: 0)
    monkeypatch.setattr(image_reader, "usable_cpus", lambda: 2)
    for _ in range(2):  # decoded, and read from the copy
        with Peak() as peak:
            data = read(folder, image_size=[1000, 1000], resize=True, color_mode="grayscale")
            data = fit_to(hold_out(data, 0.2), (1000, 1000, 1), outputs=2)
            standard = normalization("standard", data.train)
        assert data.train.x.shape == (80, 1000, 1000, 1)
        assert on_disk(data.train.x)
        assert standard.subtract == (39.5,)
        assert peak.bytes < 50 << 20, peak.bytes
    assert data.train.x[79, 999, 999, 0] == 79
    assert data.validation is not None
    assert data.validation.x[0, 0, 0, 0] == 80
    with Peak() as peak:
        assert data.train.x.copy().nbytes == 80_000_000  # and the measure sees what is taken
    assert peak.bytes > 60 << 20


class Peak:
    """Measures the most memory that this process takes within a block."""

    def __enter__(self) -> Peak:
        Path("/proc/self/clear_refs").write_text("5")
        self._before = self._peak()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bytes = self._peak() - self._before

    @staticmethod
    def _peak() -> int:
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        assert found
        return 1024 * int(found[1])


def test_where_an_array_lies(tmp_path: Path) -> None:
    path = tmp_path / "x"
    np.arange(24, dtype=np.uint8).tofile(path)
    x = np.memmap(path, np.uint8, "r", shape=(4, 3, 2))
    for here in (x, x.view(np.ndarray), x[1:3], x[1:][..., None], np.asarray(x).reshape(4, 6)):
        assert on_disk(here)
    for there in (x.copy(), x[[0, 2]], x.astype(np.float32), np.array(x), np.zeros(3)):
        assert not on_disk(there)


@pytest.mark.parametrize("shape", [(7, 5), (1, 1), (0, 4), (3, 0), (300, 4, 2, 3)])
def test_chunks_are_the_rows_in_order(shape: tuple[int, ...], monkeypatch: Any) -> None:
    monkeypatch.setattr("cnnctl.data.chunks.CHUNK", 50)
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    found = list(chunks(x))
    assert [start for start, _ in found] == np.cumsum([0, *(len(r) for _, r in found)])[
        :-1
    ].tolist()
    if len(x):
        np.testing.assert_array_equal(np.concatenate([rows for _, rows in found]), x)
    whole = fingerprint({"train": Split(x, x)})
    monkeypatch.setattr("cnnctl.data.chunks.CHUNK", 1 << 30)
    assert fingerprint({"train": Split(x, x)}) == whole


def test_what_is_written_to_a_private_map_stays(tmp_path: Path) -> None:
    path = tmp_path / "x"
    np.zeros(10_000, np.uint8).tofile(path)
    x = np.memmap(path, np.uint8, "c")
    x[5] = 7
    list(chunks(x))
    assert mapping(x) is not None
    assert x[5] == 7


@pytest.mark.usefixtures("keeps")
def test_a_copy_of_an_earlier_kind_is_decoded_again(folder: Path, decoded: list[str]) -> None:
    read(folder)
    for name in store():
        path = decoded_folder() / name
        path.write_bytes(path.read_bytes().replace(b"pictures, 3", b"pictures, 2"))
    decoded.clear()
    same(read(folder), folder)
    assert len(decoded) == 22  # all, and the first of each split twice


def test_a_copy_names_the_folder_and_what_is_in_it(folder: Path, tmp_path: Path) -> None:
    def name(folder: Path, **format: Any) -> str:
        paths = [str(path) for path in sorted((folder / "train").glob("*/*"))]
        wanted = Format(**{"size": None, "mode": "RGB", "resize": False, **format})
        return DecodedCopy(tmp_path, folder / "train", paths, wanted).path.name

    names = {name(folder), name(folder, mode="L"), name(folder, size=(5, 4), resize=True)}
    assert len(names) == 3
    assert name(folder, model="something") in names
    (tmp_path / "link").symlink_to(folder)
    assert name(tmp_path / "link") == name(folder)
    shutil.copytree(folder, tmp_path / "copied")
    assert name(tmp_path / "copied") not in names
