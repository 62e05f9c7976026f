"""One self-contained HTML file about a run, or about several side by side.

It needs no network and runs no script; every picture is in it. What a run folder says of itself is
text here, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl import plugins
from cnnctl.errors import CnnctlError, UsageError, shortened
from cnnctl.io.printable import printable_html as escape
from cnnctl.io.printable import shell
from cnnctl.reports.html_page import Block, cards, image, page, section, table
from cnnctl.runs.find import find_run
from cnnctl.runs.run import Run
from cnnctl.summary.summary import Summary, summarize

if TYPE_CHECKING:
    from cnnctl.arithmetic import Formula
    from cnnctl.plots.subject import Subject

MISTAKES = 24
"""Pictures of the worst mistakes."""
MOST_RUNS = 8
MOST_EPOCHS = 1_000
MOST_FIGURES = 60
"""Rows and columns of the table of epochs; `metrics.jsonl` has the others."""

Tell = Callable[[str], None]
"""Is told which part is being made."""


def report(
    sources: Sequence[Path],
    *,
    data_dir: Path | None = None,
    full_data: bool = False,
    device: str = "auto",
    tell: Tell = lambda part: None,
) -> str:
    """Make the page of a run, or of several side by side.

    Args:
        sources: Run folders; one gives everything about it, several a comparison.
        data_dir, full_data, device: As in `cnnctl.inference.evaluation.evaluate`.
        tell: Is told which part is being made.

    Returns:
        The HTML, in UTF-8, with all that it shows.

    Raises:
        UsageError: One is no run folder, or there are more than 8.
    """
    if len(sources) > MOST_RUNS:
        raise UsageError(f"a report compares at most {MOST_RUNS} runs")
    found = [find_run(source) for source in sources]
    for run in found:
        plugins.require(run.environment().get("plugins") or (), run)
    if len(found) == 1:
        blocks = _of_one(found[0], data_dir, full_data, device, tell)
        title = str(found[0])
    else:
        blocks = _of_several(found, tell)
        title = " and ".join([", ".join(map(str, found[:-1])), str(found[-1])])
    return page(title, "\n".join(blocks))


def _of_one(
    run: Run, data_dir: Path | None, full_data: bool, device: str, tell: Tell
) -> Iterator[Block]:
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
                       _history(rows))  # fmt: skip
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


def _history(rows: Sequence[dict[str, Any]]) -> Block:
    names = list(dict.fromkeys(key for row in rows for key in row))
    shown, step = names[:MOST_FIGURES], -(-len(rows) // MOST_EPOCHS)
    cells = [[_figure(row.get(key)) for key in shown] for row in rows[::step]]
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


def _of_several(found: Sequence[Run], tell: Tell) -> Iterator[Block]:
    from cnnctl.plots.curves import compared
    from cnnctl.preflight import check
    from cnnctl.specs.difference import differences

    yield f"<h1>{len(found)} runs</h1>"
    yield f"<p class=lead>{escape(', '.join(map(str, found)))}</p>"
    summaries = [summarize(run.spec_path) for run in found]
    rows = []
    names = list(dict.fromkeys(name for run in found for name in _figures(run)))[:MOST_FIGURES]
    histories = {str(run): run.history() for run in found}
    for run, summary in zip(found, summaries, strict=True):
        figures, state = _figures(run), run.state()
        seconds = sum(row.get("seconds", 0.0) for row in histories[str(run)])
        rows.append((str(run), str(state.get("status", "")), f"{state.get('epochs', '–')}",
                     f"{state.get('best_epoch', '–')}", f"{summary.total:,}", f"{seconds:,.0f}",
                     *(_figure(figures.get(name)) for name in names)))  # fmt: skip
    head = ("run", "status", "epochs", "best", "parameters", "seconds",
            *(f"test {name}" for name in names))  # fmt: skip
    yield section("Figures", table(head, rows, numbers=range(2, len(head))))
    tell("curves")
    if any(histories.values()):
        yield section("How they learned", image(compared(histories), "learning curves"))
    first = check(found[0].spec_path, recorded=True).spec
    for run in found[1:]:
        changes = differences(first, check(run.spec_path, recorded=True).spec)
        cells = [(each.path, _origin(each.before), _origin(each.after)) for each in changes]
        what = f"What distinguishes {run} from {found[0]}"
        same = "<p class=note>their specs mean the same</p>"
        yield section(what, table(("value", str(found[0]), str(run)), cells) if cells else same)
    commands = "\n".join(f"cnnctl reproduce {shell(run)}" for run in found)
    yield section("Again", f"<pre>{escape(commands)}</pre>")


def _origin(origin: Any) -> str:
    return "–" if origin is None else str(origin.to_dict().get("value"))


def _figures(run: Run) -> dict[str, Any]:
    return dict(run.evaluation().get("figures", {}))


def _shape(shape: Sequence[int | None]) -> str:
    return "×".join("?" if size is None else str(size) for size in shape)


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"
    return "–" if value is None else str(value)


def _short(value: int) -> str:
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.1f} {letter}"
    return str(value)
