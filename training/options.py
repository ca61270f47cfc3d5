"""What a training is asked for, and the instants and attributes that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from features import catalog, labels
from features.tables import Tables
from leadlight import instants
from leadlight.errors import InputError, NotEnoughDataError
from leadlight.schema import Target
from leadlight.workspace import TablesInfo
from rules.parse import Card
from training import ages
from training.ladder_needs import RungName
from training.split import AT_CREATION, HorizonSource, Split, training_ages

# Reference probabilities (score 50): the bottoms of the usual ranges.
REFERENCES: Final[dict[Target, float]] = {"sql": 0.30, "opportunity": 0.15, "customer": 0.03}


@dataclass(frozen=True, slots=True)
class Options:
    """What a training is asked for.

    Attributes:
        target: the stage to be predicted.
        test_from: the cut, µs UTC; or a share of the leads in order of creation, in (0, 1).
        horizon_us: None = derived from the dwell times before the cut, or the usual one where there are none.
        horizon_of: version of the serving bundle that the horizon was kept from; None = from none.
        until: nothing at or after it is read, µs UTC; None = the end of the record.
        ages_us: ages of test snapshots; empty = the usual ones (`training.ages`).
        card: rule card.
        trials: recipes that tuning tries.
        seconds: no new trial begins after so long; None = no limit.
        seed: of everything that draws.
        reference: probability that scores 50; None = the target's default.
        features: adjustments of the feature catalog.
        allow: attributes and activity types that the audit suspects and that are used all the same -> why; recorded
            in the bundle.
        hygiene: whether duplicates, scanners and the like are set aside first; recorded in the bundle.
        rung: of the ladder; None = the one that the outcomes carry.
        isotonic: whether calibration may add steps, as a term of its own.
        segment: attribute by which partial pooling is tried, such as a team; None = none.
        monotone: feature name -> 1 (in a model's trees more never lowers the score) or -1; rule points are not bound.
        price: of explaining, nats per unit of depth x trees (see `training.tune`); None = the default.
        studies: URL of the database that keeps tuning's trials; None = that of the environment variable
            `LEADLIGHT_STUDIES`, else a file in the workspace.
    """

    target: Target
    test_from: int | float
    card: Card
    horizon_us: int | None = None
    horizon_of: str | None = None
    until: int | None = None
    ages_us: tuple[int, ...] = ()
    trials: int = 15
    seconds: float | None = None
    seed: int = 0
    reference: float | None = None
    features: catalog.CatalogSettings = field(default_factory=catalog.CatalogSettings)
    allow: Mapping[str, str] = field(default_factory=dict)
    hygiene: bool = True
    rung: RungName | None = None
    isotonic: bool = False
    segment: str | None = None
    monotone: Mapping[str, int] = field(default_factory=dict)
    price: float | None = None
    studies: str | None = None


def parse_cut(text: str) -> int | float:
    """Read a cut as people write it: `70%` as 0.7, else an instant in µs UTC.

    Raises:
        InputError: neither, or a share that leaves nothing on one side.
    """
    if not text.strip().endswith("%"):
        return instants.parse(text, "--test-from")
    try:
        share = float(text.strip()[:-1]) / 100
    except ValueError as unreadable:
        raise InputError(f"--test-from `{text}`: write a share such as 70%, or a date") from unreadable
    if not 0 < share < 1:
        raise InputError(f"--test-from `{text}`: a share of the leads must lie between 0% and 100%, such as 70%")
    return share


def make_split(tables: Tables, info: TablesInfo, options: Options) -> Split:
    """Turn options into instants."""
    until = min(options.until or info.observed_until, info.observed_until)
    timed = info.clock == "time"
    cut = options.test_from
    if isinstance(cut, float):
        if not 0 < cut < 1:
            raise InputError(f"--test-from {cut:g}: a share of the leads must lie between 0 and 1, such as 70%")
        created = tables.leads.filter(pl.col("created_at") < until).select(pl.col("created_at").sort()).collect()
        if not created.height:
            raise NotEnoughDataError("no lead was created before --until; nothing to learn from")
        cut = int(created["created_at"][min(round(cut * created.height), created.height - 1)])
    if not timed:
        return Split(options.target, None, cut, until + 1, (AT_CREATION,), (AT_CREATION,))
    horizon, source = _horizon(tables, options, cut)
    tested = options.ages_us or ages.usual(tables, options.target, horizon, cut)
    return Split(options.target, horizon, cut, until, tuple(sorted(tested)), training_ages(tested), source)


def _horizon(tables: Tables, options: Options, cut: int) -> tuple[int, HorizonSource]:
    """Give the horizon that was asked for or kept, else that of the dwell times, else the usual one."""
    if options.horizon_us is not None:
        return options.horizon_us, "asked" if options.horizon_of is None else "champion"
    dwell = labels.dwell_horizon(tables, options.target, cut)
    return (labels.USUAL_HORIZONS[options.target], "usual") if dwell is None else (dwell, "dwell")
