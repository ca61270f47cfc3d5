"""Twelve ways in which real tables leak, each planted into a copy of clean tables at three strengths.

A strength has two parts. `share`: of the leads that the leak concerns (those won, lost or decided by the end of the
record), the part to which it really happened. `false`: for every such lead, how many others carry the same by chance;
but never a larger part of the others than `false` x `share`, where most leads are concerned.

    full    all of them, nobody by chance
    middle  60 %, and one by chance for ten true ones
    weak    20 %, and one by chance for two true ones

What is planted looks like the export of a system that is written at closing: it depends on how things stand at the end
of the record, not at the cut.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.tables import Tables
from leadlight.errors import InputError
from leadlight.schema import DAY, HOUR, AttributeKind, Target, at_or_beyond
from leadlight.workspace import Attribute

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
SubjectKind = Literal["attribute", "type", "order"]

PLANTED: Final = "planted"
TYPE: Final = "contract_sent"


@dataclass(frozen=True, slots=True)
class Strength:
    """How much of a leak there is; see the module."""

    share: float
    false: float


STRENGTHS: Final = {"full": Strength(1.0, 0.0), "middle": Strength(0.6, 0.1), "weak": Strength(0.2, 0.5)}


@dataclass(frozen=True, slots=True)
class Planted:
    """Tables with a leak.

    Attributes:
        tables: the tables.
        kind: of what leaks: an attribute, an activity type, or the order of the rows.
        name: its name.
        attribute: to be added to the known ones, of an attribute.
    """

    tables: Tables
    kind: SubjectKind
    name: str
    attribute: Attribute | None = None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a leak is made from: leads in the order of their table, as things stand at the end of the record."""

    tables: Tables
    created: Codes
    won: Flags
    lost: Flags
    outcome_at: Codes
    until: int
    strength: Strength
    random: np.random.Generator

    def __len__(self) -> int:
        return len(self.created)

    @property
    def closed(self) -> Flags:
        return self.won | self.lost

    def hit(self, concerned: Flags) -> Flags:
        """Choose the leads to which it happened."""
        chosen: Flags = concerned & (self.random.random(len(self)) < self.strength.share)
        return chosen

    def by_chance(self, concerned: Flags, hit: Flags) -> Flags:
        """Choose the leads that look so by chance, among those it does not concern."""
        others = int((~concerned).sum())
        rate = self.strength.false * min(int(hit.sum()) / max(others, 1), self.strength.share)
        chosen: Flags = ~concerned & (self.random.random(len(self)) < rate)
        return chosen

    def both(self, concerned: Flags) -> Flags:
        hit = self.hit(concerned)
        return hit | self.by_chance(concerned, hit)

    def texts(self, chosen: Flags, values: tuple[str, ...], other: str | None = None) -> pl.Series:
        """Give the chosen leads one of some values, drawn, and the others another or none."""
        drawn = self.random.integers(0, len(values), len(self))
        return pl.Series(
            PLANTED, [values[at] if on else other for at, on in zip(drawn, chosen, strict=True)], dtype=pl.String
        )

    def with_column(self, values: pl.Series, kind: AttributeKind) -> Planted:
        leads = self.tables.leads.collect().with_columns(values.alias(PLANTED)).lazy()
        return Planted(
            replace(self.tables, leads=leads), "attribute", PLANTED, Attribute(PLANTED, kind, known_at="unknown")
        )

    def with_numbers(self, values: Floats) -> Planted:
        return self.with_column(pl.Series(PLANTED, values).fill_nan(None), "number")


def planted(tables: Tables, kind: str, strength: str, seed: int, *, target: Target = "customer", until: int) -> Planted:
    """Plant a leak.

    Args:
        tables: clean Polars tables.
        kind: one of `KINDS`.
        strength: one of `STRENGTHS`.
        seed: of everything drawn.
        target: winning means to reach it or a later stage.
        until: µs UTC, the end of the record.

    Raises:
        InputError: no such kind or strength.
    """
    if kind not in KINDS:
        raise InputError.unknown_name("leak", kind, KINDS)
    if strength not in STRENGTHS:
        raise InputError.unknown_name("strength", strength, STRENGTHS)
    random = np.random.default_rng([seed, list(KINDS).index(kind), list(STRENGTHS).index(strength)])
    return KINDS[kind](_ground(tables, target, until, STRENGTHS[strength], random))


def _ground(tables: Tables, target: Target, until: int, strength: Strength, random: np.random.Generator) -> _Ground:
    entries = tables.stages.filter(pl.col("entered_at") <= until)
    won = entries.filter(pl.col("stage").is_in(list(at_or_beyond(target)))).group_by("lead_id")
    lost = entries.filter(pl.col("stage") == "lost").group_by("lead_id")
    leads = (
        tables.leads.select("lead_id", "created_at")
        .join(won.agg(won_at=pl.col("entered_at").min()), on="lead_id", how="left", maintain_order="left")
        .join(lost.agg(lost_at=pl.col("entered_at").min()), on="lead_id", how="left", maintain_order="left")
        .collect()
    )
    has_won = leads["won_at"].is_not_null().to_numpy()
    has_lost = leads["lost_at"].is_not_null().to_numpy() & ~has_won
    at = leads.select(pl.coalesce("won_at", "lost_at").fill_null(0)).to_series().to_numpy()
    return _Ground(tables, leads["created_at"].to_numpy(), has_won, has_lost, at, until, strength, random)


def _filled_after_winning(on: _Ground) -> Planted:
    """A field that onboarding fills, such as a package."""
    return on.with_column(on.texts(on.both(on.won), ("small", "medium", "large")), "category")


def _filled_after_losing(on: _Ground) -> Planted:
    """A field that is asked for when a lead is lost."""
    return on.with_column(on.texts(on.both(on.lost), ("price", "time", "rival", "other")), "category")


def _default_overwritten(on: _Ground) -> Planted:
    """Everyone has the default; whoever closes a lead chooses something else, after a win other than after a loss."""
    won, lost = on.both(on.won), on.both(on.lost)
    drawn = on.random.random(len(on)) < 0.5
    values = np.where(won, np.where(drawn, "gold", "silver"), np.where(drawn, "basic", "none"))
    return on.with_column(pl.Series(PLANTED, np.where(won | lost, values, "standard")), "category")


def _status_synonym(on: _Ground) -> Planted:
    """The outcome in other words: `client` for the won, `former` for the lost, `prospect` for all others."""
    hit = on.hit(on.closed)
    chance = on.by_chance(on.closed, hit)
    words = np.where(chance, np.where(on.random.random(len(on)) < 0.5, "client", "former"), "prospect")
    words = np.where(hit, np.where(on.won, "client", "former"), words)
    return on.with_column(pl.Series(PLANTED, words), "category")


def _close_date(on: _Ground) -> Planted:
    """The date of closing; where it was not noted, the date that was planned at the beginning (null when full)."""
    hit = on.hit(on.closed)
    planned = on.created + (on.random.uniform(20, 200, len(on)) * DAY).astype(np.int64)
    at = pl.Series(np.where(hit, on.outcome_at, planned)).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d")
    if on.strength.share == 1.0:
        at = pl.select(pl.when(pl.Series(hit)).then(at)).to_series()
    return on.with_column(at, "category")


def _days_since_close(on: _Ground) -> Planted:
    """Days since the last change of status at the end of the record: since closing, or else since some earlier step."""
    hit = on.hit(on.closed)
    step = on.created + (on.random.random(len(on)) * (on.until - on.created)).astype(np.int64)
    return on.with_numbers(np.floor((on.until - np.where(hit, on.outcome_at, step)) / DAY))


def _amount_when_won(on: _Ground) -> Planted:
    """The amount of the deal, known only when there is one."""
    amount = np.round(np.exp(on.random.normal(13, 0.6, len(on))), -3)
    return on.with_numbers(np.where(on.both(on.won), amount, np.nan))


def _id_grows(on: _Ground) -> Planted:
    """A running number that is given anew when a lead becomes a customer."""
    given = np.where(on.hit(on.won), on.outcome_at, on.created)
    place = np.argsort(np.argsort(given, kind="stable"))
    return on.with_numbers((100_000 + place).astype(np.float64))


def _row_order(on: _Ground) -> Planted:
    """The export lists the customers first."""
    first = on.both(on.won)
    order = np.argsort(~first, kind="stable")
    return Planted(replace(on.tables, leads=on.tables.leads.collect()[order].lazy()), "order", "row order")


def _contract_sent(on: _Ground) -> Planted:
    """An activity within two hours of winning; by chance also for leads that do not win."""
    hit = on.hit(on.won)
    chance = on.by_chance(on.won, hit)
    some = on.created + (on.random.random(len(on)) * (on.until - on.created)).astype(np.int64)
    near = on.outcome_at + (on.random.uniform(-2, 2, len(on)) * HOUR).astype(np.int64)
    at = np.maximum(np.where(hit, near, some), on.created)
    rows = pl.DataFrame(
        {
            "activity_id": [f"planted-{row}" for row in range(len(on))],
            "lead_id": on.tables.leads.select("lead_id").collect()["lead_id"],
            "type": TYPE,
            "occurred_at": pl.Series(at),
            "actor": "sales",
        }
    ).filter(pl.Series(hit | chance), pl.col("occurred_at") < on.until)
    log = pl.concat([on.tables.activities.collect(), rows], how="diagonal")
    return Planted(replace(on.tables, activities=log.lazy(), in_order=False), "type", TYPE)


def _note_length(on: _Ground) -> Planted:
    """Characters of the notes by sales: everyone has some, and a win is written up for those who take over."""
    length = np.exp(on.random.normal(4.0, 0.7, len(on)))
    report = np.exp(on.random.normal(6.5, 0.4, len(on)))
    return on.with_numbers(np.round(length + np.where(on.both(on.won), report, 0.0)))


def _count_goes_on(on: _Ground) -> Planted:
    """Touches as counted by the export; where it does not go on, those of the first day."""
    leads = on.tables.leads.select("lead_id", "created_at")
    early = pl.col("occurred_at") < pl.col("created_at") + DAY
    counted = (
        on.tables.activities.filter(pl.col("occurred_at") <= on.until)
        .join(leads, on="lead_id")
        .group_by("lead_id")
        .agg(whole=pl.len(), early=early.sum())
    )
    counts = leads.join(counted, on="lead_id", how="left", maintain_order="left").collect().fill_null(0)
    goes_on = on.random.random(len(on)) < on.strength.share
    return on.with_numbers(np.where(goes_on, counts["whole"].to_numpy(), counts["early"].to_numpy()).astype(np.float64))


KINDS: Final[dict[str, Callable[[_Ground], Planted]]] = {
    "field filled after winning": _filled_after_winning,
    "field filled after losing": _filled_after_losing,
    "default overwritten at closing": _default_overwritten,
    "status synonym": _status_synonym,
    "close date as attribute": _close_date,
    "days since close": _days_since_close,
    "amount known only when won": _amount_when_won,
    "id that grows after conversion": _id_grows,
    "row order by outcome": _row_order,
    "activity contract_sent at the outcome": _contract_sent,
    "sales note length written afterwards": _note_length,
    "aggregated count that goes on after as_of": _count_goes_on,
}
