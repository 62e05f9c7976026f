"""The command line: which commands there are. Each has a file of its own."""

from __future__ import annotations

import typer

from cnnctl.cli import (
    check,
    compare,
    data,
    diff,
    doctor,
    evaluate,
    export,
    inspect,
    launch,
    layers,
    new,
    play,
    plot,
    predict,
    report,
    reproduce,
    resume,
    runs,
    schema,
    summary,
    sweep,
    train,
)
from cnnctl.cli.output import say
from cnnctl.cli.usage import Group

app = typer.Typer(
    name="cnnctl",
    help="Convolutional networks from YAML: check, summarize, train and evaluate with Keras.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A spec is a YAML file, such as configs/mnist.yaml; `cnnctl layers` lists its words.",
)
app.command("train")(train.train)
app.command("resume")(resume.resume)
app.command("reproduce")(reproduce.reproduce)
app.command("launch", context_settings={"allow_interspersed_args": False})(launch.launch)
app.command("sweep")(sweep.sweep)
app.command("evaluate")(evaluate.evaluate)
app.command("plot")(plot.plot)
app.command("play")(play.play)
app.command("runs")(runs.runs)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("predict")(predict.predict)
app.command("inspect")(inspect.inspect)
app.command("summary")(summary.summary)
app.command("check")(check.check)
app.command("diff")(diff.diff)
app.command("layers")(layers.layers)
app.command("doctor")(doctor.doctor)
app.command("export")(export.export)
app.command("new")(new.new)
app.command("schema")(schema.schema)
app.add_typer(data.app, name="data")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"cnnctl {version('cnnctl')}")
        raise typer.Exit


@app.callback(cls=Group)
def main(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    """Convolutional networks from YAML: check, summarize, train and evaluate with Keras."""
