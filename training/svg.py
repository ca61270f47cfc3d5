"""Small charts as SVG text: axes, lines, bands, dots, bars. Colours come from the page's style sheet, by class names.

The same input gives the same text, and every text is escaped. A chart names itself for those who cannot see it.
"""

import html
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Anchor = Literal["start", "middle", "end"]

TICK_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
LONGEST_LABEL: Final = 38
# Neither HTML nor SVG allows these.
FORBIDDEN: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")


class Markup(str):
    """Text that is HTML already; anything else is escaped before it enters a page."""

    __slots__ = ()


class Margins(NamedTuple):
    """Room around the plot area, in pixels."""

    top: float = 14
    right: float = 14
    bottom: float = 46
    left: float = 56


USUAL_MARGINS: Final = Margins()


def plain(text: str) -> str:
    """Escape a text for HTML and SVG; control characters, which neither allows, become a visible mark."""
    return html.escape(FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


def short(text: str, longest: int = LONGEST_LABEL) -> str:
    """Cut a text that is too long for a chart.

    >>> short("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def pixel(value: float) -> str:
    """Write a coordinate to a tenth of a pixel.

    >>> pixel(12.04), pixel(0.25), pixel(-0.01)
    ('12', '0.2', '0')
    """
    return f"{round(value, 1) + 0.0:g}"


def nice_ticks(low: float, high: float, about: int = 5) -> tuple[float, ...]:
    """Give round numbers between two ends, about so many.

    >>> nice_ticks(0.0, 1.0)
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    """
    if not high > low:
        return (low,)
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in TICK_STEPS if factor * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(place * step, 12) + 0.0 for place in range(first, last + 1))


def rounded(value: float) -> str:
    """Write the number at a tick."""
    return f"{value:,.10g}"


def percent(value: float) -> str:
    """Write a share at a tick.

    >>> percent(0.025), percent(0.5)
    ('2.5 %', '50 %')
    """
    return f"{100 * value:.4g} %"


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its ends, its label, its ticks (None = round numbers) and how they are written."""

    low: float
    high: float
    label: str = ""
    ticks: tuple[float, ...] | None = None
    write: Callable[[float], str] = rounded

    @classmethod
    def of_names(cls, names: Sequence[str]) -> Self:
        """Build an axis with a line for each name, the first at the top of a vertical axis."""

        def name(place: float) -> str:
            return short(names[-int(place)])

        return cls(-len(names) + 0.5, 0.5, ticks=tuple(-float(place) for place in range(len(names))), write=name)

    def places(self) -> tuple[float, ...]:
        """Give the ticks."""
        return nice_ticks(self.low, self.high) if self.ticks is None else self.ticks


@dataclass(slots=True)
class Chart:
    """A plot area to which marks are added one after the other; later ones lie above."""

    x: Axis
    y: Axis
    width: float = 380
    height: float = 280
    margins: Margins = USUAL_MARGINS
    marks: list[str] = field(default_factory=list)

    def across(self, value: float) -> float:
        """Give the horizontal place of a value, in pixels; beyond the ends of the axis it stays at the end."""
        share = (min(max(value, self.x.low), self.x.high) - self.x.low) / ((self.x.high - self.x.low) or 1.0)
        return self.margins.left + share * (self.width - self.margins.left - self.margins.right)

    def up(self, value: float) -> float:
        """Give the vertical place of a value, in pixels from the top."""
        share = (min(max(value, self.y.low), self.y.high) - self.y.low) / ((self.y.high - self.y.low) or 1.0)
        return self.height - self.margins.bottom - share * (self.height - self.margins.top - self.margins.bottom)

    def line(self, xs: Sequence[float] | Floats, ys: Sequence[float] | Floats, css: str) -> None:
        """Draw a line through points; nothing for fewer than two."""
        if len(xs) > 1:
            self.marks.append(f'<path class="line {css}" d="M{self._points(xs, ys)}"/>')

    def band(
        self, xs: Sequence[float] | Floats, lows: Sequence[float] | Floats, highs: Sequence[float] | Floats, css: str
    ) -> None:
        """Fill between two lines."""
        if len(xs) > 1:
            there, back = self._points(xs, lows), self._points(xs[::-1], highs[::-1])
            self.marks.append(f'<path class="band {css}" d="M{there}L{back}Z"/>')

    def dots(self, xs: Sequence[float] | Floats, ys: Sequence[float] | Floats, css: str, radius: float = 3.2) -> None:
        """Draw a round dot at every point, all in one path."""
        if len(xs):
            drawn = "".join(f"M{pixel(self.across(x))} {pixel(self.up(y))}h0" for x, y in zip(xs, ys, strict=True))
            self.marks.append(f'<path class="dots {css}" stroke-width="{pixel(2 * radius)}" d="{drawn}"/>')

    def whiskers(
        self, xs: Sequence[float] | Floats, lows: Sequence[float] | Floats, highs: Sequence[float] | Floats, css: str
    ) -> None:
        """Draw a vertical line from low to high at every x."""
        drawn = "".join(
            f"M{pixel(self.across(x))} {pixel(self.up(low))}V{pixel(self.up(high))}"
            for x, low, high in zip(xs, lows, highs, strict=True)
        )
        self.marks.append(f'<path class="whisker {css}" d="{drawn}"/>')

    def spans(
        self, ys: Sequence[float] | Floats, lows: Sequence[float] | Floats, highs: Sequence[float] | Floats, css: str
    ) -> None:
        """Draw a horizontal line from low to high at every y."""
        drawn = "".join(
            f"M{pixel(self.across(low))} {pixel(self.up(y))}H{pixel(self.across(high))}"
            for y, low, high in zip(ys, lows, highs, strict=True)
        )
        self.marks.append(f'<path class="whisker {css}" d="{drawn}"/>')

    def box(self, left: float, right: float, bottom: float, top: float, css: str) -> None:
        """Fill a rectangle given in values of the axes."""
        x, y = self.across(left), self.up(top)
        width, height = self.across(right) - x, self.up(bottom) - y
        self.marks.append(
            f'<rect class="{css}" x="{pixel(x)}" y="{pixel(y)}" width="{pixel(width)}" height="{pixel(height)}"/>'
        )

    def vertical(self, x: float, css: str = "mark") -> None:
        """Draw a line across the whole height."""
        top, bottom = pixel(self.margins.top), pixel(self.height - self.margins.bottom)
        self.marks.append(f'<path class="{css}" d="M{pixel(self.across(x))} {top}V{bottom}"/>')

    def words(self, x: float, y: float, text: str, css: str = "", anchor: Anchor = "start") -> None:
        """Write at a place given in pixels."""
        self.marks.append(
            f'<text class="{css}" x="{pixel(x)}" y="{pixel(y)}" text-anchor="{anchor}">{plain(text)}</text>'
        )

    def svg(self, name: str, title: str, description: str) -> Markup:
        """Give the chart.

        Args:
            name: unique on the page; letters, digits and `-`.
            title: what the chart is.
            description: what it shows, for those who cannot see it.
        """
        return Markup(
            f'<svg viewBox="0 0 {pixel(self.width)} {pixel(self.height)}" role="img" '
            f'aria-labelledby="{name}-title {name}-text"><title id="{name}-title">{plain(title)}</title>'
            f'<desc id="{name}-text">{plain(description)}</desc>{self._grid()}{"".join(self.marks)}</svg>'
        )

    def _points(self, xs: Sequence[float] | Floats, ys: Sequence[float] | Floats) -> str:
        return "L".join(f"{pixel(self.across(x))} {pixel(self.up(y))}" for x, y in zip(xs, ys, strict=True))

    def _grid(self) -> str:
        left, right = self.margins.left, self.width - self.margins.right
        top, bottom = self.margins.top, self.height - self.margins.bottom
        parts = []
        for tick in self.x.places():
            at = pixel(self.across(tick))
            parts.append(f'<path class="grid" d="M{at} {pixel(top)}V{pixel(bottom)}"/>')
            parts.append(
                f'<text x="{at}" y="{pixel(bottom + 16)}" text-anchor="middle">{plain(self.x.write(tick))}</text>'
            )
        for tick in self.y.places():
            height, text = self.up(tick), plain(self.y.write(tick))
            parts.append(f'<path class="grid" d="M{pixel(left)} {pixel(height)}H{pixel(right)}"/>')
            parts.append(f'<text x="{pixel(left - 7)}" y="{pixel(height + 4)}" text-anchor="end">{text}</text>')
        if self.x.label:
            middle, below = pixel((left + right) / 2), pixel(self.height - 8)
            parts.append(
                f'<text class="axis" x="{middle}" y="{below}" text-anchor="middle">{plain(self.x.label)}</text>'
            )
        if self.y.label:
            turned = f"rotate(-90 13 {pixel((top + bottom) / 2)})"
            parts.append(
                f'<text class="axis" x="13" y="{pixel((top + bottom) / 2)}" text-anchor="middle" '
                f'transform="{turned}">{plain(self.y.label)}</text>'
            )
        return "".join(parts)
