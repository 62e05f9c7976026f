"""`cnnctl launch -n 2 -- train SPEC`."""

from __future__ import annotations

from typing import Annotated

import typer

from cnnctl.cli.output import remark

COMMANDS = ("train", "resume")


def launch(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND", help="What each process runs: train or resume, and its options."
        ),
    ],
    processes: Annotated[
        int,
        typer.Option("--processes", "-n", min=1, max=1024, metavar="N", help="How many processes."),
    ] = 2,
) -> None:
    """Train by several processes on this machine that compute each batch together.

    `cnnctl launch -n 2 -- train mnist` is `cnnctl train mnist` with `fit.distribute: multi_worker`
    in two processes. The result is that of one process, to the rounding of sums. On several
    machines, start `cnnctl train` on each with TF_CONFIG, or by Slurm's srun.
    """
    from cnnctl.compute.launch import launch as start
    from cnnctl.errors import UsageError

    if command[0] not in COMMANDS:
        raise UsageError(
            f"`cnnctl launch` starts {' or '.join(COMMANDS)}, not `{command[0]}`",
            hint="cnnctl launch -n 2 -- train SPEC",
        )
    for word in command:
        _, found, value = word.partition("fit.distribute=")
        if found and value.strip() != "multi_worker":
            raise UsageError(
                f"`cnnctl launch` is for `fit.distribute: multi_worker`, and `{word}` says {value}",
                hint="leave it away; one process needs no launch",
            )
    command = [*command, "--set", "fit.distribute=multi_worker"]
    code = start(command, processes, remark)
    if code:
        raise typer.Exit(code)
