"""Specifications -> one frame per group of measures, whatever the engine."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import narwhals as nw

from features.expressions import at_once, attributes, cells, company, own, stages
from features.expressions.frame import ROW, Frame, alike, by_filter, chosen_of_log, marked
from features.expressions.names import encoded
from leadlight.spec import FeatureSpec


class Means(Protocol):
    """What the expressions need of an engine (see `features.engines.base.Engine`)."""

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Frame:
        """Join snapshots and activities."""
        ...

    def rows(self, rows: Any) -> Frame:
        """Bring a small Polars frame into the engine."""
        ...

    def newest(self, rows: Frame, activities: Frame) -> Frame:
        """Find the newest activity that counts at each snapshot."""
        ...

    def keep(self, frame: Frame) -> Frame:
        """Keep a frame that is read more than once."""
        ...


@dataclass(frozen=True, slots=True)
class Records:
    """Narwhals frames of one engine, columns as in `features.tables.Tables`, but attributes by `names.column_of`."""

    leads: Frame
    activities: Frame
    stages: Frame
    changes: Frame

    @classmethod
    def of(cls, leads: Frame, activities: Frame, stages: Frame, changes: Frame) -> Self:
        """Put frames together whose attributes have their own names."""
        return cls(encoded(leads), activities, stages, changes)


def meeting(rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Join each snapshot with the marked activities that count at it; adds `age` (µs)."""
    return (
        rows.join(marked(activities, specs, "activity_id"), on="lead_id")
        .filter(nw.col("occurred_at") < nw.col("as_of"))
        .filter(nw.col("received_at").is_null() | (nw.col("received_at") < nw.col("as_of")))
        .with_columns(age=nw.col("as_of") - nw.col("occurred_at"))
        .drop("lead_id", "as_of", "received_at")
    )


def newest(rows: Frame, activities: Frame) -> Frame:
    """Give ROW and the age of the newest activity that counts at each snapshot, from the join of both."""
    return meeting(rows, activities, ()).group_by(ROW).agg(age=nw.col("age").min())


def of_activities(met: Frame, specs: Sequence[FeatureSpec]) -> Iterator[Frame]:
    """Give the frames (ROW and features) of the measures of a lead's own activities."""
    if at_once.pays_for(met):
        yield from at_once.of_activities(met, specs)
        return
    for same in by_filter(spec for spec in specs if spec.measure in cells.MEASURES):
        yield own.aggregated(met, same)
    for same in alike((spec for spec in specs if spec.measure in own.FOLLOWED), "then_types", "then_actor"):
        yield own.followed(met, same)
    for same in by_filter(spec for spec in specs if spec.measure == "last_type"):
        yield own.last_types(met, same)


def of_records(rows: Frame, records: Records, specs: Sequence[FeatureSpec], means: Means) -> Iterator[Frame]:
    """Give the frames (ROW and features) of the measures of stages, of the lead itself, and of its company."""
    by_source = {
        source: [spec for spec in specs if spec.facts.source == source] for source in ("stages", "lead", "colleagues")
    }
    if by_source["stages"]:
        yield stages.history(rows, records.stages, by_source["stages"])
    known = attributes.Attributes.of(records.leads, records.changes, specs, means.rows)
    if by_source["lead"]:
        yield attributes.of_lead(rows, known, by_source["lead"], means.rows)
    if by_source["colleagues"]:
        yield from _of_company(rows, records.activities, known, by_source["colleagues"], means)


def _of_company(
    rows: Frame, log: Frame, known: attributes.Attributes, specs: Sequence[FeatureSpec], means: Means
) -> Iterator[Frame]:
    paired = means.keep(company.pairs(rows, known.leads))
    numbers = [spec for spec in specs if spec.measure == "colleagues"]
    if numbers:
        yield company.number_of(paired, numbers)
    asked = company.as_rows(paired)
    for same in by_filter(spec for spec in specs if spec.measure in {"colleagues_active", "colleague_recency"}):
        yield company.by_newest(means.newest(asked, chosen_of_log(log, same[0])), same)
    for same in by_filter(spec for spec in specs if spec.measure == "most_active_colleague"):
        yield company.by_number(means.meet(asked, chosen_of_log(log, same[0]), ()), same)
    for spec in specs:
        if spec.measure == "roles":
            yield company.roles(rows, paired, known, spec)


def together(rows: Frame, parts: Iterable[Frame], specs: Sequence[FeatureSpec]) -> Frame:
    """Join the parts to the snapshots: ROW, lead_id, as_of and one float64 column per specification, null = null."""
    result = rows.select(ROW, "lead_id", "as_of")
    for part in parts:
        result = result.join(part, on=ROW, how="left")
    return result.select(ROW, "lead_id", "as_of", *(_filled(spec) for spec in specs))


def _filled(spec: FeatureSpec) -> nw.Expr:
    """Give a snapshot without anything what its measure says."""
    column = nw.col(spec.name).cast(nw.Float64)
    return column.fill_null(0.0) if spec.facts.empty == "zero" else column
