"""What a good analyst would write in an hour: the plain references that the product is measured against.

They read the raw files themselves, share no code with the product, and are tuned to nothing: LightGBM with the same
parameters on every data set. All instants are µs UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR
TREES: Final = 200
PARAMETERS: Final[dict[str, Any]] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "max_depth": 3,
    "num_leaves": 8,
    "min_data_in_leaf": 30,
    "verbosity": -1,
    "seed": 0,
    "deterministic": True,
    "force_row_wise": True,
}

BPIC_TRAIN_AGES: Final = (1, 3, 7, 14)
BPIC_WON: Final = ("A_ACTIVATED", "A_APPROVED", "A_REGISTERED")
BPIC_LOST: Final = ("A_DECLINED", "A_CANCELLED")
# Of the lead table: what identifies, what is to be predicted, and what sales filled in after talking to the lead.
XEDUCATION_NOT_FEATURES: Final = (
    "Prospect ID",
    "Lead Number",
    "Converted",
    "Tags",
    "Lead Quality",
    "Lead Profile",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
)


@dataclass(frozen=True, slots=True)
class Predictions:
    """Test rows of a reference, shape (n,) each.

    Attributes:
        lead_id: of the lead.
        as_of: instant of the prediction; None where the data has no clock (then one row a lead).
        probability: predicted.
        label: 0 or 1.
        train_rows: how many rows it learnt from.
        train_positives: how many of them were positive.
    """

    lead_id: list[str]
    as_of: NDArray[np.int64] | None
    probability: Floats
    label: Floats
    train_rows: int
    train_positives: int


def fit_predict(train: Floats, y: Floats, test: Floats, categorical: Sequence[int] = ()) -> Floats:
    """Train LightGBM with the fixed parameters and predict.

    Args:
        train: shape (n, k), NaN = missing.
        y: 0 or 1, shape (n,).
        test: shape (m, k).
        categorical: columns that are codes of categories.

    Returns:
        Probabilities, shape (m,).
    """
    import lightgbm as lgb  # noqa: PLC0415  (heavy; the rest of the module is cheap to import)

    data = lgb.Dataset(train, y, categorical_feature=list(categorical), params={"verbosity": -1})
    predicted = lgb.train(PARAMETERS, data, num_boost_round=TREES).predict(test)
    return np.asarray(predicted, dtype=np.float64)


def bpic2012(folder: Path, *, cut: int, until: int, horizon: int, test_ages: Sequence[int]) -> Predictions:
    """Predict wins of BPIC 2012 from how often each activity x lifecycle came, amount, age, hour and last event.

    Args:
        folder: holds applications.csv and events.csv.gz.
        cut: outcomes known at it are learnt from; snapshots at or after it are tested.
        until: how far the record is complete.
        horizon: µs.
        test_ages: days after registration.
    """
    events = _bpic_events(folder)
    leads = _bpic_leads(folder, events)
    kinds = events.filter(pl.col("at") < cut)["kind"].unique().sort().to_list()
    training = _bpic_open(leads, BPIC_TRAIN_AGES).filter(pl.col("as_of") < cut)
    training, y = _bpic_known(training, cut=cut, horizon=horizon)
    test = _bpic_open(leads, test_ages).filter(pl.col("as_of") >= cut, pl.col("as_of") + horizon <= until)
    return Predictions(
        test["case_id"].to_list(),
        test["as_of"].to_numpy(),
        fit_predict(_bpic_features(training, events, kinds), y, _bpic_features(test, events, kinds)),
        _floats(test.select(_won_within(horizon)).to_series()),
        training.height,
        int(y.sum()),
    )


def _bpic_events(folder: Path) -> pl.DataFrame:
    """Read the events: case_id, activity, kind (activity x lifecycle), at."""
    events = pl.read_csv(folder / "events.csv.gz", schema_overrides={"case_id": pl.String, "resource": pl.String})
    kind = pl.col("activity") + "|" + pl.col("lifecycle")
    return events.select("case_id", "activity", kind=kind, at=_instant("timestamp"))


def _bpic_leads(folder: Path, events: pl.DataFrame) -> pl.DataFrame:
    """Read the applications and when each was first won and lost: case_id, amount_req, created, won?, lost?."""
    leads = pl.read_csv(folder / "applications.csv", schema_overrides={"case_id": pl.String})
    leads = leads.select("case_id", pl.col("amount_req").cast(pl.Float64), created=_instant("reg_date"))
    for name, activities in (("won", BPIC_WON), ("lost", BPIC_LOST)):
        first = events.filter(pl.col("activity").is_in(activities)).group_by("case_id").agg(pl.col("at").min())
        leads = leads.join(first.rename({"at": name}), on="case_id", how="left", maintain_order="left")
    return leads


def _bpic_open(leads: pl.DataFrame, ages: Sequence[int]) -> pl.DataFrame:
    """Give one row per application and age (days) at which it was neither won nor lost yet, age by age."""
    rows = pl.concat([leads.with_columns(age=pl.lit(age * DAY)) for age in ages])
    rows = rows.with_columns(as_of=pl.col("created") + pl.col("age"))
    decided = [(pl.col(name) < pl.col("as_of")).fill_null(value=False) for name in ("won", "lost")]
    return rows.filter(~pl.any_horizontal(decided))


def _bpic_known(rows: pl.DataFrame, *, cut: int, horizon: int) -> tuple[pl.DataFrame, Floats]:
    """Keep the rows whose outcome was known at the cut (a win, a loss, or a horizon that had passed), with labels."""
    win = _won_within(horizon) & (pl.col("won") < cut).fill_null(value=False)
    passed = ~_won_within(horizon) & (pl.col("as_of") + horizon <= cut)
    known = rows.filter(win | passed | (pl.col("lost") < cut).fill_null(value=False))
    return known, _floats(known.select(win).to_series())


def _bpic_features(rows: pl.DataFrame, events: pl.DataFrame, kinds: list[str]) -> Floats:
    """Count the events of each kind before as_of; beside them amount, age, hour, seconds since the last event."""
    keyed = rows.select("case_id", "as_of").with_row_index("row")
    seen = keyed.join(events, on="case_id").filter(pl.col("at") < pl.col("as_of"))
    counts = [(pl.col("kind") == kind).sum().alias(kind) for kind in kinds]
    summary = seen.group_by("row").agg(*counts, last=pl.col("at").max())
    wide = keyed.join(summary, on="row", how="left", maintain_order="left")
    return np.column_stack(
        [
            wide.select(pl.col(kinds).fill_null(0)).to_numpy().astype(np.float64),
            _floats(rows["amount_req"]),
            rows["age"].to_numpy() / DAY,
            (rows["created"].to_numpy() // HOUR) % 24,
            _floats((wide["as_of"] - wide["last"]) / SECOND),
        ]
    )


def xeducation(folder: Path, *, train_share: float, without: Sequence[str] = ()) -> Predictions:
    """Predict conversions of X Education from the columns of the lead table, categories as LightGBM's own.

    Args:
        folder: holds leads.csv.
        train_share: share of the leads, in the order of `Lead Number`, that is learnt from; the rest is tested.
        without: further columns to leave out.
    """
    leads = pl.read_csv(folder / "leads.csv", infer_schema_length=None, null_values=["Select"]).sort("Lead Number")
    n = round(train_share * leads.height)
    y = _floats(leads["Converted"])
    columns = [name for name in leads.columns if name not in {*XEDUCATION_NOT_FEATURES, *without}]
    X, categorical = _coded(leads.select(columns), n)
    probability = fit_predict(X[:n], y[:n], X[n:], categorical)
    return Predictions(leads["Prospect ID"][n:].to_list(), None, probability, y[n:], n, int(y[:n].sum()))


def olist(folder: Path, *, cut: int, until: int, horizon: int, age: int) -> Predictions:
    """Predict wins of Olist from origin and landing page, however few wins were known at the cut.

    Args:
        folder: holds marketing_qualified_leads.csv and closed_deals.csv.
        cut: outcomes known at it are learnt from; contacts made at or after it are tested.
        until: how far the record is complete.
        horizon: µs.
        age: at which contacts are scored, in days.
    """
    leads = olist_contacts(folder).with_columns(as_of=pl.col("created") + age * DAY)
    leads = leads.filter((pl.col("won") >= pl.col("as_of")).fill_null(value=True))
    win = _won_within(horizon)
    known = (win & (pl.col("won") < cut)) | (~win & (pl.col("as_of") + horizon <= cut))
    training = leads.filter(pl.col("as_of") < cut, known)
    test = leads.filter(pl.col("created") >= cut, pl.col("as_of") + horizon <= until)
    y, label = (_floats(rows.select(win).to_series()) for rows in (training, test))
    X, categorical = _coded(pl.concat([training, test]).select("origin", "landing_page_id"), training.height)
    probability = fit_predict(X[: training.height], y, X[training.height :], categorical)
    return Predictions(
        test["mql_id"].to_list(), test["as_of"].to_numpy(), probability, label, training.height, int(y.sum())
    )


def olist_contacts(folder: Path) -> pl.DataFrame:
    """Read the contacts and their wins: mql_id, origin, landing_page_id, created, won?."""
    leads = pl.read_csv(folder / "marketing_qualified_leads.csv").with_columns(
        created=pl.col("first_contact_date").str.to_date("%Y-%m-%d").cast(pl.Datetime("us")).dt.epoch("us")
    )
    wins = pl.read_csv(folder / "closed_deals.csv", columns=["mql_id", "won_date"]).select(
        "mql_id", won=pl.col("won_date").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us").dt.epoch("us")
    )
    leads = leads.join(wins, on="mql_id", how="left", maintain_order="left")
    return leads.filter((pl.col("won") >= pl.col("created")).fill_null(value=True))


def _coded(frame: pl.DataFrame, n: int) -> tuple[Floats, list[int]]:
    """Turn columns into numbers; texts into codes of the values in the first n rows, any other value is missing."""
    columns, categorical = [], []
    for i, column in enumerate(frame.iter_columns()):
        if column.dtype == pl.String:
            values = column[:n].drop_nulls().unique().sort().to_list()
            codes = {value: float(code) for code, value in enumerate(values)}
            columns.append(_floats(column.replace_strict(codes, default=None, return_dtype=pl.Float64)))
            categorical.append(i)
        else:
            columns.append(_floats(column))
    return np.column_stack(columns), categorical


def _won_within(horizon: int) -> pl.Expr:
    """Tell whether the lead was won in (as_of, as_of + horizon]; never null."""
    as_of, won = pl.col("as_of"), pl.col("won")
    return ((won > as_of) & (won <= as_of + horizon)).fill_null(value=False)


def _instant(column: str) -> pl.Expr:
    """Read an ISO time with its offset as µs UTC."""
    return pl.col(column).str.to_datetime("%+", time_zone="UTC", time_unit="us").dt.epoch("us")


def _floats(series: pl.Series) -> Floats:
    """Give a column as floats, null = NaN, shape (n,)."""
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
