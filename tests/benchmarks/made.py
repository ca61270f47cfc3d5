"""Made-up measurements and raw files for the tests of the benchmarks."""

import gzip
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.measure import Measured
from benchmarks.sets import Question
from leadlight.schema import DAY
from training.evaluate import compare
from training.split import Split

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def micros(at):
    return int(at.timestamp()) * 1_000_000


def scores(n=400, seed=0, ages=(1, 7)):
    """Give y, a good and a bad scorer, leads and ages."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.05, 0.95, n)
    y = (rng.uniform(size=n) < truth).astype(float)
    age = np.resize(np.array(ages) * DAY, n)
    return y, truth, rng.uniform(0.3, 0.6, n), [f"l{i // len(ages)}" for i in range(n)], age


def measured(question: Question, *, good=True, kind="lightgbm", facts=None, why="because"):
    """Give a measurement in which the product is clearly better (or worse) than the plain reference."""
    y, truth, noise, leads, age = scores()
    ours = "model" if kind == "lightgbm" else "shipped"
    columns = {ours: truth if good else noise, "plain": noise if good else truth, "rules": noise}
    comparison = compare(y, columns, leads, 0, reference=ours, replicates=200, age=age if question.ages_us else None)
    horizon = question.horizon_us
    return Measured(
        question=question,
        kind=kind,
        why=why,
        comparison=comparison,
        split=Split("customer", horizon, micros(BEGIN), micros(BEGIN) + 90 * DAY, (DAY,), (DAY,)),
        train={"rows": 10, "positives": 3, "leads": 8},
        plain_train={"rows": 9, "positives": 2},
        facts=facts or {},
        tables={"leads": 18},
        settings={"seed": 0, "trials": 15},
        reasons_max_error=0.0,
        seconds=1.0,
    )


def write_bpic2012(folder, leads=240, seed=0):
    """Write raw files in the shape of BPIC 2012: a lead that calls twice within an hour is won on day 9."""
    rng = np.random.default_rng(seed)
    applications = ["case_id,reg_date,amount_req"]
    events = ["case_id,activity,lifecycle,resource,timestamp"]
    for i in range(leads):
        created = BEGIN + timedelta(hours=6 * i)
        applications.append(f"{i},{created.isoformat()},{rng.integers(1, 50) * 1000}")
        eager = rng.uniform() < 0.5
        minutes = (10, 20) if eager else (10,)
        events += [f"{i},W_Call,COMPLETE,7,{(created + timedelta(minutes=m)).isoformat()}" for m in minutes]
        activity = "A_APPROVED" if eager else "A_DECLINED"
        events.append(f"{i},{activity},COMPLETE,7,{(created + timedelta(days=9)).isoformat()}")
    (folder / "applications.csv").write_text("\n".join(applications) + "\n")
    with gzip.open(folder / "events.csv.gz", "wt") as file:
        file.write("\n".join(events) + "\n")
