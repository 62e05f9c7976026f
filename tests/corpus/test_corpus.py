"""Broken specs, each with the diagnostics that are expected of it, worked out by hand.

The head of each file says them in the order in which they are reported:

    # expect: RULE LINE:COLUMN what occurs in the hint or a note
    # expect: RULE FILE:LINE:COLUMN …     in a file that it extends
    # set: fit.epoch=3                    a flag, whose place is `--set:1:COLUMN`
    # mend: OLD => NEW                    the text, or a flag, put right; with `\\n` and `\\t`

What no text file keeps as it is (line ends, bytes, sizes) is made in `test_hazards.py`.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from cnnctl.errors import SpecError
from cnnctl.preflight import preflight

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.yaml"))
SHOWN = [
    "torch_lenet", "keras_calls", "keras_tuples", "numbers_as_text", "sections_not_indented",
    "yaml_apostrophe", "shape_pooled_away", "graph_inputs", "class_count_coarse",
    "extends_fault_below", "set_keys", "set_values",
]  # fmt: skip
"""Those that are put to the installed command too."""


class Expected(NamedTuple):
    rule: str
    place: str
    mend: str


class Case(NamedTuple):
    text: str
    expected: list[Expected]
    overrides: list[str]
    mends: list[tuple[str, str]]


def case(name):
    text = (HERE / f"{name}.yaml").read_text(encoding="utf-8")
    heads = {"expect": [], "set": [], "mend": []}
    for line in text.splitlines():
        if match := re.match(r"# (expect|set|mend): (.*)", line):
            heads[match[1]].append(match[2])
    return Case(
        text,
        [Expected(*[*line.split(" ", 2), ""][:3]) for line in heads["expect"]],
        heads["set"],
        [tuple(map(unescaped, f"{line} ".split(" => ", 1))) for line in heads["mend"]],
    )


def unescaped(text):
    return text.replace("\\n", "\n").replace("\\t", "\t").removesuffix(" ")


def found(path, overrides=()):
    try:
        preflight(path, overrides)
    except SpecError as error:
        return list(error.diagnostics)
    return []


def place(diagnostic):
    """As the heads write it: the file only where it is another than the case's own."""
    at = diagnostic.location
    if at.file.startswith("--set "):
        return f"--set:{at.line}:{at.column}"
    file = Path(at.file).relative_to(HERE).as_posix()
    return f"{at.line}:{at.column}" if "/" not in file else f"{file}:{at.line}:{at.column}"


@pytest.mark.parametrize("name", NAMES)
def test_the_diagnostics_are_those_expected(name):
    _, expected, overrides, _ = case(name)
    told = found(HERE / f"{name}.yaml", overrides)
    assert [(each.rule, place(each)) for each in told] == [each[:2] for each in expected]
    for each, (_, _, mend) in zip(told, expected, strict=True):
        assert mend in "\n".join([each.hint or "", *each.notes]), each


@pytest.mark.parametrize("name", NAMES)
def test_the_caret_stands_below_what_is_at_fault(name):
    """The place is inside its line, and its text is the file's."""
    for each in found(HERE / f"{name}.yaml", case(name).overrides):
        at = each.location
        if at.file.startswith("--"):
            assert at.text == at.file
        else:
            assert at.text == Path(at.file).read_text(encoding="utf-8").split("\n")[at.line - 1]
        assert 1 <= at.column <= len(at.text) + 1
        assert at.length >= 1


@pytest.mark.parametrize("name", [name for name in NAMES if case(name).mends])
def test_the_mend_mends(name, tmp_path):
    text, _, overrides, mends = case(name)
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("# "))
    body = text.removeprefix(head)
    for old, new in mends:
        assert old in body or any(old in each for each in overrides), old
        body = body.replace(old, new)
        overrides = [each.replace(old, new) for each in overrides]
    (tmp_path / "base").symlink_to(HERE / "base")
    path = tmp_path / f"{name}.yaml"
    path.write_text(body, encoding="utf-8")
    assert found(path, overrides) == []


@pytest.mark.parametrize("name", SHOWN)
def test_the_command_shows_the_line_the_caret_and_the_mend(name, cnnctl):
    _, expected, overrides, _ = case(name)
    flags = [part for each in overrides for part in ("--set", each)]
    done = cnnctl("check", f"{name}.yaml", *flags, cwd=HERE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    blocks = re.split(r"^error: ", done.stderr, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(expected)
    for block, (_, at, mend) in zip(blocks, expected, strict=True):
        lines = block.splitlines()
        *file, line, column = at.split(":")
        if at.startswith("--set"):
            assert lines[1].startswith("  --> --set ")
            start = len("      ")
        else:
            assert lines[1] == f"  --> {':'.join([*(file or [f'{name}.yaml']), line, column])}"
            start = len(f"{line:>6} | ")
            assert lines[2].startswith(f"{line:>6} | ")
        assert lines[3].index("^") == start + int(column) - 1
        assert mend in block


def test_the_corpus_is_large_and_most_of_it_can_be_mended():
    assert len(NAMES) >= 75
    assert sum(bool(case(name).mends) for name in NAMES) >= 40
    assert all(case(name).expected for name in NAMES)
    assert len({each.rule for name in NAMES for each in case(name).expected}) >= 40
