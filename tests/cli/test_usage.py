"""Every command, used wrongly in every way that Typer knows: cnnctl's own message, and a fix."""

import pytest
import typer

from cnnctl.cli.app import app
from cnnctl.cli.boundary import render
from cnnctl.errors import CnnctlError, UsageError


def commands(group=None, words=()):
    """Every command with its words."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = list(commands())


def refused(*words):
    with pytest.raises(UsageError) as caught:
        app(list(words), prog_name="cnnctl")
    error = caught.value
    assert error.exit_code == 2
    assert error.hint
    text = render(error)
    for noise in ("Input should", "Value error", "Usage:", "Try '", "None", "[OPTIONS]", "\u256d"):
        assert noise not in text
    assert text.startswith("error: ")
    assert "\n  hint: " in text
    return text


def given(command):
    """Something for every argument and required option."""
    words = []
    for param in command.params:
        if param.param_type_name == "argument":
            words.append("x.yaml")
        elif param.required:
            words += [param.opts[0], "onnx"]
    return words


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=lambda each: "-".join(each)
                         if isinstance(each, tuple) else "")  # fmt: skip
def test_every_command(words, command):
    text = refused(*words, "--no-such-thing")
    assert text.startswith("error: unknown option `--no-such-thing`")
    # `launch` hands on what follows its argument.
    before = given(command) if words != ("launch",) else []
    for param in command.params:
        if param.param_type_name == "argument":
            if param.required:
                text = refused(*words)
                assert "error: missing argument " in text
                assert f"usage: cnnctl {' '.join(words)} " in text
                assert param.metavar in text
            continue
        for option in (*param.opts, *param.secondary_opts):
            if not option.startswith("--"):
                continue
            if param.is_flag:
                assert f"{option} takes no value" in refused(*words, *before, f"{option}=3")
            else:
                assert f"{option} needs a value" in refused(*words, *before, option)
    if not any(param.nargs == -1 for param in command.params):
        text = refused(*words, *before, "one", "\x1btwo")
        assert f"error: more arguments than cnnctl {' '.join(words)} takes: `" in text
        assert "\x1b" not in text


DEVICES = [words for words, each in COMMANDS if any("--device" in p.opts for p in each.params)]


@pytest.mark.parametrize("words", DEVICES, ids="-".join)
def test_an_unknown_device_is_refused_before_anything_is_read(words):
    """The files that are named do not exist: nobody has looked."""
    given_to = given(dict(COMMANDS)[words])
    for device in ("tpu", "gpu:x", "cuda", "", "cpu:0,gpu:1"):
        assert f"unknown device `{device}`" in refused(*words, *given_to, "--device", device)
    for device in ("auto", "cpu", "GPU:1", "gpu:0,gpu:1"):
        with pytest.raises(CnnctlError) as caught:
            app([*words, *given_to, "--device", device], prog_name="cnnctl")
        assert "unknown device" not in caught.value.message


@pytest.mark.parametrize(("line", "expected"), [
    ("train x --epochs 0", "--epochs takes an integer of at least 1, not `0`"),
    ("train x --epochs two", "--epochs takes an integer of at least 1, not `two`"),
    ("train x --epochs 1.5", "--epochs takes an integer of at least 1, not `1.5`"),
    ("train x --epochs=", "--epochs takes an integer of at least 1, not ``"),
    ("train x --epochs " + "9" * 5000, "--epochs takes an integer of at least 1, not `999"),
    ("train x --live --port 99999", "--port takes an integer from 0 to 65535, not `99999`"),
    ("play x --port -1", "--port takes an integer from 0 to 65535, not `-1`"),
    ("inspect x --rate fast", "--rate takes a number, not `fast`"),
    ("inspect x --label -1", "--label takes an integer of at least 0, not `-1`"),
    ("data show x --count 401", "--count takes an integer from 1 to 400, not `401`"),
    ("launch -n 0 -- train x", "--processes takes an integer from 1 to 1024, not `0`"),
    ("sweep x --seeds 0", "--seeds takes an integer from 1 to 1000, not `0`"),
    ("export x --format onx", "--format takes keras, saved_model, onnx or litert, not `onx`"),
    ("plot x --format pdf", "--format takes png or svg, not `pdf`"),
    ("evaluate x --split tests", "--split takes test, validation or train, not `tests`"),
    ("train x --precision float16", "--precision takes float32 or mixed_bfloat16, not `float16`"),
])  # fmt: skip
def test_values(line, expected):
    assert expected in refused(*line.split(" "))


@pytest.mark.parametrize(("line", "message", "hint"), [
    ("trian x", "unknown command `trian`", "did you mean train?"),
    ("data fetsh mnist", "unknown command `fetsh`", "did you mean fetch?"),
    ("zzzz", "unknown command `zzzz`", "cnnctl --help tells more"),
    ("data zzzz", "unknown command `zzzz`", "cnnctl data --help tells more"),
    ("--versoin", "unknown option `--versoin`", "did you mean --version?"),
    ("train --epoch 3 x", "unknown option `--epoch`", "did you mean --epochs?"),
    ("predict x --center", "unknown option `--center`", "did you mean --centre?"),
    ("export x", "missing option --format", "it takes keras, saved_model, onnx or litert"),
    ("export x --format onx", "not `onx`", "did you mean onnx?"),
])  # fmt: skip
def test_fixes(line, message, hint):
    text = refused(*line.split(" "))
    assert message in text
    assert f"\n  hint: {hint}" in text


def test_a_wrong_word_is_shown_in_short_and_moves_no_cursor():
    text = refused("train", "x", "--epochs", "\x1b[2J" + "x" * 5000)
    assert "\\x1b[2J" in text
    assert len(text) < 300
