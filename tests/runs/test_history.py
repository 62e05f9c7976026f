"""`metrics.jsonl` as people, programs and attackers change it: what is read, what is noted."""

import json

import pytest

from cnnctl.io.notes import print_notes
from cnnctl.runs import history
from cnnctl.runs.history import read_history

HUGE = "9" * 400


@pytest.fixture
def read(tmp_path, capsys):
    """Read a history of some lines; the rows, and the notes."""
    print_notes()
    path = tmp_path / "metrics.jsonl"

    def run(text):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        capsys.readouterr()
        rows = read_history(path)
        json.dumps(rows, allow_nan=False)
        notes = capsys.readouterr().err.splitlines()
        assert all(note.startswith(f"note: {path}") and len(note) < 500 for note in notes), notes
        return rows, [note.removeprefix(f"note: {path}") for note in notes]

    return run


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (HUGE, "beyond 64 bits"),
        (f"-{HUGE}", "beyond 64 bits"),
        (str(1 << 63), "beyond 64 bits"),
        ("1e999", "inf, not a finite number"),
        ("-Infinity", "-inf, not a finite number"),
        ("NaN", "nan, not a finite number"),
        ("1e300", "too large"),
        ("true", "a truth value"),
        ('"0.5"', "text"),
        ("[1, 2]", "a list"),
        ('{"a": [1]}', "a mapping"),
        ("null", "null"),
    ],
)
def test_what_is_no_number_is_skipped_with_its_line(read, value, word):
    lines = ['{"epoch": 1, "loss": 0.5}', f'{{"epoch": 2, "loss": {value}, "mae": 2}}']
    rows, notes = read("\n".join([*lines, '{"epoch": 3, "loss": 0.25}', ""]))
    assert rows == [
        {"epoch": 1, "loss": 0.5},
        {"epoch": 2, "mae": 2},
        {"epoch": 3, "loss": 0.25},
    ]
    (note,) = notes
    assert note.startswith(":2: skipped: `loss` is ")
    assert word in note


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "[1]",
        "{}",
        '{"loss": 1}',
        '{"epoch": 0}',
        '{"epoch": -1}',
        '{"epoch": 1.0}',
        '{"epoch": true}',
        '{"epoch": "2"}',
        f'{{"epoch": {HUGE}}}',
        '{"epoch": 2147483648}',
        '{"epoch": 1, "loss": 9}',
        '{"epoch": ' + "9" * 5000 + "}",
        '{"epoch": 2, "loss": ' + "[" * 100 + "]" * 100 + "}",
        '{"epoch": 2, "loss": ' + "[" * 100_000 + "}",
        '{"epoch": 2, "loss": "\\ud800',
    ],
)
def test_a_line_that_is_none_does_not_hide_the_others(read, line):
    rows, notes = read(f'{{"epoch": 1, "loss": 0.5}}\n{line}\n{{"epoch": 2, "loss": 0.25}}\n')
    assert rows == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    assert len(notes) == 1
    assert notes[0].startswith(":2: skipped: ")


def test_epochs_out_of_order_are_put_in_order(read):
    rows, notes = read('{"epoch": 3}\n{"epoch": 1}\n{"epoch": 2}\n')
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert notes == [": its epochs are not in order"]


@pytest.mark.parametrize("rest", ['{"epoch": 2, "lo', "{", ""])
def test_half_a_line_of_a_process_that_was_killed_is_no_damage(read, rest):
    assert read(f'{{"epoch": 1}}\n\n{rest}') == ([{"epoch": 1}], [])


def test_of_many_notes_the_first_are_given(read):
    rows, notes = read("x\n" * 1000 + '{"epoch": 1}\n')
    assert rows == [{"epoch": 1}]
    assert len(notes) == 4
    assert notes[-1] == ": 997 more lines or values are skipped"


def test_a_hundred_thousand_epochs_are_read(read):
    """More than 16 MiB, which once counted as no epoch at all."""
    figures = {name: 0.123456789012345 for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    line = json.dumps({"epoch": 0, "seconds": 0.012, "learning_rate": 0.001, **figures})
    text = "\n".join(line.replace("0", str(epoch), 1) for epoch in range(1, 100_001)) + "\n"
    assert len(text) > 16 << 20
    rows, notes = read(text)
    assert len(rows) == 100_000
    assert rows[-1]["epoch"] == 100_000
    assert rows[-1]["loss"] == 0.123456789012345
    assert notes == []


@pytest.mark.parametrize(
    ("limit", "value", "text", "epochs"),
    [
        ("MAX_BYTES", 30, '{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3}\n', 2),
        ("MAX_EPOCHS", 2, '{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3}\n', 2),
        ("MAX_FIGURES", 2, '{"epoch": 1, "a": 1, "b": 1}\n{"epoch": 2}\n{"epoch": 3}\n', 1),
        ("MAX_SKIPPED", 1, '{"epoch": 1}\nx\nx\n{"epoch": 2}\n', 1),
    ],
)
def test_what_is_beyond_a_limit_is_told(read, monkeypatch, limit, value, text, epochs):
    monkeypatch.setattr(history, limit, value)
    rows, notes = read(text)
    assert [row["epoch"] for row in rows] == list(range(1, epochs + 1))
    assert "it is not read from there on" in notes[-1]


@pytest.mark.parametrize("length", [14, 15, 16, 29, 30, 31, 45, 100])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_that_is_too_long_does_not_hide_the_others(read, monkeypatch, length, end):
    """Around one, two and three times what is read of it at once, with its newline and without."""
    monkeypatch.setattr(history, "MAX_LINE", 14)
    line = '{"epoch": 2}'.ljust(length)
    rows, notes = read(f'{{"epoch": 1}}\n{line}\n{{"epoch": 3}}\n{{"epoch": 4}}{end}')
    if length + 1 > 14:
        assert [row["epoch"] for row in rows] == [1, 3, 4]
        assert notes == [":2: skipped: more than 0 MiB, the whole line"]
    assert read(f'{{"epoch": 1}}\n{line}{end}')[0][0] == {"epoch": 1}


def test_a_line_of_megabytes_is_left_out_alone(read):
    long = '{"epoch": 2, "x": "' + "x" * (5 << 20) + '"}'
    rows, notes = read(f'{{"epoch": 1}}\n{long}\n{{"epoch": 3}}\n')
    assert [row["epoch"] for row in rows] == [1, 3]
    assert notes == [":2: skipped: more than 1 MiB, the whole line"]


def test_what_is_no_file(tmp_path, capsys):
    import os

    print_notes()
    path = tmp_path / "metrics.jsonl"
    assert read_history(path) == []
    assert capsys.readouterr().err == ""
    os.mkfifo(path)
    assert read_history(path) == []
    assert capsys.readouterr().err == f"note: {path} cannot be read: not a plain file\n"
