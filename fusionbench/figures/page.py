"""The paper that figures are drawn on: lengths in inches from the top left corner, and files of reproducible bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from fusionbench.figures.lettering import SIZE, families, legible
from fusionbench.files import whole
from fusionbench.types import Image, UserError

WIDTHS: Final = {1: 3.5, 2: 7.16}
"""Inches of one column and of both, as IEEE's journals have them; Elsevier's and Springer's are a hair wider."""
SUFFIXES: Final = (".pdf", ".png", ".svg")
"""What figures are written as."""
MARGIN: Final = 0.04
"""Inches between the edge of the paper and anything on it."""
DPI: Final = 400
"""Of PNG files, and of images inside the others."""


@contextmanager
def style() -> Iterator[None]:
    """What every figure is drawn and written under, whatever the user's matplotlibrc says."""
    ours: Any = {
        "font.family": families(),
        "font.size": SIZE,
        "axes.labelsize": SIZE,
        "axes.linewidth": 0.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": "0.88",
        "grid.linewidth": 0.4,
        "hatch.linewidth": 0.5,
        "image.composite_image": False,
        "lines.linewidth": 1.0,
        "text.parse_math": False,  # a method may be called US$
        "xtick.labelsize": SIZE - 1,
        "ytick.labelsize": SIZE - 1,
        "xtick.major.size": 2.0,
        "ytick.major.size": 2.0,
        "xtick.major.width": 0.5,
        "ytick.major.width": 0.5,
        "pdf.fonttype": 42,  # publishers refuse Type 3
        "svg.fonttype": "path",
        "svg.hashsalt": "fusionbench",
    }
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(ours)
        yield


class Page:
    """One figure. Lengths are inches; (0, 0) is the top left corner and y grows downwards.

    Parameters
    ----------
    width, height : float
        Of the paper. To be made inside `style`.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure((width, height), dpi=DPI)
        self.base = self.axes(0, 0, width, height)
        self.base.set_zorder(1)  # lettering and bubbles lie on the axes, whichever were made first
        self.base.set_axis_off()
        self.base.set(xlim=(0, width), ylim=(height, 0))

    def axes(self, x: float, y: float, width: float, height: float, **kind: Any) -> Axes:
        """Axes whose frame, without ticks and labels, is this rectangle; `kind` is for ``Figure.add_axes``."""
        frame = (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        axes: Axes = self.figure.add_axes(frame, **kind)
        return axes

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = SIZE,
        ha: Literal["left", "center", "right"] = "left",
        va: Literal["top", "center", "bottom"] = "center",
        **look: Any,
    ) -> Text:
        """Text at a place of the paper, in points; `look` is for ``Axes.text``.

        Raises
        ------
        UserError
            If no installed font has one of its characters.
        """
        legible(text)
        # Of the line that letters stand on, so that names in a row stand on one; matplotlib turns only the other kind well.
        va_of_ink: Any = "center_baseline" if va == "center" and "rotation" not in look else va
        return self.base.text(x, y, text, fontsize=size, ha=ha, va=va_of_ink, **look)

    def line(self, x: tuple[float, ...], y: tuple[float, ...], **look: Any) -> None:
        """A line through places of the paper."""
        self.base.plot(x, y, clip_on=False, **look)

    def picture(self, image: Image, x: float, y: float, width: float, height: float, **look: Any) -> AxesImage:
        """An image that fills this rectangle: (H, W) levels 0..255 in grey, or (H, W, 3) RGB.

        Levels are never stretched: what is equally bright in two images is equally bright on paper.
        """
        if image.ndim == 2 and not look:
            look = {"cmap": "gray", "vmin": 0, "vmax": 255}
        drawn: AxesImage = self.base.imshow(image, extent=(x, x + width, y + height, y), aspect="auto", **look)
        self.base.set(xlim=(0, self.width), ylim=(self.height, 0))
        return drawn

    def frame(self, x: float, y: float, width: float, height: float, color: str, line: float = 0.8) -> Rectangle:
        """The outline, `line` points wide, drawn inside of a rectangle."""
        half = line / 144
        outline = Rectangle(
            (x + half, y + half), width - 2 * half, height - 2 * half, fill=False, edgecolor=color, linewidth=line
        )
        outline.set_joinstyle("miter")
        self.base.add_patch(outline)
        return outline


def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        As a ``draw`` of this package returns it.
    path : Path
        Ends in ``.pdf``, ``.png`` or ``.svg``. An existing file is replaced.

    Raises
    ------
    UserError
        If the suffix is another one, or the file cannot be written.
    """
    content = encode(figure, check_target(path).removeprefix("."))
    whole(path, lambda file: file.write(content))


def check_target(path: Path) -> str:
    """The suffix of a file that a figure may be written to, in lower case.

    Raises
    ------
    UserError
        If it is none of ours, or the folder does not exist.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"'{path}' has no suffix that figures are written as: use {', '.join(SUFFIXES)}.")
    if not path.parent.is_dir():
        raise UserError(f"'{path}' cannot be written: its folder does not exist, create it first.")
    return suffix


def encode(figure: Figure, kind: str) -> bytes:
    """A figure as the content of a file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    kind : {"pdf", "png", "svg"}
        Of file.
    """
    # What would hold the time, or the release of a library.
    silent: dict[str, dict[str, None]] = {
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
    }
    buffer = BytesIO()
    with style():
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=silent[kind])
    return buffer.getvalue()
