"""The shipped specs, by name."""

import pytest
from conftest import CONFIGS

from cnnctl import shipped
from cnnctl.errors import UsageError


def test_names_are_those_of_the_files():
    assert list(shipped.names()) == sorted(
        path.relative_to(CONFIGS).with_suffix("").as_posix() for path in CONFIGS.rglob("*.yaml")
    )


@pytest.mark.parametrize("name", ["mnist", "mnist.yaml"])
def test_find(name):
    assert shipped.find(name).samefile(CONFIGS / "mnist.yaml")


def test_a_miss_gives_the_nearest_and_the_list():
    with pytest.raises(UsageError) as caught:
        shipped.find("mnits")
    assert "did you mean mnist?" in caught.value.hint
    assert "cifar10_resnet" in caught.value.hint


def test_in_a_wheel_they_lie_in_the_package(tmp_path, monkeypatch):
    (tmp_path / "cnnctl/configs/more").mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    (tmp_path / "cnnctl/configs/more/one.yaml").write_text("name: one\n")
    places = (tmp_path / "cnnctl/configs", tmp_path / "configs")
    monkeypatch.setattr(shipped, "_PLACES", places)
    assert shipped.names() == ("more/one",)
    assert shipped.find("more/one") == places[0] / "more/one.yaml"
