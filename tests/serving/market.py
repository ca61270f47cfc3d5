"""A tiny workspace for the tests of serving: tables, a signed bundle with a real booster, the standard card."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import lightgbm
import numpy as np
import polars as pl

from leadlight import bundle
from leadlight.bundle import Bundle, Scorer
from leadlight.spec import FeatureSpec
from leadlight.workspace import Attribute, TablesInfo, Workspace
from rules import parse

KEY = b"0123456789abcdef0123456789abcdef"
VERSION = "20260101T000000Z-test"
START = datetime(2026, 1, 1, tzinfo=UTC)
TYPES = ("pricing_view", "blog_view", "download", "mail_sent")
SPECS = (
    FeatureSpec("pricing_30d", "frequency", "count", types=("pricing_view",), window_days=30.0),
    FeatureSpec("last_any", "recency", "days_since_last"),
    FeatureSpec("last_type", "sequence", "last_type", categories=TYPES),
    FeatureSpec("value_90d", "frequency", "value_sum", window_days=90.0),
    FeatureSpec("proposals", "stage", "stage_entries", stage="sql"),
    FeatureSpec("employees", "fit", "number", attribute="employees"),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("software", "retail")),
)


@lru_cache
def booster():
    random = np.random.default_rng(3)
    X = np.column_stack(
        [
            random.poisson(1.0, 400),
            random.exponential(20, 400),
            random.integers(0, 4, 400),
            random.normal(0, 5, 400),
            random.integers(0, 2, 400),
            random.lognormal(4, 1, 400),
            random.integers(0, 2, 400),
        ]
    ).astype(float)
    y = (random.random(400) < 1 / (1 + np.exp(1.5 - X[:, 0]))).astype(int)
    parameters = {
        "objective": "binary",
        "num_leaves": 6,
        "verbosity": -1,
        "num_threads": 1,
        "min_data_in_leaf": 5,
        "boost_from_average": False,
        "seed": 1,
    }
    data = lightgbm.Dataset(X, y, init_score=np.full(400, -1.0), categorical_feature=[2, 6])
    return lightgbm.train(parameters, data, num_boost_round=20)


@lru_cache
def scorer():
    model = booster()
    row = np.zeros((1, len(SPECS)))
    return Scorer(
        kind="lightgbm",
        target="sql",
        horizon_us=60 * 86_400_000_000,
        reference=0.3,
        rule_a=-1.0,
        rule_b=0.02,
        card=parse.to_json(parse.builtin("standard")),
        specs=SPECS,
        slope=0.9,
        intercept=0.1,
        expected_value=float(model.predict(row, pred_contrib=True)[0, -1]),
        booster=model,
    )


def instant(days):
    return START + timedelta(days=days)


def activity_rows(leads, per_lead):
    return [
        {
            "activity_id": f"a-{lead:05d}-{number:03d}",
            "lead_id": f"lead-{lead:05d}",
            "type": TYPES[(lead + number) % len(TYPES)],
            "occurred_at": instant(number + lead % 7 / 10),
            "received_at": instant(number + 1) if number % 5 == 4 else None,
            "actor": "marketing" if (lead + number) % len(TYPES) == 3 else "lead",
            "channel": "web",
            "campaign": None,
            "content": "/pricing",
            "detail": None,
            "value": float("nan") if number % 3 else 1.5,
        }
        for lead in range(leads)
        for number in range(per_lead)
    ]


def write_tables(workspace, generation="g1", leads=5, per_lead=12, accounts=None):
    """Write a generation of tables and make it current; `accounts` names the account of each lead."""
    ids = [f"lead-{lead:05d}" for lead in range(leads)]
    when = pl.Datetime("us", "UTC")
    frames = {
        "leads": pl.DataFrame(
            {
                "lead_id": ids,
                "created_at": [instant(0)] * leads,
                "account_id": accounts or [None] * leads,
                "consent": [None] * leads,
                "employees": [float("nan") if lead == 1 else 10.0 * lead for lead in range(leads)],
                "industry": ["software" if lead % 2 else None for lead in range(leads)],
            },
            schema_overrides={"created_at": when, "account_id": pl.String, "consent": pl.String},
        ),
        "accounts": pl.DataFrame(schema={"account_id": pl.String}),
        "activities": pl.DataFrame(
            activity_rows(leads, per_lead),
            schema_overrides={
                "occurred_at": when,
                "received_at": when,
                "campaign": pl.String,
                "detail": pl.String,
                "value": pl.Float64,
            },
        ),
        "stages": pl.DataFrame(
            {
                "lead_id": ids[:2],
                "stage": ["sql"] * 2,
                "entered_at": [instant(3)] * 2,
                "reason": [None, "asked"],
                "amount": [None, 10.0],
            },
            schema_overrides={"entered_at": when},
        ),
        "attribute_changes": pl.DataFrame(
            {
                "lead_id": ids[:1],
                "field": ["industry"],
                "changed_at": [instant(5)],
                "old_value": ["retail"],
                "value": ["software"],
            },
            schema_overrides={"changed_at": when},
        ),
    }
    workspace.table_path("leads", generation).parent.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.write_parquet(workspace.table_path(name, generation))
    workspace.publish_tables(
        TablesInfo(
            generation=generation,
            observed_until=int(instant(30).timestamp()) * 1_000_000,
            clock="time",
            attributes=(Attribute("employees", "number", "creation"), Attribute("industry", "category", "creation")),
            rows={name: frame.height for name, frame in frames.items()},
        )
    )


def write_bundle(workspace, key=KEY, version=VERSION, thresholds=None):
    """Save a bundle and point at it."""
    bundle.save(Bundle(version, scorer(), thresholds=thresholds or {}), workspace.bundle_path(version), key)
    workspace.set_current(version)


def make_workspace(root):
    """Give a workspace with tables and a bundle."""
    workspace = Workspace.at(root)
    write_tables(workspace)
    write_bundle(workspace)
    return workspace
