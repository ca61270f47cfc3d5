"""The bars that the product set itself on training, each computed from what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.training import automl, leaks, learning_curve, oracle, segments

Figures = Mapping[str, Any]

KEYS: Final = (
    "leaks_found",
    "leaks_planted",
    "false_alarms",
    "xeducation_auc_after_gate",
    "xeducation_rename_changes",
    "ladder_win_share_25",
    "ladder_worse_than_rules",
    "ece_newest",
    "ece_bar",
    "ece_after_shift",
    "shift_alarm",
    "interval_coverage",
    "oracle_gap",
    "flaml",
    "resume_lost_trials",
)


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


def _bar(key: str, demand: str, holds: Callable[[Figures], bool], found: Figures) -> Bar:
    if key not in found:
        return Bar(key, demand, "-", None)
    value = found[key]
    return Bar(key, demand, _told(key, found), value is not None and holds(found))


def _told(key: str, found: Figures) -> str:
    value = found[key]
    if key == "leaks_found":
        return f"{value} of {found['leaks_planted']}"
    if key in _BESIDE:
        return f"{value:.4f} (bar {found[_BESIDE[key]]:.4f})"
    if key == "flaml":
        return ", ".join(f"{name}: {_against(one)}" for name, one in value.items()) or "no set"
    return f"{value:.4f}" if isinstance(value, float) else "not defined" if value is None else str(value)


def _against(one: Figures) -> str:
    """Tell one set against FLAML in a few words."""
    worse = [metric for metric, fine in one["not_worse"].items() if not fine]
    lower = "lower log loss" if one["better_log_loss"] else "no lower log loss"
    return f"{lower}, worse in {' and '.join(worse)}" if worse else lower


def _auc(found: Figures) -> bool:
    low, high = leaks.AUC_BAR
    return bool(low <= round(found["xeducation_auc_after_gate"], 2) <= high)  # the bar has two decimals


def _names(found: Figures) -> bool:
    return found["xeducation_rename_changes"] == 0 and not found["xeducation_used_but_must_not"]


def _covered(found: Figures) -> bool:
    shares = (found["interval_coverage"], *found["interval_coverage_by_score"].values())
    return all(share is not None and segments.LOW <= share <= segments.HIGH for share in shares)


# Keys whose bar depends on the rows, and the key that holds it.
_BESIDE: Final = {"ece_newest": "ece_bar", "ece_after_shift": "ece_after_shift_bar"}
_BARS: Final[Mapping[str, tuple[str, Callable[[Figures], bool]]]] = {
    "leaks_found": (
        "every leak planted in full and in middle strength",
        lambda found: 0 < found["leaks_planted"] <= found["leaks_found"],
    ),
    "false_alarms": ("none on clean sets", lambda found: found["false_alarms"] == 0),
    "xeducation_auc_after_gate": (f"test AUC {leaks.AUC_BAR[0]:.2f}-{leaks.AUC_BAR[1]:.2f} in two decimals", _auc),
    "xeducation_rename_changes": ("same verdicts under other names; Tags and Lead Quality not used", _names),
    "ladder_win_share_25": (
        f"lower log loss than rules and base rate in at least {learning_curve.BAR_SHARE:.0%} of seeds",
        lambda found: found["ladder_win_share_25"] >= learning_curve.BAR_SHARE,
    ),
    "ladder_worse_than_rules": (
        "at no size beyond two standard errors; at 0 outcomes equal to the prior",
        lambda found: found["ladder_worse_than_rules"] == [],
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
        f"{segments.LOW:.0%}-{segments.HIGH:.0%} of 90 % intervals hold the true rate, for each common score too",
        _covered,
    ),
    "oracle_gap": (f"AUC at most {oracle.BAR} below the oracle's", lambda found: found["oracle_gap"] <= oracle.BAR),
    "flaml": (
        "nowhere worse beyond one standard error, lower log loss on most sets",
        lambda found: automl.passed(found["flaml"]),
    ),
    "resume_lost_trials": (
        "none lost by kill -9, and the result that of an undisturbed run",
        lambda found: found["resume_lost_trials"] == 0 and found["resume_same_result"] is True,
    ),
}
