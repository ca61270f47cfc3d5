"""A small made-up market for the tests of scoring: timelines, a card, and a bundle with a real booster."""

from dataclasses import replace
from functools import lru_cache

import lightgbm
import numpy as np
import polars as pl

from features import online
from features.tables import Tables
from leadlight.bundle import Bundle, Isotonic, Linear, Scorer, ScorerKind, Term, VennAbers
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from leadlight.timeline import Activities, StageEntry, Timeline
from leadlight.workspace import Attribute, TablesInfo
from rules import engine, parse

START = 20_000 * DAY
TYPES = ("pricing_view", "blog_view", "download", "seminar_attended", "mail_open", "mail_sent", "case_study_view")
SPECS = (
    *(
        FeatureSpec(f"{name}_{days:g}d", "frequency", "count", types=(name,), window_days=days)
        for name in TYPES
        for days in (7.0, 30.0)
    ),
    *(FeatureSpec(f"last_{name}", "recency", "days_since_last", types=(name,)) for name in TYPES),
    FeatureSpec("decayed", "decay", "decayed_count", half_life_days=14.0),
    FeatureSpec("momentum", "momentum", "momentum", window_days=7.0),
    FeatureSpec("last_type", "sequence", "last_type", categories=TYPES),
    FeatureSpec("age", "age", "age_days"),
    FeatureSpec("employees", "fit", "number", attribute="employees"),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("software", "retail")),
)
PLACE = {spec.name: place for place, spec in enumerate(SPECS)}
INDUSTRY = Term(PLACE["industry"], levels=(0.6, -0.4, 0.1), missing=-0.2)
TERMS = Linear(
    (
        Term(PLACE["pricing_view_30d"], 0.7, 1.0, 2.0),
        Term(PLACE["last_pricing_view"], -0.4, 10.0, 20.0, missing=-0.3),
        Term(PLACE["employees"], 0.2, 500.0, 1000.0, missing=0.1, high=2000.0),
        INDUSTRY,
    )
)
# Everything that a scorer may have behind its rules, trees and terms.
EXTRAS = {
    "isotonic": Isotonic((-1.0, 0.2, 1.1), (-1.6, -0.5, 0.4, 1.8)),
    "shift": 0.6,
    "interval": VennAbers((-1.0, 0.0, 1.0), (0.05, 0.2, 0.4, 0.7), (0.2, 0.4, 0.6, 0.9)),
}


def timeline(seed: int, *, events: int = 30) -> Timeline:
    """Give a lead with random activities in its first 60 days."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "activity_id": f"a{seed}-{number}",
            "lead_id": f"lead-{seed}",
            "type": str(random.choice(TYPES)),
            "occurred_at": START + int(random.uniform(0, 60) * DAY),
            "actor": "lead",
            "content": "/x",
        }
        for number in range(int(random.integers(0, events)))
    ]
    return Timeline(
        lead_id=f"lead-{seed}",
        created_at=START - HOUR,
        attributes={
            "employees": float(random.integers(1, 5_000)) if seed % 5 else None,
            "industry": ("software", "retail", "mining", None)[seed % 4],
        },
        activities=Activities.from_rows(rows),
        stages=(StageEntry("lead", START - HOUR),),
    )


@lru_cache
def booster() -> lightgbm.Booster:
    """Train 200 trees of 8 leaves on random leads over the rule points."""
    random = np.random.default_rng(7)
    leads = [timeline(seed) for seed in range(800)]
    as_of = [START + int(random.uniform(1, 60) * DAY) for _ in leads]
    X = np.array([online.row(lead, at, SPECS) for lead, at in zip(leads, as_of, strict=True)])
    y = (random.random(len(X)) < 1 / (1 + np.exp(2 - np.nan_to_num(X[:, 0]) - 0.3 * np.nan_to_num(X[:, 5])))).astype(
        int
    )
    categorical = [position for position, spec in enumerate(SPECS) if spec.categorical]
    data = lightgbm.Dataset(X, y, init_score=np.full(len(X), -1.0), categorical_feature=categorical)
    parameters = {
        "objective": "binary",
        "num_leaves": 8,
        "max_depth": 3,
        "learning_rate": 0.05,
        "verbosity": -1,
        "num_threads": 1,
        "min_data_in_leaf": 10,
        "boost_from_average": False,
        "deterministic": True,
    }
    return lightgbm.train(parameters, data, num_boost_round=200)


def bundle(kind: ScorerKind = "lightgbm", **changes: object) -> Bundle:
    """Give a bundle of a kind."""
    with_booster, with_features = kind == "lightgbm", kind in {"lightgbm", "scorecard"}
    model = booster() if with_booster else None
    arguments = {
        "kind": kind,
        "target": "sql",
        "horizon_us": 60 * DAY,
        "reference": 0.3,
        "rule_a": -1.0,
        "rule_b": 0.0 if kind == "base_rate" else 0.03,
        "card": parse.to_json(parse.builtin("standard")),
        "specs": SPECS if with_features else (),
        "linear": TERMS if kind == "scorecard" else None,
        "slope": 0.9,
        "intercept": 0.05,
        "expected_value": float(model.predict(np.zeros((1, len(SPECS))), pred_contrib=True)[0, -1]) if model else 0.0,
        "booster": model,
    }
    return Bundle(version=f"20260101T000000Z-{kind}", scorer=Scorer(**(arguments | changes)))


def rule_columns(lead: Timeline, as_of: int) -> dict[str, np.ndarray]:
    """Give the columns of the standard card for one lead."""
    specs = engine.specs(parse.builtin("standard"))
    row = online.row(lead, as_of, specs)
    return {spec.name: row[[position]] for position, spec in enumerate(specs)}


def tables(leads: list[Timeline]) -> Tables:
    """Give the tables that hold these timelines."""
    activities = [
        {
            "lead_id": lead.lead_id,
            **{name: getattr(lead.activities, name)[at] for name in ("activity_id", "type", "actor", "channel")},
            "content": lead.activities.content[at],
            "occurred_at": int(lead.activities.occurred_at[at]),
            "received_at": None,
            "detail": None,
            "value": None,
        }
        for lead in leads
        for at in range(len(lead.activities))
    ]
    texts = dict.fromkeys(("lead_id", "activity_id", "type", "actor", "channel", "content", "detail"), pl.String)
    stages = [
        {"lead_id": lead.lead_id, "stage": entry.stage, "entered_at": entry.entered_at, "reason": entry.reason}
        for lead in leads
        for entry in lead.stages
    ]
    return Tables(
        leads=pl.LazyFrame(
            [{"lead_id": lead.lead_id, "created_at": lead.created_at, **lead.attributes} for lead in leads],
            schema={
                "lead_id": pl.String,
                "created_at": pl.Int64,
                "account_id": pl.String,
                "employees": pl.Float64,
                "industry": pl.String,
            },
        ),
        activities=pl.LazyFrame(
            activities, schema={**texts, "occurred_at": pl.Int64, "received_at": pl.Int64, "value": pl.Float64}
        ),
        stages=pl.LazyFrame(
            stages, schema={"lead_id": pl.String, "stage": pl.String, "entered_at": pl.Int64, "reason": pl.String}
        ),
        changes=pl.LazyFrame(
            schema={
                "lead_id": pl.String,
                "field": pl.String,
                "changed_at": pl.Int64,
                "old_value": pl.String,
                "value": pl.String,
            }
        ),
    )


def info(observed_until: int = START + 90 * DAY, clock: str = "time") -> TablesInfo:
    """Give what is known of them."""
    attributes = (Attribute("employees", "number", "creation"), Attribute("industry", "category", "creation"))
    return TablesInfo("g1", observed_until, clock, attributes, {})


def with_stages(lead: Timeline, **entered: int) -> Timeline:
    """Give the lead with further stage entries, as days after START."""
    entries = tuple(StageEntry(stage, START + day * DAY) for stage, day in entered.items())
    return replace(lead, stages=(*lead.stages, *entries))
