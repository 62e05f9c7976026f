"""Small files that would cost much: each kind with its makers, and the functions that read it.

Nothing of them is kept in the repository: a maker writes its file when it is needed, large ones
with holes. `measure` runs in a process of its own, and reports seconds, memory and words per file.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import signal
import struct
import sys
import tarfile
import time
import zipfile
import zlib
from functools import partial
from pathlib import Path

from reliability import hostile, hostile_data
from reliability.hostile import raw_zip, sparse, zeros
from reliability.hostile_data import _chunk, _png

LONG = "n" * 60_000


def text(content):
    """A maker of a file with this content, or with what a function returns."""

    def make(path):
        data = content() if callable(content) else content
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    return make


# HDF5, by hand: names that share their bytes, of groups that share what is in them.

_ROOT, _NODE = 96, 24


def h5(names, heap, *, children=None):
    """A weights file of empty groups.

    Args:
        names: Where in the heap the name of each begins.
        heap: The bytes of all names.
        children: How many groups lie in one another, each with these names, instead of beside.
    """
    out = bytearray(_ROOT)

    def put(data):
        at = len(out)
        out.extend(data)
        return at

    def header(tree, heap_at):
        message = struct.pack("<HHBxxxQQ", 0x11, 16, 0, tree, heap_at)
        return put(struct.pack("<BBHII", 1, 0, 1, 1, len(message)) + bytes(4) + message)

    def tree(entries):
        head = b"SNOD\x01\0" + struct.pack("<H", len(entries))
        body = b"".join(struct.pack("<QQI20x", name, child, 0) for name, child in entries)
        child = put(head + body)
        node = struct.pack("<4sBBHQQ", b"TREE", 0, 0, 1, 2**64 - 1, 2**64 - 1)
        return put(node + struct.pack("<QQQ", 0, child, 0))

    where = put(bytes(32))
    start = put(heap)
    out[where : where + 32] = b"HEAP\0\0\0\0" + struct.pack("<QQQ", len(heap), 0, start)
    empty = put(struct.pack("<4sBBHQQ", b"TREE", 0, 0, 0, 2**64 - 1, 2**64 - 1))
    leaf = header(empty, where)
    if children is None:
        entries = [(name, header(empty, where)) for name in names]
    else:
        for _ in range(children):
            leaf = header(tree([(names[0], leaf)]), where)
        entries = [(names[0], leaf)]
    root = header(tree(entries), where)
    out[:16] = hostile_signature()
    out[24:72] = struct.pack("<6Q", 0, 2**64 - 1, len(out), 2**64 - 1, 0, root)
    return bytes(out)


def hostile_signature():
    return b"\x89HDF\r\n\x1a\n" + bytes((0, 0, 0, 0, 0, 8, 8, 0))


def _in_archive(make, method=zipfile.ZIP_DEFLATED):
    def archive(path):
        inner = path.with_suffix(".inner")
        make(inner)
        hostile._archive(method=method)(path, inner)
        inner.unlink()

    return archive


_OVERLAPPING = text(lambda: h5(range(9000), b"a" * 60_000 + b"\0"))
WEIGHTS = {
    "names that overlap.weights.h5": _OVERLAPPING,
    "names that overlap.keras": _in_archive(_OVERLAPPING),
    "names that overlap, in letters of three bytes.weights.h5": text(
        lambda: h5(range(0, 60_000, 9), "語".encode() * 20_000 + b"\0")
    ),
    "few names that overlap, in much.weights.h5": text(
        lambda: h5(range(800), b"a" * 900_000 + b"\0")
    ),
    "a name without an end.weights.h5": text(lambda: h5([0], b"a" * 900_000)),
    "a name of a megabyte.weights.h5": text(lambda: h5([0], b"a" * 900_000 + b"\0")),
    "long names in one another.weights.h5": text(
        lambda: h5([0], b"a" * 2_000 + b"\0", children=400)
    ),
    "names in one another.weights.h5": text(lambda: h5([0], b"a\0", children=9_000)),
    "sixty thousand groups.weights.h5": text(
        lambda: h5(range(0, 360_000, 6), b"".join(b"%05d\0" % n for n in range(60_000)))
    ),
    "sixty thousand groups.keras": _in_archive(
        text(lambda: h5(range(0, 360_000, 6), b"".join(b"%05d\0" % n for n in range(60_000))))
    ),
    "an entry with a long name.keras": lambda path: hostile._archive((LONG, b""))(
        path, _good(path)
    ),
    "many entries.keras": lambda path: hostile._archive(*((f"{n}", b"") for n in range(20_000)))(
        path, _good(path)
    ),
}


def _good(path):
    return path.parent / "good.weights.h5"


for _name, _make in hostile.H5.items():
    WEIGHTS[f"{_name}.weights.h5"] = lambda path, make=_make: make(path, _good(path))
for _name, _make in hostile.ARCHIVES.items():
    WEIGHTS[f"{_name}.keras"] = lambda path, make=_make: make(path, _good(path))


# Arrays.


def _npy(header, data=b"", version=1):
    """An array with any header."""
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes((version, 0)) + size + header + data


def _long_header(length, version=2):
    """An archive whose array has a header of that length, of blanks."""

    def make(path):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        start = b"\x93NUMPY" + bytes((version, 0)) + struct.pack("<I", length)
        data = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
        block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
        data += block * (length >> 20) + packer.flush()
        raw_zip(path, data, name="x_train.npy", size=12 + length)

    return make


def _of_header(header, version=1):
    return hostile_data._npz(x=_npy(header, bytes(64), version))


def _fields(kind):
    return b"{'descr': " + kind + b", 'fortran_order': False, 'shape': (2,)}"


ARRAYS = {
    "a header of a gigabyte.npz": _long_header(1 << 30),
    "a header of fifty megabytes.npz": _long_header(50 << 20),
    "a header that is as long as allowed.npz": _of_header(b" " * 9_999 + b"\n"),
    "brackets.npz": _of_header(b"(" * 9_000),
    "brackets that close.npz": _of_header(b"(" * 4_000 + b")" * 4_000),
    "minus signs.npz": _of_header(b"-" * 9_000 + b"1"),
    "a number of many digits.npz": _of_header(b"9" * 9_999),
    "a length of many digits.npz": _of_header(
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (" + b"9" * 4_000 + b",)}"
    ),
    "many lengths.npz": _of_header(
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (" + b"9," * 4_000 + b")}"
    ),
    "many fields.npz": _of_header(_fields(b"'" + b"f4," * 3_000 + b"'")),
    "fields of fields.npz": _of_header(_fields(b"[('a'," * 900 + b"'f4'" + b")]" * 900)),
    "a text of gigabytes.npz": _of_header(_fields(b"'|S2147483647'")),
    "a value of gigabytes.npz": _of_header(_fields(b"'|V2147483647'")),
    "an array of arrays.npz": _of_header(_fields(b"'(1000000,1000000)f4'")),
    "a header of another Python.npz": _of_header(
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (" + b"2L," * 3_000 + b")}"
    ),
    "many arrays.npz": lambda path: hostile_data._npz(*((f"{n}.npy", b"") for n in range(20_000)))(
        path
    ),
    "an array with a long name.npz": hostile_data._npz((LONG + ".npy", b"")),
    "long names.npz": hostile_data._npz(*((LONG[:900] + f"{n}.npy", b"") for n in range(1_000))),
    "a header of a gigabyte, behind megabytes.npz": lambda path: (
        _long_header(1 << 30)(path),
        path.write_bytes(bytes(6 << 20) + path.read_bytes()),
    ),
    "entries in one place.npz": lambda path: _same_place(path),
    "zeros of sixty megabytes.npz": lambda path: raw_zip(
        path, zeros(60 << 20), name="x_train.npy", size=60 << 20
    ),
    "a header of gigabytes.npy": text(b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1) + b" " * 100),
    "a header with holes.npy": lambda path: _holes(path, 2_000_000_000),
    "objects.npy": text(_npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", bytes(64))),
    "a shape of nothing.npy": text(
        _npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (0, " + b"9" * 18 + b")}")
    ),
}
for _name, _make in hostile_data.NPZ.items():
    if _name not in ("a pipe", "a device", "a link to a text"):
        ARRAYS[f"{_name} (npz).npz"] = _make


def _same_place(path):
    """Thousands of entries of the archive's directory that share one megabyte of zeros."""
    packed = zeros(1 << 20)
    raw_zip(path, packed, name="x_train.npy", size=1 << 20)
    data = path.read_bytes()
    begin, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry = data[begin:end]
    entries = b"".join(
        entry.replace(b"x_train.npy", b"x_tr%03d.npy" % number) for number in range(1_000)
    )
    last = struct.pack("<HHHHIIH", 0, 0, 1_000, 1_000, len(entries), begin, 0)
    path.write_bytes(data[:begin] + entries + b"PK\5\6" + last)


def _holes(path, length):
    sparse(path, 12 + length)
    with path.open("r+b") as file:
        file.write(b"\x93NUMPY\2\0" + struct.pack("<I", length))


# Pictures.


def _image(form, size, mode="RGB", **options):
    def make(path):
        from PIL import Image

        Image.new(mode, size).save(path, form, **options)

    return make


def _frames(form, count):
    def make(path):
        from PIL import Image

        frames = [Image.new("L", (9, 9), n % 256) for n in range(count)]
        frames[0].save(path, form, save_all=True, append_images=frames[1:])

    return make


def _rows(side, bytes_per_pixel):
    """The packed rows of a square of zeros."""
    return zlib.compress(bytes(side * (1 + bytes_per_pixel * side)), 9)


def _packed(kind, size, prefix=b"a\0\0"):
    return _png(9, 9, _chunk(kind, prefix + zlib.compress(bytes(size), 9)))


def _tiff(*tags):
    """A TIFF file of any tags (number, type, count, value)."""
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 8) + body + bytes(100)


_SIZED = [(256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
          (273, 4, 1, 200), (277, 3, 1, 1), (278, 4, 1, 9), (279, 4, 1, 81)]  # fmt: skip


def _jpeg(*segments):
    def make(path):
        from PIL import Image

        out = io.BytesIO()
        Image.new("L", (9, 9)).save(out, "JPEG")
        data = out.getvalue()
        path.write_bytes(data[:2] + b"".join(segments) + data[2:])

    return make


IMAGES = {
    "black pixels.png": text(lambda: _png(7_000, 7_000)),
    "black pixels, more than may be.png": text(lambda: _png(7_100, 7_100)),
    "black pixels in color.png": text(lambda: _png(3_500, 3_500, color=2, pixels=_rows(3_500, 3))),
    "black pixels in color, more than may be.png": text(
        lambda: _png(3_600, 3_600, color=2, pixels=_rows(3_600, 3))
    ),
    "clear pixels.png": text(lambda: _png(2_200, 2_200, color=6, pixels=_rows(2_200, 4))),
    "deep pixels.png": text(
        lambda: _png(1_100, 1_100, depth=16, color=6, pixels=_rows(1_100, 8))
    ),
    "deep pixels, more than may be.png": text(
        lambda: _png(3_000, 3_000, depth=16, color=6, pixels=_rows(3_000, 8))
    ),
    "text of a megabyte.png": text(lambda: _packed(b"zTXt", 1 << 20)),
    "text of fifty megabytes.png": text(lambda: _packed(b"zTXt", 50 << 20)),
    "text of fifty megabytes, in Unicode.png": text(
        lambda: _packed(b"iTXt", 50 << 20, b"a\0\1\0\0\0")
    ),
    "a profile of fifty megabytes.png": text(lambda: _packed(b"iCCP", 50 << 20)),
    "many texts.png": text(
        lambda: _png(9, 9, *(_chunk(b"tEXt", b"k%d\0v" % n) for n in range(60_000)))
    ),
    "many packed texts.png": text(
        lambda: _png(
            9, 9, *[_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000), 9))] * 60
        )
    ),
    "many empty chunks.png": text(lambda: _png(9, 9, *[_chunk(b"abCd", b"")] * 90_000)),
    "EXIF data of megabytes.png": text(lambda: _png(9, 9, _chunk(b"eXIf", bytes(4 << 20)))),
    "EXIF data with many entries.png": text(
        lambda: _png(9, 9, _chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff" + bytes(12) * 65_535))
    ),
    "rows of many pixels.png": text(lambda: _png(40_000_000, 1)),
    "columns of many pixels.png": text(lambda: _png(1, 40_000_000)),
    "more pixels than rows.png": text(
        lambda: _png(9, 9, pixels=zlib.compress(bytes(200 << 20), 9))
    ),
    "interlaced.png": text(lambda: _png(7_000, 7_000)[:28] + b"\1" + _png(7_000, 7_000)[29:]),
    "a comment after another.jpg": _jpeg(*[b"\xff\xfe\0\2"] * 300_000),
    "tables.jpg": _jpeg(*[b"\xff\xdb\0\x43\0" + bytes([1] * 64)] * 10_000),
    "many parts of a profile.jpg": _jpeg(
        *[b"\xff\xe2\0\x12ICC_PROFILE\0\1\xff" + b"aa"] * 60_000
    ),
    "no pixels in sight.jpg": text(b"\xff\xd8" + b"\xff" * 4_000_000),
    "sixty-five thousand by as many.jpg": _jpeg(
        b"\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0"
    ),
    "a thousand frames.gif": _frames("GIF", 1_000),
    "a screen of four billion pixels.gif": text(
        b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\x09\0\x09\0\0\x02\x02\x44\x01\0;"
    ),
    "comments.gif": text(b"GIF89a\x09\0\x09\0\0\0\0" + b"!\xfe\x01a\0" * 300_000 + b";"),
    "frames.tiff": _frames("TIFF", 300),
    "a loop of frames.tiff": text(
        b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 256, 4, 1, 9) + struct.pack("<I", 8)
    ),
    "a tag of gigabytes.tiff": text(_tiff(*_SIZED, (700, 1, 2**32 - 1, 8))),
    "strips by the billion.tiff": text(
        _tiff(*[(n, k, 2**31 if n in (273, 279) else c, v) for n, k, c, v in _SIZED])
    ),
    "many bits.tiff": text(_tiff(*[(n, k, 60_000 if n == 258 else c, v) for n, k, c, v in _SIZED])),
    "black pixels.webp": _image("WEBP", (2_200, 2_200), lossless=True),
    "black pixels, more than may be.webp": _image("WEBP", (4_000, 4_000), lossless=True),
    "black pixels.bmp": text(
        b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0)
    ),
    "runs without an end.bmp": text(
        b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 30_000, 1_000, 1, 8, 1, 0, 0, 0, 0, 0) + b"\0\0" * 50_000
    ),
}  # fmt: skip
for _name, _make in hostile_data.IMAGES.items():
    if _name not in ("a device", "a pipe", "a folder", "a link to nothing", "a link to a text"):
        IMAGES[f"{_name} (picture).png"] = _make


# Run folders.


def _lines(pattern, count):
    """That many lines, with their numbers put in."""
    return text(lambda: "".join(pattern.replace("#", str(n)) for n in range(1, count + 1)))


def _object(pattern, count):
    """A JSON object of many members."""
    return text(lambda: "{" + ",".join(pattern.replace("#", str(n)) for n in range(count)) + "}")


_DEEP = "[" * 1_000 + "]" * 1_000
HISTORIES = {
    "lines by the hundred thousand": _lines('{"epoch": #}\n', 700_000),
    "one epoch again and again": _lines('{"epoch": 1}\n', 700_000),
    "a hundred thousand figures": _object('"epoch": 1, "k#": 1', 100_000),
    "nine thousand figures": _object('"epoch": 1, "k#": 1', 9_000),
    "other figures in each line": text(
        lambda: "\n".join(
            "{" + f'"epoch": {line}' + "".join(f', "{line}-{n}": 1' for n in range(9_000)) + "}"
            for line in range(1, 100)
        )
    ),
    "lists for figures": _lines('{"epoch": #, "loss": {"a": [1]}}\n', 150_000),
    "numbers of four thousand digits": _lines('{"epoch": #, "loss": ' + "9" * 4_000 + "}\n", 3_000),
    "numbers of five thousand digits": _lines('{"epoch": #, "loss": ' + "9" * 5_000 + "}\n", 3_000),
    "figures with long names": _lines('{"epoch": #, "' + LONG + '#": 1}\n', 300),
    "a deep line": text(f'{{"epoch": 1, "loss": {_DEEP}}}'),
    "deep lines": _lines('{"epoch": #, "loss": ' + "[" * 60 + "]" * 60 + "}\n", 60_000),
    "brackets": text("[" * 5_000_000),
    "empty lines": text("\n" * 5_000_000),
    "damaged lines": text("x\n" * 2_000_000),
    "a gigabyte of nothing": lambda path: sparse(path, 6 << 30),
    "a line of megabytes": text('{"epoch": 1, "x": "' + "x" * (8 << 20) + '"}'),
    "letters of four bytes": text('{"epoch": 1, "x": "😀' + "x" * 1_000_000 + '"}'),
    "epochs backwards": text(
        lambda: "".join(f'{{"epoch": {n}, "loss": 1}}\n' for n in range(100_000, 0, -1))
    ),
    "huge and tiny figures": _lines('{"epoch": #, "loss": 1e99, "a": -1e99, "b": 1e-300}\n', 100),
}
DOCUMENTS = {
    "a gigabyte of nothing": lambda path: sparse(path, 6 << 30),
    "empty lists": text(lambda: '{"x": [' + "[]," * 1_300_000 + "[]]}"),
    "empty mappings": text(lambda: '{"x": [' + "{}," * 1_300_000 + "{}]}"),
    "mappings of one": text(lambda: '{"x": [' + '{"":0},' * 590_000 + "0]}"),
    "just as many values as there may be": text(lambda: '{"x": [' + "[]," * 140_000 + "[]]}"),
    "numbers": text(lambda: '{"x": [' + "1e5," * 1_000_000 + "0]}"),
    "members": _object('"k#":0', 300_000),
    "a number of five thousand digits": text('{"planned": ' + "9" * 5_000 + ', "seed": 1}'),
    "numbers of four thousand digits": text(
        lambda: '{"planned": ' + "9" * 4_000 + ', "x": [' + ("9" * 4_000 + ",") * 1_000 + "0]}"
    ),
    "a deep value": text(f'{{"versions": {_DEEP}}}'),
    "a very deep value": text('{"versions": ' + "[" * 4_000_000),
    "mappings in one another": text('{"data":' * 60_000 + "1" + "}" * 60_000),
    "a text of megabytes": text('{"status": "' + "x" * (4_100_000) + '"}'),
    "a text of letters of four bytes": text('{"status": "😀' + "x" * 4_000_000 + '"}'),
    "escapes": text(lambda: '{"status": "' + "\\u0041" * 690_000 + '"}'),
    "long names of figures": text(lambda: f'{{"figures": {{"{LONG}": "x", "b{LONG}": 1e999}}}}'),
    "figures": text(
        lambda: '{"figures": {' + ",".join(f'"k{n}": 1' for n in range(200_000)) + "}}"
    ),
    "figures that are none": text(
        lambda: '{"figures": {' + ",".join(f'"k{n}": [1]' for n in range(200_000)) + "}}"
    ),
    "not JSON": text("{" * 4_000_000),
    "a text without an end": text('{"a": "' + "\\" * 4_000_000),
}

# Specs.

SPEC = """\
name: net
data:
  dataset: {xo: {count: 40}}
model:
  input_shape: [9, 9, 1]
  layers:
    - Flatten
    - Dense: {units: 2, activation: softmax}
compile: {optimizer: adam, loss: sparse_categorical_crossentropy}
"""
_ROOM = 510_000


def _times(piece, size=_ROOM):
    return piece * (size // len(piece))


def _each(pattern, size=_ROOM):
    """As many as there is room for, with their numbers put in."""
    out, length, number = [], 0, 0
    while length < size:
        piece = pattern.replace("#", str(number))
        out.append(piece)
        length += len(piece)
        number += 1
    return "".join(out[:-1])


def _layers(more):
    return text(lambda: SPEC.replace("    - Flatten\n", "    - Flatten\n" + more()))


SPECS = {
    "layers": _layers(lambda: _times("    - ReLU\n")),
    "layers with arguments": _layers(lambda: _times("    - Dense: {units: 2}\n")),
    "layers of one name": _layers(lambda: _times("    - ReLU: {name: a}\n")),
    "unknown layers": _layers(lambda: _each("    - Foo#\n")),
    "unknown layers, alike": _layers(lambda: _each("    - " + "A" * 90 + "#\n")),
    "unknown inputs": _layers(
        lambda: _each("    - ReLU: {name: l#, inputs: [" + "a" * 60 + "#]}\n")
    ),
    "unknown arguments": _layers(
        lambda: "    - Dense: {units: 2, " + _each("kernel_initialize#: 1, ") + "}\n"
    ),
    "branches": _layers(
        lambda: "    - Parallel: {branches: [" + _times("[ReLU],", 300_000) + "]}\n"
    ),
    "repeats of repeats": _layers(
        lambda: (
            "    - Repeat: {times: 100, layers: [" * 1
            + "{Repeat: {times: 100, layers: [{Repeat: {times: 100, layers: [ReLU]}}]}}]}\n"
        )
    ),
    "unknown metrics": text(
        lambda: SPEC.replace("loss:", "metrics: [" + _each("accurac#, ", 300_000) + "], loss:")
    ),
    "keys": text(lambda: _each("k#: 1\n")),
    "keys in braces": text(lambda: "{" + _each("k#: 1,") + "}"),
    "items": text(lambda: "a: [" + _times("a,") + "]"),
    "empty lists": text(lambda: "a: [" + _times("[],") + "]"),
    "a list that is not closed": text(lambda: "a: [" + _times("a, ")),
    "brackets": text("[" * _ROOM),
    "dashes": text("- " * (_ROOM // 2)),
    "question marks": text("? " * (_ROOM // 2)),
    "indentation": text(lambda: "".join(" " * n + "a:\n" for n in range(1_000))),
    "a long key": text("k" * _ROOM + ": 1"),
    "a long text": text("name: " + "k" * _ROOM),
    "a text of many lines": text(lambda: "name: " + _times("a\n ")),
    "escapes": text(lambda: 'name: "' + _times("\\u0041") + '"'),
    "anchors": text(lambda: _each("k#: &a# 1\n")),
    "aliases": text(lambda: "a: &a 1\nb: [" + _times("*a,") + "]"),
    "aliases of aliases": text(
        lambda: (
            "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
        )
    ),
    "a number of many digits": text("seed: " + "9" * _ROOM),
    "a hexadecimal number": text("seed: 0x" + "f" * _ROOM),
    "numbers of 399 digits": text(lambda: "a: [" + _times("9" * 399 + ",") + "]"),
    "an expression": text(
        SPEC.replace("optimizer: adam", 'optimizer: {Adam: {learning_rate: "9**9**9**9"}}')
    ),
    "a long expression": text(
        SPEC.replace(
            "optimizer: adam", 'optimizer: {Adam: {learning_rate: "' + "1+" * 99_999 + '1"}}'
        )
    ),
    "a shape of many lengths": text(SPEC.replace("[9, 9, 1]", "[" + "9, " * 100_000 + "1]")),
    "ten megabytes": text(lambda: "a: 1\n" * 2_000_000),
    "a gigabyte of nothing": lambda path: sparse(path, 1 << 30),
    "specs that extend one another": lambda path: _chain(path),
}


def _chain(path):
    for number in range(15):
        name = path.name if not number else f"{number}.yaml"
        body = f"extends: {number + 1}.yaml\n" + _each(f"k{number}x#: 1\n", 400_000)
        path.with_name(name).write_text(body)
    path.with_name("15.yaml").write_text(SPEC)


# Downloads.


def _idx(data):
    return lambda path: path.write_bytes(gzip.compress(data() if callable(data) else data, 1))


def _member(size, name="cifar-10-batches-bin/data_batch_1.bin"):
    def make(path):
        with tarfile.open(path, "w:gz", compresslevel=1) as file:
            info = tarfile.TarInfo(name)
            info.size = size
            file.addfile(info, io.BytesIO(bytes(size)))

    return make


def _members(count, name):
    def make(path):
        with tarfile.open(path, "w:gz", compresslevel=1) as file:
            for number in range(count):
                file.addfile(tarfile.TarInfo(name.replace("#", str(number))))

    return make


DOWNLOADS = {
    "an IDX file of gigabytes.idx": lambda path: path.write_bytes(
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zeros(4 << 30) + struct.pack("<II", 0, 0)
    ),
    "an IDX file of another size.idx": _idx(
        bytes((0, 0, 8, 3)) + struct.pack(">III", 2**32 - 1, 2**32 - 1, 2**32 - 1)
    ),
    "an IDX file in many parts.idx": lambda path: path.write_bytes(gzip.compress(b"") * 200_000),
    "an entry of another size.tar": _member(50 << 20),
    "many entries.tar": _members(30_000, "cifar-10-batches-bin/#"),
    "entries with long names.tar": _members(100, "a" * 60_000 + "#"),
    "an entry in many folders.tar": _members(10, "a/" * 30_000 + "#"),
}
for _name, _make in hostile_data.ARCHIVES.items():
    DOWNLOADS[f"{_name}.tar"] = _make

KINDS = {
    "weights": WEIGHTS,
    "arrays": ARRAYS,
    "pictures": IMAGES,
    "histories": HISTORIES,
    "documents": DOCUMENTS,
    "specs": SPECS,
    "downloads": DOWNLOADS,
}


def _model():
    import keras

    layers = keras.layers
    net = [keras.Input((9, 9, 1)), layers.Conv2D(4, 3, name="conv2d"), layers.MaxPooling2D(),
           layers.Flatten(), layers.Dense(2, name="dense")]  # fmt: skip
    return keras.Sequential(net)


def _readers(kind, folder):
    """The functions that read a kind of file; each gets the file's path."""
    if kind == "weights":
        from cnnctl.network.weights import load_weights

        model = _model()
        model.save_weights(folder / "good.weights.h5")
        return [lambda path: load_weights(model, path)]
    if kind == "arrays":
        from cnnctl.data.npz import load_npz
        from cnnctl.inference.image_style import Look
        from cnnctl.inference.images import read

        look = Look((9, 9, 1), None, False, False)
        return [lambda path: load_npz(path) if path.suffix == ".npz" else list(read([path], look))]
    if kind == "pictures":
        from cnnctl.data.images.decode import Format, decode
        from cnnctl.inference.image_style import Look
        from cnnctl.inference.images import read

        look = Look((9, 9, 1), None, False, False)
        return [
            lambda path: decode(path, Format((9, 9), "RGB", resize=True)),
            lambda path: decode(path, Format((9, 9), "L", resize=False)),
            lambda path: list(read([str(path)], look)),
        ]
    if kind in ("histories", "documents"):
        return _of_runs(kind, folder)
    if kind == "specs":
        from cnnctl.preflight import check

        return [check]
    from cnnctl.data.named.published_files import read_cifar, read_idx
    from cnnctl.data.named.sources import SOURCES

    return [
        lambda path: (
            read_idx(SOURCES["mnist"], (path,) * 4)
            if path.suffix == ".idx"
            else read_cifar(SOURCES["cifar10"], path)
        )
    ]


def _of_runs(kind, folder):
    from cnnctl.reports.overview import entries
    from cnnctl.reports.run_groups import compare
    from cnnctl.reports.run_report import history_table
    from cnnctl.runs.run import Run

    run = Run(folder / "runs/net/001")
    run.checkpoints_dir.mkdir(parents=True)
    run.spec_path.write_text(SPEC)

    def reader(name, command):
        """A command that finds the file under this name in the run."""

        def read(path):
            path.rename(run.path / name)
            try:
                command()
            finally:
                (run.path / name).rename(path)

        return read

    def listed():
        (found,) = entries(folder / "runs")
        json.dumps(found.to_dict(), allow_nan=False)

    def reported():
        if rows := run.history():
            assert len(history_table(rows)) < 2_000_000

    if kind == "histories":
        return [
            reader("metrics.jsonl", listed),
            reader("metrics.jsonl", reported),
            reader("metrics.jsonl", lambda: compare([run.path])),
        ]
    names = ("state.json", "environment.json", "evaluation.json")
    return [
        *(reader(name, listed) for name in names),
        reader("trackers.json", run.trackers),
    ]


SOUND = {
    "weights": "good.weights.h5",
    "arrays": ("sound.npz", hostile_data._npz()),
    "pictures": ("sound.png", text(lambda: _png(9, 9))),
    "histories": ("sound.jsonl", text('{"epoch": 1, "loss": 0.5}\n')),
    "documents": ("sound.json", text("{}")),
    "specs": ("sound.yaml", text(SPEC)),
    "downloads": ("sound.tar", _members(1, "#")),
}
"""A file of each kind that costs nothing, by which whatever reads it is imported."""


def _apart(kind, task):
    """Do something in a process of its own, which takes its memory with it.

    Not beside TensorFlow, whose threads a process that is forked does not have.
    """
    if kind == "weights":
        task()
        return
    sys.stdout.flush()
    child = os.fork()
    if not child:
        status = 1
        try:
            task()
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def measure(kinds, folder, every=True):
    """Read the files of some kinds; prints what it took, one line of JSON per reading.

    Args:
        kinds: Of `KINDS`.
        folder: Where the files are made, one at a time.
        every: Whether every function reads every file; otherwise the functions take turns.
    """
    for kind in kinds:
        place = Path(folder) / kind
        place.mkdir()
        readers = _readers(kind, place)
        if kind != "weights":
            name, make = SOUND[kind]
            make(place / name)
        for read in readers:
            _measured(read, place / (SOUND[kind] if kind == "weights" else name))
        for number, (name, make) in enumerate(KINDS[kind].items()):
            suffix = re.search(r"(\.\w+)+$", name)
            path = place / f"{number:03d}{suffix[0] if suffix else '.yaml'}"
            _apart(kind, partial(make, path))
            size = path.stat().st_blocks * 512
            for index, read in enumerate(readers):
                if every or index == number % len(readers):
                    what = f"{name} [{index}]" if len(readers) > 1 else name
                    about = {"kind": kind, "name": what, "size": size}
                    _apart(kind, partial(_print, about, read, path))
            path.unlink(missing_ok=True)


def _print(about, read, path):
    print(json.dumps({**about, **_measured(read, path)}), flush=True)


def _measured(read, path, seconds=20):
    """Read a file, which is ended after so many of the processor's seconds."""
    from cnnctl.cli.boundary import render
    from cnnctl.errors import CnnctlError
    from cnnctl.io.notes import print_notes
    from reliability.watch import Reading

    def late(number, frame):
        raise TimeoutError(f"more than {seconds} s")

    reading, said, outcome = Reading(), io.StringIO(), "read"
    print_notes()
    signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    began = time.process_time()
    with contextlib.redirect_stderr(said), reading.measured():
        try:
            read(path)
        except CnnctlError as error:
            outcome = "refused"
            print(render(error), file=said)
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"[:300]
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    words = said.getvalue()
    return {
        "outcome": outcome,
        "seconds": round(time.process_time() - began, 3),
        "bytes": reading.bytes,
        "longest": max(map(len, words.splitlines()), default=0),
        "words": words[:300],
    }


__all__ = ["KINDS", "measure"]
