"""`cnnctl schema`."""

from __future__ import annotations

import sys

from cnnctl.cli.options import Plugin
from cnnctl.io.printable import printable_json


def schema(plugin: Plugin = None) -> None:
    """Print the JSON Schema of a spec, by which editors complete and check it.

    `cnnctl schema > cnnctl.schema.json` writes it into a file; a spec names that in its first line:
    # yaml-language-server: $schema=cnnctl.schema.json
    """
    from cnnctl import catalog as catalogs
    from cnnctl.cli.output import say_left_out
    from cnnctl.specs.json_schema import schema_text, spec_schema

    sys.stdout.write(printable_json(schema_text(spec_schema())))
    say_left_out(catalogs.load().complete())
