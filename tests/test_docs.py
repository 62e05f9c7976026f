"""The README is true: its spec, its commands, its table."""

import re
import shlex
import subprocess
import sys

import pytest
from conftest import CONFIGS, ROOT
from typer.main import get_command

from cnnctl.cli.app import app
from cnnctl.preflight import check

README = (ROOT / "README.md").read_text()


def blocks(text):
    return re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text):
    return [
        line.split("  #")[0].strip()
        for language, block in blocks(text)
        if not language
        for line in block.splitlines()
        if line.startswith("cnnctl ")
    ]


BLOCKS = blocks(README)
COMMANDS = commands(README)
SWEEPS = commands((ROOT / "docs/sweeps.md").read_text())
PYTHON = [block for language, block in BLOCKS if language == "python"]


def test_the_spec_is_the_shipped_one():
    shipped = re.sub(r"\A(#.*\n)+", "", (CONFIGS / "mnist.yaml").read_text())
    assert ("yaml", shipped) in BLOCKS


@pytest.mark.parametrize("command", [*COMMANDS, *SWEEPS])
def test_every_command_can_be_typed(command):
    """Its words are a command, and its options are that command's."""
    words, _, inner = command.removeprefix("cnnctl ").partition(" -- ")
    if inner:
        test_every_command_can_be_typed(f"cnnctl {inner}")
    words = shlex.split(words)
    group = get_command(app)
    while words and words[0] in getattr(group, "commands", {}):
        group = group.commands[words.pop(0)]
    options = {
        option
        for parameter in group.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert not getattr(group, "commands", None), f"no command in {command}"
    for word in words:
        if word.startswith("-") and word != "-":
            assert word in options, f"{command}: no option {word}"
        elif word.startswith("configs/"):
            assert (ROOT / word).exists()


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if c.split()[1] in {"summary", "check", "layers"} or c.endswith("list")],
)
def test_the_commands_that_answer_at_once_do(command, cnnctl):
    done = cnnctl(*shlex.split(command)[1:], cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_command_is_documented():
    def names(group, path):
        for name, command in getattr(group, "commands", {}).items():
            inner = getattr(command, "commands", None)
            yield from names(command, f"{path} {name}") if inner else [f"{path} {name}"]

    for name in names(get_command(app), "cnnctl"):
        assert any(command.startswith(name) for command in COMMANDS), f"README lacks {name}"


def test_every_command_and_option_has_help():
    def walk(command):
        assert command.help
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{command.name}: {parameter.name}"
        for inner in getattr(command, "commands", {}).values():
            walk(inner)

    walk(get_command(app))


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_table_of_networks_agrees_with_the_headers(path):
    row = re.search(rf"^\| \[`{path.name}`\]\(configs/{path.name}\) .*$", README, re.MULTILINE)
    assert row, "no row in README"
    cells = [cell.strip() for cell in row.group().strip("|").split("|")]
    assert cells[2] == f"{check(path).trace.total:,}"
    header = path.read_text()
    for cell, word in ((cells[3], "Published"), (cells[4], "Measured")):
        figure = re.search(rf"# {word}: ([\d.]+|no figure)", header).group(1)
        assert cell.startswith(figure if figure != "no figure" else "–")


def test_every_worked_example_is_named():
    for path in (CONFIGS / "examples").glob("*.yaml"):
        assert f"(configs/examples/{path.name})" in README, path.name


def test_every_field_of_a_spec_is_documented():
    from cnnctl.specs.sections import Compile, Data, Document, Fit, Model

    for section in (Document, Data, Model, Compile, Fit):
        for name in section.model_fields:
            assert f"`{name}`" in README, f"README lacks {name}"


def test_what_the_readme_says_of_mistakes(cnnctl, tmp_path):
    """The two screens of the section, made again."""
    base = CONFIGS / "cifar10.yaml"
    head = f"extends: {base}\nmodel:\n  layers:\n"
    (tmp_path / "bad.yaml").write_text(
        head
        + "    - Conv2D: {filters: 64, kernal_size: 3}\n"
        + "    - MaxPooling2D: {pool_size: 2}\n    - Flatten\n"
        + "    - Dense: {units: 10, activation: sofmax}\n"
    )
    (tmp_path / "bad2.yaml").write_text(
        head
        + "    - Conv2D: {filters: 32, kernel_size: 3}\n    - MaxPooling2D\n"
        + "    - Conv2D: {filters: 64, kernel_size: 5}\n    - MaxPooling2D: {pool_size: 6}\n"
        + "    - Conv2D: {filters: 64, kernel_size: 3}\n    - Flatten\n"
        + "    - Dense: {units: 10, activation: softmax}\n"
    )
    for name in ("bad.yaml", "bad2.yaml"):
        shown = cnnctl("check", name).stderr
        assert any(shown.strip() in block for _, block in BLOCKS), shown


def test_the_python_example_runs(tmp_path):
    (example,) = [each for each in PYTHON if "cnnctl.train" in each]
    (tmp_path / "configs").symlink_to(CONFIGS)
    script = tmp_path / "example.py"
    script.write_text(example)
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "runs/xo/001/model.keras").exists()


def test_the_plug_in_works(cnnctl, tmp_path):
    (example,) = [each for each in PYTHON if "@cnnctl.register" in each]
    (tmp_path / "my_layers.py").write_text(example)
    layers = "[Scaled: {factor: 3}, Flatten, Dense: {units: 2}]"
    (tmp_path / "net.yaml").write_text(f"model: {{input_shape: [4, 4, 1], layers: {layers}}}\n")
    done = cnnctl("summary", "net.yaml", "--plugin", "my_layers.py")
    assert done.returncode == 0, done.stderr
    assert "Scaled" in done.stdout
    assert "34" in done.stdout  # 16·2 + 2
