"""Hygiene decides on the frames of every engine as on those of Polars: one log in which much happens within seconds."""

from random import Random

import narwhals as nw
import polars as pl
import pytest

from features import hygiene
from features.engines import registry
from features.hygiene_merges import Merge
from features.hygiene_settings import Cause, DomainSettings, HygieneSettings
from features.tables import Tables
from leadlight.schema import DAY
from tests.features.hygiene_market import BASE, SCHEMAS, SECOND, UNTIL, activity, lead, on_duckdb, tables

DOMAIN = "mail.domain `own`"
SETTINGS = HygieneSettings(
    domains=DomainSettings(attribute=DOMAIN, internal=("own.jp",), competitors=("rival.com",)), duplicate_seconds=2.5
)
MERGES = (Merge("l02", "l01", BASE + 5 * SECOND), Merge("l03", "l02"), Merge("l04", "l05"), Merge("none", "l01"))
KINDS = ("mail_sent", "mail_open", "mail_click", "mail_click", "page_view", "chat")


def log(seed=20_241_004, size=400):
    """Give a seeded log, every cause of which is there; the last rows repeat ids."""
    random = Random(seed)
    leads = [f"l{number:02}" for number in range(20)]
    rows = []
    for number in range(size):
        off = random.choice([*range(30), *range(30), 43, 103, 41 * 86_400, -800 * 86_400]) * random.choice([0.5, 1.0])
        late = random.choice([None, None, 0, 1, 4, 3_600])
        row = activity(f"e{number:03}", off, random.choice(KINDS), random.choice(leads))
        received = None if late is None else row["occurred_at"] + late * SECOND
        more = {
            "received_at": received,
            "actor": random.choice(["lead", "lead", "marketing"]),
            "content": random.choice(["x", "y", "z", None]),
            "detail": random.choice([None, None, None, "Mozilla/5.0", "Barracuda/1.0"]),
            "value": random.choice([None, 1.5]),
        }
        rows.append({**row, **more})
    rows += [{**row, "received_at": row["occurred_at"] + DAY} for row in rows[:20]]
    random.shuffle(rows)
    domains = [None, "own.jp", "taro@Rival.com", "ok.jp", "ok.jp", "ok.jp"]
    owners = [lead(name, created_at=BASE - random.randrange(3) * DAY, domain=random.choice(domains)) for name in leads]
    change = {"field": "f", "changed_at": BASE, "old_value": None}
    changes = [{**change, "lead_id": name, "value": name} for name in leads]
    return tables(rows, owners, [{"lead_id": name, "stage": "sql", "entered_at": BASE} for name in leads], changes)


def odd(found):
    """Give the attribute a name that SQL would read otherwise."""
    return Tables(found.leads.rename({"domain": DOMAIN}), found.activities, found.stages, found.changes)


def in_order(frame, field):
    """Give a native frame as a Polars one of the schema's types, in an order of its own."""
    found = nw.from_native(frame).lazy().collect().to_polars()
    kinds = {DOMAIN if name == "domain" else name: kind for name, kind in SCHEMAS[field].items()}
    typed = found.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())
    return typed.sort(typed.columns)


def contents(cleaned):
    """Give what stays and what was set aside, by table."""
    sides = {"kept": cleaned.tables, "aside": cleaned.set_aside}
    return {(name, field): in_order(getattr(side, field), field) for name, side in sides.items() for field in SCHEMAS}


def cleaned_on(name, spark=None):
    found = odd(log())
    if name == "duckdb":
        found = on_duckdb(found)
    elif name == "pyspark":
        engine = registry.get("pyspark", session=spark)
        found = Tables(*(engine.rows(getattr(found, field).collect()).to_native() for field in SCHEMAS))
    elif name == "pandas":
        found = Tables(*(getattr(found, field).collect().to_pandas() for field in SCHEMAS))
    elif name == "pandas of Arrow":
        frames = (getattr(found, field).collect() for field in SCHEMAS)
        found = Tables(*(frame.to_pandas(use_pyarrow_extension_array=True) for frame in frames))
    return hygiene.clean(found, UNTIL, SETTINGS, MERGES)


@pytest.fixture(scope="module")
def expected():
    return contents(cleaned_on("polars"))


def compare(cleaned, expected):
    for (side, field), found in contents(cleaned).items():
        wanted = expected[side, field]
        assert found.columns == wanted.columns
        assert found.rows() == wanted.rows(), (side, field)


def test_the_log_holds_every_cause(expected):
    causes = {cause for (side, _), frame in expected.items() if side == "aside" for cause in frame["cause"]}
    assert causes == set(Cause.__args__)


@pytest.mark.parametrize("name", ["duckdb", "pandas", "pandas of Arrow"])
def test_every_engine_sets_the_same_aside(name, expected):
    compare(cleaned_on(name), expected)


@pytest.mark.slow
def test_a_cluster_sets_the_same_aside(spark, expected):
    compare(cleaned_on("pyspark", spark), expected)
    for kept in spark.sparkContext._jsc.getPersistentRDDs().values():
        kept.unpersist()
