"""The shipped specs, by name."""

import pytest
from conftest import CONFIGS

from cnnctl.catalog import shipped
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


@pytest.mark.parametrize(("command", "words"), [
    (["summary", "mnist"], "3,274,634"),
    (["check", "cifar10", "mnist.yaml"], "no such file: mnist.yaml"),
    (["check", "xo", "examples/edge"], "edge.yaml: ok"),
    (["diff", "mnist", "mnist_book"], "model.layers"),
    (["train", "mnits"], "did you mean mnist, a shipped spec?"),
])  # fmt: skip
def test_commands_take_their_names(cnnctl, command, words):
    """In a folder without such files; a name with an ending is a file's."""
    done = cnnctl(*command)
    assert words in done.stdout + done.stderr


def test_a_file_of_that_name_comes_first(cnnctl, tmp_path):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist/own.yaml").write_text(
        "model: {input_shape: [4], layers: [Dense: {units: 2}]}\n"
    )
    assert "own.yaml: ok, 10 parameters" in cnnctl("check", "mnist").stdout
