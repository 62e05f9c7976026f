"""What may be shown as it is, and what a stream makes of the rest."""

import io
import json
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.io.printable import (
    ENCODABLE,
    Escaped,
    printable,
    printable_json,
    printable_lines,
    shell,
    unescaped,
)

EVERY = [chr(code) for code in range(0x110000)]
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
HIDDEN = {each for each in EVERY if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"}
          or unicodedata.bidirectional(each) in TURNING} | set("\u061c\u200e\u200f")  # fmt: skip
"""By Unicode's own tables: control characters, surrogates, separators of lines and paragraphs, and
the formatting characters of its bidirectional algorithm (the last three are its marks)."""


@pytest.mark.parametrize(("text", "shown"), [
    ("caf\u00e9 \u732b \U0001f431 a\u0308", "caf\u00e9 \u732b \U0001f431 a\u0308"),
    ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
    ("\x9b31m\x7f", r"\x9b31m\x7f"),
    ("exe.\u202egnp", r"exe.\u202egnp"),
    ("a\nb\tc\r", r"a\nb\tc\r"),
    ("b\udcffd", r"b\udcffd"),
    ("\u2028", r"\u2028"),
])  # fmt: skip
def test_examples(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


def test_it_hides_what_unicode_says_and_nothing_else():
    changed = {each for each in EVERY if printable(each) != each}
    assert changed == HIDDEN
    for each in HIDDEN - set("\n\t"):
        assert printable_lines(f"a{each}\n\t") == f"a{printable(each)}\n\t"


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3))
def test_json_stays_json(value):
    for readable in (True, False):
        document = printable_json(json.dumps(value, indent=2, ensure_ascii=not readable))
        assert json.loads(document) == value
        assert not HIDDEN - {"\n"} & set(document)


def test_a_stream():
    bytes_ = io.BytesIO()
    raw = io.TextIOWrapper(bytes_, encoding="ascii", errors=ENCODABLE)
    stream = Escaped(raw)
    print("28×28 → \u732b \x1b[31m\udcff", file=stream, flush=True)
    stream.writelines(["a\n", "\u202e"])
    stream.flush()
    assert bytes_.getvalue().decode() == "28x28 -> \\u732b \\x1b[31m\\udcff\na\n\\u202e"
    with pytest.raises(TypeError, match="must be str, not bytes"):
        stream.write(b"")
    assert stream.encoding == "ascii"
    assert unescaped(stream) is raw
    assert unescaped(raw) is raw


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("word", [
    "plain", "with space", "it's", '"$HOME" `id` $(id) !x', "a;b|c&d>e", "*?[x]", "~", "", "-x",
    "\x1b[31m\n\t'\\", "\u202eexe", "caf\u00e9 \u732b",
])  # fmt: skip
def test_what_is_quoted_for_a_shell_arrives(word):
    quoted = shell("printf", "%s", word)
    assert printable(quoted) == quoted
    done = subprocess.run(["bash", "-c", quoted], capture_output=True, check=True,
                          env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})  # fmt: skip
    assert done.stdout.decode() == word


def test_a_path_that_looks_like_an_option():
    assert shell("resume", Path("-x/001")) == "resume ./-x/001"
    assert shell(Path("a b")) == "'a b'"
    assert shell("b\udcff") == "$'b\\xff'"
