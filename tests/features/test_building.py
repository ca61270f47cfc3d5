import csv
import shutil
from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features import building, store
from features.asked import Asked
from features.building import Options
from features.catalog import CatalogSettings
from features.engines import registry
from leadlight.errors import NotEnoughDataError, WorkspaceError
from leadlight.ingest.pipeline import ingest
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.workspace import Workspace

MAPPING = """\
version: 1
zone: UTC
files:
  - file: leads.csv
    tables:
      - table: leads
        columns: { lead_id: id, created_at: created, account_id: firm }
        attributes:
          role: { kind: category, known_at: creation }
          mail: { kind: category, known_at: creation }
  - file: events.csv
    tables:
      - table: activities
        columns:
          activity_id: id
          lead_id: lead
          type: what
          occurred_at: at
          received_at: got
          actor: { constant: lead }
          content: page
          detail: agent
        where: { what: [visit, mail_click, call] }
      - table: stages
        where: { what: [mql] }
        columns: { lead_id: lead, stage: what, entered_at: at }
"""
SPECS = (
    FeatureSpec("count", "frequency", "count"),
    FeatureSpec("gap", "rhythm", "gap_mean"),
    FeatureSpec("active", "company", "colleagues_active"),
    FeatureSpec("most", "company", "most_active_colleague", window_days=10),
    FeatureSpec("roles", "company", "roles", attribute="role"),
    FeatureSpec("age", "age", "age_days"),
    FeatureSpec("mqls", "stage", "stage_entries", stage="mql"),
)
CATALOG = CatalogSettings(only=SPECS)
START = datetime(2026, 1, 1, tzinfo=UTC)
QUESTIONS = {
    "ages": Asked("ages", (DAY, 5 * DAY, 20 * DAY)),
    "span": Asked("ages", (DAY, 5 * DAY), start=20_457 * DAY),
    "activity": Asked("activity"),
    "end": Asked("instant"),
    "fixed": Asked("instant", as_of=20_470 * DAY),
}


class Market:
    """A small raw market that grows by days; some of it arrives late, some is to be set aside."""

    def __init__(self, root, seed):
        self.root, self.random = root, Random(seed)
        self.room = Workspace.at(root / "workspace")
        self.leads, self.events = [], []
        (root / "raw").mkdir(parents=True)
        (root / "mapping.yaml").write_text(MAPPING)

    def grow(self, first, last, leads, events):
        for _ in range(leads):
            firm = self.random.choice(["x", "y", "z", "w", ""])
            mail = self.random.choice(["a@in.example", "b@out.example"])
            name = f"L{len(self.leads):03}"
            self.leads.append([name, self._at(first, last), firm, self.random.choice(["boss", "clerk", ""]), mail])
        for _ in range(events):
            lead = self.random.choice(self.leads)[0]
            at = self._at(first, last)
            late = self._at(last, last + 6) if self.random.random() < 0.2 else ""
            what = self.random.choice(["visit", "mail_click", "call", "mql"])
            page, agent = self.random.choice(["/a", "/b", "/c"]), self.random.choice(["", "", "Googlebot/2"])
            self.events.append([f"e{len(self.events)}", lead, what, at, late, page, agent])
        # Some are said twice, and some lie in the future.
        self.events += [[f"e{len(self.events)}", *self.events[-1][1:]]]
        self.events += [[f"e{len(self.events)}", self.leads[0][0], "visit", self._at(last, last + 3), "", "/a", ""]]

    def _at(self, first, last):
        at = START + timedelta(seconds=self.random.randrange(first * 86_400, last * 86_400))
        return at.isoformat()

    def ingest(self, until):
        for name, header, rows in (
            ("leads", ["id", "created", "firm", "role", "mail"], self.leads),
            ("events", ["id", "lead", "what", "at", "got", "page", "agent"], self.events),
        ):
            with (self.root / "raw" / f"{name}.csv").open("w", newline="") as file:
                csv.writer(file).writerows([header, *rows])
        stated = f"observed_until: {(START + timedelta(days=until)).isoformat()}\n"
        (self.root / "mapping.yaml").write_text(MAPPING + stated)
        ingest(self.root / "mapping.yaml", self.root / "raw", self.room)

    def build(self, out, asked=None, engine="polars", **more):
        options = Options(registry.get(engine), settings=more.pop("settings", None), asked=asked, **more)
        return building.build(self.room, self.root / out, options)

    def rows(self, out):
        return store.scan(self.root / out).collect().sort("lead_id", "as_of")


@pytest.fixture
def market(tmp_path):
    made = Market(tmp_path, 3)
    made.grow(0, 30, 40, 300)
    made.ingest(30)
    return made


def a_day_later(market):
    market.grow(30, 31, 2, 6)
    market.leads[5][2] = "y"  # moves
    market.leads[7][3] = "chief"
    market.events[10][1] = market.leads[11][0]  # was another's
    market.ingest(31)


@pytest.mark.parametrize("hygiene", [True, False])
@pytest.mark.parametrize("question", QUESTIONS)
def test_an_update_equals_a_full_build(market, question, hygiene):
    merges = "lead_id,into_lead_id,merged_at\nL001,L002,\nL003,L004,2026-01-31T12:00:00Z\nL020,L021,2026-01-10\n"
    (market.room.root / "merges.csv").write_text(merges)
    (market.room.root / "hygiene.yaml").write_text("domains: { attribute: mail, internal: [in.example] }\n")
    asked = QUESTIONS[question]
    market.build("table", asked, settings=CATALOG, hygiene=hygiene)
    for until in (31, 33):
        a_day_later(market) if until == 31 else market.ingest(until)
        report = market.build("table", incremental=True, hygiene=hygiene)
        assert report.update
        assert report.anew_because == ""
        full = market.build("full", asked, settings=CATALOG, hygiene=hygiene)
        assert_frame_equal(market.rows("table"), market.rows("full"), rel_tol=1e-12)
        assert report.rows == full.rows == len(market.rows("full"))
        if question != "end":
            assert report.computed < report.rows


@pytest.mark.parametrize("until", [30, 40])
def test_whether_anything_lies_beyond_the_end_is_known(market, until):
    market.ingest(until)
    market.build("table", QUESTIONS["ages"], settings=CATALOG)
    assert store.Info.read(market.root / "table").beyond == (until == 30)
    market.ingest(until + 2)
    market.build("table", incremental=True)
    market.build("full", QUESTIONS["ages"], settings=CATALOG)
    assert_frame_equal(market.rows("table"), market.rows("full"), rel_tol=1e-12)


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_another_engine_may_update(market, engine):
    market.build("table", QUESTIONS["ages"], settings=CATALOG)
    a_day_later(market)
    report = market.build("table", engine=engine, incremental=True)
    assert report.update
    market.build("full", QUESTIONS["ages"], settings=CATALOG)
    assert_frame_equal(market.rows("table"), market.rows("full"), rel_tol=1e-9)
    assert store.Info.read(market.root / "table").engine == engine


def test_rows_that_new_activity_cannot_have_changed_are_not_computed(market):
    market.build("table", QUESTIONS["ages"], settings=CATALOG, hygiene=False)
    at = START + timedelta(days=20, seconds=1)
    market.events.append([f"e{len(market.events)}", market.leads[3][0], "visit", at.isoformat(), "", "/a", ""])
    market.ingest(30)
    report = market.build("table", incremental=True, hygiene=False)
    firm = market.leads[3][2]
    company = [lead[0] for lead in market.leads if lead[2] == firm] if firm else [market.leads[3][0]]
    rows = market.rows("table").filter(pl.col("lead_id").is_in(company))
    assert 0 < report.computed == len(rows.filter(pl.col("as_of") > at)) < len(rows)


def test_nothing_new_computes_nothing(market):
    market.build("table", QUESTIONS["ages"], settings=CATALOG, hygiene=False)
    market.ingest(30)
    report = market.build("table", incremental=True, hygiene=False)
    assert (report.update, report.computed, report.leads_touched) == (True, 0, 0)


def test_why_a_table_is_built_in_full_is_said(market):
    def again(**more):
        return market.build("table", incremental=True, **more).anew_because

    assert again(settings=CATALOG, asked=QUESTIONS["ages"]) == "there is no table yet"
    assert again() == ""
    assert again(hygiene=False) == "hygiene or the merge map is another one"
    assert again() == "hygiene or the merge map is another one"
    assert again(settings=CatalogSettings(only=SPECS[:2])) == "the catalog is another one"
    assert again(asked=QUESTIONS["end"]) == "other snapshots are asked for"
    (market.room.root / "merges.csv").write_text("lead_id,into_lead_id\nL001,L002\n")
    assert again() == "hygiene or the merge map is another one"
    market.ingest(31)
    shutil.rmtree(market.room.root / "touched")
    assert "is not known" in again()
    market.ingest(29)
    assert again() == "the record ends earlier than it did"
    (market.root / "table" / store.INFO).write_text("{")
    assert "features.json` is damaged" in again(settings=CATALOG)
    part = next((market.root / "table").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:1_000])
    assert "parquet` is damaged" in again(settings=CATALOG)


def test_a_record_without_snapshots_is_said(market):
    with pytest.raises(NotEnoughDataError, match="no lead has a snapshot there"):
        market.build("table", Asked("ages", (DAY,), end=0), settings=CATALOG)
    assert not (market.root / "table").exists()


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_table_cut_short_is_said_with_its_mend(market, engine):
    changes = market.room.table_path("attribute_changes", market.room.tables_info().generation)
    changes.write_bytes(changes.read_bytes()[:-1])
    with pytest.raises(
        WorkspaceError, match=r"attribute_changes\.parquet` is cut short .*; put it back from a copy, or"
    ):
        market.build("table", QUESTIONS["ages"], settings=CATALOG, engine=engine)


def test_progress_is_told_in_activities(market):
    told = []
    options = Options(registry.get("polars"), settings=CATALOG)
    building.build(market.room, market.root / "table", options, lambda done, total: told.append((done, total)))
    assert told[-1][0] > 0
    assert told[-1][1] == market.room.tables_info().rows["activities"]
