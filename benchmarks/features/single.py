"""How long one lead's features take online: 500 activities in memory, the default catalog, its colleagues at hand.

Usage: python -m benchmarks.features.single WORKSPACE

Prints one JSON object: `again` and `new`, the medians of this process in µs (see `microseconds`). Processes differ by a
tenth and more in how fast the same calls are, so the benchmark asks several.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.features import question
from features import online, tables
from features.single.company import Colleagues
from leadlight.timeline import Activities, Timeline
from leadlight.workspace import Workspace

EVENTS: Final = 500
CALLS: Final = 1_000
RUNS: Final = 3  # of as many calls, in a process


def of_processes(workspace: Workspace, processes: int) -> tuple[float, float]:
    """Give the medians over processes of what `microseconds` gives in each."""
    command = [sys.executable, "-m", "benchmarks.features.single", str(workspace.root)]
    told = [subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout for _ in range(processes)]  # noqa: S603  (our own module)
    found = [json.loads(text) for text in told]
    return statistics.median(one["again"] for one in found), statistics.median(one["new"] for one in found)


def microseconds(workspace: Workspace) -> tuple[float, float]:
    """Give the median time of one call, in µs: of a record seen before, and of a new one.

    Of a record that was looked at before, at any instant, texts are codes and filters are answered; the first look has
    to do that.

    Args:
        workspace: a log; the lead of an account with the most activities is taken, cut to its first 500.
    """
    lead, company = _lead(workspace)
    plan = online.Plan(question.specs())
    as_of = int(lead.activities.occurred_at[-1]) + 1
    ready = Colleagues(company)
    again = [_median(plan, [lead] * CALLS, as_of, ready) for _ in range(RUNS)]
    new = [_median(plan, [_unseen(lead) for _ in range(CALLS)], as_of, ready) for _ in range(RUNS)]
    return statistics.median(again), statistics.median(new)


def _median(plan: online.Plan, records: Sequence[Timeline], as_of: int, company: Colleagues) -> float:
    took = []
    gc.collect()
    for record in records:
        started = time.perf_counter_ns()
        plan.row(record, as_of, company)
        took.append((time.perf_counter_ns() - started) / 1_000)
    return statistics.median(took)


def _unseen(lead: Timeline) -> Timeline:
    """Give the same record without what was derived from it."""
    return replace(lead, activities=replace(lead.activities))


def _lead(workspace: Workspace) -> tuple[Timeline, list[Timeline]]:
    read = tables.read(workspace)
    accounts = read.leads.filter(pl.col("account_id").is_not_null())
    counts = read.activities.group_by("lead_id").len().join(accounts, on="lead_id").collect()
    chosen = counts.sort("len", "lead_id").row(-1, named=True)
    members = counts.filter(pl.col("account_id") == chosen["account_id"])["lead_id"].to_list()
    company = tables.timelines(read, members)
    lead = company.pop(chosen["lead_id"])
    return replace(lead, activities=_first(lead.activities, EVENTS)), list(company.values())


def _first(log: Activities, number: int) -> Activities:
    columns = ("activity_id", "type", "occurred_at", "received_at", "actor", "channel", "content", "detail", "value")
    return Activities(**{name: getattr(log, name)[:number] for name in columns})


def main() -> None:
    """Measure in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    again, new = microseconds(Workspace.at(parser.parse_args().workspace))
    print(json.dumps({"again": again, "new": new}))


if __name__ == "__main__":
    main()
