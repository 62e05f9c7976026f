"""`cnnctl summary` as people see it: from outside, at several widths, in each of its forms."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from conftest import CONFIGS, ROOT
from summary.test_summary import NO_FORMULA
from test_reading_half import SCRIPT

from cnnctl.preflight import specs_in
from cnnctl.summary.summary import summarize

MNIST, RESNET, XO = (CONFIGS / f"{name}.yaml" for name in ("mnist", "cifar10_resnet", "xo"))

TABLE = """\
mnist: input 28×28×1

name             layer         output shape  parameters
───────────────────────────────────────────────────────
conv2d           Conv2D        28×28×32             832
max_pooling2d    MaxPooling2D  14×14×32               0
conv2d_1         Conv2D        14×14×64          51,264
max_pooling2d_1  MaxPooling2D  7×7×64                 0
flatten          Flatten       3136                   0
dense            Dense         1024           3,212,288
dense_1          Dense         10                10,250

total parameters  3,274,634
  trainable       3,274,634
  non-trainable           0
"""

PLUGIN = '''\
import cnnctl, keras

@cnnctl.register
class Scaled(keras.layers.Layer):
    """A factor for each channel, and a number that is kept."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), name="factor")
        self.kept = self.add_weight(shape=(), name="kept", trainable=False)

    def call(self, x):
        return x * self.factor
'''


@pytest.fixture
def shown(cnnctl):
    """Run `cnnctl summary`; returns what it prints."""

    def run(*arguments, **options):
        done = cnnctl("summary", *arguments, **options)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    return run


def test_the_table(shown):
    assert shown(MNIST) == TABLE


def test_the_columns_that_one_asks_for(shown):
    text = shown(MNIST, "--all")
    line = next(line for line in text.splitlines() if line.startswith("conv2d_1"))
    assert line.split() == [
        "conv2d_1", "Conv2D", "14×14×64", "51,264", "10,035,200", "49.0", "KiB", "14×14", "2", "-6",
    ]  # fmt: skip
    line = next(line for line in text.splitlines() if line.startswith("dense_1"))
    assert line.split() == ["dense_1", "Dense", "10", "10,250", "10,240", "40", "B", "all"]
    assert re.search(r"multiply-adds +13,883,904", text)
    assert re.search(r"memory of outputs +200\.0 KiB", text)
    assert re.search(r"memory of parameters +12\.5 MiB", text)  # Keras: 12.49 MB
    assert re.search(r"receptive field +16×16  of 28×28, at max_pooling2d_1", text)


@pytest.mark.parametrize(
    ("option", "there", "not_there"),
    [
        ("--macs", "10,035,200", ("KiB", "receptive")),
        ("--memory", "49.0 KiB", ("10,035,200", "receptive")),
        ("--receptive-field", " 14×14 ", ("10,035,200", "KiB")),
    ],
)
def test_each_column_alone(option, there, not_there, shown):
    text = shown(MNIST, option)
    assert there in text
    assert not any(word in text for word in not_there)


def test_a_graph_says_what_feeds_its_layers(shown):
    lines = shown(RESNET).splitlines()
    names = [line.split()[1] for line in lines if re.match(r" *\d+ ", line)]
    (add,) = [line.split() for line in lines if re.match(r"34 add_3 ", line)]
    fed_by = [names[int(number) - 1] for number in add[3].split(",")]
    assert fed_by == ["batch_normalization_8", "zero_padding2d"]
    (pooled,) = [line.split() for line in lines if " average_pooling2d " in line]
    assert names[int(pooled[3]) - 1] == "activation_2"
    (usual,) = [line.split() for line in lines if " zero_padding2d " in line]
    assert usual[3] == "16×16×32"  # fed by the one above, which is not said


@pytest.mark.parametrize("columns", ["50", "80", "120"])
@pytest.mark.parametrize("options", [(), ("--all",), ("--explain",)])
@pytest.mark.parametrize(
    "specs", [(MNIST,), (RESNET,), (MNIST, XO), (MNIST, XO, RESNET), (CONFIGS,)]
)
def test_no_line_is_too_long_and_no_figure_is_lost(columns, options, specs, shown):
    text = shown(*specs, *options, env={"COLUMNS": columns})
    lines = text.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert not any(line.endswith(" ") for line in lines)
    assert "…" not in text
    for path in [each for spec in specs for each in specs_in(spec)]:
        summary = summarize(path)
        assert summary.name in text
        assert f"{summary.total:,}" in text
        for row in summary.rows if specs in {(MNIST,), (RESNET,)} else ():
            assert row.name in text
            assert f"{row.parameters:,}" in text or options == ("--explain",)
            assert f"{row.macs:,}" in text or options == ()


def test_the_formulas(shown):
    text = shown(MNIST, "--explain")
    block = text.split("\n\n")[3].splitlines()
    assert block == [
        "conv2d_1 (Conv2D): 14×14×32 → 14×14×64",
        "  height, width    ⌈14/1⌉ = 14",
        "  parameters       5·5·32·64 + 64 = 51,264  (kernel, bias)",
        "  multiply-adds    14·14·5·5·32·64 = 10,035,200",
        "  memory           14·14·64·4 = 50,176 bytes",
        "  receptive field  6 + (5 − 1)·2 = 14",
        "  it starts at     −2 − 2·2 = −6",
    ]
    assert "832 + 51,264 + 3,212,288 + 10,250 = 3,274,634" in text
    assert "\n".join(block) in (ROOT / "README.md").read_text()
    assert "⌊(28 − 3)/1⌋ + 1 = 26" in shown(CONFIGS / "mnist_book.yaml", "--explain")


def test_the_formulas_of_a_graph(shown):
    text = shown(RESNET, "--explain")
    assert "  trainable        2·16 = 32  (gamma, beta)\n" in text
    assert "  non-trainable    2·16 = 32  (moving_mean, moving_variance)\n" in text
    assert "  fed by           batch_normalization_2, re_lu\n" in text
    assert "  receptive field  7 ∪ 3 = 7\n" in text
    sums = re.findall(r"^  (?:multiply-adds|  non-trainable) +(.*) = ([\d,]+)$", text, re.MULTILINE)
    assert ("7·32 + 6·64 + 6·128", "1,376") in sums


def test_two_specs_stand_side_by_side(shown):
    text = shown(MNIST, CONFIGS / "mnist_book.yaml", env={"COLUMNS": "80"})
    totals, layers = text.split("\n\n")
    assert re.search(r"^parameters +3,274,634 +93,322$", totals, re.MULTILINE)
    assert re.search(r"^receptive field +16×16 +18×18$", totals, re.MULTILINE)
    rows = [line.split() for line in layers.splitlines()[3:]]
    assert ["Conv2D", "28×28×32", "832", "26×26×32", "320"] in rows
    assert ["Conv2D", "3×3×64", "36,928"] in rows
    assert rows[-1] == ["Dense", "10", "10,250", "10", "650"]


def test_specs_of_one_name_are_told_apart_by_their_files(shown, tmp_path):
    (tmp_path / "a.yaml").write_text(XO.read_text())
    (tmp_path / "b.yaml").write_text(XO.read_text())
    assert shown("a.yaml", "b.yaml").splitlines()[0].split() == ["a.yaml", "b.yaml"]


def test_many_specs_have_a_line_each(shown):
    lines = shown(CONFIGS).splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines[3:]}
    assert len(rows) == len(list(CONFIGS.rglob("*.yaml")))
    assert rows["cifar10_resnet"] == ["32×32×3", "10", "74", "271,098", "269,722", "1,376"]
    assert rows["xo"] == ["9×9×1", "2", "8", "140", "140", "0"]


def test_a_faulty_spec_among_others(cnnctl, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(MNIST.read_text().replace("units: 10", "unit: 10"))
    done = cnnctl("summary", bad, MNIST)
    assert done.returncode == 2
    assert "unknown argument `unit`" in done.stderr
    assert "bad.yaml:" in done.stderr
    assert done.stdout == TABLE
    done = cnnctl("summary", bad, MNIST, "missing.yaml", "--json")
    assert done.returncode == 2
    assert [each["name"] for each in json.loads(done.stdout)] == ["mnist"]
    assert "no such file" in done.stderr
    assert cnnctl("summary", bad).stdout == ""


def test_json_is_an_object_for_one_and_a_list_for_several(shown):
    assert json.loads(shown(XO, "--json"))["total"] == 140
    assert [each["total"] for each in json.loads(shown(XO, MNIST, "--json"))] == [140, 3_274_634]
    assert len(json.loads(shown(CONFIGS, "--json"))) > 3


def cells(text):
    """The cells of Markdown tables, as GitHub splits them."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    split = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
    return [[cell.strip().replace("\\", "") for cell in row] for row in split]


def test_markdown(shown):
    text = shown(MNIST, "--markdown", "--macs")
    rows = cells(text)
    assert rows[0] == ["name", "layer", "output shape", "parameters", "multiply-adds"]
    assert [set(cell) for cell in rows[1]] == [{"-"}] * 3 + [{"-", ":"}] * 2
    assert ["conv2d_1", "Conv2D", "14×14×64", "51,264", "10,035,200"] in rows
    assert ["total parameters", "3,274,634"] in rows
    assert ["conv2d_1 (Conv2D): 14×14×32 → 14×14×64", "height, width", "⌈14/1⌉ = 14"] in cells(
        shown(MNIST, "--markdown", "--explain")
    )


def test_markdown_of_several(shown):
    rows = cells(shown(MNIST, XO, "--markdown"))
    assert ["parameters", "3,274,634", "140"] in rows
    assert ["layer", "mnist: output", "mnist: parameters", "xo: output", "xo: parameters"] in rows
    assert ["ReLU", "", "", "7×7×3", "0"] in rows
    assert ["xo", "9×9×1", "2", "8", "140", "140", "0"] in cells(shown(CONFIGS, "--markdown"))


def test_markdown_escapes_what_would_be_markup(shown, xo_spec):
    text = xo_spec.read_text()
    xo_spec.write_text(text.replace("activation: relu}", "name: 'a|b *c* _d_ <e>'}"))
    text = shown(xo_spec, "--markdown")
    assert r"a\|b \*c\* \_d\_ &lt;e>" in text
    assert len({len(row) for row in cells(text)[:7]}) == 1
    assert "max_pooling2d" in text  # within a word an underscore is none


def test_keras_prints_its_own(shown):
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, padding="same", activation="relu", name="conv2d"),
            layers.MaxPooling2D(2, 2, name="max_pooling2d"),
            layers.Conv2D(64, 5, padding="same", activation="relu", name="conv2d_1"),
            layers.MaxPooling2D(2, 2, name="max_pooling2d_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(1024, activation="relu", name="dense"),
            layers.Dense(10, activation="softmax", name="dense_1"),
        ],
        name="mnist",
    )
    lines = []
    model.summary(line_length=80, print_fn=lines.append)
    assert shown(MNIST, "--keras", env={"COLUMNS": "80"}) == "".join(lines)


def test_keras_cuts_no_figure_off(shown):
    text = shown(MNIST, RESNET, "--keras", env={"COLUMNS": "40"})
    assert "3,274,634 (12.49 MB)" in text
    assert "3,212,288" in text
    assert "Non-trainable params: 1,376" in text


def test_a_layer_of_a_plug_in(cnnctl, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "name: net\nmodel:\n  input_shape: [6, 6, 2]\n  layers:\n    - Scaled\n    - Flatten\n"
    )
    done = cnnctl("summary", spec, "--plugin", "mine.py", "--all")
    assert done.returncode == 0, done.stderr
    (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith("scaled ")]
    assert row == ["scaled", "Scaled", "6×6×2", "3", "–", "288", "B", "–"]
    assert re.search(r"non-trainable +1\n", done.stdout)
    assert "no formula for scaled (Scaled)" in done.stdout
    document = json.loads(cnnctl("summary", spec, "--plugin", "mine.py", "--json").stdout)
    assert len(document["notes"]) == 1


def test_what_has_no_formula_is_said_in_an_explanation(shown, tmp_path):
    (tmp_path / "dots.yaml").write_text(NO_FORMULA)
    text = shown("dots.yaml", "--explain")
    assert "  parameters       25, as Keras counts them" in text
    assert "no formula for einsum_dense (EinsumDense)" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--json", "--markdown"), "--json and --markdown exclude each other"),
        (("--keras", "--json"), "--keras and --json exclude each other"),
        (("--keras", "--macs", "--all"), "knows no --macs or --all"),
        (("--keras", "--explain"), "knows no --explain"),
    ],
)
def test_contradictory_options(options, message, cnnctl):
    done = cnnctl("summary", MNIST, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "hint: " in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("options", [["--all"], ["--explain"], ["--markdown"], ["--json"]])
def test_none_of_it_starts_tensorflow(options):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "summary", *options, MNIST, XO],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert "HEAVY [] CODE 0" in done.stdout, done.stdout[-300:] + done.stderr[-300:]


def test_a_terminal_is_asked_for_its_width():
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "NO_COLOR"}}
    code = "import sys; sys.argv[0] = 'cnnctl'; from cnnctl.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "summary", MNIST, "--all"],
        stdout=theirs,
        env={**env, "TERM": "xterm"},
    ) as program:
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 65536):
                text += part
        except OSError:  # Linux's way to say that the other side is closed
            pass
    os.close(ours)
    assert program.returncode == 0
    assert b"\x1b[1m" in text  # headings are bold there
    lines = re.sub(r"\x1b\[[\d;]*m", "", text.decode()).splitlines()
    assert max(map(len, lines)) <= 60
    assert any(
        line.split() == ["conv2d_1", "10,035,200", "49.0", "KiB", "14×14", "2"] for line in lines
    )
