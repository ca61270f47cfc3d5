"""How long one lead's features take online: 500 activities in memory, the default catalog, its colleagues at hand."""

import gc
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from benchmarks.features import question
from features import online, tables
from features.single.company import Colleagues
from leadlight.timeline import Activities, Timeline
from leadlight.workspace import Workspace

EVENTS: Final = 500
CALLS: Final = 1_000


def microseconds(workspace: Workspace, runs: int) -> tuple[float, float]:
    """Give the median over runs of the median time of one call, in µs: of a record seen before, and of a new one.

    Of a record that was looked at before, at any instant, texts are codes and filters are answered; the first look has
    to do that.

    Args:
        workspace: a log; the lead of an account with the most activities is taken, cut to its first 500.
        runs: how often 1,000 calls are timed.
    """
    lead, company = _lead(workspace)
    plan = online.Plan(question.specs())
    as_of = int(lead.activities.occurred_at[-1]) + 1
    ready = Colleagues(company)
    again = [_median(plan, [lead] * CALLS, as_of, ready) for _ in range(runs)]
    new = [_median(plan, [_unseen(lead) for _ in range(CALLS)], as_of, ready) for _ in range(runs)]
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
