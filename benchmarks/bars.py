"""The bars that the product set itself on the public data sets, each computed from what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.measure import Measured
from benchmarks.sets import BPIC2012, OLIST, XEDUCATION_CREATION, XEDUCATION_LAST
from leadlight.schema import DAY

PROBABILITY: Final = 0.9
AUC_MARGIN: Final = 0.01
WINS_KNOWN: Final = 3
NO_MODEL: Final = frozenset({"base_rate", "rules"})


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        data_set: key of the question.
        demand: what must hold.
        found: what was measured.
        passed: whether it holds; what is not defined does not.
    """

    data_set: str
    demand: str
    found: str
    passed: bool

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self)


def bars_of(measured: Measured) -> tuple[Bar, ...]:
    """Give the bars of a data set, in a fixed order."""
    return _BARS[measured.question.key](measured)


def log_loss_bar(measured: Measured) -> Bar:
    """Pooled over the ages, the log loss is lower than that of the plain reference with probability 0.9."""
    difference = measured.comparison.differences["log_loss"]["plain"]
    chance = None if difference is None else difference.probability_better
    return Bar(
        measured.question.key,
        f"log loss pooled over the ages lower than `plain`, with bootstrap probability >= {PROBABILITY:g}",
        "not defined" if difference is None or chance is None else f"{difference.value:+.4f}, probability {chance:.3f}",
        difference is not None and chance is not None and difference.value < 0 and chance >= PROBABILITY,
    )


def auc_by_age_bars(measured: Measured) -> tuple[Bar, ...]:
    """At no age the AUC is more than one paired standard error lower than that of the plain reference."""
    bars = []
    for part in measured.comparison.by_age:
        difference = part.differences["auc"]["plain"]
        error = None if difference is None else difference.standard_error
        age = 0 if part.age_us is None else part.age_us / DAY
        bars.append(
            Bar(
                measured.question.key,
                f"AUC at age {age:g} d at most one paired standard error below `plain`",
                "not defined"
                if difference is None or error is None
                else f"{difference.value:+.4f}, standard error {error:.4f}",
                difference is not None and error is not None and difference.value >= -error,
            )
        )
    return tuple(bars)


def auc_margin_bar(measured: Measured) -> Bar:
    """The lower end of the 95 % interval of the AUC difference to the plain reference is above -0.01."""
    difference = measured.comparison.differences["auc"]["plain"]
    low = None if difference is None else difference.low
    return Bar(
        measured.question.key,
        f"lower 95 % bound of the AUC difference to `plain` above {-AUC_MARGIN:g}",
        "not defined" if difference is None or low is None else f"{difference.value:+.4f}, lower bound {low:+.4f}",
        low is not None and low > -AUC_MARGIN,
    )


def refusal_bars(measured: Measured) -> tuple[Bar, ...]:
    """With three wins known at the cut, none of an old contact, no model is fitted, and the product says why."""
    known = measured.facts["wins known at the cut"]
    old = measured.facts["wins known at the cut among contacts older than the horizon"]
    key = measured.question.key
    return (
        Bar(
            key,
            f"premise: {WINS_KNOWN} wins known at the cut, none among contacts older than the horizon",
            f"{known} wins, {old} among older contacts",
            (known, old) == (WINS_KNOWN, 0),
        ),
        Bar(
            key,
            "no model is fitted; the base rate or the rules are shipped",
            f"shipped: `{measured.kind}`",
            measured.kind in NO_MODEL,
        ),
        Bar(key, "it says why", measured.why, measured.why.startswith(f"{known} leads with a success")),
    )


def _bpic2012(measured: Measured) -> tuple[Bar, ...]:
    return (log_loss_bar(measured), *auc_by_age_bars(measured))


def _xeducation(measured: Measured) -> tuple[Bar, ...]:
    return (auc_margin_bar(measured),)


_BARS: Final[Mapping[str, Callable[[Measured], tuple[Bar, ...]]]] = {
    BPIC2012.key: _bpic2012,
    XEDUCATION_CREATION.key: _xeducation,
    XEDUCATION_LAST.key: _xeducation,
    OLIST.key: refusal_bars,
}
