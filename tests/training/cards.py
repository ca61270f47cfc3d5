"""Input of a model card made directly: a small booster, test rows at two ages, thresholds, ladder and audit."""

from dataclasses import replace
from functools import cache

import lightgbm as lgb
import numpy as np
import polars as pl

from leadlight.bundle import Bundle, Scorer
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.workspace import TablesInfo
from rules import parse
from scoring.crossings import Scored, curve
from scoring.scale import probabilities, raw_scores
from training import evaluate
from training.disjoint import disjoint
from training.model_card import CardInput
from training.split import Split

CUT = 20_000 * DAY
HORIZON = 30 * DAY
UNTIL = CUT + 120 * DAY
SPLIT = Split("sql", HORIZON, CUT, UNTIL, (DAY, 7 * DAY), (DAY, 7 * DAY))
SPECS = (
    FeatureSpec("pricing_views", "frequency", "count", ("pricing_view",), window_days=30.0),
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("retail", "mining")),
)
RULES = parse.to_json(parse.builtin("standard"))
EVIL = "<script>alert('1')</script>"
EVIL_SPECS = (
    FeatureSpec(f"views {EVIL}", "frequency", "count", (f"type {EVIL}",)),
    FeatureSpec(f"size {EVIL}", "fit", "number", attribute=f"size {EVIL}"),
    FeatureSpec(f"industry {EVIL}", "fit", "category", attribute=f"industry {EVIL}", categories=(f"a {EVIL}", "b")),
)
LADDER = {
    "rung": "model",
    "why": "400 leads with a success are known at the cut: a LightGBM model over the rules' log-odds is best",
    "wins": 400,
    "losses": 900,
    "table": [
        {
            "rung": "rules",
            "log_loss": 0.5,
            "standard_error": 0.02,
            "difference": 0.1,
            "difference_error": 0.03,
            "wins": [3],
        },
        {
            "rung": "model",
            "log_loss": 0.4,
            "standard_error": 0.02,
            "difference": None,
            "difference_error": None,
            "wins": [9],
        },
    ],
    "origins": [],
    "next": {"rung": "model", "wins": 900, "source": "origins", "told": "`model` needs about 900 leads with a success"},
    "across": "time",
    "caution": None,
}
AUDIT = {
    "target": "sql",
    "findings": [
        {
            "kind": "attribute",
            "name": "closing_note",
            "verdict": "leak",
            "why": "is filled only after the outcome",
            "evidence": {"auc": 0.99, "later": None},
            "declared": None,
            "suggested": "leak",
        },
        {"kind": "attribute", "name": "notes", "verdict": "suspect", "why": "may be late", "evidence": {"auc": 0.7}},
        {"kind": "attribute", "name": "industry", "verdict": "ok", "why": "tells little", "evidence": {"auc": 0.55}},
    ],
    "allowed": {"notes": "the form is filled at creation"},
    "unresolved": [],
}


def rows(n: int, specs=SPECS, seed: int = 3):
    """Make features, points and outcomes of n rows."""
    random = np.random.default_rng(seed)
    sizes = np.where(random.random(n) < 0.2, np.nan, random.normal(size=n))
    X = np.column_stack([random.poisson(2, n), sizes, random.integers(0, 3, n)]).astype(np.float64)
    X[random.random(n) < 0.05, 2] = np.nan
    points = random.integers(0, 40, n).astype(np.float64)
    log_odds = -3.0 + 0.7 * X[:, 0] + points / 40 + 0.5 * (X[:, 2] == 1)
    y = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)
    return X, points, y


def scorer(specs=SPECS) -> Scorer:
    """Grow a small booster over points."""
    X, points, y = rows(1_500, specs, seed=1)
    data = lgb.Dataset(X, y, init_score=-2.0 + points / 40, categorical_feature=[2], params={"verbosity": -1})
    settings = {"objective": "binary", "verbosity": -1, "max_depth": 3, "num_leaves": 7, "num_threads": 1, "seed": 0}
    booster = lgb.train({**settings, "deterministic": True, "boost_from_average": False}, data, num_boost_round=30)
    base = float(booster.predict(np.full((1, len(specs)), np.nan), pred_contrib=True)[0, -1])
    return Scorer("lightgbm", "sql", HORIZON, 0.3, -2.0, 1 / 40, RULES, specs, expected_value=base, booster=booster)


@cache
def usual() -> CardInput:
    """Give the input that most tests read; nobody may change it."""
    return card()


def card(n: int = 1_200, *, specs=SPECS, y=None, kind: str = "lightgbm") -> CardInput:
    """Make a whole input; `y` overrides the outcomes."""
    X, points, drawn = rows(n, specs)
    outcomes = drawn if y is None else y
    made = scorer(specs)
    if kind != "lightgbm":
        made = replace(made, kind=kind, specs=(), booster=None, expected_value=0.0)
    log_odds = made.log_odds(X if made.specs else X[:, :0], points)
    rules = probabilities(-2.4 + points / 40)
    place = np.arange(n)
    frame = pl.DataFrame(
        {
            "lead_id": [f"lead-{at // 2}" for at in place],
            "as_of": CUT + (place // 2 % 80) * DAY + (place % 2) * 6 * DAY,
            "age": np.where(place % 2 == 0, DAY, 7 * DAY),
            "stage": ["mql" if at % 5 == 0 else "lead" for at in place],
            "label": outcomes,
            "model": probabilities(log_odds),
            "rules": rules,
            "base_rate": np.full(n, 0.3),
        },
        schema_overrides={"lead_id": pl.String, "as_of": pl.Int64, "age": pl.Int64, "label": pl.Float64},
    )
    known = pl.DataFrame(
        {
            "lead_id": [f"lead-{at}" for at in range(-400, 100)],
            "as_of": CUT - (np.arange(500) % 150 + 1) * DAY,
            "label": (np.arange(500) % 4 == 0).astype(float),
            "weight": np.linspace(1, 3, 500),
        }
    )
    columns = {name: frame[name].to_numpy() for name in ("model", "rules", "base_rate")}
    ages = frame["age"].to_numpy() if n else None
    leads = frame["lead_id"].to_numpy().astype(object)
    comparison = evaluate.compare(outcomes, columns, leads, 0, replicates=60, age=ages)
    training = {
        "trained_at": "2026-03-01T09:00:00+00:00",
        "generation": "g1",
        "seed": 0,
        "why": "enough outcomes",
        "train": {"rows": 500, "positives": 125, "leads": 500},
        "test": {"rows": n, "positives": int(outcomes.sum()), "leads": (n + 1) // 2},
        "hygiene": {"settings": {}, "set_aside": {"duplicate": 17, "future": 0}},
        "losses_are_final": True,
        "allowed": [],
        "unmet_attributes": [],
        "recipe": {"max_depth": 3, "trees": 30},
        "ladder": LADDER,
        "audit": AUDIT,
    }
    bundle = Bundle("20260301T090000-lightgbm-abc123", made, thresholds(), comparison.to_json(), training)
    return CardInput(
        bundle=bundle,
        comparison=comparison,
        split=SPLIT,
        test=frame,
        X=X,
        points=points,
        specs=specs,
        known=known,
        disjoint=(disjoint(known, frame, 0, replicates=60),),
        tables=TablesInfo("g1", UNTIL, "time", (), {"leads": 1_000, "activities": 12_345}),
        fingerprint="f" * 64,
    )


def thresholds(n: int = 600) -> dict:
    """Count thresholds of scores that tell outcomes apart, and of points that do so less."""
    random = np.random.default_rng(9)
    p = random.beta(1, 3, n)
    label = (random.random(n) < p).astype(np.float64)
    found = {}
    for basis, noise in (("model", 0.3), ("rules", 1.5)):
        score = raw_scores(np.log(p / (1 - p)) + random.normal(scale=noise, size=n), 0.3)
        as_of = CUT + random.integers(0, 80, n) * DAY
        scored = Scored(np.arange(n), as_of, score, np.ones(n, dtype=np.bool_), label)
        found[basis] = curve(
            scored,
            start=CUT,
            end=CUT + 80 * DAY,
            winners=np.flatnonzero(label),
            new_leads=n,
            basis=basis,
            target="sql",
            horizon_us=HORIZON,
        )
    return found


def without(made: CardInput, *names: str) -> CardInput:
    """Leave out what the training recorded under some names."""
    training = {name: value for name, value in made.training.items() if name not in names}
    return replace(made, bundle=replace(made.bundle, training=training))
