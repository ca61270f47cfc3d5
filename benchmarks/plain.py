"""What a good analyst would write in an hour: the plain references that the product is measured against.

They read the raw files themselves, share no code with the product but the metrics' caller, and are tuned to nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

DAY: Final = 86_400_000_000
TRAIN_AGES: Final = (1, 3, 7, 14)
WON: Final = ["A_ACTIVATED", "A_APPROVED", "A_REGISTERED"]
LOST: Final = ["A_DECLINED", "A_CANCELLED"]
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
TREES: Final = 200


@dataclass(frozen=True, slots=True)
class Predictions:
    """Test rows of a reference: one per (lead_id, as_of), as_of in µs UTC."""

    lead_id: list[str]
    as_of: NDArray[np.int64]
    probability: NDArray[np.float64]
    label: NDArray[np.float64]


def fit_predict(
    train: NDArray[np.float64], y: NDArray[np.float64], test: NDArray[np.float64], categorical: list[int] | None = None
) -> NDArray[np.float64]:
    """Train LightGBM with the reference's fixed parameters and predict: probabilities of shape (len(test),)."""
    import lightgbm as lgb  # noqa: PLC0415

    data = lgb.Dataset(train, y, categorical_feature=categorical or [], params={"verbosity": -1})
    predicted = lgb.train(PARAMETERS, data, num_boost_round=TREES).predict(test)
    return np.asarray(predicted, dtype=np.float64)


def bpic2012(folder: Path, *, cut: int, until: int, horizon: int, test_ages: tuple[int, ...]) -> Predictions:
    """Predict wins of BPIC 2012 from raw event counts.

    Args:
        folder: holds applications.csv and events.csv.gz.
        cut: µs UTC; outcomes known at it are learnt from.
        until: µs UTC; how far the record is complete.
        horizon: µs.
        test_ages: days after registration.
    """
    time = pl.col("timestamp").str.to_datetime("%+", time_zone="UTC", time_unit="us").dt.epoch("us")
    registered = pl.col("reg_date").str.to_datetime("%+", time_zone="UTC", time_unit="us").dt.epoch("us")
    leads = pl.read_csv(folder / "applications.csv", schema_overrides={"case_id": pl.String}).select(
        "case_id", "amount_req", created=registered
    )
    events = pl.read_csv(folder / "events.csv.gz", schema_overrides={"case_id": pl.String, "resource": pl.String})
    events = events.select("case_id", "activity", kind=pl.col("activity") + "|" + pl.col("lifecycle"), at=time)
    won = events.filter(pl.col("activity").is_in(WON)).group_by("case_id").agg(won=pl.col("at").min())
    lost = events.filter(pl.col("activity").is_in(LOST)).group_by("case_id").agg(lost=pl.col("at").min())
    kinds = events.filter(pl.col("at") < cut)["kind"].unique().sort().to_list()
    base = leads.join(won, on="case_id", how="left").join(lost, on="case_id", how="left")

    def rows(ages: tuple[int, ...]) -> pl.DataFrame:
        aged = base.join(pl.DataFrame({"age": [age * DAY for age in ages]}), how="cross")
        aged = aged.with_columns(as_of=pl.col("created") + pl.col("age"))
        is_open = (pl.col("won").is_null() | (pl.col("won") >= pl.col("as_of"))) & (
            pl.col("lost").is_null() | (pl.col("lost") >= pl.col("as_of"))
        )
        return aged.filter(is_open)

    def features(frame: pl.DataFrame) -> NDArray[np.float64]:
        keyed = frame.select("case_id", "as_of").with_row_index("row")
        seen = keyed.join(events, on="case_id").filter(pl.col("at") < pl.col("as_of"))
        counts = [(pl.col("kind") == kind).sum().alias(kind) for kind in kinds]
        summary = seen.group_by("row").agg(*counts, last=pl.col("at").max())
        wide = keyed.join(summary, on="row", how="left", maintain_order="left")
        return np.column_stack(
            [
                wide.select(pl.col(kinds).fill_null(0)).to_numpy().astype(np.float64),
                frame["amount_req"].to_numpy(),
                frame["age"].to_numpy() / DAY,
                (frame["created"].to_numpy() // 3_600_000_000) % 24,
                ((wide["as_of"] - wide["last"]) / 1e6).fill_null(float("nan")).to_numpy(),
            ]
        )

    within = (pl.col("won") > pl.col("as_of")) & (pl.col("won") <= pl.col("as_of") + horizon)
    training = rows(TRAIN_AGES).filter(pl.col("as_of") < cut)
    known_win = within & (pl.col("won") < cut)
    known_not = ~within.fill_null(value=False) & (pl.col("as_of") + horizon <= cut)
    known_lost = pl.col("lost") < cut
    training = training.filter(known_win.fill_null(value=False) | known_not | known_lost.fill_null(value=False))
    y = training.select(known_win.fill_null(value=False)).to_series().to_numpy().astype(np.float64)
    test = rows(test_ages).filter(pl.col("as_of") >= cut, pl.col("as_of") + horizon <= until)
    label = test.select(within.fill_null(value=False)).to_series().to_numpy().astype(np.float64)
    probability = fit_predict(features(training), y, features(test))
    return Predictions(test["case_id"].to_list(), test["as_of"].to_numpy(), probability, label)


if __name__ == "__main__":
    from datetime import datetime
    from leadlight.metrics import auc, log_loss
    cut = int(datetime.fromisoformat("2011-12-01T00:00:00+01:00").timestamp() * 1e6)
    until = int(datetime.fromisoformat("2012-02-01T00:00:00+01:00").timestamp() * 1e6)
    p = bpic2012(Path("../shared/data/bpic2012"), cut=cut, until=until, horizon=30*DAY, test_ages=(1,7,14))
    out = pl.DataFrame({"l": p.lead_id, "as_of": p.as_of, "p": p.probability, "y": p.label})
    print(out.height, out["y"].mean())
    apps = pl.read_csv("../shared/data/bpic2012/applications.csv", schema_overrides={"case_id": pl.String}).with_columns(c=pl.col("reg_date").str.to_datetime("%+", time_zone="UTC", time_unit="us").dt.epoch("us"))
    out = out.join(apps.select(l="case_id", c="c"), on="l").with_columns(age=((pl.col("as_of")-pl.col("c"))//DAY))
    for a, g in out.sort("age").partition_by("age", as_dict=True, maintain_order=True).items():
        print(a, g.height, auc(g["y"], g["p"]), log_loss(g["y"], g["p"]))
