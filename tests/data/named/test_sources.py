"""The table of named data sets, held against Keras's own source and the publishers' pages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from cnnctl.data.named.sources import SOURCES


def _keras_source(module: str) -> str:
    spec = importlib.util.find_spec("keras")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    return (folder / "src" / "datasets" / f"{module}.py").read_text()


def test_mnist_is_keras_own_file() -> None:
    text = _keras_source("mnist")
    (file,) = SOURCES["mnist"].files
    assert f'"{file.sha256}"' in text
    assert file.url.rpartition("/")[0] + "/" in text


def test_fashion_mnist_is_at_keras_address_and_in_keras_cache() -> None:
    text = _keras_source("fashion_mnist")
    for file in SOURCES["fashion_mnist"].files:
        folder, _, name = file.path.rpartition("/")
        assert f'"{name}"' in text
        assert f'os.path.join("datasets", "{folder}")' in text
        assert f'"{file.url.removesuffix(name)}"' in text


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar_is_at_the_publisher_of_keras_copy(name: str) -> None:
    (file,) = SOURCES[name].files
    assert file.url.replace("binary", "python") in _keras_source(name)


def test_class_names() -> None:
    # from the pages of the publishers
    assert SOURCES["fashion_mnist"].class_names[9] == "Ankle boot"
    assert SOURCES["cifar10"].class_names[3] == "cat"
    cifar100 = SOURCES["cifar100"]
    assert len(cifar100.class_names) == 100
    assert len(cifar100.coarse_names) == 20
    assert list(cifar100.class_names) == sorted(cifar100.class_names)
    assert list(cifar100.coarse_names) == sorted(cifar100.coarse_names)
    assert cifar100.class_names[49] == "mountain"
    assert cifar100.coarse_names[10] == "large_natural_outdoor_scenes"


def test_every_sum_is_a_sha256() -> None:
    for source in SOURCES.values():
        sums = [source.train_sha256, source.test_sha256]
        sums += [text for file in source.files for text in (file.sha256, *file.equivalents)]
        assert all(re.fullmatch("[0-9a-f]{64}", text) for text in sums if text is not None)
        assert all(file.url.startswith("https://") for file in source.files)
