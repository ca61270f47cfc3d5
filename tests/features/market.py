"""Random small records as tables, and the specifications over which all engines are compared with the reference."""

from random import Random

import polars as pl
from hypothesis import strategies as st

from features.tables import Tables
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from tests.features.reference import colleagues_of, reference

__all__ = ["colleagues_of", "reference"]  # tests ask for it here, where the specifications are

BASE = 20_000 * DAY  # 2024-10-04T00:00:00Z, a Friday
MINUTE = HOUR // 60
LEADS = "abcd"
TYPES = ["pricing_view", "mail_open", "call", "download"]
FEW = ("call", "mail_open")

FREQUENCY = (
    FeatureSpec("count", "frequency", "count"),
    FeatureSpec("count_1d", "frequency", "count", window_days=1),
    FeatureSpec("pricing", "frequency", "count", ("pricing_view",)),
    FeatureSpec("pricing_2d", "frequency", "count", ("pricing_view",), window_days=2),
    FeatureSpec("two_types", "frequency", "count", ("pricing_view", "call"), window_days=3),
    FeatureSpec("by_sales", "touches", "count", actor="sales"),
    FeatureSpec("web", "frequency", "count", channel="web"),
    FeatureSpec("blog", "frequency", "count", content="/blog/*"),
    FeatureSpec("blog_calls", "rule", "count", ("call", "download"), "sales", "web", "/blog/?*", 4.0),
    FeatureSpec("bots", "frequency", "count", detail="*bot/*"),
    FeatureSpec("bots_on_blog_1d", "frequency", "count", content="/blog/*", detail="bot/?.?", window_days=1),
    FeatureSpec("days", "frequency", "distinct_days"),
    FeatureSpec("days_2d", "frequency", "distinct_days", ("pricing_view", "mail_open"), window_days=2),
    FeatureSpec("days_tokyo", "frequency", "distinct_days", utc_offset_hours=9),
    FeatureSpec("days_west_3d", "frequency", "distinct_days", actor="lead", window_days=3, utc_offset_hours=-3.5),
    FeatureSpec("contents", "frequency", "distinct_contents"),
    FeatureSpec("contents_2d", "frequency", "distinct_contents", ("call", "download"), window_days=2),
    FeatureSpec("contents_blog", "frequency", "distinct_contents", content="/blog/*", window_days=3),
    FeatureSpec("breadth", "breadth", "distinct_types"),
    FeatureSpec("breadth_2d", "breadth", "distinct_types", window_days=2),
    FeatureSpec("breadth_sales", "breadth", "distinct_types", actor="sales", window_days=3),
    FeatureSpec("value", "frequency", "value_sum"),
    FeatureSpec("value_1d", "frequency", "value_sum", ("download",), window_days=1),
)
RECENCY = (
    FeatureSpec("recency", "recency", "days_since_last"),
    FeatureSpec("recency_1d", "recency", "days_since_last", ("call",), window_days=1),
    FeatureSpec("first", "recency", "days_since_first"),
    FeatureSpec("first_2d", "recency", "days_since_first", window_days=2),
    FeatureSpec("first_bot_3d", "recency", "days_since_first", detail="*bot*", window_days=3),
    FeatureSpec("decayed", "decay", "decayed_count", half_life_days=2),
    FeatureSpec("decayed_call", "decay", "decayed_count", ("call",), half_life_days=0.5, window_days=3),
    FeatureSpec("decayed_lead", "decay", "decayed_count", actor="lead", half_life_days=2),
    FeatureSpec("momentum", "momentum", "momentum", window_days=1),
    FeatureSpec("momentum_call", "momentum", "momentum", ("call",), window_days=2),
    FeatureSpec("trend_1d", "momentum", "trend", window_days=1),
    FeatureSpec("trend_3d", "momentum", "trend", ("pricing_view", "call"), window_days=3),
    FeatureSpec("trend_web", "momentum", "trend", channel="web", window_days=0.25),
    FeatureSpec("last", "sequence", "last_type", categories=FEW),
    FeatureSpec("third", "sequence", "last_type", k=3, categories=FEW),
    FeatureSpec("last_by_lead", "sequence", "last_type", actor="lead", categories=FEW),
)
RHYTHM = (
    FeatureSpec("gap", "rhythm", "gap_mean"),
    FeatureSpec("gap_2d", "rhythm", "gap_mean", window_days=2),
    FeatureSpec("gap_lead_3d", "rhythm", "gap_mean", actor="lead", window_days=3),
    FeatureSpec("spread", "rhythm", "gap_spread"),
    FeatureSpec("spread_2d", "rhythm", "gap_spread", ("pricing_view", "mail_open"), window_days=2),
    FeatureSpec("sessions", "rhythm", "sessions", gap_minutes=30),
    FeatureSpec("sessions_20", "rhythm", "sessions", gap_minutes=20),
    FeatureSpec("sessions_2d", "rhythm", "sessions", gap_minutes=360, window_days=2),
    FeatureSpec("sessions_call", "rhythm", "sessions", ("call", "download"), gap_minutes=29.5, window_days=1),
    FeatureSpec("office", "rhythm", "share", hours=(9.0, 18.0)),
    FeatureSpec("weekend", "rhythm", "share", weekdays=(5, 6)),
    FeatureSpec("office_tokyo", "rhythm", "share", hours=(9.0, 15.0), weekdays=(0, 1, 2, 3, 4), utc_offset_hours=9),
    FeatureSpec("night_west", "rhythm", "share", actor="lead", hours=(20.5, 24.0), utc_offset_hours=-3.5),
    FeatureSpec("morning_2d", "rhythm", "share", hours=(0.0, 6.5), window_days=2),
)
FOLLOWED = (
    FeatureSpec("answered", "touches", "followed", actor="sales", then_actor="lead", within_days=1),
    FeatureSpec("answered_share", "touches", "followed_share", actor="sales", then_actor="lead", within_days=1),
    FeatureSpec("then_call", "sequence", "followed", ("pricing_view",), then_types=("call",), within_days=0.25),
    FeatureSpec("again", "sequence", "followed", ("call",), then_types=("call", "download"), within_days=0.5),
    FeatureSpec("anything", "sequence", "followed_share", within_days=1 / 48),
    FeatureSpec(
        "soon_2d", "sequence", "followed", FEW, then_types=FEW, then_actor="sales", window_days=2, within_days=0.25
    ),
    FeatureSpec(
        "soon_share_1d", "sequence", "followed_share", channel="web", then_actor="lead", window_days=1, within_days=2
    ),
)
HISTORY = (
    FeatureSpec("age", "age", "age_days"),
    FeatureSpec("hour", "age", "created_hour"),
    FeatureSpec("hour_west", "age", "created_hour", utc_offset_hours=-3.5),
    FeatureSpec("weekday", "age", "created_weekday"),
    FeatureSpec("weekday_tokyo", "age", "created_weekday", utc_offset_hours=9),
    FeatureSpec("mqls", "stage", "stage_entries", stage="mql"),
    FeatureSpec("losses", "stage", "stage_entries", stage="lost"),
    FeatureSpec("since_mql", "stage", "days_since_stage", stage="mql"),
    FeatureSpec("in_stage", "stage", "days_in_stage"),
)
COMPANY = (
    FeatureSpec("colleagues", "company", "colleagues"),
    FeatureSpec("active", "company", "colleagues_active"),
    FeatureSpec("active_1d", "company", "colleagues_active", window_days=1),
    FeatureSpec("active_calls_2d", "company", "colleagues_active", ("call",), "sales", window_days=2),
    FeatureSpec("active_bots", "company", "colleagues_active", detail="*bot*"),
    FeatureSpec("most", "company", "most_active_colleague"),
    FeatureSpec("most_web_3d", "company", "most_active_colleague", channel="web", window_days=3),
    FeatureSpec("most_blog", "company", "most_active_colleague", content="/blog/*"),
    FeatureSpec("their_recency", "company", "colleague_recency"),
    FeatureSpec("their_recency_1d", "company", "colleague_recency", actor="lead", window_days=1),
    FeatureSpec("roles", "company", "roles", attribute="role"),
    FeatureSpec("industries", "company", "roles", attribute="industry"),
    FeatureSpec("roles_absent", "company", "roles", attribute="not_in_this_data"),
)
FIT = (
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("it", "retail")),
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("absent", "fit", "number", attribute="not_in_this_data"),
    FeatureSpec("no_industry", "fit", "missing", attribute="industry"),
    FeatureSpec("no_size", "fit", "missing", attribute="size"),
    FeatureSpec("no_such", "fit", "missing", attribute="not_in_this_data"),
    FeatureSpec("since", "fit", "days_since_date", attribute="since"),
    FeatureSpec("since_tokyo", "fit", "days_since_date", attribute="since", utc_offset_hours=9),
    FeatureSpec("since_west", "fit", "days_since_date", attribute="since", utc_offset_hours=-3.5),
    FeatureSpec("since_absent", "fit", "days_since_date", attribute="not_in_this_data"),
    FeatureSpec("since_number", "fit", "days_since_date", attribute="size"),
    FeatureSpec("moves", "fit", "changes", attribute="industry"),
    FeatureSpec("moves_2d", "fit", "changes", attribute="role", window_days=2),
    FeatureSpec("moves_absent", "fit", "changes", attribute="not_in_this_data"),
)
SPECS = (*FREQUENCY, *RECENCY, *RHYTHM, *FOLLOWED, *HISTORY, *COMPANY, *FIT)

# Quarter days put many events exactly on window edges, on equal instants and on as_of itself; some minutes beside
# them lie on, or one microsecond beyond, the edge of a session.
BESIDE = (0, 0, 0, 10 * MINUTE, 25 * MINUTE, 30 * MINUTE, 30 * MINUTE + 1, 40 * MINUTE, -1)
INSTANTS = tuple(BASE + quarter * DAY // 4 + off for quarter in range(-4, 16) for off in BESIDE)
EARLIER = tuple(at for at in INSTANTS if at < BASE + 2 * DAY)
IDS = (*LEADS, "a", "a", "b")
DATES = (
    "2024-10-05",
    "2024-10-03T23:15:00Z",
    "2023-02-31 and more",
    "2024-02-29",
    "1969-12-31",
    "0001-01-01",
    "2024-13-01",
    "2024-10-4",
    "20241005",
    " 2024-10-05",
    "",
    None,
)
# Texts of which some are numbers only to Python, and one is beyond all bounds.
NUMBERS = ("+.5e1", "7.", "-1e15", "1e16", "1_000", " 7", "7 ", "1e999", "\uff11\uff12", "0x10", "1,5")
ACTIVITY = {
    "lead_id": IDS,
    "type": TYPES,
    "occurred_at": INSTANTS,
    "received_at": (*(None,) * len(INSTANTS), *INSTANTS),
    "actor": ("lead", "sales"),
    "channel": ("web", None),
    "content": ("/blog/1", "/blog/22", "/price", "/BLOG/1", "/blog/日", "", None),
    "detail": ("bot/1.0", "a bot/2", "Browser/5.0 (x)", "", None),
    "value": (None, 1.5, -2.0, 4.0, 1.5, -2.0, float("nan"), float("inf"), float("-inf"), 1e15, 1e308, -1e308),
}
STAGE = {"lead_id": IDS, "stage": ("mql", "sql", "lost"), "entered_at": INSTANTS}
CHANGE = {
    "lead_id": IDS,
    "field": ("industry", "size", "role", "since"),
    "changed_at": INSTANTS,
    "old_value": ("it", "7", "2024-10-01", None),
    "value": ("retail", "other", "12.5", "nan", "inf", "2024-10-06", *NUMBERS, None, None),
}
LEAD = {
    "created_at": EARLIER,
    "account_id": ("x", "x", "x", "y", None),
    "industry": ("it", "retail", "farm", None),
    "size": (None, 3.0, 40.0),
    "role": ("user", "buyer", "other", None),
    "since": DATES,
}
instants = st.sampled_from(INSTANTS[::-1])  # the later, the more is known
lead_ids = st.sampled_from(IDS)


def _row(choices):
    return st.fixed_dictionaries({column: st.sampled_from(values) for column, values in choices.items()})


@st.composite
def _small(draw):
    """Draw records that shrink well; most of them hold little."""
    leads = [draw(_row(LEAD)) for _ in LEADS]
    rest = [draw(st.lists(_row(choices), max_size=most)) for choices, most in ((ACTIVITY, 12), (STAGE, 4), (CHANGE, 4))]
    return _record(leads, *rest)


@st.composite
def _dense(draw):
    """Draw records in which much happens, by a seed."""
    return _made(Random(draw(st.integers(0, 2**32))), 40, 8, 10)


def _made(random, *numbers):
    """Make a record with so many activities, stages and changes."""
    each = zip((LEAD, ACTIVITY, STAGE, CHANGE), (len(LEADS), *numbers), strict=True)
    return _record(
        *(
            [{column: random.choice(values) for column, values in choices.items()} for _ in range(number)]
            for choices, number in each
        )
    )


def _record(leads, activities, stages, changes):
    """Give rows their ids, and keep one of each key."""
    leads = [{"lead_id": name, **row} for name, row in zip(LEADS, leads, strict=True)]
    activities = [{"activity_id": f"e{at:03}", "campaign": None, **row} for at, row in enumerate(activities)]
    stages = {tuple(row[column] for column in STAGE_KEY): row for row in stages}
    # Ingestion keeps one change of a key; tables of other makers may hold several.
    doubled = [{**row, "value": value} for row in changes[:3] for value in ("12.5", "retail", row["value"])]
    return leads, activities, [*stages.values()], [*changes, *doubled]


def records():
    """Draw (leads, activities, stages, changes) as lists of rows for the leads of `LEADS`."""
    return _small() | _dense()


def merged(parts):
    """Put several records and what is asked of them, as (lead_id, as_of), into one; a plan costs the same for all.

    Ids of leads, accounts and activities get the number of their record.
    """
    tables, asked = ([], [], [], []), []
    for number, (record, pairs) in enumerate(parts):
        for rows, more in zip(tables, record, strict=True):
            rows += [{key: _numbered(key, value, number) for key, value in row.items()} for row in more]
        asked += [(f"{number}-{lead}", at) for lead, at in pairs]
    return tables, asked


def _numbered(key, value, number):
    return f"{number}-{value}" if key in {"lead_id", "account_id", "activity_id"} and value is not None else value


@st.composite
def many(draw, size=40):
    """Draw so many (record, what is asked of it as (lead_id, as_of)) by one seed; every second record holds little.

    A plan costs the same for all of them. Hypothesis begins with its simplest example: here it is as random as others,
    where of records drawn one by one it would be empty ones.
    """
    random = Random(draw(st.integers(0, 2**32)))
    parts = []
    for number in range(size):
        little = (random.randint(0, 12), random.randint(0, 4), random.randint(0, 4))
        record = _made(random, *(little if number % 2 else (40, 8, 10)))
        asked = {(random.choice(LEADS), random.choice(INSTANTS)) for _ in range(random.randint(1, 12))}
        parts.append((record, sorted(asked)))
    return parts


STAGE_KEY = ("lead_id", "stage", "entered_at")


def crowd(size=60):
    """Give the record of one company with more leads than count as colleagues, many of them made at one instant.

    What the oldest ones did would change every measure of colleagues if it counted.
    """
    names = [f"p{number:03}" for number in range(size)]
    leads = [
        {
            "lead_id": name,
            "created_at": BASE + number // 20 * DAY,
            "account_id": "x",
            "industry": "it",
            "size": None,
            "role": f"role {number}",
            "since": None,
        }
        for number, name in enumerate(names)
    ]
    activities = [
        {
            "activity_id": f"{name}-{each}",
            "lead_id": name,
            "type": TYPES[number % len(TYPES)],
            "occurred_at": BASE + 3 * DAY - (number * 7 + each * 11) * HOUR // 4,
            "received_at": None,
            "actor": "lead",
            "channel": "web",
            "campaign": None,
            "content": "/blog/1",
            "detail": None,
            "value": 1.0,
        }
        for number, name in enumerate(names)
        for each in range(max(1, 9 - number))
    ]
    change = {"lead_id": names[30], "field": "role", "changed_at": BASE + DAY, "old_value": "role 59", "value": "new"}
    return leads, activities, [], [change]


def tables(leads, activities, stages, changes):
    """Build the lazy tables of a record."""
    text, number, instant = pl.String, pl.Float64, pl.Int64
    return Tables(
        leads=pl.LazyFrame(
            leads,
            schema={
                "lead_id": text,
                "created_at": instant,
                "account_id": text,
                "industry": text,
                "size": number,
                "role": text,
                "since": text,
            },
        ),
        activities=pl.LazyFrame(
            activities,
            schema={
                "activity_id": text,
                "lead_id": text,
                "type": text,
                "occurred_at": instant,
                "received_at": instant,
                "actor": text,
                "channel": text,
                "campaign": text,
                "content": text,
                "detail": text,
                "value": number,
            },
        ),
        stages=pl.LazyFrame(
            [{"reason": None, "amount": None, **row} for row in stages],
            schema={"lead_id": text, "stage": text, "entered_at": instant, "reason": text, "amount": number},
        ),
        changes=pl.LazyFrame(
            changes,
            schema={"lead_id": text, "field": text, "changed_at": instant, "old_value": text, "value": text},
        ),
    )
