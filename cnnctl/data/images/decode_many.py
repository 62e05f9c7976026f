"""Decode many images in threads, in order."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cnnctl.data.chunks import CHUNK
from cnnctl.data.images.decode import Format, decode
from cnnctl.data.images.open_image import DamagedImage

if TYPE_CHECKING:
    import numpy as np

_MOST_AT_ONCE = 200
_LOCKED_SECONDS = 40e-6  # of the 67 µs that a PNG file of 32×32 takes on an AMD EPYC


@dataclass(slots=True)
class Findings:
    """What was found in many images.

    Args:
        damaged: Why an image cannot be read, by its place among the files.
        several: The places of files with further frames or pages.
    """

    damaged: dict[int, str] = field(default_factory=dict)
    several: list[int] = field(default_factory=list)


def decode_all(
    paths: Sequence[str],
    wanted: Format,
    put: Callable[[np.ndarray], None],
    *,
    threads: int,
    progress: Callable[[int], None],
) -> Findings:
    """Decode images in threads (Pillow decodes outside the interpreter's lock), in order.

    Args:
        paths: The files.
        wanted: What they are decoded to; its size and bits are known.
        put: Gets the images in the order of `paths`, some at a time: uint8 or uint16
            `(some, height, width, channels)`; those that cannot be read are left out.
        threads: How many decode.
        progress: Told after every `put` how many are done.

    Raises:
        DataError: An image is of another size or depth; the first such one is named.
    """
    import numpy as np

    assert wanted.size is not None
    assert wanted.bits is not None
    shape = (*wanted.size, wanted.channels)
    rows = max(1, min(_MOST_AT_ONCE, CHUNK // (math.prod(shape) * wanted.bits // 8)))

    def read(start: int) -> tuple[np.ndarray, Findings]:
        some, found, count = paths[start : start + rows], Findings(), 0
        x = np.empty((len(some), *shape), f"uint{wanted.bits}")
        for index, path in enumerate(some, start):
            try:
                decoded = decode(Path(path), wanted)
            except DamagedImage as error:
                found.damaged[index] = error.reason
                continue
            x[count] = decoded.pixels
            count += 1
            if decoded.has_more:
                found.several.append(index)
        return x[:count], found

    all_found = Findings()
    done = 0
    waiting: deque[Future[tuple[np.ndarray, Findings]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for start in range(0, len(paths), rows):
                waiting.append(pool.submit(read, start))
                # No more is decoded ahead than the threads need, however slowly it is taken.
                last = start + rows >= len(paths)
                while waiting and (last or len(waiting) > threads + 1):
                    x, found = waiting.popleft().result()
                    all_found.damaged |= found.damaged
                    all_found.several += found.several
                    put(x)
                    done = min(done + rows, len(paths))
                    progress(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return all_found


def useful_threads(path: Path, wanted: Format, cpus: int) -> int:
    """How many threads to decode images like this one with, at most one for each processor.

    For part of the time that an image takes a thread needs the interpreter's lock, for which the
    others wait: with eight threads, images of 32×32 take longer than with two.

    Args:
        path: An image, which was decoded before.
        wanted: What it is decoded to.
        cpus: How many processors there are.
    """
    if cpus <= 2:
        return cpus
    quickest = math.inf
    for _ in range(3):
        began = time.perf_counter()
        decode(path, wanted)
        quickest = min(quickest, time.perf_counter() - began)
        if quickest >= cpus * _LOCKED_SECONDS:
            return cpus
    return min(cpus, max(2, int(quickest / _LOCKED_SECONDS)))
