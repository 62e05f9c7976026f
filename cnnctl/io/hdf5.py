"""The little of the HDF5 format that Keras's weights files consist of, read without its library.

The library is large, written in C, and follows links, external files and filters wherever a file
sends it; files that end the process are known. Here a file from outside meets a few lines of Python
that know groups, and arrays stored in one piece, in the form in which h5py writes them by default
(superblock 0; HDF5 File Format Specification 3.0, sections II.A to IV.A.2), and refuse the rest.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cnnctl.errors import shortened

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Versions of superblock, free space, root group and shared headers; sizes of offsets and lengths.
_VERSIONS = bytes((0, 0, 0, 0, 0, 8, 8, 0))

_NIL, _SPACE, _OLD_FILL, _FILL, _LAYOUT, _ATTRIBUTE = 0x0, 0x1, 0x4, 0x5, 0x8, 0xC
_TYPE, _CONTINUATION, _TABLE, _TIME = 0x3, 0x10, 0x11, 0x12
_USED = (_SPACE, _TYPE, _LAYOUT, _TABLE)
_IGNORED = (_NIL, _OLD_FILL, _FILL, _ATTRIBUTE, _TIME)
_SHARED = 0x2
_CONTIGUOUS = 1
_SYMBOLIC_LINK = 2
_FIXED, _FLOAT, _OPAQUE = 0, 1, 5
_BIG_ENDIAN, _SIGNED = 1, 8
_KINDS = (
    *("int", "float", "time", "text", "bits", "opaque"),
    *("compound", "reference", "enum", "sequence", "array"),
)
"""The classes of types, for messages."""

_TYPE_SIZES = {_FIXED: 12, _FLOAT: 20}
"""How long a description of a type is without its padding."""


class Refused(ValueError):
    """A file that is damaged, or none that Keras writes."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array of a file.

    Args:
        shape: Its lengths.
        type: The description of its values' type as it is in the file.
        offset: Where in the file its values begin.
        size: How many bytes they are.
    """

    shape: tuple[int, ...]
    type: bytes
    offset: int
    size: int

    def __str__(self) -> str:
        number, bits = self.type[0] & 15, 8 * int.from_bytes(self.type[4:8], "little")
        kind = _KINDS[number] if number < len(_KINDS) else "unknown"
        if number == _FIXED and not self.type[1] & _SIGNED:
            kind = f"u{kind}"
        order = "big-endian " if number in (_FIXED, _FLOAT) and self.type[1] & _BIG_ENDIAN else ""
        return f"{order}{kind}{bits if number in (_FIXED, _FLOAT) else ''} {self.shape}"

    @property
    def exponent(self) -> tuple[int, int] | None:
        """Bytes of a value, and the bits of its exponent, all of which are set where it is not
        finite; None for whole numbers."""
        width = int.from_bytes(self.type[4:8], "little")
        if self.type[0] & 15 == _FLOAT:
            return width, ((1 << self.type[13]) - 1) << self.type[12]
        if self.type[0] & 15 == _OPAQUE and width == 2:  # how h5py stores bfloat16
            return 2, 0x7F80
        return None


class File:
    """The arrays of a weights file.

    Args:
        file: The file.
        skip: A group of the topmost level that is left out, with all that is in it.
        limit: How much the search for the arrays may cost, in bytes that are read and characters of
            the names that are made of them: names may overlap in the file. None for any number.

    Attributes:
        arrays: By path, `layers/dense/vars/0`.
        groups: The paths of its groups.
        read: What the search has cost.

    Raises:
        Refused: It is damaged or none that Keras writes.
    """

    def __init__(
        self, file: BinaryIO, *, skip: str | None = None, limit: int | None = None
    ) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._limit = limit
        self._skip = skip
        self.read = 0
        self.arrays: dict[str, Array] = {}
        self.groups: set[str] = set()
        try:
            self._walk()
        except Refused:
            raise
        except (struct.error, IndexError, ValueError) as error:
            raise Refused("it is damaged") from error

    def values(self, array: Array) -> bytes:
        """The bytes of an array's values.

        Raises:
            Refused: The file ends before them.
        """
        return self._bytes(array.offset, array.size)

    def _walk(self) -> None:
        if self._bytes(0, 16) != _SIGNATURE + _VERSIONS:
            raise Refused("it is no HDF5 file in the form that Keras writes")
        # Base address, free space, end of the file, driver; then the root group's entry.
        base, _, end, _, _, root = struct.unpack("<6Q", self._block(24, 48))
        if base or end > self._size:
            raise Refused("it is cut off")
        groups = [("", root)]
        seen = {root}
        while groups:
            prefix, address = groups.pop()
            for name, child in self._children(address, prefix):
                if not prefix and name == self._skip:
                    continue
                self._charge(len(prefix) + len(name))
                path = f"{prefix}{name}"
                if child in seen:
                    raise Refused(f"{shortened(path)} links to another place")
                seen.add(child)
                found = self._object(child, path)
                if isinstance(found, Array):
                    self.arrays[path] = found
                else:
                    self.groups.add(path)
                    groups.append((f"{path}/", child))

    def _object(self, address: int, path: str) -> Array | None:
        """The array at an address; None if it is a group."""
        messages = self._messages(address, path)
        if messages.keys() == {_TABLE}:
            return None
        if messages.keys() != {_SPACE, _TYPE, _LAYOUT}:
            raise Refused(f"{shortened(path)} is no array")
        space, layout = messages[_SPACE], messages[_LAYOUT]
        if space[0] != 1 or layout[0] != 3 or layout[1] != _CONTIGUOUS:
            raise Refused(f"{shortened(path)} is stored in a form that Keras never writes")
        shape = struct.unpack_from(f"<{space[1]}Q", space, 8)
        described = messages[_TYPE]
        described = described[: _TYPE_SIZES.get(described[0] & 15)]
        (width,) = struct.unpack_from("<I", described, 4)
        offset, size = struct.unpack_from("<QQ", layout, 2)
        if size != math.prod(shape) * width or (size and offset + size > self._size):
            raise Refused(f"{shortened(path)} is damaged: its size is not that of its shape")
        return Array(shape, described, offset if size else 0, size)

    def _children(self, address: int, prefix: str) -> Iterator[tuple[str, int]]:
        """The names in a group, and the addresses of what they name."""
        messages = self._messages(address, prefix or "/")
        if messages.keys() != {_TABLE}:
            raise Refused(f"{shortened(prefix or '/')} is no group")
        tree, heap = struct.unpack_from("<QQ", messages[_TABLE])
        head = self._block(heap, 32)
        if head[:5] != b"HEAP\0":
            raise Refused("it is damaged")
        length, _, start = struct.unpack_from("<QQQ", head, 8)
        names = self._block(start, length)
        seen = set()
        for name_at, child, kind in self._entries(tree, None):
            end = names.index(b"\0", name_at)
            self._charge(end - name_at)  # before a string is made of it
            name = names[name_at:end].decode()
            if not name or name in seen or "/" in name or not name.isprintable():
                where = shortened(prefix or "/")
                raise Refused(f"it has an object without a name of its own in {where}")
            if kind == _SYMBOLIC_LINK:
                raise Refused(f"{shortened(prefix + name)} links to another place")
            seen.add(name)
            yield name, child

    def _entries(self, address: int, level: int | None) -> Iterator[tuple[int, int, int]]:
        """The entries below a node of a group's tree: place of the name, address, kind."""
        signature, kind, found, used = struct.unpack_from("<4sBBH", self._block(address, 24))
        if signature != b"TREE" or kind or (level is not None and found != level):
            raise Refused("it is damaged")
        # A key, then a child and a key in turn.
        keys = struct.unpack(f"<{2 * used}Q", self._block(address + 24, 16 * used))
        for child in keys[1::2]:
            if found:
                yield from self._entries(child, found - 1)
                continue
            head = self._block(child, 8)
            if head[:5] != b"SNOD\x01":
                raise Refused("it is damaged")
            count = int.from_bytes(head[6:8], "little")
            yield from struct.iter_unpack("<QQI20x", self._block(child + 8, 40 * count))

    def _messages(self, address: int, path: str) -> dict[int, bytes]:
        """What an object's header says of it: kind of message → content, each kind once."""
        version, _, _, _, length = struct.unpack_from("<BBHII", self._block(address, 16))
        if version != 1:
            raise Refused(f"{shortened(path)} is stored in a form that Keras never writes")
        found: dict[int, bytes] = {}
        blocks = [(address + 16, length)]
        while blocks:
            block = self._block(*blocks.pop())
            position = 0
            while position + 8 <= len(block):
                kind, size, flags = struct.unpack_from("<HHB", block, position)
                content = block[position + 8 : position + 8 + size]
                position += 8 + size
                if kind == _CONTINUATION:
                    blocks.append(struct.unpack_from("<QQ", content))
                elif kind in _USED and kind not in found and not flags & _SHARED:
                    found[kind] = content
                elif kind not in _IGNORED:
                    raise Refused(f"{shortened(path)} is stored in a form that Keras never writes")
        return found

    def _block(self, offset: int, length: int) -> bytes:
        """Bytes that describe; how many there are is limited, so that no loop is endless."""
        self._charge(length + 16)
        return self._bytes(offset, length)

    def _charge(self, cost: int) -> None:
        self.read += cost
        if self._limit is not None and self.read > self._limit:
            raise Refused("it has far more objects than this network")

    def _bytes(self, offset: int, length: int) -> bytes:
        if offset + length > self._size:
            raise Refused("it is cut off")
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length:
            raise Refused("it is cut off")
        return data
