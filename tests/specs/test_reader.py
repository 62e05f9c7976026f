import pytest
import yaml
from conftest import CONFIGS, ROOT, examples
from counting import calls
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.errors import SpecError
from cnnctl.specs.dump import dump
from cnnctl.specs.nodes import Mapping, Sequence, plain
from cnnctl.specs.reader import read
from cnnctl.specs.source import read_source, text_source


def parse(text):
    return read(text_source(text, "a.yaml"))


def error(text):
    with pytest.raises(SpecError) as caught:
        parse(text)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_positions_of_keys_and_values():
    tree = parse("model:\n  layers:\n    - Dense: {units: 10}\n")
    layers = tree.items["model"].items["layers"]
    dense = layers.items[0]
    assert str(tree.keys["model"]) == "a.yaml:1:1"
    assert str(dense.keys["Dense"]) == "a.yaml:3:7"
    units = dense.items["Dense"].items["units"]
    assert str(dense.items["Dense"].keys["units"]) == "a.yaml:3:15"
    assert str(units.location) == "a.yaml:3:22"
    assert units.location.length == 2
    assert units.location.text == "    - Dense: {units: 10}"


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3\n", "repeated-key", 3, 1),
        ("a: {x: 1, x: 2}\n", "repeated-key", 1, 11),
        ("a:\n\t- 1\n", "yaml-syntax", 2, 1),
        ("a: [1, 2\n", "yaml-syntax", 1, 4),
        ("a: b: c\n", "yaml-syntax", 1, 5),
        ("a: !!python/name:os.system x\n", "tag", 1, 4),
        ("a: !!str 1\n", "tag", 1, 4),
        ("a: &x {b: 1}\n<<: *x\n", "merge-key", 2, 1),
        ("a: &x [*x]\n", "unknown-alias", 1, 8),
        ("a: *x\n", "unknown-alias", 1, 4),
        ("? [1]\n: 2\n", "complex-key", 1, 3),
        ("a: 1e999\n", "number-range", 1, 4),
        ("a: 1\n---\nb: 2\n", "several-documents", 2, 1),
        ("[" * 100 + "]" * 100, "too-deep", 1, 65),
    ],
)
def test_faults_are_located(text, rule, line, column):
    found = error(text)
    assert found.rule == rule
    assert (found.location.line, found.location.column) == (line, column)


def test_anchors_and_aliases_are_read():
    assert plain(parse("a: &x {b: 1}\nc: *x\n")) == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_anchor_that_is_defined_anew_is_the_last_one_above():
    """YAML 1.2, 3.2.2.2: an alias refers to the most recent node of that name."""
    text = "a: &x 1\nb: *x\nc: &x 2\nd: *x\n"
    expected = {"a": 1, "b": 1, "c": 2, "d": 2}
    assert plain(parse(text)) == expected
    assert plain(parse(text + "#" * 100_000)) == expected  # parsed in C


@pytest.mark.parametrize("rest", ["", "#" * 100_000 + "\n"])
def test_faults_above_a_syntax_error_are_reported_with_it(rest):
    with pytest.raises(SpecError) as caught:
        parse(f"a: 1\na: !!str 2\n{rest}b: [1\n")
    rules = [each.rule for each in caught.value.diagnostics]
    assert rules == ["repeated-key", "tag", "yaml-syntax"]


def test_aliases_that_expand_are_refused_at_once():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    text = "\n".join(lines)
    assert error(text).rule == "too-large"
    assert calls(lambda: error(text)) < 20 * len(text)  # expanded, it has 10^12 values


def test_a_hundred_thousand_brackets_end_in_an_error():
    assert error("[" * 100_000).rule == "too-deep"


def _same(one, other):
    """Whether two trees have the same values at the same places."""
    if isinstance(one, Mapping):
        return (
            list(one.items) == list(other.items)
            and one.location == other.location
            and one.keys == other.keys
            and all(_same(one.items[key], other.items[key]) for key in one.items)
        )
    if isinstance(one, Sequence):
        pairs = zip(one.items, other.items, strict=True)
        return one.location == other.location and all(_same(*pair) for pair in pairs)
    return one == other and one.location.length == other.location.length


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML has its parser in C here")
def test_a_large_text_is_read_as_a_small_one(monkeypatch):
    """By the parser in C: the same values and places, for every spec of the corpus and the shipped
    ones; and an error at the same place."""
    files = [*CONFIGS.rglob("*.yaml"), *(ROOT / "tests/corpus").rglob("*.yaml")]
    assert len(files) > 100
    for path in files:
        found = []
        for limit in (1 << 30, 0):
            monkeypatch.setattr("cnnctl.specs.reader.LARGE", limit)
            errors = []
            try:
                tree = read(read_source(path), errors)
            except SpecError as error:
                tree, errors = None, [(each.rule, each.location) for each in error.diagnostics]
            found.append((tree, errors))
        (one, errors), (other, others) = found
        assert (one is None) == (other is None), path
        assert one is None or _same(one, other), path
        if one is not None:
            assert errors == others, path


def test_a_large_text_with_an_error(monkeypatch):
    """What is wrong near the beginning is told as in a small one, and all of the text counts."""
    small = "a: [1\nb: 2\n"
    large = small + "".join(f"k{n}: 1\n" for n in range(20_000))
    one, other = error(small), error(large)
    assert (one.rule, one.message, one.hint) == (other.rule, other.message, other.hint)
    assert (one.location.line, one.location.column) == (other.location.line, other.location.column)
    late = error("".join(f"k{n}: 1\n" for n in range(20_000)) + small)
    assert late.rule == "yaml-syntax"
    assert late.location.line in (20_001, 20_002)


def test_windows_line_ends_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: two\r\n")
    assert plain(read(read_source(path))) == {"a": 1, "b": "two"}


@pytest.mark.parametrize(
    ("data", "rule", "line", "column"),
    [
        (b"a: 1\nb: \xff\n", "not-utf8", 2, 4),
        (b"a: 1\nb: x\x00y\n", "control-character", 2, 5),
        (b"a: " + b"1" * 600_000, "too-large", 1, 1),
    ],
)
def test_files_that_are_no_text(tmp_path, data, rule, line, column):
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        read_source(path)
    (found,) = caught.value.diagnostics
    assert (found.rule, found.location.line, found.location.column) == (rule, line, column)


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcXYZ_-19", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain_values)
def test_what_is_dumped_reads_back(value):
    assert plain(parse(dump(value))) == value


@given(st.text(alphabet="abc:-{}[],&*!?|>'\"#%@` \n\t01e.~<"))
@examples(300)
def test_any_text_is_read_or_refused_with_a_place(text):
    found = ()
    try:
        parse(text)
    except SpecError as error:
        found = error.diagnostics
    assert all(each.location is not None for each in found)


@given(st.text(alphabet="abc:-{}[], \n01"))
@examples(200)
def test_structure_agrees_with_pyyaml(text):
    """What both accept has the same keys and lengths; scalars differ by version on purpose."""
    try:
        ours = plain(parse(text))
    except SpecError:
        return
    theirs = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - builds texts only

    def shape(value):
        if isinstance(value, dict):
            return {str(key): shape(inner) for key, inner in value.items()}
        return [shape(item) for item in value] if isinstance(value, list) else None

    assert shape(ours) == shape(theirs)
