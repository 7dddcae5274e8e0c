"""Tables as CSV in full precision and as LaTeX, ready for a paper."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable

import numpy as np
import pandas as pd

from core.present.export.provenance import Provenance, plain, slug
from core.present.text.escape import cell
from core.wording import capital

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}", "<": "$<$", ">": "$>$", '"': "''",
    "«": "``", "»": "''", "–": "--", "…": r"\ldots{}", "−": "$-$", "×": r"$\times$", "±": r"$\pm$", "·": r"$\cdot$",
    "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\rightarrow$", "←": r"$\leftarrow$", "χ": r"$\chi$", "²": "$^2$",
    "‖": r"$\|$", "`": r"\textasciigrave{}", "\xa0": "~",
}  # fmt: skip
_P = re.compile(r"(mid[_-]?)?p([_ (].*)?|.* p", re.IGNORECASE)
NONE = "--"
#: Letters of a name that has room beside five columns of numbers; how a longer one is set, and of how many a line is.
LONG_NAME, PARAGRAPH, PARAGRAPH_LETTERS = 60, r"p{0.42\linewidth}", 36
#: Lines of a table on a page of paper.
PAGE = 45


def holds_p(name: str) -> bool:
    """Whether a column called so holds p-values: «p», «p_holm», «p (Holm)», «mid-p»."""
    return _P.fullmatch(name) is not None


def csv(table: pd.DataFrame) -> bytes:
    """UTF-8, every digit; texts that a spreadsheet would run as a formula get an apostrophe before them."""
    safe = table.copy()
    for place, kind in enumerate(table.dtypes):
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)):
            safe.isetitem(place, [cell(value) for value in table.iloc[:, place]])
    safe.columns = [cell(str(name)) for name in table.columns]
    return safe.to_csv(index=False).encode()


def latex(table: pd.DataFrame, title: str, name: str, provenance: Provenance) -> bytes:
    """A booktabs table: caption, label, escaped names, rounded numbers, its provenance as comments.

    Names of over `LONG_NAME` letters are set in a paragraph's width. It needs no package but booktabs, and longtable
    where it has more lines than a page: a float would be cut off at its foot. Names with letters for which pdfLaTeX has
    no font (Greek, Chinese, emoji) need XeLaTeX or LuaLaTeX with a font that has them.

    Integers have thousands separators, p two digits, other numbers three decimals or digits; columns of numbers are
    set flush right.
    """
    columns = [_column(str(label), table.iloc[:, place]) for place, label in enumerate(table.columns)]
    head = " & ".join(_cell(str(label).replace("_", " ")) for label in table.columns)
    rows = [" & ".join(cells) + r" \\" for cells in zip(*(cells for cells, _ in columns), strict=True)]
    caption = escape(f"{capital(title)} ({provenance.who}; {provenance.scope}).")
    sides, label = "".join(side for _, side in columns), f"\\label{{tab:{slug(provenance.page)}-{slug(name)}}}"
    about = [f"% {line}" for fact in provenance.lines() for line in textwrap.wrap(fact, 116)]
    lines_of_row = [max(map(_lines, cells)) for cells in zip(*(cells for cells, _ in columns), strict=True)]
    if sum(lines_of_row) > PAGE:
        lines = [
            "% \\usepackage{booktabs, longtable}",
            *about,
            f"\\begin{{longtable}}{{{sides}}}",
            f"  \\caption{{{caption}}}{label} \\\\",
            r"  \toprule",
            f"  {head} \\\\",
            r"  \midrule",
            r"  \endhead",
            r"  \bottomrule",
            r"  \endfoot",
            *(f"  {row}" for row in rows),
            r"\end{longtable}",
        ]
        return ("\n".join(lines) + "\n").encode()
    lines = [
        "% \\usepackage{booktabs}",
        *about,
        r"\begin{table}[t]",
        r"  \centering",
        f"  \\caption{{{caption}}}",
        f"  {label}",
        f"  \\begin{{tabular}}{{{sides}}}",
        r"    \toprule",
        f"    {head} \\\\",
        r"    \midrule",
        *(f"    {row}" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return ("\n".join(lines) + "\n").encode()


def escape(text: str) -> str:
    """A text as LaTeX prints it, letter for letter; signs that pdfLaTeX lacks are set in mathematics."""
    return "".join(_LATEX.get(letter, letter) for letter in plain(text.translate(_SPACES)))


_SPACES = dict.fromkeys((9, 10, 11, 12, 13), " ") | dict.fromkeys([*range(9), *range(14, 32), 127])


def _cell(text: str) -> str:
    """`\\` reads a bracket or a star after it as its own argument."""
    escaped = escape(text)
    return "{}" + escaped if escaped.lstrip()[:1] in ("[", "*") else escaped


def _lines(cell: str) -> int:
    """About how many lines a cell takes."""
    return -(-len(cell) // PARAGRAPH_LETTERS) if len(cell) > LONG_NAME else 1


def _column(name: str, values: pd.Series) -> tuple[list[str], str]:
    """A column's cells, and how it is set: r for numbers, l for words, and for long ones as wide as a paragraph."""
    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind):
        return [NONE if pd.isna(v) else ("yes" if v else "no") for v in values], "l"
    if not pd.api.types.is_numeric_dtype(kind):
        words = [NONE if v is None or v is pd.NA or v != v else str(v) for v in values]
        side = PARAGRAPH if max(map(len, words), default=0) > LONG_NAME else "l"
        return [word if word == NONE else _cell(word) for word in words], side
    numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    show = _p if holds_p(name) else _format(numbers[np.isfinite(numbers)])
    return [NONE if math.isnan(v) else show(v) if math.isfinite(v) else escape(f"{v}") for v in numbers], "r"


def _p(value: float) -> str:
    return "$<$0.0001" if value < 0.0001 else f"{value:.2g}"


def _format(numbers: np.ndarray) -> Callable[[float], str]:
    """How to show a column of finite numbers."""
    if (numbers == np.round(numbers)).all():
        return lambda v: _minus(f"{v:,.0f}")
    size = np.abs(numbers[numbers != 0])
    decimals = max(0, 3 - max(0, math.floor(math.log10(size.max()))))
    if size.min() < 0.5 * 10**-decimals:
        return _digits
    # Values that were rounded before have no more places than they have: 65.1 is not 65.10.
    rounded = (places for places in range(decimals) if np.allclose(numbers, numbers.round(places), 0, 1e-9))
    decimals = next(rounded, decimals)
    return lambda v: _minus(f"{v:,.{decimals}f}")


def _digits(value: float) -> str:
    text, _, power = f"{value:.3g}".partition("e")
    return _minus(text) + (rf"$\times10^{{{int(power)}}}$" if power else "")


def _minus(text: str) -> str:
    return "$-$" + text[1:] if text.startswith("-") else text
