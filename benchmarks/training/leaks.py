"""Planted leaks: how many does the audit find, by kind and strength, and does it accuse honest columns?

Usage: python -m benchmarks.training.leaks [--data FOLDER] [--seeds 3] [--json]

Without the folder of the public data sets leaks are planted into simulated markets only, and X Education is left out.
Exit status: 0 every bar is met, 1 one is missed, 2 bad usage or input.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.sets import check_files
from benchmarks.training import bars, leak_xeducation
from benchmarks.training.leak_kinds import KINDS, STRENGTHS, Planted, planted
from benchmarks.training.leak_sets import LEADS, Clean, clean_sets
from leadlight.errors import LeadlightError
from leadlight.workspace import TablesInfo
from training.audit import Audit, Finding, audit

Say = Callable[[str], None]
# What must be found without exception.
MUST: Final = ("full", "middle")
SEEDS: Final = 3
# What the audit of X Education gives, where its data are given.
XEDUCATION: Final = ("xeducation_auc_after_gate", "xeducation_rename_changes", "xeducation_used_but_must_not")


@dataclass(frozen=True, slots=True)
class Trial:
    """One leak in one data set, and the verdict on it."""

    data: str
    seed: int
    kind: str
    strength: str
    verdict: str
    why: str


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A column or type of a clean data set that was accused."""

    data: str
    seed: int
    kind: str
    name: str
    verdict: str
    why: str


def on_clean(clean: Clean) -> list[FalseAlarm]:
    """Audit a clean set: whatever is accused is a false alarm."""
    found = audit(clean.tables, clean.info, clean.split, clean.seed)
    return [
        FalseAlarm(clean.name, clean.seed, one.kind, one.name, one.verdict, one.why)
        for one in found.findings
        if one.verdict != "ok"
    ]


def on_planted(clean: Clean, kind: str, strength: str) -> Trial:
    """Plant a leak into a copy of a clean set and audit the whole of it."""
    leak = planted(clean.tables, kind, strength, clean.seed, target=clean.split.target, until=clean.info.observed_until)
    finding = judged(audit(leak.tables, with_planted(clean.info, leak), clean.split, clean.seed), leak)
    verdict, why = ("ok", "too few leads to be judged") if finding is None else (finding.verdict, finding.why)
    return Trial(clean.name, clean.seed, kind, strength, verdict, why)


def with_planted(info: TablesInfo, leak: Planted) -> TablesInfo:
    """Add a planted attribute to what is known of the tables."""
    return info if leak.attribute is None else replace(info, attributes=(*info.attributes, leak.attribute))


def judged(found: Audit, leak: Planted) -> Finding | None:
    """Give the verdict on what was planted; None where it was too rare for one."""
    return next((one for one in found.findings if (one.kind, one.name) == (leak.kind, leak.name)), None)


def plant_everywhere(data: Path | None, seeds: int, say: Say, leads: int = LEADS) -> dict[str, Any]:
    """Plant every kind at every strength into every set, and audit the clean sets too."""
    trials: list[Trial] = []
    alarms: list[FalseAlarm] = []
    for clean in clean_sets(data, seeds, leads):
        say(f"{clean.name} {clean.seed}: clean")
        alarms += on_clean(clean)
        for kind in KINDS:
            say(f"{clean.name} {clean.seed}: {kind}")
            trials += [on_planted(clean, kind, strength) for strength in STRENGTHS]
    return as_json(trials, alarms)


def measure(data: Path | None, seeds: int, say: Say, leads: int = LEADS) -> dict[str, Any]:
    """Plant leaks everywhere; with the data folder, X Education too."""
    answer = plant_everywhere(data, seeds, say, leads)
    if data is not None:
        say("X Education")
        answer |= leak_xeducation.measure(data)
    else:
        answer |= {"xeducation_auc_after_gate": None, "xeducation_rename_changes": None}
    return answer


def as_json(trials: Sequence[Trial], alarms: Sequence[FalseAlarm]) -> dict[str, Any]:
    """Count what was found; `leaks_found` and `leaks_planted` by strength, and by kind under it."""

    def counted(strength: str, kind: str | None, *, found: bool) -> int:
        of = [one for one in trials if one.strength == strength and kind in {None, one.kind}]
        return sum(one.verdict != "ok" for one in of) if found else len(of)

    return {
        "leaks_found": {strength: counted(strength, None, found=True) for strength in STRENGTHS},
        "leaks_planted": {strength: counted(strength, None, found=False) for strength in STRENGTHS},
        "leaks_by_kind": {
            kind: {
                strength: f"{counted(strength, kind, found=True)}/{counted(strength, kind, found=False)}"
                for strength in STRENGTHS
            }
            for kind in KINDS
        },
        "false_alarms": len(alarms),
        "false_alarms_named": [asdict(alarm) for alarm in alarms],
        "missed": [asdict(one) for one in trials if one.verdict == "ok"],
        "sets": sorted({f"{one.data} {one.seed}" for one in trials}),
    }


def figures(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Give the figures of the bars: leaks of full and middle strength count together, the weak ones on their own."""
    keys = ("leaks_found", "leaks_planted")
    return {
        **{key: sum(answer[key][one] for one in MUST) for key in keys},
        **{f"{key}_weak": answer[key]["weak"] for key in keys},
        "false_alarms": answer["false_alarms"],
        **{key: answer[key] for key in XEDUCATION if answer.get(key) is not None},
    }


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the public data sets")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="simulated markets")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    try:
        if options.data is not None:
            check_files(options.data)
        answer = measure(options.data, options.seeds, lambda text: print(text, file=sys.stderr))
    except LeadlightError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    out = bars.missed(figures(answer))
    if options.json:
        print(json.dumps(answer, allow_nan=False))
    else:
        show(answer)
    for bar in out:
        print(f"MISSED: {bar.key}: {bar.found} ({bar.demand})", file=sys.stderr)
    return 1 if out else 0


def show(answer: dict[str, Any]) -> None:
    """Print what was found by kind and strength."""
    print(f"{'planted':<42} " + " ".join(f"{strength:>8}" for strength in STRENGTHS))
    for kind, by_strength in answer["leaks_by_kind"].items():
        print(f"{kind:<42} " + " ".join(f"{by_strength[strength]:>8}" for strength in STRENGTHS))
    print(f"false alarms on clean sets: {answer['false_alarms']}")
    for alarm in answer["false_alarms_named"]:
        print(f"  {alarm['data']} {alarm['seed']}: {alarm['kind']} {alarm['name']}: {alarm['verdict']}, {alarm['why']}")
    if answer["xeducation_auc_after_gate"] is None:
        print("X Education: not measured without --data; simulator only")
        return
    print(
        f"X Education: AUC {answer['xeducation_auc_before_gate']:.3f} before the gate, "
        f"{answer['xeducation_auc_after_gate']:.3f} after; {answer['xeducation_rename_changes']} verdicts change "
        "with the names"
    )
    for name, verdict in answer["xeducation_verdicts"].items():
        print(f"  {verdict:<8} {name}")


if __name__ == "__main__":
    sys.exit(run())
