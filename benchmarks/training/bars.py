"""The bars that the product set itself on training, each computed from what was measured.

They stand here only: the command of each part ends with 1 where one of its figures misses its bar.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from training.comparison import DECISIVE

Figures = Mapping[str, Any]

KEYS: Final = (
    "leaks_found",
    "leaks_planted",
    "false_alarms",
    "xeducation_auc_after_gate",
    "xeducation_rename_changes",
    "ladder_win_share_25",
    "ladder_worse_than_rules",
    "ladder_far_worse_share",
    "ece_newest",
    "ece_bar",
    "ece_after_shift",
    "shift_alarm",
    "interval_coverage",
    "oracle_gap",
    "flaml",
    "resume_lost_trials",
)
# X Education's test AUC after the gate, in two decimals.
AUC: Final = (0.86, 0.91)
# Share of random companies in which the ladder has the lowest log loss.
WIN_SHARE: Final = 0.9
# Share of random companies of one size in which the ladder may be far worse than the rules.
FAR_WORSE_SHARE: Final = 0.05
ORACLE_GAP: Final = 0.01
# Share of the 90 % intervals of segments that hold the true rate, and the fewest that are evidence of it.
COVERAGE: Final = (0.87, 0.93)
LEAST_SEGMENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its JSON key, what must hold, what was found, and whether it holds; None where it was not measured."""

    key: str
    demand: str
    found: str
    held: bool | None

    @property
    def word(self) -> str:
        """Say whether it holds."""
        return "not run" if self.held is None else "held" if self.held else "MISSED"


def bars_of(found: Figures) -> list[Bar]:
    """Hold the figures against the bars, in the order of the keys.

    Args:
        found: key -> figure; a key that is not there was not measured, and one that is None is not defined: its bar
            is missed.
    """
    return [_bar(key, demand, holds, found) for key, (demand, holds) in _BARS.items()]


def missed(found: Figures) -> list[Bar]:
    """Give the bars that what was measured misses."""
    return [bar for bar in bars_of(found) if bar.held is False]


def _bar(key: str, demand: str, holds: Callable[[Figures], bool], found: Figures) -> Bar:
    if key not in found:
        return Bar(key, demand, "-", None)
    value = found[key]
    return Bar(key, demand, _told(key, found), value is not None and holds(found))


def _told(key: str, found: Figures) -> str:
    value = found[key]
    if value is None:
        return "not defined"
    if key in _BESIDE:
        return f"{value:.4f} (bar {found[_BESIDE[key]]:.4f})"
    if key in _TOLD:
        return _TOLD[key](found)
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _far_worse(found: Figures) -> list[str]:
    """Name the sizes at which the ladder is far worse in too many companies."""
    shares = found["ladder_far_worse_share"]
    return [f"{name} ({share:.0%})" for name, share in shares.items() if share > FAR_WORSE_SHARE]


def _sizes(named: Sequence[str], found: Figures) -> str:
    """Name sizes, or say that it is at none; and of which records any were measured."""
    records = dict.fromkeys(name.rsplit(" ", 1)[0] for name in found.get("ladder_far_worse_share", ()))
    measured = f" (measured: {', '.join(records)})" if records else ""
    return (", ".join(named) or "at no size") + measured


def _told_gap(found: Figures) -> str:
    """Tell the mean gap with what stands beside it."""
    markets, error = found["oracle_markets"], found["oracle_gap_standard_error"]
    told = "not defined" if error is None else f"{error:.4f}"
    gap, worst = found["oracle_gap"], found["oracle_gap_worst"]
    return f"{gap:.4f} (mean of {markets} markets; standard error {told}, worst market {worst:.4f})"


def _told_coverage(found: Figures) -> str:
    below, above = (f"{found[f'interval_true_{side}']:.1%}" for side in ("below", "above"))
    told = f"over {found['interval_segments']:,} segments; the true rate lies below {below} and above {above}"
    return f"{found['interval_coverage']:.4f} {told}"


def _told_flaml(found: Figures) -> str:
    return ", ".join(f"{name}: {_against(one)}" for name, one in found["flaml"].items()) or "no set"


def _against(one: Figures) -> str:
    """Tell one set against FLAML in a few words."""
    lower = {True: ["lower log loss"], False: ["no lower log loss"], None: []}[one["better_log_loss"]]
    told = {"worse": False, "not defined": None}
    named = {word: [metric for metric, fine in one["not_worse"].items() if fine is what] for word, what in told.items()}
    return ", ".join([*lower, *(f"{word} in {' and '.join(metrics)}" for word, metrics in named.items() if metrics)])


def _auc(found: Figures) -> bool:
    return bool(AUC[0] <= round(found["xeducation_auc_after_gate"], 2) <= AUC[1])


def _names(found: Figures) -> bool:
    return found["xeducation_rename_changes"] == 0 and not found["xeducation_used_but_must_not"]


def _covered(found: Figures) -> bool:
    if found["interval_segments"] < LEAST_SEGMENTS:
        return False
    shares = (found["interval_coverage"], *found["interval_coverage_by_score"].values())
    return all(share is not None and COVERAGE[0] <= share <= COVERAGE[1] for share in shares)


def _like_flaml(found: Figures) -> bool:
    """Tell whether ours is nowhere worse beyond one standard error, and better in log loss on most sets."""
    sets = found["flaml"]
    fine = all(one["not_worse"][metric] is True for one in sets.values() for metric in DECISIVE)
    return fine and 2 * sum(one["better_log_loss"] is True for one in sets.values()) > len(sets)


# Keys whose bar depends on the rows, and the key that holds it.
_BESIDE: Final = {"ece_newest": "ece_bar", "ece_after_shift": "ece_after_shift_bar"}
# Keys that are told in words of their own.
_TOLD: Final[Mapping[str, Callable[[Figures], str]]] = {
    "leaks_found": lambda found: f"{found['leaks_found']} of {found['leaks_planted']}",
    "ladder_worse_than_rules": lambda found: _sizes(found["ladder_worse_than_rules"], found),
    "ladder_far_worse_share": lambda found: _sizes(_far_worse(found), found),
    "oracle_gap": _told_gap,
    "flaml": _told_flaml,
    "interval_coverage": _told_coverage,
}
_COVERED: Final = f"{COVERAGE[0]:.0%}-{COVERAGE[1]:.0%}"
_BARS: Final[Mapping[str, tuple[str, Callable[[Figures], bool]]]] = {
    "leaks_found": (
        "every leak planted in full and in middle strength",
        lambda found: 0 < found["leaks_planted"] <= found["leaks_found"],
    ),
    "false_alarms": ("none on clean sets", lambda found: found["false_alarms"] == 0),
    "xeducation_auc_after_gate": (f"test AUC {AUC[0]:.2f}-{AUC[1]:.2f} in two decimals", _auc),
    "xeducation_rename_changes": ("same verdicts under other names; Tags and Lead Quality not used", _names),
    "ladder_win_share_25": (
        f"lower log loss than rules and base rate in at least {WIN_SHARE:.0%} of simulated companies",
        lambda found: found["ladder_win_share_25"] >= WIN_SHARE,
    ),
    "ladder_worse_than_rules": (
        "at no size beyond two standard errors; at 0 outcomes the prior",
        lambda found: found["ladder_worse_than_rules"] == [],
    ),
    "ladder_far_worse_share": (
        f"at no size over {FAR_WORSE_SHARE:.0%} of companies far worse than the better of the two rules",
        lambda found: not _far_worse(found),
    ),
    "ece_newest": (
        "within the design's bar on the newest slice",
        lambda found: found["ece_newest"] <= found["ece_bar"],
    ),
    "ece_after_shift": (
        "within the design's bar after the base rate moved and was corrected",
        lambda found: found["ece_after_shift"] <= found["ece_after_shift_bar"],
    ),
    "shift_alarm": ("raised when the base rate moves from 5 % to 20 %", lambda found: found["shift_alarm"] is True),
    "interval_coverage": (
        f"{_COVERED} of 90 % intervals, of {LEAST_SEGMENTS:,} segments or more, hold the true rate; for each score too",
        _covered,
    ),
    "oracle_gap": (
        f"AUC at most {ORACLE_GAP} below the oracle's, as a mean of markets",
        lambda found: found["oracle_gap"] <= ORACLE_GAP,
    ),
    "flaml": (
        "nowhere worse beyond one standard error, lower log loss on most sets",
        _like_flaml,
    ),
    "resume_lost_trials": (
        "none lost by kill -9, and the result that of an undisturbed run",
        lambda found: found["resume_lost_trials"] == 0 and found["resume_same_result"] is True,
    ),
}
