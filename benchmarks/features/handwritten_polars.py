"""What an expert in Polars would write by hand for this one catalog and this one question, to be fast.

It knows what a general builder may not assume: the log is sorted by company, lead and time, every lead has at most
one snapshot, the types and actors are those of the benchmark, no company has more than 51 leads (checked), and the
features are fixed. So a lead is a run of rows, a neighbour in time is a shift, the next activity is a backward fill,
and a colleague's activities are found by binary search. It shares no code with the product.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

DAY: Final = 86_400_000_000
HOUR: Final = 3_600_000_000
MINUTE: Final = 60_000_000
CHUNK: Final = 2_000_000  # activities worked on at once
SPAN: Final = 2**47  # more microseconds than the log is long: (lead, instant) becomes one number
COLLEAGUES: Final = 50
TYPES: Final = (
    *("page_view", "mail_sent", "mail_open", "blog_view", "mail_click", "call", "pricing_view", "case_study_view"),
    *("download", "seminar_attended", "meeting", "bounce"),
)
OF_TYPE: Final = TYPES[:8]  # those with features of their own
Named = dict[str, pl.Expr]
COLUMNS: Final = ("type", "occurred_at", "received_at", "actor", "content", "value")
INDUSTRIES: Final = ("it", "retail", "manufacturing", "public", "education", "health", "finance", "logistics")
COUNTRIES: Final = ("JP", "US", "DE", "FR", "GB", "IN", "BR", "CN", "KR", "AU", "CA", "NL")


def build(tables: Path, snapshots: Path, out: Path, titles: tuple[str, ...]) -> int:
    """Compute the table, Parquet to Parquet.

    Args:
        tables: folder of the workspace's tables.
        snapshots: lead_id and as_of (int64 µs), one a lead.
        out: file to write.
        titles: the job titles that have codes of their own.

    Returns:
        The number of rows.
    """
    leads = pl.read_parquet(tables / "leads.parquet").with_columns(pl.col("created_at").cast(pl.Int64))
    asked = _asked(tables, leads, pl.read_parquet(snapshots))
    pairs = _pairs(asked)
    found = [_chunk(*chunk) for chunk in _chunks(tables / "activities.parquet", asked, pairs)]
    own, company = (pl.concat(frames) for frames in zip(*found, strict=True))
    table = (
        asked.filter(pl.col("as_of").is_not_null())
        .join(own, on="lead", how="left")
        .join(_over_colleagues(company), on="lead", how="left")
        .join(_stages(tables, asked), on="lead", how="left")
        .join(_roles(tables, asked, pairs, titles), on="lead", how="left")
        .join(leads.drop("created_at", "account_id", "job_title"), on="lead_id", how="left")
    )
    table = table.select("lead_id", "as_of", *_finished())
    table.write_parquet(out, compression="lz4")
    return table.height


def _asked(tables: Path, leads: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    """Give every lead with its run of rows in the log and its as_of, numbered in the log's order (`lead`)."""
    log = pl.scan_parquet(tables / "activities.parquet").select("lead_id").with_row_index("start").collect()
    begins = log.filter((pl.col("lead_id") != pl.col("lead_id").shift()).fill_null(value=True))
    begins = begins.with_columns(pl.col("start").cast(pl.Int64)).with_columns(
        length=pl.col("start").shift(-1, fill_value=log.height) - pl.col("start")
    )
    silent = leads.select("lead_id").join(begins, on="lead_id", how="anti")
    return (
        pl.concat([begins, silent], how="diagonal")
        .with_columns(pl.col("start").fill_null(log.height), pl.col("length").fill_null(0))
        .with_row_index("lead")
        .with_columns(pl.col("lead").cast(pl.Int64))
        .join(leads.select("lead_id", "account_id", "created_at", "job_title"), on="lead_id", maintain_order="left")
        .join(snapshots.select("lead_id", "as_of"), on="lead_id", how="left", maintain_order="left")
    )


def _pairs(asked: pl.DataFrame) -> pl.DataFrame:
    """Pair each lead asked for with its colleagues created before as_of, sorted by the colleague (`theirs`)."""
    known = asked.filter(pl.col("account_id").is_not_null())
    if known["account_id"].value_counts()["count"].gt(COLLEAGUES + 1).any():
        raise ValueError(f"a company has more than {COLLEAGUES + 1} leads; this query does not choose among them")
    theirs = known.select("account_id", theirs="lead", created="created_at", length="length")
    return (
        known.filter(pl.col("as_of").is_not_null())
        .select("account_id", "lead", "as_of")
        .join(theirs, on="account_id")
        .filter(pl.col("lead") != pl.col("theirs"), pl.col("created") < pl.col("as_of"))
        .select("lead", "as_of", "theirs")
        .sort("theirs")
    )


def _chunks(log: Path, asked: pl.DataFrame, pairs: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, ...]]:
    """Cut the log between leads: the activities, the leads of the chunk, the pairs whose colleague is one of them."""
    scan = pl.scan_parquet(log)
    taken = [pl.col(name).cast(pl.Int64) if name.endswith("_at") else pl.col(name) for name in COLUMNS]
    starts, theirs = asked["start"].to_numpy(), pairs["theirs"].to_numpy()
    begin, rows = 0, int(asked["length"].sum())
    while begin < asked.height and starts[begin] < rows:
        end = max(int(np.searchsorted(starts, starts[begin] + CHUNK)), begin + 1)
        part = asked[begin:end]
        activities = scan.slice(int(starts[begin]), int(part["length"].sum())).select(taken).collect()
        first, last = np.searchsorted(theirs, [begin, end])
        yield activities, part, pairs[int(first) : int(last)]
        begin = end


def _chunk(activities: pl.DataFrame, part: pl.DataFrame, pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    length, first = part["length"].to_numpy(), int(part["lead"][0])
    # (lead, instant) as one number that grows along the chunk
    begin = int(activities["occurred_at"].min())  # type: ignore[arg-type]
    lead = np.repeat(np.arange(len(length), dtype=np.int64), length)
    activities = activities.with_columns(
        pl.col("type").cast(pl.Enum(TYPES)),
        own=pl.col("actor") == "lead",
        lead=pl.Series(lead).set_sorted(),  # what makes every group_by below cheap
        as_of=pl.Series(np.repeat(part["as_of"].to_numpy(), length)),
        key=pl.Series(lead * SPAN) + pl.col("occurred_at") - begin,
    )
    known = activities.filter(
        pl.col("occurred_at") < pl.col("as_of"),
        pl.col("received_at").is_null() | (pl.col("received_at") < pl.col("as_of")),
    ).with_columns(age=pl.col("as_of") - pl.col("occurred_at"))
    shift = pl.col("lead") + first
    company = _colleagues(activities.filter("own").select("key", "received_at", "occurred_at"), pairs, first, begin)
    return _own(known).with_columns(shift), company


def _own(known: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the known activities of a chunk; every part reads runs of rows of the same lead."""
    actor = pl.col("actor")
    parts = [
        *_totals(known.lazy()),
        *_by_type(known.lazy()),
        _answers(known.lazy()),
        known.lazy().filter(actor == "sales").group_by("lead").agg(by_sales=pl.col("age").last()),
        _of_the_lead(known.lazy().select("lead", "own", "occurred_at", "age", "type").filter("own")),
    ]
    first, *others = pl.collect_all(parts, engine="streaming")
    for other in others:
        first = first.join(other, on="lead", how="left")
    return first


def _same() -> pl.Expr:
    return pl.col("lead") == pl.col("lead").shift()


def _totals(known: pl.LazyFrame) -> list[pl.LazyFrame]:
    age, day = pl.col("age"), pl.col("occurred_at") // DAY
    counted = known.select(
        "lead",
        "age",
        "content",
        value=pl.col("value").fill_null(0.0),
        days_active=((day != day.shift()) | ~_same()).fill_null(value=True),
        **{f"count_{width}d": age <= width * DAY for width in (1, 7, 30, 90)},
    )
    code = pl.col("type").to_physical()
    runs = known.select("lead", code).group_by("lead", maintain_order=True).agg(pl.len(), code.tail(3))
    return [
        counted.group_by("lead").agg(
            pl.len().alias("count"),
            pl.col("^count_.*$").sum(),
            pl.col("value", "days_active").sum(),
            contents=pl.col("content").drop_nulls().n_unique(),
            recency=age.min(),
            first_activity=age.max(),
        ),
        runs.select("lead", **{f"last_type_{k}": pl.col("type").list.get(-k, null_on_oob=True) for k in (1, 2, 3)}),
    ]


def _by_type(known: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Aggregate all types, then each of some: a filter leaves runs of rows, which a pivot would have to find again."""
    decayed = {f"decayed_{half}d": (pl.col("age") * (-np.log(2.0) / (half * DAY))).exp() for half in (3, 14, 45)}
    weighed = known.select("lead", "age", "type", **decayed)
    halves = dict.fromkeys(OF_TYPE, ("decayed_14d",)) | {"page_view": tuple(decayed)}
    return [
        weighed.group_by("lead").agg(pl.col(*decayed).sum()),
        *(
            weighed.filter(pl.col("type") == name)
            .group_by("lead")
            .agg(
                pl.col("age").last().alias(f"recency.{name}"),
                *(pl.col(half).sum().alias(f"{half}.{name}") for half in halves[name]),
            )
            for name in OF_TYPE
        ),
    ]


def _answers(known: pl.LazyFrame) -> pl.LazyFrame:
    """Look from each contact of marketing at the lead's next own activity."""
    key = pl.col("key")
    return (
        known.select("lead", "key", "age", "actor", answer=pl.when("own").then(key).backward_fill())
        .filter(pl.col("actor") == "marketing")
        .group_by("lead")
        .agg(
            by_marketing=pl.col("age").last(),
            answered=(pl.col("answer") - key <= 7 * DAY).fill_null(value=False).mean(),
        )
    )


def _of_the_lead(own: pl.LazyFrame) -> pl.LazyFrame:
    """Aggregate what the lead did itself: momentum, rhythm, breadth, returns."""
    age, at = pl.col("age"), pl.col("occurred_at")
    gap = pl.when(_same()).then(at - at.shift())
    code = pl.col("type").to_physical()
    hour, weekday = at % DAY, (at // DAY + 3) % 7
    visit = gap.is_null() | (gap > 30 * MINUTE) | (age.shift() > 30 * DAY)
    rows = own.select(
        "lead",
        "age",
        code=code,
        recent=pl.when(age <= 90 * DAY).then(code),
        gap=gap.cast(pl.Float64) / DAY,
        returned=(gap <= DAY).fill_null(value=False),
        office=(hour >= 9 * HOUR) & (hour < 18 * HOUR) & (weekday < 5),
        sessions_30d=visit & (age <= 30 * DAY),
        age_30d=pl.when(age <= 30 * DAY).then(age),
        **{f"own_{width}": age <= width * DAY for width in (7, 14, 30, 60)},
    )
    return (
        rows.with_columns(square=pl.col("gap") ** 2)
        .group_by("lead")
        .agg(
            pl.col("^own_.*$", "sessions_30d", "gap", "square").sum(),
            pl.col("age_30d", "office").mean(),
            own=pl.len(),
            returned=pl.col("returned").sum(),
            by_lead=pl.col("age").min(),
            breadth=pl.col("code").n_unique(),
            breadth_90d=pl.col("recent").drop_nulls().n_unique(),
        )
    )


def _colleagues(own: pl.DataFrame, pairs: pl.DataFrame, first: int, begin: int) -> pl.DataFrame:
    """Find for each pair the age of the colleague's newest known activity, by binary search.

    Few activities are known late: from the newest one before as_of a few steps back lead to one that was known.
    """
    if not own.height:
        return pairs.select("lead", age=pl.lit(None, pl.Int64))
    base, asked = (pairs["theirs"] - first) * SPAN, pairs["as_of"].to_numpy()
    received, at = own["received_at"].fill_null(0).to_numpy(), own["occurred_at"].to_numpy()
    oldest = own["key"].search_sorted(base, side="left").to_numpy().astype(np.int64)
    before = own["key"].search_sorted(base + (pairs["as_of"] - begin).clip(0, SPAN - 1), side="left")
    newest = before.to_numpy().astype(np.int64) - 1
    while (unknown := (newest >= oldest) & (received[newest] >= asked)).any():
        newest = newest - unknown
    return pairs.select(
        "lead", age=pl.when(pl.Series(newest >= oldest)).then(pl.Series(asked - at[np.maximum(newest, 0)]))
    )


def _over_colleagues(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.group_by("lead").agg(
        colleagues_active_30d=(pl.col("age") <= 30 * DAY).sum(), colleague_recency=pl.col("age").min()
    )


def _stages(tables: Path, asked: pl.DataFrame) -> pl.DataFrame:
    stages = pl.read_parquet(tables / "stages.parquet", columns=["lead_id", "stage", "entered_at"])
    entered = (
        asked.select("lead", "lead_id", "as_of")
        .join(stages.with_columns(pl.col("entered_at").cast(pl.Int64)), on="lead_id")
        .with_columns(age=pl.col("as_of") - pl.col("entered_at"))
        .filter(pl.col("age") > 0)
    )
    since = {f"since.{name}": pl.col("age").filter(pl.col("stage") == name).min() for name in ("lost", "mql", "sql")}
    return entered.group_by("lead").agg(in_stage=pl.col("age").min(), **since)


def _roles(tables: Path, asked: pl.DataFrame, pairs: pl.DataFrame, titles: tuple[str, ...]) -> pl.DataFrame:
    """Give each lead's job title at as_of as a code, and how many there are among it and its colleagues."""
    changes = (
        pl.scan_parquet(tables / "attribute_changes.parquet")
        .filter(pl.col("field") == "job_title")
        .select("lead_id", "old_value", "value", at=pl.col("changed_at").cast(pl.Int64))
        .sort("lead_id", "at")
        .collect()
        .join(asked.select("lead_id", theirs="lead"), on="lead_id", maintain_order="left")
    )
    themselves = asked.filter(pl.col("as_of").is_not_null()).select("lead", "as_of", theirs="lead")
    everybody = pl.concat([themselves, pairs.select("lead", "as_of", "theirs")]).with_row_index("row")
    everybody = everybody.with_columns(title=asked["job_title"].gather(everybody["theirs"]))
    met = everybody.join(changes, on="theirs")
    changed = met.group_by("row").agg(
        before=pl.col("old_value").sort_by("at").first(),
        after=pl.col("value")
        .filter(pl.col("at") < pl.col("as_of"))
        .sort_by(pl.col("at").filter(pl.col("at") < pl.col("as_of")))
        .last(),
    )
    valued = everybody.join(changed.with_columns(changed=True), on="row", how="left", maintain_order="left").select(
        "lead", "theirs", title=pl.when("changed").then(pl.coalesce("after", "before")).otherwise("title")
    )
    own = valued.head(themselves.height).select("lead", title_code=_coded("title", titles))
    number = valued.group_by("lead").agg(roles=pl.col("title").drop_nulls().n_unique())
    return own.join(number, on="lead")


def _coded(column: str, values: tuple[str, ...]) -> pl.Expr:
    codes = pl.col(column).replace_strict(values, range(len(values)), default=len(values), return_dtype=pl.Float64)
    return pl.when(pl.col(column).is_not_null()).then(codes)


def _finished() -> list[pl.Expr]:
    """Give the columns of the table, in its order."""
    as_of, created = pl.col("as_of"), pl.col("created_at")
    columns: Named = {
        "age": (as_of - created) / DAY,
        "created_weekday": (created // DAY + 3) % 7,
        "created_hour": created // HOUR % 24,
        "in_stage": pl.col("in_stage") / DAY,
        **{f"since.{name}": pl.col(f"since.{name}") / DAY for name in ("lost", "mql", "sql")},
        "fit.employees": pl.col("employees"),
        "fit.industry": _coded("industry", INDUSTRIES),
        "fit.job_title": pl.col("title_code"),
        "fit.country": _coded("country", COUNTRIES),
        "fit.contract_until": (as_of - pl.col("contract_until").str.to_date().cast(pl.Int64) * DAY) / DAY,
        "missing.contract_until": pl.col("contract_until").is_null(),
        "count": _zero("count"),
        "days_active": _zero("days_active"),
        **{f"count_{width}d": _zero(f"count_{width}d") for width in (1, 7, 30, 90)},
        "value": _zero("value"),
        "contents": _zero("contents"),
        "recency": pl.col("recency") / DAY,
        "first_activity": pl.col("first_activity") / DAY,
        **{f"recency.{name}": pl.col(f"recency.{name}") / DAY for name in OF_TYPE},
        **{f"momentum_{width}d": _momentum(width) for width in (7, 30)},
        "trend_30d": 1.0 - pl.col("age_30d") * (2 / (30 * DAY)),
        **{f"decayed_{half}d": _zero(f"decayed_{half}d") for half in (3, 14, 45)},
        **{f"decayed_14d.{name}": _zero(f"decayed_14d.{name}") for name in OF_TYPE},
        **{f"decayed_{half}d.page_view": _zero(f"decayed_{half}d.page_view") for half in (3, 45)},
        **_rhythm(),
        **{f"breadth{window}": _zero(f"breadth{window}") for window in ("_90d", "")},
        "last_type_1": pl.col("last_type_1"),
        "last_type_2": pl.col("last_type_2"),
        "returned_1d": pl.col("returned") / pl.col("own"),
        "last_type_3": pl.col("last_type_3"),
        **{f"recency.by_{name}": pl.col(f"by_{name}") / DAY for name in ("lead", "marketing", "sales")},
        "answered_7d.by_marketing": pl.col("answered"),
        "colleagues_active_30d": _zero("colleagues_active_30d"),
        "colleague_recency": pl.col("colleague_recency") / DAY,
        "roles.job_title": _zero("roles"),
    }
    return [column.cast(pl.Float64).alias(name) for name, column in columns.items()]


def _rhythm() -> Named:
    gaps = pl.col("own") - 1
    mean = pl.when(pl.col("own") > 1).then(pl.col("gap") / gaps)
    return {
        "sessions_30d": _zero("sessions_30d"),
        "gap_mean": mean,
        "share.office_hours": pl.col("office"),
        "gap_spread": pl.when(mean > 0).then((pl.col("square") / gaps).sqrt() / mean),
    }


def _momentum(width: int) -> pl.Expr:
    recent, both = _zero(f"own_{width}"), _zero(f"own_{2 * width}")
    return ((recent + 1) / (both - recent + 1)).log(2)


def _zero(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64).fill_null(0.0)
