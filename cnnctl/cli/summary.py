"""`cnnctl summary SPEC`."""

from __future__ import annotations

from cnnctl.cli.options import Json, Set, SpecPath


def summary(spec: SpecPath, set_: Set = None, json: Json = False) -> None:
    """Print the layers of a network, their output shapes and parameters, and the totals."""
    from cnnctl.cli.output import print_json, table
    from cnnctl.summary import summarize

    found = summarize(spec, set_ or ())
    if json:
        print_json(found.to_dict())
        return
    rows = [
        [row.name, row.layer, "×".join(map(str, row.output_shape)), f"{row.parameters:,}"]
        for row in found.rows
    ]
    before = "×".join(map(str, found.input_shape))
    table(f"{found.name}: input {before}", ["name", "layer", "output shape", "parameters"], rows)
    print(f"total parameters: {found.total:,}")
    print(f"  trainable:      {found.trainable:,}")
    print(f"  non-trainable:  {found.non_trainable:,}")
    for note in found.notes:
        print(note)
