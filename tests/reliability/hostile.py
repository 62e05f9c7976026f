"""Hostile files, made when they are needed: each with what makes it hostile as its name.

`H5` and `ARCHIVES` are files of weights, made from an intact one; `RUNS` are changes of an intact
run folder. What is not of the file itself (a secret to be read, a file to be written) lies in the
folder `outside`, beside the file.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np

from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import ARRAYS, MANIFEST, SPEC, STATE, WEIGHTS

BIAS = "layers/conv2d/vars/1"
"""An array of four numbers in every intact file."""


def outside(path: Path) -> Path:
    """The folder beside a file that it has no business with."""
    folder = path.parent / "outside"
    folder.mkdir(exist_ok=True)
    return folder


def _edited(edit):
    """A file of weights that h5py has changed."""

    def make(path, good):
        path.write_bytes(good.read_bytes())
        with h5py.File(path, "a") as file:
            edit(file, path)

    return make


def _instead(replace):
    """One whose bias is replaced by something else of that name."""

    def edit(file, path):
        del file[BIAS]
        replace(file, path)

    return _edited(edit)


def _bytes(change):
    """One whose bytes are changed."""

    def make(path, good):
        path.write_bytes(change(good.read_bytes()))

    return make


def _external(file, path):
    secret = outside(path) / "secret"
    secret.write_bytes(np.ones(4, np.float32).tobytes())
    file.create_dataset(BIAS, (4,), "f4", external=[(str(secret), 0, 16)])


def _virtual(file, path):
    with h5py.File(outside(path) / "other.h5", "w") as other:
        other["x"] = np.ones(4, np.float32)
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(outside(path) / "other.h5"), "x", (4,))
    file.create_virtual_dataset(BIAS, layout)


def _compact(file, path):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((4,))
    name = BIAS.rpartition("/")
    made = h5py.h5d.create(
        file[name[0]].id, name[2].encode(), h5py.h5t.IEEE_F32LE, space, dcpl=plist
    )
    made.write(space, space, np.ones(4, np.float32))


def _committed(file, path):
    file["layers/type"] = np.dtype("f4")
    file.create_dataset(BIAS, (4,), dtype=file["layers/type"])
    del file["layers/type"]


def _values(value):
    def edit(file, path):
        file[BIAS][2] = value

    return _edited(edit)


def _many(file, path):
    for number in range(100_000):
        h5py.h5g.create(file.id, b"%d" % number)


def _named(name):
    return _edited(lambda file, path: file.create_group("x").id and file.move("x", name))


def _latest(path, good):
    """The same content in the newest format, with an attribute of 20 MB."""
    with h5py.File(good) as old, h5py.File(path, "w", libver="latest") as new:
        for name in old:
            old.copy(name, new)
        new.attrs["huge"] = np.zeros(20 << 20, np.uint8)


def _user_block(path, good):
    with h5py.File(good) as old, h5py.File(path, "w", userblock_size=512) as new:
        for name in old:
            old.copy(name, new)


def _dense_tree(data):
    """The root's tree has twelve levels, and from each 32 branches lead to the same next one."""
    tree = struct.unpack_from("<Q", data, 80)[0]
    child = len(data)
    data += b"SNOD\x01\0" + bytes(2)
    for level in range(12):
        node = struct.pack("<4sBBHQQ", b"TREE", 0, level, 32, 2**64 - 1, 2**64 - 1)
        node += struct.pack("<QQ", 0, child) * 32
        child = len(data)
        data += node
    return data[:tree] + node + data[tree + len(node) :]


def _endless_header(data):
    """The root's header goes on where it begins."""
    root = struct.unpack_from("<Q", data, 64)[0]
    again = struct.pack("<HHBxxxQQ", 0x10, 16, 0, root + 16, 24)
    header = struct.pack("<BBHII", 1, 0, 1, 1, len(again)) + bytes(4) + again
    return data[:root] + header + data[root + len(header) :]


H5 = {
    "a soft link": _instead(
        lambda file, path: file.__setitem__(BIAS, h5py.SoftLink("/layers/conv2d/vars/0"))
    ),
    "a soft link to itself": _instead(
        lambda file, path: file.__setitem__(BIAS, h5py.SoftLink("/" + BIAS))
    ),
    "an external link": _instead(
        lambda file, path: file.__setitem__(BIAS, h5py.ExternalLink("/etc/passwd", "/x"))
    ),
    "external storage": _instead(_external),
    "a virtual dataset": _instead(_virtual),
    "terabytes in chunks": _instead(
        lambda file, path: file.create_dataset(
            BIAS, (1 << 40,), "f4", chunks=(1 << 20,), compression="gzip"
        )
    ),
    "terabytes that were never written": _instead(
        lambda file, path: file.create_dataset(BIAS, (1 << 40,), "f4")
    ),
    "compressed": _instead(
        lambda file, path: file.create_dataset(
            BIAS, data=np.ones(4, np.float32), chunks=(2,), compression="gzip"
        )
    ),
    "never written": _instead(lambda file, path: file.create_dataset(BIAS, (4,), "f4")),
    "compact": _instead(_compact),
    "Python's objects": _instead(
        lambda file, path: file.create_dataset(BIAS, (4,), h5py.string_dtype())
    ),
    "sequences": _instead(
        lambda file, path: file.create_dataset(BIAS, (4,), h5py.vlen_dtype(np.float32))
    ),
    "references": _instead(lambda file, path: file.create_dataset(BIAS, (4,), h5py.ref_dtype)),
    "compounds": _instead(
        lambda file, path: file.__setitem__(BIAS, np.zeros(4, [("a", "f4"), ("b", "i8")]))
    ),
    "text": _instead(lambda file, path: file.__setitem__(BIAS, np.full(4, b"text"))),
    "truth values": _instead(lambda file, path: file.__setitem__(BIAS, np.ones(4, bool))),
    "doubles": _instead(lambda file, path: file.__setitem__(BIAS, np.ones(4))),
    "whole numbers": _instead(lambda file, path: file.__setitem__(BIAS, np.ones(4, np.int32))),
    "the other byte order": _instead(
        lambda file, path: file.__setitem__(BIAS, np.ones(4, np.dtype(">f4")))
    ),
    "another shape of the same size": _instead(
        lambda file, path: file.__setitem__(BIAS, np.ones((2, 2), np.float32))
    ),
    "not a number": _values(np.nan),
    "infinite": _values(-np.inf),
    "an array too few": _instead(lambda file, path: None),
    "an array too many": _edited(
        lambda file, path: file.__setitem__("layers/dense/vars/2", np.ones(4, np.float32))
    ),
    "an array renamed": _edited(lambda file, path: file.move(BIAS, "layers/conv2d/vars/bias")),
    "a group for an array": _instead(lambda file, path: file.create_group(BIAS)),
    "an array for a group": _edited(
        lambda file, path: (
            file.__delitem__("layers/conv2d"),
            file.__setitem__("layers/conv2d", np.ones(4, np.float32)),
        )
    ),
    "named __class__": _named("layers/__class__"),
    "named ..": _edited(lambda file, path: h5py.h5g.create(file["layers"].id, b"..")),
    "named with control characters": _edited(
        lambda file, path: h5py.h5g.create(file["layers"].id, b"\x1b[2J")
    ),
    "a type of its own": _edited(
        lambda file, path: file.__setitem__("layers/type", np.dtype("f4"))
    ),
    "an array of a type of its own": _instead(_committed),
    "a group that contains itself": _edited(
        lambda file, path: file.__setitem__("layers/loop", file["layers"])
    ),
    "an array with two names": _edited(
        lambda file, path: file.__setitem__("layers/again", file[BIAS])
    ),
    "a hundred thousand groups": _edited(_many),
    "megabytes of attributes": _edited(
        lambda file, path: [
            file["layers"].attrs.__setitem__(f"a{n}", np.zeros(60_000, np.uint8))
            for n in range(200)
        ]
    ),
    "the newest format, and a huge attribute": _latest,
    "a block before the file": _user_block,
    "a tree whose branches meet again": _bytes(_dense_tree),
    "a header that goes on where it begins": _bytes(_endless_header),
    "cut off": _bytes(lambda data: data[: len(data) // 2]),
    "cut off in the header": _bytes(lambda data: data[:50]),
    "empty": _bytes(lambda data: b""),
    "not HDF5": _bytes(lambda data: b"text " * 1000),
    "a gigabyte of nothing": lambda path, good: sparse(path, 1 << 30),
}
"""Files that end in `.weights.h5`."""


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def zeros(size: int) -> bytes:
    """A deflated stream that unpacks to so many zeros, a multiple of a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first * (size >> 20) + packer.flush()


def raw_zip(path, data, *, name=WEIGHTS, size, method=8, flags=0, mode=0, crc=0):
    """A zip archive with one entry, of which everything can be a lie."""
    label = name.encode()
    sizes = struct.pack("<HHQQ", 1, 16, size, len(data))
    stamp = struct.pack("<HHHHI", flags, method, 0, 0x21, crc)
    names = struct.pack("<HH", len(label), len(sizes))
    unknown = struct.pack("<II", 2**32 - 1, 2**32 - 1)
    local = b"PK\3\4" + struct.pack("<H", 45) + stamp + unknown + names + label + sizes
    entry = b"PK\1\2" + struct.pack("<HH", 0x31E, 45) + stamp + unknown + names
    entry += struct.pack("<HHHII", 0, 0, 0, mode << 16, 0) + label + sizes
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local) + len(data), 0)
    path.write_bytes(local + data + entry + end)


def _archive(*extra, method=zipfile.ZIP_STORED, weights=WEIGHTS):
    """A sound archive with further entries (name, content)."""

    def make(path, good):
        with zipfile.ZipFile(path, "w", method) as file:
            file.writestr("metadata.json", "{}")
            file.writestr("config.json", "{}")
            if weights:
                file.writestr(weights, good.read_bytes())
            for name, content in extra:
                file.writestr(name, content)

    return make


def _duplicate(path, good):
    _archive()(path, good)
    with zipfile.ZipFile(path, "a") as file, np.testing.suppress_warnings() as quiet:
        quiet.filter(UserWarning)
        file.writestr(WEIGHTS, b"another")


def _raw(data, **lies):
    return lambda path, good: raw_zip(path, data(good) if callable(data) else data, **lies)


def _nested(path, good):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr(WEIGHTS, good.read_bytes())
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(WEIGHTS, inner.getvalue())


def _damaged_stream(path, good):
    _archive(method=zipfile.ZIP_DEFLATED)(path, good)
    data = bytearray(path.read_bytes())
    middle = data.index(WEIGHTS.encode()) + len(WEIGHTS) + 100
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)


def _many_entries(path, good):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(WEIGHTS, good.read_bytes())
    data = path.read_bytes()
    entry = data[data.index(b"PK\1\2") : data.index(b"PK\5\6")]
    start = data.index(b"PK\1\2")
    entries = entry * 60_000
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 60_000, 60_000, len(entries), start, 0)
    path.write_bytes(data[:start] + entries + end)


ARCHIVES = {
    "an entry too many": _archive(("assets/run.py", b"print()")),
    "an entry that leads out": _archive(("../../outside/written", b"!")),
    "an absolute entry": _archive(("/tmp/cnnctl-hostile", b"!")),
    "an entry that leads out on Windows": _archive(("..\\..\\written", b"!")),
    "an entry with control characters": _archive(("\x1b[2J", b"!")),
    "weights that lead out": _archive(weights=f"../{WEIGHTS}"),
    "an entry twice": _duplicate,
    "no weights": _archive(weights=None),
    "ten gigabytes of zeros": _raw(zeros(10 << 30), size=10 << 30),
    "ten gigabytes that claim to be few": _raw(zeros(10 << 30), size=1000),
    "few bytes that claim to be gigabytes": _raw(b"\3\0", size=10 << 30),
    "few bytes that claim to be a megabyte": _raw(b"\3\0", size=1 << 20),
    "forty megabytes of zeros": _raw(zeros(40 << 20), size=40 << 20),
    "encrypted": _raw(b"\3\0", size=100, flags=1),
    "a link": _raw(
        b"/etc/passwd", size=11, method=0, mode=0o120777, crc=zlib.crc32(b"/etc/passwd")
    ),
    "a device": _raw(b"", size=0, method=0, mode=0o020666),
    "another compression": _archive(method=zipfile.ZIP_LZMA),
    "an unknown compression": _raw(b"", size=100, method=99),
    "an archive in an archive": _nested,
    "a damaged stream": _damaged_stream,
    "sixty thousand entries": _many_entries,
    "cut off": lambda path, good: (
        _archive()(path, good),
        path.write_bytes(path.read_bytes()[:-40]),
    ),
    "not an archive": _bytes(lambda data: b"PK\3\4" + bytes(1000)),
    "an HDF5 file": _bytes(lambda data: data),
    "external storage": lambda path, good: (
        H5["external storage"](path.with_suffix(".h5"), good),
        _archive()(path, path.with_suffix(".h5")),
    ),
    "a gigabyte of nothing": lambda path, good: sparse(path, 1 << 30),
}
"""Files that end in `.keras`."""


def manifest(folder: Path, **changes) -> None:
    """Write a manifest that vouches for what is there; `changes` go into the weights' entry."""
    names = [name for name in checkpoint.FILES if (folder / name).exists()]
    data = {name: (folder / name).read_bytes() for name in names}
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).write_bytes(checkpoint._manifest(data))
    if changes:
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        files[WEIGHTS].update(changes)
        vouch(folder, files)


def vouch(folder: Path, files: object) -> None:
    """Write a manifest of any content, whose own sum is right."""
    import hashlib

    digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps({"files": files, "sha256": digest}))


def _lying(**changes):
    return lambda folder: manifest(folder, **changes)


def _weights(make):
    """A checkpoint with a hostile file of weights, for which the manifest vouches."""

    def change(folder):
        good = folder.parent / "good"
        (folder / WEIGHTS).rename(good)
        make(folder / WEIGHTS, good)
        good.unlink()
        manifest(folder)

    return change


def _sparse_weights(size):
    def change(folder):
        sparse(folder / WEIGHTS, size)
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        files[WEIGHTS]["bytes"] = size
        vouch(folder, files)

    return change


def _state(**changes):
    def change(folder):
        state = json.loads((folder / STATE).read_bytes())
        (folder / STATE).write_text(json.dumps({**state, **changes}))
        manifest(folder)

    return change


def _text(name, text):
    def change(folder):
        (folder / name).write_text(text)
        if name != MANIFEST:
            manifest(folder)

    return change


def _callback(**changes):
    """A checkpoint with another state of its first callback, an EarlyStopping."""

    def change(folder):
        state = json.loads((folder / STATE).read_bytes())
        state["callbacks"][0]["state"].update(changes)
        (folder / STATE).write_text(json.dumps(state))
        manifest(folder)

    return change


def _arrays(edit):
    """A checkpoint whose callbacks' arrays are changed, in the form of a dict."""

    def change(folder):
        with np.load(folder / ARRAYS) as file:
            arrays = dict(file)
        np.savez(folder / ARRAYS, **edit(arrays))
        manifest(folder)

    return change


def _linked(name):
    """A file of the checkpoint is a link to an intact copy outside."""

    def change(folder):
        target = folder.parent.parent.parent / "outside" / name
        (folder / name).rename(target)
        (folder / name).symlink_to(target)

    return change


def _pipe(name):
    def change(folder):
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return change


def _optimizer(value):
    def edit(file, path):
        shape = file["optimizer/vars/2"].shape
        del file["optimizer/vars/2"]
        file["optimizer/vars/2"] = value(shape)

    return _weights(_edited(edit))


DEEP = "[" * 100_000
CHECKPOINTS = {
    "a manifest that names another place": lambda folder: vouch(
        folder,
        {
            **json.loads((folder / MANIFEST).read_bytes())["files"],
            "../../x": {"bytes": 1, "sha256": "0"},
        },
    ),
    "a manifest of nothing": lambda folder: vouch(folder, {}),
    "a manifest of lists": lambda folder: vouch(folder, {WEIGHTS: [1], STATE: [2]}),
    "a size too small": _lying(bytes=100),
    "a size too large": _lying(bytes=1 << 20),
    "a size of a terabyte": _lying(bytes=1 << 40),
    "a negative size": _lying(bytes=-1),
    "a size that is no number": _lying(bytes=float("nan")),
    "an infinite size": _lying(bytes=float("inf")),
    "a size in words": _lying(bytes="100"),
    "a sum that is none": _lying(sha256=[1]),
    "a deep manifest": _text(MANIFEST, DEEP),
    "a manifest of many megabytes": _text(MANIFEST, "[" + "0," * 20_000_000 + "0]"),
    "a manifest that is a pipe": _pipe(MANIFEST),
    "a manifest that is a link": _linked(MANIFEST),
    "weights that are a pipe": _pipe(WEIGHTS),
    "weights that are a link": _linked(WEIGHTS),
    "weights that are a device": lambda folder: (
        (folder / WEIGHTS).unlink(),
        (folder / WEIGHTS).symlink_to("/dev/zero"),
    ),
    "a gigabyte of nothing": _sparse_weights(1 << 30),
    "fifty megabytes of nothing": lambda folder: (
        sparse(folder / WEIGHTS, 50 << 20),
        manifest(folder),
    ),
    "external storage": _weights(H5["external storage"]),
    "not a number": _weights(H5["not a number"]),
    "an array too many": _weights(H5["an array too many"]),
}
"""Changes of a checkpoint that evaluation and resumption refuse alike."""

RESUMPTIONS = {
    "an epoch that is no number": _state(epoch="1"),
    "an epoch that is true": _state(epoch=True),
    "an epoch beyond counting": _state(epoch=10**30),
    "a figure in words": _state(best="0.5"),
    "a figure beyond counting": _state(value=10**400),
    "a best epoch that is a list": _state(best_epoch=[1]),
    "a row that is a list": _state(row=[1]),
    "a row of texts": _state(row={"epoch": 1, "loss": "0.5"}),
    "callbacks that are a text": _state(callbacks="EarlyStopping"),
    "the callbacks of another training": _state(callbacks=[]),
    "callbacks without names": _state(callbacks=[1]),
    "a state that is a list": _text(STATE, "[]"),
    "a deep state": _text(STATE, DEEP),
    "a state of many megabytes": _text(STATE, "[" + "0," * 20_000_000 + "0]"),
    "a counter that is a text": _callback(wait="1"),
    "a counter that is true": _callback(wait=True),
    "a counter that is a list": _callback(best=[1]),
    "arrays that are pickles": _arrays(lambda arrays: {k: np.array([{}], object) for k in arrays}),
    "arrays of other shapes": _arrays(lambda arrays: {k: v[..., None] for k, v in arrays.items()}),
    "arrays of another type": _arrays(
        lambda arrays: {k: v.astype(np.float64) for k, v in arrays.items()}
    ),
    "arrays that are not finite": _arrays(
        lambda arrays: {k: v * np.nan for k, v in arrays.items()}
    ),
    "an array too few": _arrays(lambda arrays: dict(list(arrays.items())[1:])),
    "an array too many": _arrays(lambda arrays: {**arrays, "extra": np.ones(3)}),
    "an array that leads out": _arrays(lambda arrays: {**arrays, "../../written": np.ones(3)}),
    "arrays of gigabytes": lambda folder: (
        raw_zip(folder / ARRAYS, zeros(4 << 30), name="0-00000.npy", size=4 << 30),
        manifest(folder),
    ),
    "arrays that are no archive": _text(ARRAYS, "text"),
    "a spec that names code": _text(SPEC, "model: {layers: [!!python/name:os.system ls]}"),
    "a spec that is another file": _text(SPEC, "extends: /etc/passwd"),
    "a deep spec": _text(SPEC, DEEP),
    "a spec that is no text": lambda folder: (
        (folder / SPEC).write_bytes(b"\xff\xfe\0"),
        manifest(folder),
    ),
    "an optimizer of another shape": _optimizer(lambda shape: np.ones((*shape, 2), np.float32)),
    "an optimizer that is not finite": _optimizer(lambda shape: np.full(shape, np.nan, np.float32)),
    "an optimizer in another place": _optimizer(
        lambda shape: h5py.ExternalLink("/etc/passwd", "/")
    ),
}
"""Changes of a checkpoint that only its resumption reads."""


def _run_file(name, content):
    def change(run):
        (run / name).unlink()
        if callable(content):
            content(run / name)
        else:
            (run / name).write_text(content)

    return change


def _environment(**changes):
    def change(run):
        path = run / "environment.json"
        path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))

    return change


def _link_out(name, *, to="written"):
    """Something of a run is a link to a file or a folder outside."""

    def change(run):
        target = run.parent / "outside" / to
        if (run / name).is_dir():
            target.mkdir()
            for each in (run / name).iterdir():
                each.rename(target / each.name)
            (run / name).rmdir()
        elif (run / name).exists():
            (run / name).rename(target)
        else:
            target.write_text("intact")
        (run / name).symlink_to(target)

    return change


def _best_outside(run):
    best = run / "checkpoints/best"
    target = run.parent / "outside/epoch-0001"
    (run / "checkpoints/epoch-0001").rename(target)
    for link in (best, run / "checkpoints/last"):
        link.unlink()
        link.symlink_to(target)


RUNS = {
    "an environment that is a pipe": _run_file("environment.json", os.mkfifo),
    "an environment that is a device": _run_file(
        "environment.json", lambda path: path.symlink_to("/dev/zero")
    ),
    "a deep environment": _run_file("environment.json", DEEP),
    "an environment that is a list": _run_file("environment.json", "[]"),
    "a normalization of texts": _environment(
        normalization={"kind": "unit", "subtract": ["x"], "divide": [1]}
    ),
    "a normalization that is not finite": _environment(
        normalization={"kind": "unit", "subtract": [0.0], "divide": [float("nan")]}
    ),
    "a normalization that is a list": _environment(normalization=[1]),
    "a normalization of many channels": _environment(
        normalization={"kind": "unit", "subtract": [0.0] * 5, "divide": [1.0] * 5}
    ),
    "data that is a list": _environment(data=[1]),
    "other data": _environment(data={"name": [1], "fingerprint": {"a": 1}}),
    "a plug-in": _environment(plugins=[{"path": "evil.py", "sha256": ["0"], "names": ["Evil"]}]),
}
"""Changes of a run folder that evaluation and resumption refuse alike."""

EVALUATIONS = {"the best checkpoint is outside": _best_outside}
"""Changes of a run folder after which its evaluation has nothing to read."""

LINKS = {
    "the history is a link": _link_out("metrics.jsonl"),
    "the history is a pipe": _run_file("metrics.jsonl", os.mkfifo),
    "the state is a link": _link_out("state.json"),
    "the lock is a link": lambda run: ((run / ".lock").unlink(), _link_out(".lock")(run)),
    "the table is a link": _link_out("history.csv"),
    "the checkpoints are a link": _link_out("checkpoints"),
    "a partial checkpoint is a link": lambda run: (
        (run.parent / "outside/folder").mkdir(),
        (run / "checkpoints/.partial-epoch-0002").symlink_to(run.parent / "outside/folder"),
    ),
    "the logs are a link": lambda run: (
        (run / "tensorboard").mkdir(),
        (run.parent / "outside/folder").mkdir(),
        (run / "tensorboard/train").symlink_to(run.parent / "outside/folder"),
    ),
}
"""Changes of a run folder that would lead what a resumption writes to another place."""


def fuzz(counts, folder):
    """Damage sound files at random places, and read them; prints what came of it as JSON.

    Each is either refused, and the model as before; or read, and the model has what is in it.
    """
    import random

    import keras

    from cnnctl.data.npz import load_npz
    from cnnctl.errors import CheckpointError, DataError
    from cnnctl.io import hdf5
    from cnnctl.network import weights
    from reliability.watch import Reading

    layers = keras.layers
    net = [keras.Input((9, 9, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
    model = keras.Sequential(net)
    folder = Path(folder)
    good = {kind: folder / name for kind, name in
            (("h5", "good.weights.h5"), ("keras", "good.keras"), ("npz", "good.npz"))}  # fmt: skip
    model.save_weights(good["h5"])
    _archive(method=zipfile.ZIP_DEFLATED)(good["keras"], good["h5"])
    images = np.arange(81 * 4, dtype=np.uint8).reshape(4, 9, 9)
    np.savez_compressed(good["npz"], x_train=images, y_train=np.arange(4) % 2)
    chance, results = random.Random(0), {}
    for kind, count in counts.items():
        data, path = good[kind].read_bytes(), folder / f"damaged-{good[kind].name}"
        filled = [place for place, byte in enumerate(data) if byte]
        refused = read = most = 0
        slowest = 0.0
        for _ in range(count):
            damaged = bytearray(data)
            # Half of them where something is: most of an HDF5 file is empty.
            place = chance.choice((chance.randrange(len(data)), chance.choice(filled)))
            bit = chance.random() < 0.5
            damaged[place] ^= 1 << chance.randrange(8) if bit else chance.randrange(1, 256)
            path.write_bytes(damaged)
            before, reading = model.get_weights(), Reading()
            try:
                with reading.measured():
                    load_npz(path) if kind == "npz" else weights.load_weights(model, path)
                read += 1
                if kind == "h5":
                    file = hdf5.File(io.BytesIO(damaged), skip="optimizer")
                    inside = sorted(file.values(each) for each in file.arrays.values())
                    assert inside == sorted(each.tobytes() for each in model.get_weights())
                    assert all(np.isfinite(each).all() for each in model.get_weights())
            except (CheckpointError, DataError):
                refused += 1
                assert all(map(np.array_equal, before, model.get_weights()))
            slowest, most = max(slowest, reading.seconds), max(most, reading.bytes)
        results[kind] = refused, read, slowest, most
    print(json.dumps(results))
