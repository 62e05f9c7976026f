"""`cnnctl play RUN`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cnnctl.cli.options import Checkpoint, DataDir, Device, Plugin, Source, SpecOfFile
from cnnctl.cli.output import remark, say


def play(
    source: Source,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Of the page; 0 takes a free one.")
    ] = 8600,
    browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    spec: SpecOfFile = None,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    plugin: Plugin = None,
) -> None:
    """Serve a page on this machine: draw, or drop a picture, and see what every layer makes of it.

    It is bound to the loopback address, and ends with Ctrl-C.
    """
    from cnnctl.preflight import check
    from cnnctl.startup import quiet

    checked = check(spec).spec if spec else None
    quiet()
    from cnnctl.play.drawing import Network
    from cnnctl.play.server import HOST, serve

    network = Network(source, spec=checked, checkpoint=checkpoint, data_dir=data_dir, device=device)
    for note in network.notes:
        remark(f"note: {note}")
    with serve(network, port) as server:
        address = f"http://{HOST}:{server.server_address[1]}/"
        say(f"{address}  (Ctrl-C ends it)")
        sys.stdout.flush()
        if browser:
            import webbrowser

            webbrowser.open(address)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say()
