"""One run of a market: who the leads are and what happened to them, clean and in whole seconds of UTC."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError
from leadlight.schema import ACTIVITY_TYPES, FUNNEL, MICROSECONDS_PER_SECOND, STAGES
from leadlight.simulate.contents import FIRST_ACTIVITY, draw_contents
from leadlight.simulate.market import Floats, Market
from leadlight.simulate.people import Codes, People, draw_people
from leadlight.simulate.process import Acts, Changes, Moves, act, walk

DAYS_PER_MONTH: Final = 30.4375
SHIFT_AT_SHARE: Final = 2 / 3  # a base-rate shift begins after this share of the period
MAX_LEADS: Final = 2_000_000
MAX_MONTHS: Final = 120
_WEEKEND_ARRIVALS: Final = 0.15  # arrivals on a day of the weekend, relative to a working day
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked for.

    Attributes:
        leads: number of leads.
        seed: of all randomness.
        start: first day of the market, from midnight UTC.
        months: length of the record.
        drift: see `leadlight.simulate.process.Changes`.
        base_rate_shift: multiplier of the rates of moving up the funnel in the last third of the period.
    """

    leads: int
    seed: int
    start: date = date(2024, 4, 1)
    months: float = 18.0
    drift: float = 0.0
    base_rate_shift: float = 1.0

    def __post_init__(self) -> None:
        """Refuse options that describe no run."""
        if not 1 <= self.leads <= MAX_LEADS:
            raise InputError(f"leads == {self.leads}, must be 1 to {MAX_LEADS}")
        if self.seed < 0:
            raise InputError(f"seed == {self.seed}, must be >= 0")
        if not 1 <= self.months <= MAX_MONTHS:
            raise InputError(f"months == {self.months}, must be 1 to {MAX_MONTHS}")
        if not -3 <= self.drift <= 3:
            raise InputError(f"drift == {self.drift}, must be -3 to 3 (the log of a rate's change over the period)")
        if not 0 < self.base_rate_shift <= 20:
            raise InputError(f"base-rate-shift == {self.base_rate_shift}, must be > 0 and at most 20 (1 = none)")

    @property
    def seconds(self) -> int:
        """Length of the record."""
        return round(self.months * DAYS_PER_MONTH) * 86_400

    @property
    def start_us(self) -> int:
        """Start of the record in µs UTC."""
        return (self.start - _EPOCH).days * 86_400 * MICROSECONDS_PER_SECOND

    @property
    def observed_until_us(self) -> int:
        """End of the record in µs UTC."""
        return self.start_us + self.seconds * MICROSECONDS_PER_SECOND

    @property
    def changes(self) -> Changes:
        """How the market changes."""
        return Changes(self.drift, self.base_rate_shift, self.seconds * SHIFT_AT_SHARE)


@dataclass(frozen=True, slots=True)
class Record:
    """What happened, clean; leads are 0..n-1 in the order of their creation, instants µs UTC.

    Attributes:
        options: what was asked for.
        people: companies and traits.
        created_us: creation of each lead, shape (n,).
        lead: of each activity, ordered by (lead, at), shape (a,).
        kind: position in ACTIVITY_TYPES.
        at_us: instant.
        content: position in the kind's contents.
        first: the activity that created the lead: given by its channel, so it tells nothing beyond it.
        move_lead: of each stage entry after `lead`, ordered by (lead, at), shape (e,).
        move_stage: position in STAGES.
        move_at_us: instant.
        move_reason: position among the reasons for leaving; meaningful for `lost` and for going back to `lead`.
        move_amount: amount of the deal in yen for `opportunity` and `customer`, else NaN.
    """

    options: Options
    people: People
    created_us: NDArray[np.int64]
    lead: Codes
    kind: Codes
    at_us: NDArray[np.int64]
    content: Codes
    first: NDArray[np.bool_]
    move_lead: Codes
    move_stage: Codes
    move_at_us: NDArray[np.int64]
    move_reason: Floats
    move_amount: Floats


def run(market: Market, options: Options) -> Record:
    """Simulate a market; the same options give the same record."""
    who, when, path, acts_rng, words, deals = (
        np.random.default_rng(child) for child in np.random.SeedSequence(options.seed).spawn(6)
    )
    people, kind = draw_people(market, options.leads, who)
    created = _arrivals(options, when)
    sojourns, moves = walk(market, kind, created, options.seconds, path, changes=options.changes)
    acts = act(market, sojourns, options.seconds, acts_rng, options.changes)
    lead, what, at, first = _with_first(market, people, created, acts)
    return Record(
        options=options,
        people=people,
        created_us=_instants(created, options),
        lead=lead,
        kind=what,
        at_us=_instants(at, options),
        content=draw_contents(what, words),
        first=first,
        move_lead=moves.lead,
        move_stage=moves.stage,
        move_at_us=_instants(moves.at, options),
        move_reason=deals.random(len(moves.lead)),
        move_amount=_amounts(market, people, moves, deals),
    )


def _arrivals(options: Options, rng: np.random.Generator) -> Floats:
    """Draw creation instants, sorted, seconds since the start: working days and hours (of Tokyo) for the most part."""
    days = options.seconds // 86_400
    weekday = (options.start.weekday() + np.arange(days)) % 7
    weight = np.where(weekday >= 5, _WEEKEND_ARRIVALS, 1.0)
    day = rng.choice(days, size=options.leads, p=weight / weight.sum())
    hour = 0.0 + 12.0 * rng.beta(2.0, 2.5, options.leads)  # 9:00 to 21:00 in Tokyo is 0:00 to 12:00 UTC
    return np.sort(np.floor(day * 86_400 + hour * 3_600))


def _instants(seconds: Floats, options: Options) -> NDArray[np.int64]:
    return options.start_us + np.floor(seconds).astype(np.int64) * MICROSECONDS_PER_SECOND


def _with_first(
    market: Market, people: People, created: Floats, acts: Acts
) -> tuple[Codes, Codes, Floats, NDArray[np.bool_]]:
    """Put the activity that created each lead before the others."""
    names = [trait.name for trait in market.person_traits]
    channel = next(trait for trait in market.person_traits if trait.name == "acquisition_channel")
    kinds = np.array([_kind_code(FIRST_ACTIVITY.get(value)) for value in channel.values])
    of_lead = kinds[people.person_codes[:, names.index(channel.name)]]
    firsts = np.flatnonzero(of_lead >= 0)
    lead = np.concatenate([firsts, acts.lead])
    kind = np.concatenate([of_lead[firsts], acts.kind])
    at = np.concatenate([created[firsts], acts.at])
    first = np.arange(len(lead)) < len(firsts)
    order = np.lexsort((~first, at, lead))
    return lead[order], kind[order], at[order], first[order]


def _kind_code(name: str | None) -> int:
    return -1 if name is None else ACTIVITY_TYPES.index(name)


def _amounts(market: Market, people: People, moves: Moves, rng: np.random.Generator) -> Floats:
    """Draw the amount of a deal by company size, in 10,000 yen steps."""
    names = [trait.name for trait in market.company_traits]
    size = people.company_codes[people.company[moves.lead], names.index("company_size")]
    amount = 1_200_000 * np.exp(0.55 * np.maximum(size, 0) + 0.5 * rng.standard_normal(len(size)))
    deal = np.isin(moves.stage, [STAGES.index(FUNNEL[-1]), STAGES.index(FUNNEL[-2])])
    return np.where(deal, np.round(amount / 10_000) * 10_000, np.nan)
