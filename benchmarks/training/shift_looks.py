"""How often does the watch for a changed base rate cry wolf in a year, and how soon does it see a change?

Usage: python -m benchmarks.training.shift_looks [--years 40] [--spread 1.3] [--rarer 4.75] [--json]

A year is simulated: 20 leads a day with a log-odds each, normal around -3.2 with the spread asked for, that succeed
with just that probability within 60 days or not. After 120 days the watch looks once a week, 52 times. In the second
half of the measurement failures become so many times rarer from day 330 on, and nothing else changes.

`false_single` counts years with an alarm although nothing changed, if every look may err by the whole level;
`false_alarms` the same with the errors that the looks share (`training.shift_looks`). `days_to_alarm` are those from
the change to the alarm, null where none came in the year.

Exit status: 0 done, 2 bad usage.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from leadlight.schema import DAY
from training import shift, shift_looks

YEARS: Final = 40
SPREAD: Final = 1.3
RARER: Final = 4.75
CHANGED: Final = 330
HORIZON: Final = 60
LEADS_A_DAY: Final = 20
DAYS: Final = 480
FIRST: Final = 120
LOOKS: Final = 52
MEAN: Final = -3.2


def alarms(
    seed: int,
    *,
    spread: float = SPREAD,
    rarer: float | None = None,
    error: float | None = None,
    first: int = 0,
) -> Iterator[int]:
    """Look once a week for a year at leads of one age, and give the days with an alarm.

    Args:
        seed: of the year.
        spread: of the log-odds.
        rarer: how many times rarer failures are from day `CHANGED` on; None = they stay.
        error: of every single look; None = as the looks are due.
        first: number of the first look that is taken, from 0.
    """
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(DAYS), LEADS_A_DAY)
    raw = random.normal(MEAN, spread, len(day))
    won = (random.random(len(day)) < 1 / (1 + np.exp(-raw))).astype(np.float64)
    if rarer is not None:
        kept = (day < CHANGED) | (won == 1) | (random.random(len(day)) < 1 / rarer)
        day, raw, won = day[kept], raw[kept], won[kept]
    for week in range(first, LOOKS):
        until = FIRST + 7 * week
        recent, known = (day > until - HORIZON) & (day <= until), day <= until - HORIZON
        level = shift_looks.due(0, 7 * week * DAY).error if error is None else error
        if shift.against(raw[recent], raw[known], won[known], error=level).alarm:
            yield until


def measure(years: int, spread: float, rarer: float) -> dict[str, Any]:
    """Count years with a false alarm, and days to a true one."""
    seeds = range(years)
    after = [next((day for day in alarms(seed, spread=spread, rarer=rarer) if day > CHANGED), None) for seed in seeds]
    return {
        "years": years,
        "false_single": sum(any(alarms(seed, spread=spread, error=shift.ALARM_ERROR)) for seed in seeds),
        "false_alarms": sum(any(alarms(seed, spread=spread)) for seed in seeds),
        "days_to_alarm": [None if day is None else day - CHANGED for day in after],
    }


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=YEARS, help="simulated years, seeds 0, 1, ...")
    parser.add_argument("--spread", type=float, default=SPREAD, help="of the log-odds")
    parser.add_argument("--rarer", type=float, default=RARER, help="how many times rarer failures become")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.years < 1 or options.spread <= 0 or options.rarer < 1:
        parser.error("--years must be at least 1, --spread positive, --rarer at least 1")
    found = measure(options.years, options.spread, options.rarer)
    if options.json:
        print(json.dumps(found, allow_nan=False))
        return 0
    seen = sorted(days for days in found["days_to_alarm"] if days is not None)
    print(f"of {options.years} years in which nothing changes, with a false alarm: {found['false_alarms']}")
    print(f"the same, if every look could err by the whole level: {found['false_single']}")
    print(
        f"a change is seen in {len(seen)} years"
        + (f", after {seen[len(seen) // 2]} days in the median" if seen else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(run())
