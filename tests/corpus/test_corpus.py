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

from cnnctl.catalog import load as load_catalog
from cnnctl.errors import Location, SpecError
from cnnctl.preflight import check
from cnnctl.specs.nodes import located, plain
from cnnctl.specs.reader import read
from cnnctl.specs.schema_errors import section_of
from cnnctl.specs.sections import Compile, Data, Document, Fit, Model
from cnnctl.specs.source import text_source
from cnnctl.specs.validate import validate

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
    fix: str


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
        check(path, overrides)
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
    for each, (_, _, fix) in zip(told, expected, strict=True):
        assert fix in "\n".join([each.hint or "", *each.notes]), each


@pytest.mark.parametrize("name", NAMES)
def test_the_caret_stands_below_what_is_at_fault(name):
    """The place is inside its line, and its text is the file's."""
    for each in found(HERE / f"{name}.yaml", case(name).overrides):
        at = each.location
        if at.file.startswith("--"):
            assert at.text == at.file
        elif each.rule == "not-a-spec":
            assert at.text is None  # what such a file holds is nobody's business
            continue
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
    for block, (_, at, fix) in zip(blocks, expected, strict=True):
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
        assert fix in block


def test_the_corpus_is_large_and_most_of_it_can_be_mended():
    assert len(NAMES) >= 75
    assert sum(bool(case(name).mends) for name in NAMES) >= 40
    assert all(case(name).expected for name in NAMES)
    assert len({each.rule for name in NAMES for each in case(name).expected}) >= 40


WRITE = re.compile(r"write `([^`…]+)`( without quotes)?")


@pytest.mark.parametrize("name", NAMES)
def test_what_a_hint_says_to_write_is_no_fault_itself(name, tmp_path):
    """Written in the place of what is at fault, it is not answered by the same message again."""
    text, _, overrides, _ = case(name)
    (tmp_path / "base").symlink_to(HERE / "base")
    path = tmp_path / f"{name}.yaml"
    for each in found(HERE / f"{name}.yaml", overrides):
        written, at = WRITE.fullmatch(each.hint or ""), each.location
        if not written or at.file != str(HERE / f"{name}.yaml"):
            continue
        lines = text.split("\n")
        line = lines[at.line - 1]
        if at.length == 1 and not line[at.column - 1 :].strip(" ,}]").isalnum():
            continue  # the place of something that goes on in the next lines
        after = line[at.column - 1 + at.length :]
        lines[at.line - 1] = line[: at.column - 1] + written[1] + after
        path.write_text("\n".join(lines), encoding="utf-8")
        again = [(other.message, other.location.line) for other in found(path, overrides)]
        assert (each.message, at.line) not in again, written[1]


PROBES = [0, 1, -1, 5, 50, 0.5, 1.5, True, None, "", "0", "1", "-1", "x", "all", "auto", "none",
          "true", "50%", "1/2", "3x3", "a b", [], [1], [1, 2], ["x"], {"a": 1}, {}]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "key"),
    [(section, key) for section in (Document, Data, Model, Compile, Fit)
     for key, field in section.model_fields.items() if not section_of(field)],
)  # fmt: skip
def test_no_value_of_a_section_is_answered_by_itself(section, key):
    """`keep: 1` was answered "write `'1'`", and so was `'1'`."""
    tree = {"model": {"layers": ["Flatten"]}}
    if section is not Document:
        needed = {"data": {"dataset": "mnist"}, "compile": {"optimizer": "adam", "loss": "mse"}}
        tree[section.__name__.lower()] = {**tree, **needed}.get(section.__name__.lower(), {})
    within = tree if section is Document else tree[section.__name__.lower()]
    for probe in PROBES:
        within[key] = probe
        for each in diagnostics(tree):
            if written := WRITE.fullmatch(each.hint or ""):
                within[key] = plain(read(text_source(written[1], "hint")))
                assert each.message not in [other.message for other in diagnostics(tree)], probe


@pytest.mark.parametrize(("key", "value", "fix"), [
    ("keep", 1, "keep: 2"), ("keep", 0, "keep: 2"), ("epochs", 0, "epochs: 1"),
    ("batch_size", 0, "batch_size: 1"),
])  # fmt: skip
def test_a_number_that_is_too_small_is_answered_by_the_least(key, value, fix):
    (found,) = diagnostics({"model": {"layers": ["Flatten"]}, "fit": {key: value}})
    assert f"`{fix}`" in found.hint


def diagnostics(tree):
    return validate(located(tree, Location("a.yaml")), "a", load_catalog()).found
