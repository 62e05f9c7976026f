"""Specs that no text file keeps as it is, or that would be too large for a repository: bytes, line
ends, depth, aliases, numbers, floods of faults. Each is a located fault or read properly, at once.
"""

import re

import pytest
from conftest import ROOT
from counting import busy_at_most

from cnnctl.catalog import KINDS
from cnnctl.catalog.allowed import REFUSED
from cnnctl.errors import SpecError
from cnnctl.preflight import check
from corpus.test_corpus import NAMES, case

MODEL = "model:\n  input_shape: [9, 9, 1]\n  layers:\n"
FLAT = MODEL + "    - Flatten\n"
SECONDS = 20
"""No hazard takes as much of the processor's time; most take a hundredth of a second."""


def rate(schedule):
    return FLAT + f"fit: {{callbacks: [LearningRateScheduler: {{schedule: {schedule}}}]}}\n"


def nested(opening, inner, closing, times):
    return opening * times + inner + closing * times


WARM_UP = "{warm_up: {initial_learning_rate: 0.1, warm_up_epochs: 0, after: "

# name: (the text or the bytes, what is expected as in the corpus)
HAZARDS = {
    # Bytes
    "a byte order mark": (b"\xef\xbb\xbf" + FLAT.encode(), []),
    "a byte order mark before a fault": (
        b"\xef\xbb\xbfnmae: a\n" + FLAT.encode(), ["unknown-key 1:1 `name`"]),
    "Windows line ends": (
        (MODEL + "    - Flaten\n    - Dens: {units: 3}\n").replace("\n", "\r\n"),
        ["unknown-layer 4:7 `Flatten`", "unknown-layer 5:7 `Dense`"]),
    "line ends of old Macs": (
        (MODEL + "    - Flaten\n").replace("\n", "\r"), ["unknown-layer 4:7 `Flatten`"]),
    "Latin-1": (
        "# ä\ndescription: Größe\n".encode("latin-1"), ["not-utf8 1:3 save the file as UTF-8"]),
    "Latin-1 behind UTF-8": (
        "description: Größe".encode() + b" und Stra\xdfe\n", ["not-utf8 1:28 UTF-8"]),
    "UTF-16": (FLAT.encode("utf-16"), ["not-utf8 1:1 UTF-8"]),
    "NUL": ("description: a\0b\n", ["control-character 1:15 remove it"]),
    "NUL by an escape": ('description: "a\\0b"\n', ["control-character 1:14 remove it"]),
    "half a character by an escape": (
        MODEL + '    - "Fl\\ud800"\n', ["control-character 4:7 remove it"]),
    "a terminal's escape": ("description: \x1b[31mred\n", ["control-character 1:14 remove it"]),
    "an order of letters": (
        "# \u2066x\ndescription: a\u202eb\n" + FLAT,
        ["bidirectional-character 1:3 remove it", "bidirectional-character 2:15 remove it"]),
    "an order of letters by an escape": (
        'description: "a\\u202eb"\n' + FLAT, ["bidirectional-character 1:14 remove it"]),
    "an order of letters in a class name": (
        FLAT.replace("Flatten", 'Flatten: {name: "x\\u200f"}'), ["bidirectional-character 4:23"]),
    "a hidden line break": ("# a\u2028b\n" + FLAT, ["control-character 1:4 remove it"]),
    "letters of every script": ("description: Größe 名前 ﷺ 🦆\n" + FLAT, []),
    "a duck above a fault": (
        "description: 🦆 🦆\n" + MODEL + "    - Conv2D: {name: 🦆, filters: x, kernel_size: 3}\n",
        ["wrong-value 5:34"]),
    "nothing": ("", ["wrong-type 1:1 it starts with `model:`"]),
    # Size and depth
    "a megabyte": ("#" * 1_000_000, ["too-large 1:1 in a file of their own"]),
    "half a megabyte of comments": ("#" * 300_000 + "\n" + FLAT, []),
    "a hundred thousand brackets": ("a: " + "[" * 100_000, ["too-deep 1:67 nest less"]),
    "steps down": ("".join(" " * i + "a:\n" for i in range(200)), ["too-deep 65:65 nest less"]),
    "schedules after schedules": (
        rate(nested(WARM_UP, "cosin", "}}", 28)),
        ["wrong-value 5:*"] * 28 + ["unknown-rate-schedule 5:* `cosine`"]),
    "aliases that expand": (
        "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)),
        ["too-large 5:*"]),
    "aliases that go deep": (
        "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 20_000)),
        ["too-deep 64:12 nest less"]),
    "an alias in itself": ("a: &a [*a]\n", ["unknown-alias 1:8"]),
    "a network of ten thousand layers": (MODEL + "    - ReLU\n" * 10_000, []),
    "one layer more": (MODEL + "    - ReLU\n" * 10_001, ["too-large 10004:7"]),
    "a network that doubles two thousand times": (
        MODEL + "    - Repeat: {times: 2000, layers: [UpSampling2D: {interpolation: bilinear}]}\n",
        ["too-large 4:*"]),
    # Numbers
    "a number of a hundred thousand digits": (
        f"seed: {'9' * 100_000}\n" + FLAT, ["number-range 1:7"]),
    "a number that is larger than any": (f"seed: {'9' * 350}\n" + FLAT, ["number-range 1:7"]),
    "the largest numbers": (
        MODEL + f"    - Conv2D: {{filters: {'9' * 300}, kernel_size: {'9' * 300}, padding: same}}\n"
        + f"fit: {{epochs: {'9' * 300}, batch_size: {'9' * 300}}}\n", ["too-large 4:7"]),
    "a network repeated for ever": (
        MODEL + f"    - Repeat: {{times: {'9' * 300}, layers: [ReLU]}}\n",
        ["too-large 4:23 lower it"]),
    "a power of powers": (rate("9 ** 9 ** 9 ** 9"), ["bad-schedule 5:*"]),
    "an expression of half a megabyte": (rate("(" * 400_000), ["bad-schedule 5:*"]),
    "a text of a billion letters": (rate("\"'a' * 10 ** 9\""), ["bad-schedule 5:*"]),
    # Long words
    "a key of half a megabyte": (FLAT + "? " + "k" * 400_000 + "\n: 3\n", ["unknown-key 5:3"]),
    "a layer of half a megabyte": (MODEL + "    - " + "ab " * 130_000, ["unknown-layer 4:7"]),
    "a call of brackets": (MODEL + f"    - Conv2D({'(' * 150}{')' * 151}\n",
                           ["unknown-layer 4:7 `Conv2D`"]),
    "a value of half a megabyte": (
        MODEL + f"    - Conv2D: {{filters: {'x' * 400_000}, kernel_size: 3}}\n",
        ["wrong-value 4:25"]),
    "an equation of half a megabyte": (
        MODEL + f"    - EinsumDense: {{equation: {'a' * 400_000}, output_shape: 3}}\n",
        ["wrong-value 4:31"]),
    # Floods: the first hundred are enough.
    "thirty thousand unknown layers": (
        MODEL + "".join(f"    - Cnv{i}D\n" for i in range(30_000)), ["unknown-layer *"] * 100),
    "thirty thousand unknown keys": (
        FLAT + "".join(f"laye{i}: 1\n" for i in range(30_000)), ["unknown-key *"] * 100),
    "thirty thousand unknown arguments": (
        MODEL + f"    - Conv2D: {{{', '.join(f'filter{i}: 1' for i in range(30_000))}}}\n",
        ["unknown-argument *"] * 100),
    "nine thousand unknown inputs": (
        MODEL + "".join(f"    - ReLU: {{name: ok{i}, inputs: [no{i}]}}\n" for i in range(9000)),
        ["unknown-input *"] * 100),
    "thirty thousand repeated keys": ("a: 1\n" * 30_000, ["repeated-key *"] * 100),
    "ten thousand tuples": (f"a: [{', '.join(['(3, 3)'] * 10_000)}]\n", ["python-tuple *"] * 100),
    "twelve thousand wrong pixels": (
        f"data: {{dataset: {{inline: {{x_train: [{', '.join(['[[1, x]]'] * 12_000)}], "
        "y_train: [1]}}}\n" + FLAT, ["wrong-value *"] * 100),
}  # fmt: skip


def pattern(place):
    return re.escape(place).replace(r"\*", ".*")


@pytest.mark.parametrize("name", HAZARDS)
def test_hazard(name, tmp_path):
    content, expected = HAZARDS[name]
    path = tmp_path / "a.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = []
    with busy_at_most(SECONDS):
        try:
            check(path)
        except SpecError as error:
            found = error.diagnostics
    assert len(found) == len(expected), found[:3]
    for each, line in zip(found, expected, strict=True):
        rule, place, fix = [*line.split(" ", 2), ""][:3]
        assert each.rule == rule
        assert re.fullmatch(pattern(place), f"{each.location.line}:{each.location.column}")
        assert fix in (each.hint or "")
        assert len(each.message) <= 300
        assert len(each.hint or "") <= 300


@pytest.mark.parametrize(
    ("target", "fix"),
    [
        ("loop.yaml", ""),  # a link to itself
        ("folder", ""),
        ("", ""),
        ("/dev/zero", ""),
        ("a" * 300 + ".yaml", ""),
        ("othr.yaml", "did you mean `other.yaml`?"),
        ("~nobody/a.yaml", ""),
    ],
)
def test_files_that_cannot_be_extended(target, fix, tmp_path):
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "folder").mkdir()
    (tmp_path / "other.yaml").write_text(FLAT)
    (tmp_path / "a.yaml").write_text(f'extends: "{target}"\n')
    with pytest.raises(SpecError) as caught:
        check(tmp_path / "a.yaml")
    (found,) = caught.value.diagnostics
    assert (found.rule, found.location.line, found.location.column) == ("bad-extends", 1, 10)
    assert fix in (found.hint or "")


@pytest.mark.parametrize(
    ("assignment", "rule", "column"),
    [
        (".".join(["a"] * 20_000) + "=1", "bad-override", 7),
        ("model.layers.99999999999999999999=1", "bad-override", 20),
        ("model.layers.-=1", "bad-override", 20),
        ("=3", "bad-override", 7),
        ("fit..epochs=3", "bad-override", 7),
        ("name=a\0b", "control-character", 13),
        ("fit.epochs=!!python/name:os.system x", "tag", 18),
        ("fit.epochs=1e999", "number-range", 18),
        ("fit.epochs=*a", "unknown-alias", 18),
        ("fit.epochs.more=3", "wrong-value", 11),
        ("extends=other.yaml", "unknown-key", 7),
    ],
)
def test_flags_that_lead_nowhere(assignment, rule, column, tmp_path):
    (tmp_path / "a.yaml").write_text(FLAT)
    with pytest.raises(SpecError) as caught:
        check(tmp_path / "a.yaml", [assignment])
    (found,) = caught.value.diagnostics
    assert (found.rule, found.location.column) == (rule, column)
    assert found.location.file == f"--set {assignment}"


RULE = re.compile(
    r"""(?:Diagnostic|say|fail)\(\s*"([a-z][a-z-]*)"   # where it is said
      | \brule(?::\ str)?\ ?=\ ?"([a-z-]+)"            # where it is passed on
      | \brule,\ \w+\ =\ "([a-z-]+)"
    """,
    re.VERBOSE,
)
REFUSED_KINDS = {kind for kind, names in REFUSED.items() if names}


def test_every_rule_is_in_the_corpus_or_among_the_hazards():
    sources = [ROOT / "cnnctl/preflight.py", ROOT / "cnnctl/data/static_checks.py"]
    sources += [*(ROOT / "cnnctl/specs").glob("*.py"), *(ROOT / "cnnctl/arithmetic").glob("*.py")]
    rules = {f"unknown-{kind.replace('_', '-')}" for kind in KINDS if kind != "block"}
    rules |= {f"refused-{kind}" for kind in REFUSED_KINDS}
    for source in sources:
        for match in RULE.finditer(source.read_text(encoding="utf-8")):
            rules.add(next(filter(None, match.groups())))
    assert {"tag", "wrong-value", "shape-mismatch", "unknown-argument", "bad-name"} <= rules
    said = {each.rule for name in NAMES for each in case(name).expected}
    said |= {line.split(" ")[0] for _, expected in HAZARDS.values() for line in expected}
    assert rules - said == set()
