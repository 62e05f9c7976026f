"""A tree back to YAML text, such that reading the text gives the same values."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from cnnctl.specs import scalars


class _Dumper(yaml.SafeDumper):
    """SafeDumper with YAML 1.2's idea of which texts need quotes."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value out: a resolved spec has no anchors."""
        return True


def _float(dumper: _Dumper, value: float) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", repr(value))


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    # In double quotes these are escaped; a spec may not hold them as they are.
    style = '"' if any(sign in value for sign in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


# Only what `scalars.resolve` would not read as text is quoted.
_NOT_TEXT = re.compile(r"^(?:~|null|Null|NULL|[tT]rue|TRUE|[fF]alse|FALSE|[-+.0-9].*|)$", re.DOTALL)
_Dumper.yaml_implicit_resolvers = {
    None: [
        ("tag:yaml.org,2002:int", re.compile(scalars.INT.pattern + r"\Z")),
        ("tag:yaml.org,2002:float", re.compile(scalars.FLOAT.pattern + r"\Z")),
        ("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$")),
        ("tag:yaml.org,2002:null", re.compile(r"^null$")),
        ("tag:yaml.org,2002:not-text", _NOT_TEXT),
    ]
}  # fmt: skip
_Dumper.add_representer(float, _float)
_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """YAML text of plain values (None, bool, int, float, str, list, dict), keys in their order."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=None,
    )  # fmt: skip
    return text


def flow(value: Any) -> str:
    """YAML text of a plain value that fits into a line: `{Dense: {units: 10}}`."""
    text: str = yaml.dump(
        [value], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf,
        default_flow_style=True,
    )  # fmt: skip
    return text.strip()[1:-1]
