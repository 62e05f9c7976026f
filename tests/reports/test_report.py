"""The report: whole, without a network, and looked at in a real browser where there is one."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import commands
import pytest

from cnnctl.startup import quiet

quiet()

from cnnctl.reports.report import report  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
               None)  # fmt: skip

LOOK = """
<script>
function luminance(color) {
  const parts = color.match(/[\\d.]+/g).slice(0, 3).map(v => {
    v = v / 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}
function ground(element) {
  for (; element; element = element.parentElement) {
    const color = getComputedStyle(element).backgroundColor;
    if (!/rgba\\(0, 0, 0, 0\\)|transparent/.test(color)) return color;
  }
  return 'rgb(255, 255, 255)';
}
window.addEventListener('load', () => {
  document.querySelectorAll('details').forEach(each => each.open = true);
  const images = [...document.images];
  const blocks = [...document.querySelectorAll('h1, h2, .card, figure, .wide, pre, p.lead')]
    .filter(each => each.getBoundingClientRect().height > 0);
  const overlaps = [];
  blocks.forEach((a, i) => blocks.slice(i + 1).forEach(b => {
    if (a.contains(b) || b.contains(a)) return;
    const p = a.getBoundingClientRect(), q = b.getBoundingClientRect();
    const x = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const y = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (x > 1 && y > 1) overlaps.push([a.textContent.slice(0, 40), b.textContent.slice(0, 40)]);
  }));
  let contrast = 99;
  document.querySelectorAll('h1, h2, p, td, th, pre, b, span, summary').forEach(each => {
    const one = luminance(getComputedStyle(each).color), other = luminance(ground(each));
    contrast = Math.min(contrast,
                        (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05));
  });
  const found = {
    missing: images.filter(each => !each.complete || !each.naturalWidth).length,
    images: images.length, overlaps, contrast,
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    dark: luminance(getComputedStyle(document.body).backgroundColor) < 0.2,
    headings: [...document.querySelectorAll('h2')].map(each => each.textContent),
  };
  document.body.innerHTML = '<pre id=found>' + JSON.stringify(found).replace(/</g, '') + '</pre>';
});
</script>
"""


@pytest.fixture(scope="module")
def runs(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reported")
    shutil.copytree(finished, folder, symlinks=True, dirs_exist_ok=True)
    smaller = load(folder / "tiny.yaml", ["fit.epochs=1", "model.layers.0.Conv2D.filters=3"])
    train(smaller, runs_dir=folder / "runs", device="cpu")
    return [folder / "runs/tiny/001", folder / "runs/tiny/002"]


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.opened, self.images, self.addresses, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "img":
            self.images.append(values["src"])
        self.addresses += [values[key] for key in ("src", "href") if key in values]
        self.opened.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def test_everything_is_in_the_file(runs):
    text = report([runs[0]])
    page = Page(text)
    assert len(page.images) >= 7
    for address in page.addresses:
        assert address.startswith(("data:image/svg+xml;base64,", "data:image/png;base64,"))
        data = base64.b64decode(address.split(",", 1)[1])
        assert data[:5] in (b"<?xml", b"\x89PNG\r")
    assert "script" not in page.opened
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    words = " ".join(page.words)
    evaluation = json.loads((runs[0] / "evaluation.json").read_text())
    for wanted in (f"{evaluation['figures']['accuracy']:.4f}", "114", "cnnctl reproduce",
                   evaluation["data"], "3·3·1·4 + 4 = 40"):  # fmt: skip
        assert wanted in words, wanted
    fingerprint = json.loads((runs[0] / "environment.json").read_text())["data"]["fingerprint"]
    assert fingerprint in words


def test_several_runs_are_compared(runs):
    words = " ".join(Page(report(runs)).words)
    for wanted in ("2 runs", "model.layers.0.Conv2D.filters", "fit.epochs", "114"):
        assert wanted in words


def test_what_a_run_folder_says_is_text(runs, tmp_path):
    shutil.copytree(runs[0], tmp_path / "run", symlinks=True)
    path = tmp_path / "run/evaluation.json"
    evil = json.loads(path.read_text())
    evil["data"] = "<script>alert(1)</script><img src=http://evil>"
    evil["figures"]["<b>x"] = 1.0
    path.write_text(json.dumps(evil))
    (tmp_path / "run/state.json").write_text('{"status": "<script>", "reason": ["<i>"]}')
    page = Page(report([tmp_path / "run"]))
    assert "script" not in page.opened
    assert all(address.startswith("data:") for address in page.addresses)


def test_a_run_without_data_or_epochs_still_has_a_report(runs, tmp_path):
    shutil.copytree(runs[0], tmp_path / "run", symlinks=True)
    (tmp_path / "run/metrics.jsonl").unlink()
    (tmp_path / "run/evaluation.json").unlink()
    environment = json.loads((tmp_path / "run/environment.json").read_text())
    environment["data"]["fingerprint"] = "another"
    (tmp_path / "run/environment.json").write_text(json.dumps(environment))
    words = " ".join(Page(report([tmp_path / "run"])).words)
    assert "other data" in words
    assert "How it learned" not in words


def test_the_command(runs, tmp_path):
    done = commands.run("report", *runs, "--out", tmp_path / "c.html", capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "c.html").read_text().startswith("<!doctype html>")
    done = commands.run("report", runs[0], "--json", capture_output=True)
    assert json.loads(done.stdout)["report"] == str(runs[0] / "report.html")
    assert (runs[0] / "report.html").exists()
    done = commands.run("report", tmp_path, capture_output=True)
    assert done.returncode == 2
    assert "not a run folder" in done.stderr


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [420, 1200])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_in_a_browser(runs, tmp_path, width, dark, count):
    """Nothing is missing, nothing overlaps, nothing is cut off, and all can be read."""
    text = re.sub(r"<meta http-equiv=.*?>", "", report(runs[:count]))
    (tmp_path / "report.html").write_text(text.replace("</body>", f"{LOOK}</body>"))
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", f"--user-data-dir={tmp_path / 'user'}", f"--window-size={width},900",
         *(["--force-dark-mode"] if dark else []), "--virtual-time-budget=5000", "--dump-dom",
         f"file://{tmp_path / 'report.html'}"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    look = json.loads(found.group(1).replace("&gt;", ">").replace("&amp;", "&"))
    assert look["missing"] == 0
    assert look["images"] >= (7 if count == 1 else 1)
    assert look["overlaps"] == []
    assert look["wider"] <= 0
    assert look["contrast"] >= 4.5  # WCAG 2.1, 1.4.3
    assert look["dark"] == dark
    assert "Again" in look["headings"]


def test_the_table_of_many_epochs_has_some_rows_and_columns():
    from cnnctl.reports.html_page import MOST_FIGURES
    from cnnctl.reports.run_report import MOST_EPOCHS, history_table

    rows = [{"epoch": n, **{f"k{i}": 0.5 for i in range(200)}} for n in range(1, 2_501)]
    page = Page(history_table(rows))
    assert page.opened.count("tr") == 1 + 834  # the head, and every third epoch
    assert page.opened.count("td") == 834 * MOST_FIGURES
    words = " ".join(page.words)
    assert "2 of every 3 epochs and 141 figures are only in metrics.jsonl" in words
    assert MOST_EPOCHS >= 834
    assert Page(history_table(rows[:900])).opened.count("tr") == 901
