"""The page of one run: its network, how it learned, what it mistakes, what it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import CnnctlError, shortened
from cnnctl.io.printable import printable_html as escape
from cnnctl.io.printable import shell
from cnnctl.reports.html_page import MOST_FIGURES, Block, Tell, cards, image, number, section, table
from cnnctl.runs.run import Run
from cnnctl.summary.summary import Summary, summarize

if TYPE_CHECKING:
    from cnnctl.arithmetic import Formula
    from cnnctl.plots.subject import Subject


MISTAKES = 24
"""Images of the worst mistakes."""
MOST_EPOCHS = 1_000


def run_blocks(
    run: Run, data_dir: Path | None, full_data: bool, device: str, tell: Tell
) -> Iterator[Block]:
    """Everything about a run, part by part."""
    from cnnctl.plots.architecture import architecture
    from cnnctl.plots.curves import curves
    from cnnctl.plots.subject import Subject

    summary = summarize(run.spec_path)
    yield from _head(run, summary)
    subject = Subject(run.path, data_dir=data_dir, full_data=full_data, device=device)
    tell("architecture")
    yield section("The network", image(architecture(summary), "its layers, to scale"),
                   _layers(summary))  # fmt: skip
    tell("curves")
    rows = run.history()
    if rows:
        best = run.state().get("best_epoch")
        yield section("How it learned", image(curves(rows, best=best), "learning curves"),
                       history_table(rows))  # fmt: skip
    yield from _mistakes(subject, tell)
    yield from _inside(subject, tell)
    yield section("What it was made from", _environment(run), _spec(run))
    yield section("Again", f"<pre>{escape(_again(run))}</pre>")


def _head(run: Run, summary: Summary) -> Iterator[Block]:
    state, evaluation = run.state(), run.evaluation()
    description = _description(run)
    yield f"<h1>{escape(str(run))}</h1>"
    yield f"<p class=lead>{escape(description or summary.name)}</p>"
    shown = []
    figures, data = evaluation.get("figures", {}), shortened(evaluation.get("data", ""))
    shown += [(f"{value:.4f}", f"{shortened(name)}, test, {data}")
              for name, value in list(figures.items())[:MOST_FIGURES]]  # fmt: skip
    done, planned = state.get("epochs"), state.get("planned")
    shown.append((f"{done if done is not None else '–'}", f"of {planned} epochs" if planned else
                  "epochs"))  # fmt: skip
    if (best := state.get("best_epoch")) is not None:
        shown.append((str(best), "best epoch"))
    shown.append((f"{summary.total:,}", "parameters"))
    if summary.macs is not None:
        shown.append((_short(summary.macs), "multiply-adds a picture"))
    shown.append((str(state.get("status", "unknown")), "status"))
    yield cards(shown)
    if state.get("reason"):
        yield f"<p class=note>{escape(str(state['reason']))}</p>"


def _mistakes(subject: Subject, tell: Tell) -> Iterator[Block]:
    """What it mistakes; a word where that cannot be known."""
    from cnnctl.plots.confusion import calibration, confusion
    from cnnctl.plots.image_grid import predictions

    tell("mistakes")
    try:
        found = subject.predictions
        matrix = confusion(found)
    except CnnctlError as error:
        yield section("What it mistakes", f"<p class=note>{escape(error.message)}</p>")
        return
    parts = [image(matrix, "confusion matrix, and precision, recall and F1 of every class")]
    if found.are_probabilities:
        parts.append(image(calibration(found), "calibration"))
    yield section("What it mistakes", *parts)
    worst = found.worst(MISTAKES)
    if worst and found.x.ndim in (3, 4):
        drawn = predictions(found.some(worst), title="predicted (true)", columns=8)
        yield section("Its worst mistakes", image(drawn, "the worst mistakes", form="png"))


def _inside(subject: Subject, tell: Tell) -> Iterator[Block]:
    from cnnctl.plots.figures import KINDS

    parts = []
    for kind, words in (("filters", "filters of the first convolution"),
                        ("saliency", "gradient and Grad-CAM"),
                        ("features", "feature maps of one picture")):  # fmt: skip
        tell(kind)
        try:
            parts.append(image(KINDS[kind](subject), words, form="png"))
        except CnnctlError:
            continue
    if parts:
        yield section("What it looks at", *parts)


def _layers(summary: Summary) -> Block:
    rows = [
        (row.name, row.layer, _shape(row.output_shape), f"{row.parameters:,}",
         "–" if row.macs is None else f"{row.macs:,}",
         "; ".join(f"{each.quantity} {each.text}" for each in row.formulas if _counts(each)))
        for row in summary.rows
    ]  # fmt: skip
    total = ("", "total", "", f"{summary.total:,}",
             "–" if summary.macs is None else f"{summary.macs:,}", "")  # fmt: skip
    head = ("layer", "class", "output", "parameters", "multiply-adds", "how they came about")
    return table(head, [*rows, total], numbers=(3, 4))


def _counts(formula: Formula) -> bool:
    """Whether a formula tells a size or a number of parameters."""
    return not formula.quantity.startswith(("macs", "memory", "receptive"))


def history_table(rows: Sequence[dict[str, Any]]) -> Block:
    """A table of the epochs, of many some."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    shown, step = names[:MOST_FIGURES], -(-len(rows) // MOST_EPOCHS)
    cells = [[number(row.get(key)) for key in shown] for row in rows[::step]]
    lines = table([key.replace("_", " ") for key in shown], cells, numbers=range(len(shown)))
    left = [f"{step - 1} of every {step} epochs" if step > 1 else "",
            f"{len(names) - len(shown):,} figures" if len(names) > len(shown) else ""]  # fmt: skip
    more = " and ".join(filter(None, left))
    remark = f"<p class=note>{more} are only in metrics.jsonl</p>" if more else ""
    words = "every epoch" if step == 1 else f"one of every {step} epochs"
    return f"<details><summary>{words}</summary>{lines}{remark}</details>"


def _environment(run: Run) -> Block:
    environment = run.environment()
    rows = []
    data = environment.get("data")
    if isinstance(data, dict):
        rows += [("data", f"{data.get('name')} ({data.get('origin')})"),
                 ("pictures", _pairs(data.get("images"))),
                 ("fingerprint", str(data.get("fingerprint")))]  # fmt: skip
    plan = environment.get("plan")
    for key in ("versions", "platform", "processor", "cpus", "device", "seed", "deterministic"):
        if key in environment:
            rows.append((key, _pairs(environment[key])))
    if isinstance(plan, dict):
        rows.append(("steps", _pairs({key: value for key, value in plan.items() if value})))
    overrides = environment.get("overrides")
    if isinstance(overrides, list) and overrides:
        rows.append(("--set", ", ".join(map(str, overrides))))
    return table(("", ""), rows)


def _pairs(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items() if inner is not None)
    return str(value)


def _spec(run: Run) -> Block:
    text = _text(run.spec_path)
    return f"<details><summary>the spec, resolved</summary><pre>{escape(text)}</pre></details>"


def _text(path: Path) -> str:
    from cnnctl.io.untrusted import read_plain

    try:
        return read_plain(path, 1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


def _description(run: Run) -> str:
    from cnnctl.specs import load

    try:
        return load(run.spec_path, recorded=True).description or ""
    except CnnctlError:
        return ""


def _again(run: Run) -> str:
    lines = [f"cnnctl reproduce {shell(run)}"]
    command = run.environment().get("command")
    if isinstance(command, list) and command:
        words = [Path(str(command[0])).name, *map(str, command[1:])]
        lines.append(f"# it was made by: {shell(*words)}")
    return "\n".join(lines)


def _shape(shape: Sequence[int | None]) -> str:
    return "×".join("?" if size is None else str(size) for size in shape)


def _short(value: int) -> str:
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.1f} {letter}"
    return str(value)
