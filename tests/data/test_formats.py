"""Which files are images, by their names."""

from __future__ import annotations

import pytest
from PIL import Image

from cnnctl.data.formats import PILLOW_FORMATS, SUFFIXES, is_readable, looks_like_image


def test_every_suffix_is_one_that_pillow_gives_to_a_format_that_is_read() -> None:
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in SUFFIXES} <= {*PILLOW_FORMATS, "MPO"}


@pytest.mark.parametrize("name", ["a.png", "b.JPG", "c.Jpeg", "d.webp", "e.tif", "f.jfif", "g.GIF"])
def test_names_that_are_read(name: str) -> None:
    assert is_readable(name)
    assert looks_like_image(name)


@pytest.mark.parametrize("name", ["a.heic", "b.AVIF", "c.svg", "d.jpg.part", "e.png.download"])
def test_names_that_only_look_like_it(name: str) -> None:
    assert not is_readable(name)
    assert looks_like_image(name)


@pytest.mark.parametrize("name", ["notes.txt", "labels.csv", "png", "Thumbs.db", "a.npy", ""])
def test_names_of_other_files(name: str) -> None:
    assert not is_readable(name)
    assert not looks_like_image(name)
