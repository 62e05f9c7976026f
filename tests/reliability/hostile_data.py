"""Hostile data sets: `.npz` files, folders of pictures, downloaded archives."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from reliability.hostile import raw_zip, sparse, zeros


class Runs:
    """Would write a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "!")


def _header(shape, dtype="|u1", fortran=False):
    out = io.BytesIO()
    about = {"descr": dtype, "fortran_order": fortran, "shape": shape}
    np.lib.format.write_array_header_1_0(out, about)
    return out.getvalue()


def _npz(*extra, method=zipfile.ZIP_DEFLATED, x=None):
    """A data set with other bytes as its pictures, or with further entries."""

    def make(path):
        with zipfile.ZipFile(path, "w", method) as file:
            file.writestr("x_train.npy", _header((2, 9, 9)) + bytes(162) if x is None else x)
            file.writestr("y_train.npy", _header((2,)) + bytes(2))
            for name, data in extra:
                file.writestr(name, data)

    return make


def _objects(path):
    array = np.array([Runs(path.parent / "outside/canary")] * 2, object)
    with zipfile.ZipFile(path, "w") as file:
        data = _header((2,), "|O") + pickle.dumps(array, protocol=4)
        file.writestr("x_train.npy", data)
        file.writestr("y_train.npy", _header((2,)) + bytes(2))


def _lying(**lies):
    return lambda path: raw_zip(path, name="x_train.npy", **lies)


NPZ = {
    "Python's objects": _objects,
    "structures": _npz(x=_header((2,), [("a", "<f4"), ("b", "<i8")]) + bytes(24)),
    "dates": _npz(x=_header((2,), "<M8[s]") + bytes(16)),
    "a terabyte by its header": _npz(x=_header((10**12,))),
    "more than can be counted, by its header": _npz(x=_header((2**70, 2**70))),
    "nothing, and more than can be counted": _npz(x=_header((0, 2**70))),
    "a negative length": _npz(x=_header((-2, 9)) + bytes(18)),
    "sixty-five dimensions": _npz(x=_header((1,) * 65) + bytes(1)),
    "columns first, and too few": _npz(x=_header((9, 9, 2), fortran=True) + bytes(100)),
    "a header of gigabytes": _npz(x=b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1) + bytes(50)),
    "a deep header": _npz(x=b"\x93NUMPY\1\0\x10\x27" + b"(" * 10_000),
    "a header of another version": _npz(x=b"\x93NUMPY\x09\0" + bytes(100)),
    "an entry that leads out": _npz(("../outside/canary.npy", b"!")),
    "an absolute entry": _npz(("/tmp/cnnctl-hostile.npy", b"!")),
    "an entry with control characters": _npz(("\x1b[2J.npy", b"!")),
    "another compression": _npz(method=zipfile.ZIP_LZMA),
    "ten gigabytes of zeros": _lying(data=zeros(10 << 30), size=10 << 30),
    "ten gigabytes that claim to be few": _lying(data=zeros(10 << 30), size=290),
    "few bytes that claim to be gigabytes": _lying(data=b"\3\0", size=10 << 30),
    "encrypted": _lying(data=b"\3\0", size=100, flags=1),
    "a link": _lying(
        data=b"/etc/passwd", size=11, method=0, mode=0o120777, crc=zlib.crc32(b"/etc/passwd")
    ),
    "text": lambda path: path.write_text("text"),
    "a gigabyte of nothing": lambda path: sparse(path, 1 << 30),
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a text": lambda path: path.symlink_to("/etc/passwd"),
}
"""Files that end in `.npz`."""


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width, height, *chunks, depth=8, color=0, pixels=None):
    """A grey picture (2: a coloured one); black where nothing else is said."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    rows = zlib.compress(bytes(height * (width + 1)), 9) if pixels is None else pixels
    parts = (head, *chunks, _chunk(b"IDAT", rows), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _bytes(data):
    return lambda path: path.write_bytes(data() if callable(data) else data)


def _image(kind, size=(9, 9)):
    def make(path):
        Image.new("L", size).save(path, kind)

    return make


def _floats(path):
    Image.new("F", (9, 9)).save(path, "TIFF")


def _endless_jpeg(path):
    """What looks for the next part of a JPEG reads byte by byte here: 150 million times."""
    sparse(path, 150_000_000)
    with path.open("r+b") as file:
        file.write(b"\xff\xd8\xff\xe0\0\2")


def _broken_jpeg(path):
    Image.effect_noise((9, 9), 50).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:-60])


IMAGES = {
    "a billion pixels": _bytes(lambda: _png(30_000, 30_000, pixels=zlib.compress(bytes(1000)))),
    "ninety million pixels": _bytes(lambda: _png(9_500, 9_500, pixels=zlib.compress(bytes(1000)))),
    "megabytes out of kilobytes": _bytes(
        lambda: _png(7_000, 7_000, color=2, pixels=zlib.compress(bytes(1000)))
    ),
    "a megabyte of text out of a kilobyte": _bytes(
        lambda: _png(9, 9, _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50 << 20), 9)))
    ),
    "a chunk of gigabytes": _bytes(
        lambda: _png(9, 9)[:33] + struct.pack(">I4s", 2**31 - 1, b"tEXt") + bytes(100)
    ),
    "no pixels": _bytes(lambda: _png(0, 0)),
    "two bytes a pixel": _bytes(lambda: _png(9, 9, depth=16, pixels=zlib.compress(bytes(9 * 19)))),
    "cut off": _bytes(lambda: _png(9, 9)[:45]),
    "parts without an end": _endless_jpeg,
    "a JPEG that is cut off": _broken_jpeg,
    "another size": _image("PNG", (8, 9)),
    "a GIF of another size": _image("GIF", (8, 9)),
    "a TIFF of floats": _floats,
    "a program of PostScript": _bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "text": _bytes(b"text"),
    "empty": _bytes(b""),
    "a gigabyte of nothing": lambda path: sparse(path, 1 << 30),
    "a link to a text": lambda path: path.symlink_to("/etc/passwd"),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
}
"""The only picture of its class, in a folder of pictures of 9x9."""


def _tar(*members):
    """An archive of members (name, type, size, link)."""

    def make(path):
        with tarfile.open(path, "w:gz") as file:
            for name, kind, link in members:
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, link
                file.addfile(member)

    return make


def _huge(kind, size=10 << 30, name="cifar-10-batches-bin/data_batch_1.bin"):
    """An archive with one entry that goes on for gigabytes."""

    def make(path):
        member = tarfile.TarInfo(name)
        member.type, member.size = kind, size
        head = member.tobuf(tarfile.GNU_FORMAT)
        # A gzip file may have parts, and the second one is already packed.
        tail = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zeros(size) + struct.pack("<II", 0, 0)
        path.write_bytes(gzip.compress(head) + tail)

    return make


ARCHIVES = {
    "a name that leads out": _tar(("../../outside/canary", tarfile.REGTYPE, "")),
    "a link": _tar(("cifar-10-batches-bin/data_batch_1.bin", tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": _tar(("cifar-10-batches-bin/data_batch_1.bin", tarfile.LNKTYPE, "/etc/passwd")),
    "a device": _tar(("cifar-10-batches-bin/data_batch_1.bin", tarfile.CHRTYPE, "")),
    "a pipe": _tar(("cifar-10-batches-bin/data_batch_1.bin", tarfile.FIFOTYPE, "")),
    "ten gigabytes of zeros": _huge(tarfile.REGTYPE),
    "a name of gigabytes": _huge(tarfile.GNUTYPE_LONGNAME),
    "attributes of gigabytes": _huge(tarfile.XHDTYPE),
    "holes of gigabytes": _huge(tarfile.GNUTYPE_SPARSE),
    "nothing": _tar(),
    "not an archive": lambda path: path.write_bytes(gzip.compress(b"text")),
    "not packed": lambda path: path.write_bytes(b"text"),
}
"""Files that are called as the published archive of CIFAR-10 is."""
