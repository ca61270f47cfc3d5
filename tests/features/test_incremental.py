import shutil
import tempfile
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features import batch, incremental, store
from features.engines import registry
from features.tables import Tables
from leadlight.schema import DAY
from tests.features import market

ACTIVITIES, STAGES = 1, 2  # places of tables in a record
# One of every measure, over all activities where there is one.
SPECS = tuple({spec.measure: spec for spec in reversed(market.SPECS)}.values())


def write(folder, engine, tables, snapshots, specs=SPECS):
    folder.mkdir()
    batch.build_to(engine, tables, snapshots, specs, folder)
    info(specs).write(folder)


def info(specs=SPECS):
    return store.Info(tuple(specs), "g", 0, "polars", {}, None, {})


def update(folder, engine, old, tables, *asked, specs=SPECS):
    snapshots, touched = asked
    folder.mkdir()
    since = touched if isinstance(touched, dict) else dict.fromkeys(touched)
    touched = pl.DataFrame(list(since.items()), schema={"lead_id": pl.String, "since": pl.Int64}, orient="row")
    members = incremental.companies(tables)
    work = incremental.plan(store.keys(old), snapshots, incremental.companies_of(members, touched))
    part = incremental.restrict(engine, tables, incremental.whole(members, work.needed["lead_id"]))
    incremental.write(engine, work, old, tables=part, specs=specs, folder=folder)
    info(specs).write(folder)
    return work


def rows_of(folder):
    return store.scan(folder).collect().sort("lead_id", "as_of")


def frame(pairs):
    return pl.DataFrame(sorted(set(pairs)), schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")


def touched_between(old, new):
    """Give the leads of which two records say different things, and since when, slowly and obviously."""

    def rows(record):
        return {(table, tuple(sorted(row.items(), key=str))) for table, part in enumerate(record) for row in part}

    def known(table, row):
        if table == ACTIVITIES:
            return max(row["occurred_at"], row.get("received_at") or row["occurred_at"])
        return row["entered_at"] if table == STAGES else None

    found = {}
    for table, items in rows(old) ^ rows(new):
        row = dict(items)
        found.setdefault(row["lead_id"], []).append(known(table, row))
    accounts = [{row["lead_id"]: row["account_id"] for row in record[0]} for record in (old, new)]
    left = {account for lead, account in accounts[0].items() if accounts[1].get(lead) != account} - {None}
    for lead, account in accounts[1].items():
        if account in left:
            found.setdefault(lead, []).append(None)
    return {lead: None if None in instants else min(instants) for lead, instants in found.items()}


def day(record, random):
    """Give what a record was, and what it becomes: rows come and go, leads come, move and learn."""
    leads, activities, stages, changes = record
    late = random.choice((0, 1, len(leads) - 1))
    before = (
        leads[: len(leads) - late],
        *([row for row in rows if random.random() < 0.8] for rows in (activities, stages, changes)),
    )
    known = {row["lead_id"] for row in before[0]}
    before = (before[0], *([row for row in rows if row["lead_id"] in known] for rows in before[1:]))
    after = [dict(row) for row in leads]
    for row in after:
        if random.random() < 0.3:
            row["account_id"] = random.choice(("x", "y", None))
        if random.random() < 0.2:
            row["industry"] = "farm"
    if random.random() < 0.3:
        activities = [row for row in activities if random.random() < 0.9]
    return before, (after, activities, stages, changes)


def snapshots_of(record, random):
    at = [market.BASE + quarter * DAY // 4 for quarter in (0, 3, 9, 16)]
    return frame((row["lead_id"], instant) for row in record[0] for instant in random.sample(at, 3))


def together(records):
    return market.merged([(record, ()) for record in records])[0]


@given(market.many(4), market.many(4), st.integers(0, 99))
@settings(max_examples=5, deadline=None)
def test_an_update_is_equal_to_building_anew(parts, others, seed):
    random = Random(seed)
    days = [day(record, random) for record, _ in parts]
    steps = [together(old for old, _ in days), together(new for _, new in days), together(other for other, _ in others)]
    snapshots = [snapshots_of(step, random) for step in steps]
    engine = registry.get("polars")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root / "0", engine, market.tables(*steps[0]), snapshots[0])
        for number in range(1, len(steps)):
            tables = market.tables(*steps[number])
            touched = touched_between(steps[number - 1], steps[number])
            work = update(root / str(number), engine, root / str(number - 1), tables, snapshots[number], touched)
            found = rows_of(root / str(number))
            expected = batch.build(tables, snapshots[number], SPECS).sort("lead_id", "as_of")
            assert_frame_equal(found, expected.cast({"as_of": pl.Datetime("us", "UTC")}), rel_tol=1e-12)
            rows = store.height(root / str(number - 1)) - len(work.superseded) + len(work.needed)
            assert rows == len(found)


@pytest.fixture(scope="module")
def crowd():
    """Sixty leads of one company, and four of others."""
    leads, activities, stages, changes = market.crowd()
    alone = [{**leads[0], "lead_id": name, "account_id": account} for name, account in zip("abcd", "yyz", strict=False)]
    alone.append({**leads[0], "lead_id": "d", "account_id": None})
    own = [{**activities[0], "activity_id": f"{lead['lead_id']}1", "lead_id": lead["lead_id"]} for lead in alone]
    return [*leads, *alone], [*activities, *own], stages, changes


def asked(record, *instants):
    return frame((row["lead_id"], at) for row in record[0] for at in instants)


END = market.BASE + 4 * DAY


def of_leads(snapshots):
    return set(snapshots["lead_id"])


def test_only_companies_with_a_touched_lead_are_computed(crowd, tmp_path):
    engine, tables, snapshots = registry.get("polars"), market.tables(*crowd), asked(crowd, END)
    write(tmp_path / "a", engine, tables, snapshots)
    work = update(tmp_path / "b", engine, tmp_path / "a", tables, snapshots, {"a"})
    assert of_leads(work.needed) == {"a", "b"}
    assert of_leads(work.superseded) == {"a", "b"}
    work = update(tmp_path / "c", engine, tmp_path / "b", tables, snapshots, {"d", "nobody"})
    assert of_leads(work.needed) == {"d"}


def test_rows_of_before_something_became_known_stay(crowd, tmp_path):
    engine, tables, snapshots = registry.get("polars"), market.tables(*crowd), asked(crowd, END - DAY, END, END + DAY)
    write(tmp_path / "a", engine, tables, snapshots)
    work = update(tmp_path / "b", engine, tmp_path / "a", tables, snapshots, {"a": END, "b": END + DAY, "d": None})
    assert sorted(work.needed.rows()) == [
        ("a", END + DAY),
        ("b", END + DAY),
        *(("d", END + days * DAY) for days in (-1, 0, 1)),
    ]
    assert sorted(work.superseded.rows()) == sorted(work.needed.rows())


def test_nothing_touched_is_nothing_computed_and_parts_are_shared(crowd, tmp_path):
    engine, tables, snapshots = registry.get("polars"), market.tables(*crowd), asked(crowd, END)
    write(tmp_path / "a", engine, tables, snapshots)
    work = update(tmp_path / "b", engine, tmp_path / "a", tables, snapshots, set())
    assert (len(work.needed), len(work.superseded)) == (0, 0)
    for part in (tmp_path / "a").glob(store.PARTS):
        assert part.samefile(tmp_path / "b" / part.name)
    shutil.rmtree(tmp_path / "a")
    assert store.height(tmp_path / "b") == 64


def test_what_comes_due_is_added_and_what_is_not_asked_for_goes(crowd, tmp_path):
    engine, tables = registry.get("polars"), market.tables(*crowd)
    write(tmp_path / "a", engine, tables, asked(crowd, END, END + DAY))
    due = pl.concat([asked(crowd, END), frame([("c", END + 2 * DAY)])])
    work = update(tmp_path / "b", engine, tmp_path / "a", tables, due, set())
    assert work.needed.rows() == [("c", END + 2 * DAY)]
    assert len(work.superseded) == 64
    assert store.keys(tmp_path / "b").sort("lead_id", "as_of").equals(due.sort("lead_id", "as_of"))


def test_updates_add_up_and_a_table_that_has_grown_is_written_anew(crowd, tmp_path):
    engine, tables, snapshots = registry.get("polars"), market.tables(*crowd), asked(crowd, END)
    write(tmp_path / "0", engine, tables, snapshots)
    for number, lead in enumerate(("a", "c", "a")):
        update(tmp_path / str(number + 1), engine, tmp_path / str(number), tables, snapshots, {lead})
    last = tmp_path / "3"
    assert len(pl.read_parquet(last / store.SUPERSEDED)) == 3
    assert not incremental.grown(last)
    assert not incremental.grown(tmp_path / "0")
    update(tmp_path / "4", engine, last, tables, snapshots, {"p001"})
    assert incremental.grown(tmp_path / "4")
    before = rows_of(tmp_path / "4")
    store.compact(tmp_path / "4")
    assert_frame_equal(rows_of(tmp_path / "4"), before)
    assert sorted(path.name for path in (tmp_path / "4").iterdir()) == [store.INFO, "part-00000.parquet"]
    assert not incremental.grown(tmp_path / "4")


@pytest.mark.parametrize("name", ["duckdb", "pandas"])
def test_every_engine_updates_alike(crowd, tmp_path, name):
    specs = tuple(spec for spec in SPECS if spec.name in {"count", "active", "most", "roles", "gap", "size"})
    engine, snapshots = registry.get(name), asked(crowd, END)
    lazy = market.tables(*crowd)
    parts = {
        "leads": lazy.leads,
        "activities": lazy.activities,
        "stages": lazy.stages,
        "attribute_changes": lazy.changes,
    }
    instants = ("created_at", "occurred_at", "received_at", "entered_at", "changed_at")
    for table, part in parts.items():
        columns = [
            pl.col(column).cast(pl.Datetime("us", "UTC")) for column in instants if column in part.collect_schema()
        ]
        part.with_columns(columns).collect().write_parquet(tmp_path / f"{table}.parquet")
    tables = engine.read({table: tmp_path / f"{table}.parquet" for table in parts})
    write(tmp_path / "a", engine, tables, snapshots, specs)
    update(tmp_path / "b", engine, tmp_path / "a", tables, snapshots, {"a", "c"}, specs=specs)
    assert incremental.companies(tables).sort("lead_id").equals(incremental.companies(lazy).sort("lead_id"))
    assert_frame_equal(rows_of(tmp_path / "b"), rows_of(tmp_path / "a"), rel_tol=1e-12)


def test_restricted_tables_hold_the_leads_asked_for(crowd):
    found = incremental.restrict(
        registry.get("polars"), market.tables(*crowd), pl.Series(["p030", "a"]), ["lead_id", "activity_id"]
    )
    assert isinstance(found, Tables)
    assert set(found.leads.collect()["lead_id"]) == {"p030", "a"}
    assert found.activities.collect().columns == ["lead_id", "activity_id"]
    assert set(found.changes.collect()["lead_id"]) == {"p030"}
