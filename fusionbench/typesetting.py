"""Tables for readers: numbers of four digits, and the same cells as Markdown, HTML and LaTeX."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from fusionbench.types import Better

ARROW: Final[dict[Better, str]] = {"higher": "↑", "lower": "↓"}
"""How a heading says which values are better."""

_TEX: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # At the start of a row these would belong to the end of the one before.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "±": r"$\pm$",
    "×": r"$\times$",
}
_WIDE: Final = 8
"""More columns than these are shrunk to the width of the text."""


class Cell(NamedTuple):
    """One cell of a table; `place` 1 is the best of its column and 2 the second."""

    text: str
    place: int = 0


def number(value: float) -> str:
    """Four significant digits.

    >>> [number(x) for x in (6.8, 12.3456, 0.000123456, 48123.4, float("nan"))]
    ['6.800', '12.35', '0.0001235', '48120', '-']
    """
    if math.isnan(value):
        return "-"
    if 1e4 <= abs(float(f"{value:.4g}")) < 1e9:
        return f"{float(f'{value:.4g}'):.0f}"
    return f"{value:#.4g}".rstrip(".")


def count(how_many: int, one: str, several: str = "") -> str:
    """A number and its noun.

    >>> count(1, "image"), count(2, "image"), count(2, "has", "have")
    ('1 image', '2 images', '2 have')
    """
    return f"{how_many} {one if how_many == 1 else several or one + 's'}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[Cell]], *, left: int = 1) -> str:
    """A table in Markdown as GitHub reads it, the best bold and the second underlined.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequence of Cell
        Cells, one a column.
    left : int
        How many columns, from the first, are aligned to the left.

    Returns
    -------
    str
        Lines, the last of them ended.
    """
    style = {0: "{}", 1: "**{}**", 2: "<ins>{}</ins>"}

    def line(cells: Sequence[Cell]) -> str:
        return f"| {' | '.join(style.get(c.place, '{}').format(markdown_text(c.text)) for c in cells)} |\n"

    rule = "|".join([":---"] * left + ["---:"] * (len(header) - left))
    return line([Cell(name) for name in header]) + f"|{rule}|\n" + "".join(map(line, rows))


def markdown_text(text: str) -> str:
    """Text as Markdown shows it."""
    # HTML is alive in Markdown; a number keeps its signs.
    return re.sub(r"([\\`*_|~\[\]])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def page_table(header: Sequence[str], rows: Sequence[Sequence[Cell]], *, left: int = 1) -> str:
    """A table in HTML, the best bold and the second underlined; parameters as for `markdown`."""
    style = {0: "{}", 1: "<b>{}</b>", 2: "<u>{}</u>"}

    def line(tag: str, cells: Sequence[Cell]) -> str:
        return "".join(
            f'<{tag} style="text-align: {"left" if at < left else "right"}">'
            f"{style.get(cell.place, '{}').format(html.escape(cell.text))}</{tag}>"
            for at, cell in enumerate(cells)
        )

    body = "\n".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    head = line("th", [Cell(name) for name in header])
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"


def latex(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    caption: str,
    label: str,
    left: int = 1,
    colour: bool = False,
) -> str:
    r"""A LaTeX float with a table by booktabs, the best bold and the second underlined.

    Parameters
    ----------
    header, rows, left
        As for `markdown`; whatever TeX would take for a command is escaped.
    caption : str
        What stands above the table, as plain text.
    label : str
        For ``\ref``; ASCII letters, digits, ``:`` and ``-``.
    colour : bool
        Best red and second blue instead.

    Returns
    -------
    str
        Lines; a document that inputs them needs the packages of `latex_packages`.
    """
    style = (
        {1: r"\textcolor{red}{%s}", 2: r"\textcolor{blue}{%s}"} if colour else {1: r"\textbf{%s}", 2: r"\underline{%s}"}
    )

    def line(cells: Sequence[Cell]) -> str:
        texts = [tex(c.text) if at < left else tex_number(c.text) for at, c in enumerate(cells)]
        return " & ".join(style.get(c.place, "%s").replace("%s", t) for c, t in zip(cells, texts, strict=True)) + r" \\"

    table = [
        rf"\begin{{tabular}}{{{'l' * left}{'r' * (len(header) - left)}}}",
        r"\toprule",
        " & ".join(map(tex, header)) + r" \\",
        r"\midrule",
        *map(line, rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if len(header) > _WIDE:
        table = [r"\resizebox{\linewidth}{!}{%", *table, "}"]
    kind = "table*" if len(header) > _WIDE else "table"
    lines = [
        rf"\begin{{{kind}}}",
        r"\centering",
        rf"\caption{{{tex(caption)}}}",
        rf"\label{{{label}}}",
        r"\smallskip",
        *table,
    ]
    return "\n".join([*lines, rf"\end{{{kind}}}"]) + "\n"


def latex_packages(colour: bool = False) -> str:
    """The lines that a document needs in its preamble for tables of `latex`."""
    names = ["booktabs", "graphicx", *(["xcolor"] if colour else [])]
    return "".join(rf"\usepackage{{{name}}}" + "\n" for name in names)


def latex_warning(body: str) -> str:
    """A comment on the signs that pdfLaTeX does not know, e.g. Chinese ones; empty if there is none.

    >>> print(latex_warning("Müller 方法"), end="")
    % pdfLaTeX has no 方, 法: use XeLaTeX or LuaLaTeX, and a font that has them.
    """
    # What inputenc knows by itself: Latin letters and a few dashes and quotation marks.
    foreign = sorted({sign for sign in body if ord(sign) > 0x24F and not 0x2010 <= ord(sign) <= 0x201F})
    return f"% pdfLaTeX has no {', '.join(foreign)}: use XeLaTeX or LuaLaTeX, and a font that has them.\n" * bool(
        foreign
    )


def latex_document(body: str, *, colour: bool = False) -> str:
    """A document of its own around tables of `latex`."""
    return (
        "\\documentclass{article}\n\\usepackage[margin=2cm]{geometry}\n"
        f"{latex_packages(colour)}\\begin{{document}}\n{body}\\end{{document}}\n"
    )


def tex(text: str) -> str:
    r"""Text as TeX prints it.

    >>> print(tex("a_b & 50% [x]--"))
    a\_b \& 50\% {[}x{]}-{}-
    """
    text = "".join(_TEX.get(sign, sign) for sign in " ".join(text.split()))
    return re.sub(r"-(?=-)", "-{}", text)


def tex_number(text: str) -> str:
    r"""The text of a number, or of several, as TeX prints it.

    >>> print(tex_number("-1.234e-07 ± inf"), tex_number("-"))
    $-$1.234$\times10^{-7}$ $\pm$ $\infty$ --
    """
    if text == "-":
        return "--"
    text = re.sub(r"e([+-])0*(\d+)", lambda m: f"×10^{m[1].strip('+')}{m[2]}", text)
    text = re.sub(r"(?<!\^)-(?=\d|inf)", "$-$", text).replace("inf", r"$\infty$").replace("±", r"$\pm$")
    return re.sub(r"×10\^(-?\d+)", lambda m: rf"$\times10^{{{m[1]}}}$", text)
