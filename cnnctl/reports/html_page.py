"""The parts of a self-contained HTML page: sections, tables, figures. No network, no script."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cnnctl.io.printable import printable_html as escape
from cnnctl.plots.style import to_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Block = str
"""A piece of HTML; texts in it are escaped."""

Tell = Callable[[str], None]
"""Is told which part is being made."""

MOST_FIGURES = 60
"""How many metrics a table has, in rows or columns; a run's files have the others."""

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --quiet: #595959; --paper: #ffffff;
        --card: #f5f6f7; --line: #d5d8dc; --accent: #005a8d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --quiet: #a8adb3; --paper: #16181b; --card: #202327; --line: #3a3f45;
          --accent: #6cb8ea; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
       color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .8rem; border-bottom: 1px solid var(--line);
     padding-bottom: .3rem; }
p.lead { color: var(--quiet); margin: 0 0 1.2rem; overflow-wrap: anywhere; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
        padding: .6rem 1rem; min-width: 8rem; }
.card b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.card span { color: var(--quiet); font-size: .85rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 600; }
td:last-child:not(.n) { min-width: 15rem; }
td.n, th.n { text-align: right; }
figure { margin: 0; background: #ffffff; border: 1px solid var(--line); border-radius: .5rem;
         padding: .6rem; display: inline-block; max-width: 100%; }
figure img { display: block; max-width: 100%; height: auto; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
      padding: .8rem 1rem; overflow-x: auto; font-size: .85rem; }
summary { cursor: pointer; color: var(--accent); }
.note { color: var(--quiet); }
"""


def page(title: str, body: str) -> str:
    """A whole page."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name=viewport content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


def cards(values: Sequence[tuple[str, str]]) -> Block:
    """Large figures, each over a word that says what it is."""
    inner = "".join(f"<div class=card><b>{escape(value)}</b><span>{escape(what)}</span></div>"
                    for value, what in values)  # fmt: skip
    return f"<div class=cards>{inner}</div>"


def section(title: str, *parts: Block) -> Block:
    """A part of the page under its heading."""
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def image(figure: Figure, words: str, form: str = "svg") -> Block:
    """A figure inside the page."""
    kind = {"svg": "image/svg+xml", "png": "image/png"}[form]
    data = base64.b64encode(to_bytes(figure, form)).decode()
    width = round(figure.get_figwidth() * 84)
    return (
        f'<p><figure><img alt="{escape(words)}" width="{width}" src="data:{kind};base64,{data}">'
        "</figure></p>"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> Block:
    """A table, whose columns of these numbers are figures."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if index in numbers else ''}>{escape(str(cell))}</{tag}>"
            for index, cell in enumerate(row)
        )

    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>" if any(head) else ""
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<div class=wide><table>{top}<tbody>{body}</tbody></table></div>"


def number(value: Any) -> str:
    """A value in a table."""
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"
    return "–" if value is None else str(value)
