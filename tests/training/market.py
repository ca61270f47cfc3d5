"""A small made-up market in a workspace: those who look at prices reach sql sooner and more often.

Instants are days after `START`; a lead is created about every 7 hours for a year.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from features.catalog import CatalogSettings
from features.tables import Tables
from leadlight.schema import DAY, HOUR, TABLES
from leadlight.workspace import Attribute, TablesInfo, Workspace
from rules import parse
from training.options import Options

KEY = "a key for the tests of training"
START = 20_000 * DAY
DAYS = 365
LEADS = 1_200
CUT = START + 240 * DAY
HORIZON = 30 * DAY
AGES = (DAY, 7 * DAY)
TYPES = ("pricing_view", "blog_view", "mail_open", "download")
TEXTS = ("lead_id", "activity_id", "type", "actor", "channel", "campaign", "content", "detail")


# For trainings in which the features do not matter.
FEW_FEATURES = CatalogSettings(most_features=8)


def options(**changes: object) -> Options:
    """Give options for a quick training of a model."""
    asked = Options(
        target="sql",
        test_from=CUT,
        card=parse.builtin("standard"),
        horizon_us=HORIZON,
        ages_us=AGES,
        trials=2,
        rung="model",
    )
    return replace(asked, **changes)


def frames(leads: int = LEADS, seed: int = 7, days: float = DAYS) -> dict[str, pl.DataFrame]:
    """Make the tables of a market, instants as int64 µs."""
    random = np.random.default_rng(seed)
    lead_rows, activities, stages = [], [], []
    for number in range(leads):
        lead, created = f"lead-{number:05d}", START + int(number / leads * days * DAY)
        interest = random.normal()
        industry = ("software", "retail", "mining")[int(random.integers(3))]
        lead_rows.append(
            {
                "lead_id": lead,
                "created_at": created,
                "account_id": None,
                "consent": None,
                "industry": industry,
                "later": float(interest + random.normal()),
            }
        )
        for place in range(int(random.poisson(6))):
            chance = np.array([np.exp(2.0 * interest), 1.0, 2.0, 0.5])
            activities.append(
                {
                    "activity_id": f"{lead}-{place}",
                    "lead_id": lead,
                    "type": str(random.choice(TYPES, p=chance / chance.sum())),
                    "occurred_at": created + int(random.exponential(3) * DAY),
                    "actor": "lead",
                    "content": f"/{place}",
                }
            )
        stages.append({"lead_id": lead, "stage": "lead", "entered_at": created})
        hazard = np.exp(-3.5 + 2.0 * interest + 0.4 * (industry == "software"))
        reached, lost = random.exponential(7 / hazard), random.exponential(60)
        end = START + int(days * DAY)
        if reached < lost and created + int(reached * DAY) < end:
            stages.append({"lead_id": lead, "stage": "sql", "entered_at": created + int(reached * DAY)})
        elif lost < reached and created + int(lost * DAY) < end:
            stages.append({"lead_id": lead, "stage": "lost", "entered_at": created + int(lost * DAY)})
    ends = START + int(days * DAY)
    whole = {
        "leads": pl.DataFrame(
            lead_rows,
            schema={**_schema("leads"), "industry": pl.String, "later": pl.Float64},
        ),
        "activities": pl.DataFrame(activities, schema=_schema("activities")),
        "stages": pl.DataFrame(stages, schema=_schema("stages")),
        "attribute_changes": pl.DataFrame(schema=_schema("attribute_changes")),
    }
    return {**whole, "activities": whole["activities"].filter(pl.col("occurred_at") < ends)}


def _schema(table: str) -> dict[str, type[pl.DataType]]:
    kinds = {"text": pl.String, "instant": pl.Int64, "number": pl.Float64}
    return {name: kinds[kind] for name, kind in TABLES[table].items()}


def info(days: float = DAYS, clock: str = "time") -> TablesInfo:
    """Give what is known of the tables."""
    attributes = (Attribute("industry", "category", "creation"), Attribute("later", "number", "unknown"))
    return TablesInfo("g1", START + int(days * DAY), clock, attributes, {})


def tables(made: dict[str, pl.DataFrame]) -> Tables:
    """Give frames as the feature engines read them."""
    lazy = {name: frame.lazy() for name, frame in made.items()}
    return Tables(lazy["leads"], lazy["activities"], lazy["stages"], lazy["attribute_changes"])


def publish(root: object, made: dict[str, pl.DataFrame], known: TablesInfo | None = None) -> Workspace:
    """Write frames into a workspace."""
    room, known = Workspace.at(root), known or info()
    for name, frame in made.items():
        path = room.table_path(name, known.generation)
        path.parent.mkdir(parents=True, exist_ok=True)
        instants = [column for column, kind in TABLES[name].items() if kind == "instant"]
        typed = frame.with_columns(pl.from_epoch(at, time_unit="us").dt.replace_time_zone("UTC") for at in instants)
        typed.write_parquet(path)
    room.publish_tables(known)
    return room


def one(lead: str, created: float, **entered: float) -> dict[str, object]:
    """Describe a lead by hand: created and stage entries as days after START."""
    return {"lead": lead, "created": created, "entered": entered}


def by_hand(*leads: dict[str, object]) -> dict[str, pl.DataFrame]:
    """Make the tables of leads described by `one`; each looks at one page an hour after its creation."""
    rows, activities, stages = [], [], []
    for lead in leads:
        created = START + int(lead["created"] * DAY)
        rows.append({"lead_id": lead["lead"], "created_at": created, "industry": "software", "later": 0.0})
        activities.append(
            {
                "activity_id": lead["lead"],
                "lead_id": lead["lead"],
                "type": "blog_view",
                "occurred_at": created + HOUR,
                "actor": "lead",
            }
        )
        for stage, day in lead["entered"].items():
            stages.append({"lead_id": lead["lead"], "stage": stage, "entered_at": START + int(day * DAY)})
    return {
        "leads": pl.DataFrame(rows, schema={**_schema("leads"), "industry": pl.String, "later": pl.Float64}),
        "activities": pl.DataFrame(activities, schema=_schema("activities")),
        "stages": pl.DataFrame(stages, schema=_schema("stages")),
        "attribute_changes": pl.DataFrame(schema=_schema("attribute_changes")),
    }
