"""A synthetic activity log of any size, written straight as the tables of a workspace; deterministic by its seed.

What decides the time of a feature query is plausible: a heavy tail of activities per lead, visits instead of single
clicks, a rate that decays with age, visits before the creation, late knowledge, companies, ids that do not compress.
Leads are numbered by a random permutation, so that their order is not that of their companies. The log is made in
chunks of leads, so that its size is bounded by the disk and not by the memory.

Usage: python -m benchmarks.features.market ACTIVITIES WORKSPACE
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source

from leadlight.ingest.staging import QUARANTINE
from leadlight.schema import DAY, HOUR, TABLES, ColumnKind
from leadlight.workspace import Attribute, TablesInfo, Workspace

PER_LEAD: Final = 50
ROW_GROUP: Final = 262_144
GENERATION: Final = "synthetic"
START: Final = 19_000 * DAY
CREATED_DAYS: Final = 700
OBSERVED_UNTIL: Final = START + (CREATED_DAYS + 400) * DAY
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kind:
    """An activity type: its share, who does it, where, the contents it has (prefix and number) and its mean value."""

    name: str
    share: float
    actor: str
    channel: str | None
    content: str | None = None
    contents: int = 1
    value: float | None = None


KINDS: Final = (
    Kind("page_view", 0.30, "lead", "web", "/products/", 400),
    Kind("mail_sent", 0.20, "marketing", "mail", "mail/", 250),
    Kind("mail_open", 0.15, "lead", "mail", "mail/", 250),
    Kind("blog_view", 0.10, "lead", "web", "/blog/", 600),
    Kind("mail_click", 0.06, "lead", "mail", "mail/", 250),
    Kind("call", 0.05, "sales", "phone"),
    Kind("pricing_view", 0.04, "lead", "web", "/pricing/", 5),
    Kind("case_study_view", 0.035, "lead", "web", "/cases/", 60),
    Kind("download", 0.025, "lead", "web", "/files/", 40, 2.0),
    Kind("seminar_attended", 0.015, "lead", "event", "seminar/", 30, 3.0),
    Kind("meeting", 0.015, "sales", None, None, 1, 5.0),
    Kind("bounce", 0.01, "system", "mail", "mail/", 250),
)
_CUMULATIVE: Final = np.cumsum([kind.share for kind in KINDS])
_INDUSTRIES: Final = ("it", "retail", "manufacturing", "public", "education", "health", "finance", "logistics")
_COUNTRIES: Final = ("JP", "US", "DE", "FR", "GB", "IN", "BR", "CN", "KR", "AU", "CA", "NL")
_ROLES: Final = ("engineer", "manager", "director", "analyst", "buyer", "head", "consultant", "assistant", "chief")
_UNITS: Final = ("it", "sales", "marketing", "finance", "operations", "purchasing", "hr")
_AGENTS: Final = ("Mozilla/5.0 (desktop)", "Mozilla/5.0 (phone)", "Mozilla/5.0 (tablet)")
_ATTRIBUTES: Final = (
    Attribute("industry", "category", "creation"),
    Attribute("employees", "number", "creation"),
    Attribute("job_title", "category", "changes"),
    Attribute("country", "category", "creation"),
    Attribute("contract_until", "category", "creation"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a log is, and its seed."""

    activities: int
    seed: int = 7
    chunk: int = 40_000

    @property
    def leads(self) -> int:
        """About one lead for fifty activities."""
        return max(self.activities // PER_LEAD, 1)


@dataclass(frozen=True, slots=True)
class _People:
    """The leads in the order of the activities table (company, lead_id), shape (leads,) each.

    `account` is -1 for a lead without account; `activities` says how many it has.
    """

    number: Ints
    account: Ints
    created: Ints
    activities: Ints


def make(size: Size, root: Path) -> Workspace:
    """Write a log as the current tables of a new workspace.

    Args:
        size: how many activities, and the seed.
        root: folder of the workspace; it is made.

    Returns:
        The workspace, which opens like an ingested one.
    """
    workspace = Workspace.at(root)
    folder = workspace.table_path("leads", GENERATION).parent
    folder.mkdir(parents=True, exist_ok=True)
    people = _people(size)
    frames = {
        "leads": _leads(people, size).sort("created_at", "lead_id").lazy(),
        "accounts": _accounts(people),
        "activities": _activities(people, size),
        "stages": _stages(people, size).sort("lead_id", "entered_at", "stage").lazy(),
        "attribute_changes": _changes(people, size).sort("lead_id", "changed_at", "field").lazy(),
        "quarantine": pl.LazyFrame(schema=QUARANTINE),
    }
    for name, frame in frames.items():
        frame.sink_parquet(
            folder / f"{name}.parquet", compression="zstd", compression_level=1, row_group_size=ROW_GROUP
        )
    rows = {name: int(pl.scan_parquet(folder / f"{name}.parquet").select(pl.len()).collect().item()) for name in frames}
    workspace.publish_tables(TablesInfo(GENERATION, OBSERVED_UNTIL, "time", _ATTRIBUTES, rows, in_order=True))
    return workspace


def _people(size: Size) -> _People:
    rng = np.random.default_rng([size.seed, 0])
    n = size.leads
    ends = np.cumsum(rng.geometric(0.4, n))  # sizes of the accounts: 2.5 leads on average
    account = np.searchsorted(ends, np.arange(n), side="right").astype(np.int64)
    account[rng.random(n) < 0.1] = -1
    number = rng.permutation(n).astype(np.int64)
    created = START + (rng.random(n) * CREATED_DAYS * DAY).astype(np.int64) // SECOND * SECOND
    weights = rng.lognormal(0.0, 1.2, n)
    counts = np.diff(np.rint(np.cumsum(weights) / weights.sum() * size.activities).astype(np.int64), prepend=0)
    # The key of a lead without account is its own id, "L...", which comes after every account's "A...".
    order = np.lexsort((number, np.where(account < 0, n + number, account)))
    return _People(number[order], account[order], created[order], counts[order])


def _lead_ids(numbers: Ints) -> pl.Series:
    return pl.select(pl.lit("L") + pl.lit(pl.Series(numbers)).cast(pl.String).str.zfill(9)).to_series()


def _leads(people: _People, size: Size) -> pl.DataFrame:
    rng = np.random.default_rng([size.seed, 1])
    n = len(people.number)
    until = START // DAY + rng.integers(0, CREATED_DAYS + 800, n)
    account = pl.when(pl.col("account") >= 0).then(pl.lit("A") + pl.col("account").cast(pl.String).str.zfill(9))
    frame = pl.DataFrame(
        {
            "lead_id": _lead_ids(people.number),
            "created_at": people.created,
            "account": people.account,
            "industry": _chosen(rng, _INDUSTRIES, n, null=0.05),
            "employees": pl.Series(rng.lognormal(4.0, 1.5, n).round()).set(pl.Series(rng.random(n) < 0.1), None),
            "job_title": _chosen(rng, [f"{unit} {role}" for role in _ROLES for unit in _UNITS], n, null=0.1),
            "country": _chosen(rng, _COUNTRIES, n, null=0.0),
            "contract_until": pl.Series(until.astype(np.int32)).cast(pl.Date).cast(pl.String),
            "has_contract": rng.random(n) < 0.3,
        }
    )
    return frame.select(
        "lead_id",
        pl.col("created_at").cast(pl.Datetime("us", "UTC")),
        account_id=account,
        consent=pl.lit(None, pl.String),
        industry="industry",
        employees="employees",
        job_title="job_title",
        country="country",
        contract_until=pl.when("has_contract").then("contract_until"),
    )


def _chosen(rng: np.random.Generator, values: Any, n: int, *, null: float) -> pl.Series:
    """Draw texts with falling frequencies; a share of them is null."""
    drawn = (rng.random(n) ** 2 * len(values)).astype(np.int64)
    return pl.Series([*values, None], dtype=pl.String).gather(np.where(rng.random(n) < null, len(values), drawn))


def _accounts(people: _People) -> pl.LazyFrame:
    numbers = pl.LazyFrame({"account": people.account}).filter(pl.col("account") >= 0).unique()
    return numbers.select(account_id=pl.lit("A") + pl.col("account").cast(pl.String).str.zfill(9)).sort("account_id")


def _stages(people: _People, size: Size) -> pl.DataFrame:
    """Let 40 % of the leads become MQL, 40 % of these SQL, and lose 30 % of all."""
    rng = np.random.default_rng([size.seed, 2])
    n = len(people.number)
    mql = people.created + _waits(rng, n, 30)
    sql = mql + _waits(rng, n, 25)
    lost = people.created + _waits(rng, n, 120)
    is_mql = rng.random(n) < 0.4
    who = {"mql": (is_mql, mql), "sql": (is_mql & (rng.random(n) < 0.4), sql), "lost": (rng.random(n) < 0.3, lost)}
    lead_ids = _lead_ids(people.number)
    frames = [
        pl.DataFrame({"lead_id": lead_ids.filter(pl.Series(chosen)), "stage": stage, "entered_at": at[chosen]})
        for stage, (chosen, at) in who.items()
    ]
    return (
        pl.concat(frames)
        .filter(pl.col("entered_at") < OBSERVED_UNTIL)
        .with_columns(
            pl.col("entered_at").cast(pl.Datetime("us", "UTC")),
            reason=pl.lit(None, pl.String),
            amount=pl.lit(None, pl.Float64),
        )
    )


def _waits(rng: np.random.Generator, n: int, mean_days: float) -> Ints:
    return (rng.exponential(mean_days, n) * DAY).astype(np.int64) // SECOND * SECOND + SECOND


def _changes(people: _People, size: Size) -> pl.DataFrame:
    """Give 3 % of the leads another job title some time after their creation."""
    rng = np.random.default_rng([size.seed, 3])
    chosen = rng.random(len(people.number)) < 0.03
    n = int(chosen.sum())
    titles = [f"{unit} {role}" for role in _ROLES for unit in _UNITS]
    return pl.DataFrame(
        {
            "lead_id": _lead_ids(people.number[chosen]),
            "field": pl.Series(["job_title"] * n, dtype=pl.String),
            "changed_at": pl.Series(people.created[chosen] + _waits(rng, n, 90)).cast(pl.Datetime("us", "UTC")),
            "old_value": _chosen(rng, titles, n, null=0.2),
            "value": _chosen(rng, titles, n, null=0.0),
        }
    )


def _activities(people: _People, size: Size) -> pl.LazyFrame:
    """Give the log as a source that makes one chunk of leads after the other while it is written."""
    chunks = [slice(start, start + size.chunk) for start in range(0, len(people.number), size.chunk)]

    def frames(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        for position, chunk in enumerate(chunks):
            frame = _chunk(people, chunk, np.random.default_rng([size.seed, 4, position]))
            frame = frame if n_rows is None else frame.head(n_rows)  # per chunk; Polars cuts the rest
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if with_columns is None else frame.select(with_columns)

    return register_io_source(frames, schema={name: _dtype(kind) for name, kind in TABLES["activities"].items()})


def _dtype(kind: ColumnKind) -> pl.DataType:
    return {"text": pl.String(), "instant": pl.Datetime("us", "UTC"), "number": pl.Float64()}[kind]


def _chunk(people: _People, chunk: slice, rng: np.random.Generator) -> pl.DataFrame:
    counts = people.activities[chunk]
    lead = np.repeat(np.arange(len(counts)), counts)
    n = len(lead)
    at = _instants(lead, people.created[chunk], rng)
    number = rng.integers(0, 2**63, n, dtype=np.uint64)
    order = np.lexsort((number, at, lead))
    at, number = at[order], number[order]
    kind = np.searchsorted(_CUMULATIVE, rng.random(n)).clip(0, len(KINDS) - 1)
    late = rng.random(n) < 0.1
    known = at + (rng.lognormal(0.0, 1.5, n) * 12 * HOUR).astype(np.int64)  # half a day, often hours, sometimes weeks
    return _texts(kind, rng).select(
        activity_id=pl.lit(_hex(number)),
        lead_id=pl.lit(_lead_ids(people.number[chunk]).gather(lead)),
        type="type",
        occurred_at=pl.lit(pl.Series(at)).cast(pl.Datetime("us", "UTC")),
        received_at=pl.when(pl.lit(pl.Series(late))).then(pl.lit(pl.Series(known))).cast(pl.Datetime("us", "UTC")),
        actor="actor",
        channel="channel",
        campaign=pl.lit(None, pl.String),
        content="content",
        detail="detail",
        value="value",
    )


def _instants(lead: Ints, created: Ints, rng: np.random.Generator) -> Ints:
    """Draw instants in visits of three activities on average, mostly by day, with a rate that decays with age."""
    n = len(lead)
    begins = rng.random(n) < 1 / 3
    begins[np.flatnonzero(np.diff(lead, prepend=-1))] = True
    visit = np.cumsum(begins) - 1
    visits = int(visit[-1]) + 1 if n else 0
    before = rng.random(visits) < 0.05  # as an anonymous visitor
    age = np.where(before, -rng.exponential(10.0, visits), rng.exponential(100.0, visits).clip(0, CREATED_DAYS // 2))
    day = (created[lead[begins]] + (age * DAY).astype(np.int64)) // DAY
    clock = (rng.normal(13.0, 4.0, visits) % 24 * HOUR).astype(np.int64)
    pause = np.where(begins, 0, rng.exponential(2 * MINUTE, n)).cumsum()
    within = pause - pause[np.flatnonzero(begins)][visit]
    at: Ints = ((day * DAY + clock)[visit] + within.astype(np.int64)) // SECOND * SECOND
    return at


def _texts(kind: NDArray[Any], rng: np.random.Generator) -> pl.DataFrame:
    """Give what goes with a type: actor, channel, content, user agent and value."""
    n = len(kind)
    starts = np.cumsum([0, *(item.contents for item in KINDS[:-1])])
    contents = [f"{item.content}{i}" if item.content else None for item in KINDS for i in range(item.contents)]
    sizes = np.array([item.contents for item in KINDS])[kind]
    which = starts[kind] + (rng.random(n) ** 3 * sizes).astype(np.int64)  # some pages are read far more than others
    agent = np.where(rng.random(n) < 0.15, (rng.random(n) * len(_AGENTS)).astype(np.int64), len(_AGENTS))
    means = pl.Series([item.value for item in KINDS], dtype=pl.Float64).gather(kind)
    return pl.DataFrame(
        {
            "type": pl.Series([item.name for item in KINDS]).gather(kind),
            "actor": pl.Series([item.actor for item in KINDS]).gather(kind),
            "channel": pl.Series([item.channel for item in KINDS], dtype=pl.String).gather(kind),
            "content": pl.Series(contents, dtype=pl.String).gather(which),
            "detail": pl.Series([*_AGENTS, None], dtype=pl.String).gather(agent),
            "value": means * pl.Series(rng.integers(1, 5, n)) / 2,
        }
    )


def _hex(numbers: NDArray[np.uint64]) -> pl.Series:
    """Write numbers as 16 hexadecimal digits, which sort as they do."""
    import pyarrow as pa  # noqa: PLC0415  (only here)

    digits = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype="S2")
    text = digits[numbers.byteswap().view(np.uint8)].tobytes()
    offsets = np.arange(0, 16 * (len(numbers) + 1), 16, dtype=np.int32).tobytes()
    return pl.Series(
        pa.Array.from_buffers(pa.string(), len(numbers), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    )


if __name__ == "__main__":
    make(Size(int(sys.argv[1])), Path(sys.argv[2]))
