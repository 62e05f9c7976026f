import errno
import os

import pytest

from cnnctl.data.images.decode import Format, decode
from cnnctl.data.npz import load_npz
from cnnctl.errors import CheckpointError, CnnctlError, DataError, SpecError, listed, shortened
from cnnctl.io import hdf5, untrusted
from cnnctl.io.untrusted import open_plain, parse_json, read_plain, reason
from cnnctl.runs import checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "[" * 65 + "]" * 65,
        '{"a":' * 65 + "1" + "}" * 65,
        "[" * 100_000,
        "[" + "0," * 300_001 + "0]",
        "[" + "[]," * 150_001 + "[]]",
        "9" * 5_000,
        "{",
        "",
        "\ud800",
    ],
)
def test_json_that_is_too_deep_too_large_or_none(text):
    with pytest.raises(ValueError, match=r"nested|values|digits|Expecting|codec|surrogate"):
        parse_json(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "text", ["[" * 64 + "]" * 64, "[" + "0," * 299_000 + "0]", '{"a": [{"b": 1e999}]}', "9" * 400]
)
def test_json_that_is_read(text):
    import json

    assert parse_json(text.encode()) == json.loads(text)


def test_what_is_no_plain_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "link", "zero", "."):
        with pytest.raises(OSError, match="not a plain file"):
            open_plain(tmp_path / name)
        with pytest.raises(OSError, match=r"not a plain file|symbolic links"):
            read_plain(tmp_path / name, 10)


def test_too_little_memory_is_an_error_of_the_file(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    file = open_plain(tmp_path / "file")
    assert file.read() == b"abc"
    with pytest.raises(OSError, match="more memory than there is") as caught, file:
        raise MemoryError
    assert caught.value.errno == errno.ENOMEM
    assert caught.value.filename == str(tmp_path / "file")
    assert file.closed


def _short_of_memory(*arguments, **options):
    raise MemoryError


def test_too_little_memory_wherever_a_file_is_read(tmp_path, monkeypatch):
    """The error is the one of a file that is damaged, and says why."""
    import numpy as np
    from PIL import Image

    np.savez(tmp_path / "a.npz", x_train=np.zeros((2, 9, 9)), y_train=np.zeros(2))
    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    monkeypatch.setattr("json.loads", _short_of_memory)
    with pytest.raises(ValueError, match="more memory"):
        parse_json(b"[]")
    with pytest.raises(CheckpointError):
        checkpoint.state_of({checkpoint.STATE: b"{}"}, tmp_path)
    monkeypatch.setattr("cnnctl.data.npz.empty", _short_of_memory)
    with pytest.raises(DataError, match="more memory"):
        load_npz(tmp_path / "a.npz")
    monkeypatch.setattr("PIL.Image.open", _short_of_memory)
    with pytest.raises(DataError, match="more memory"):
        decode(tmp_path / "a.png", Format((9, 9), "L", resize=False))


def test_too_little_memory_for_weights(tmp_path, monkeypatch):
    import keras

    from cnnctl.network.weights import load_weights

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save_weights(tmp_path / "a.weights.h5")
    before = model.get_weights()
    monkeypatch.setattr(hdf5.File, "values", _short_of_memory)
    with pytest.raises(CheckpointError, match="more memory"):
        load_weights(model, tmp_path / "a.weights.h5")
    monkeypatch.setattr("cnnctl.network.weights._load", _short_of_memory)
    with pytest.raises(CheckpointError, match="more memory"):
        load_weights(model, tmp_path / "a.weights.h5")
    assert all(map(np_equal, before, model.get_weights()))


def np_equal(one, other):
    return bool((one == other).all())


def test_too_little_memory_for_a_command(capsys):
    from cnnctl.cli.boundary import guarded

    assert guarded(_short_of_memory) == 1
    assert capsys.readouterr().err == "error: there is not enough memory for this\n"


def test_names_are_shortened():
    assert shortened("a" * 60) == "a" * 60
    assert shortened("a" * 60_000) == "a" * 60 + "… (60,000 characters)"
    assert listed(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert len(listed(["a" * 60_000] * 60_000)) < 1_000
    assert reason(ValueError("a\n\tb")) == "a b"
    assert reason(ValueError()) == "ValueError"
    error = CnnctlError("a" * 60_000, hint="b" * 60_000 + "\nc")
    assert len(str(error)) < 2_100
    assert error.hint.endswith("\nc")
    assert len(error.hint) < 2_100


def test_every_error_of_a_spec_has_an_end():
    from cnnctl.errors import Diagnostic

    error = SpecError([Diagnostic("a", "b" * 60_000)] * 3)
    assert max(map(len, str(error).splitlines())) < 2_100


def test_a_size_that_is_not_in_the_file_takes_no_memory(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="more than 10 bytes"):
        read_plain(tmp_path / "file", 10)
    assert untrusted.MAX_READ == 1 << 20
