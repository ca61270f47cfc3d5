"""What a real export adds to the truth: link scanners, rows sent twice, rows that arrive late.

It touches the raw files only; the clean record stays as it is.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import ACTIVITY_TYPES, MICROSECONDS_PER_SECOND
from leadlight.simulate.people import Codes
from leadlight.simulate.record import Record

SCANNING_COMPANIES: Final = 0.08  # share of companies whose mail gate opens links by itself
SCANNED_MAILS: Final = 0.20  # share of their mails on which it does
SENT_TWICE: Final = 0.015  # share of rows that the export holds twice, with the same id
RECORDED_TWICE: Final = 0.003  # share of rows that were recorded twice, with two ids
LATE: Final = 0.03  # share of rows that arrive late
_LATE_MEDIAN_S: Final = 2 * 3_600.0
_LATE_SPREAD: Final = 1.6  # standard deviation of the log of the delay
_LATE_MOST_S: Final = 10 * 86_400.0

HUMAN: Final = 0
SCANNER: Final = 1


@dataclass(frozen=True, slots=True)
class RawActivities:
    """Rows of an export, ordered by instant, shape (r,) each.

    Attributes:
        number: of the event; rows with the same number are one event sent twice.
        lead: row of the lead.
        kind: position in ACTIVITY_TYPES.
        at_us: when it occurred, µs UTC.
        received_us: when it was recorded, µs UTC; as `at_us` where at once.
        content: position in the kind's contents.
        agent: `HUMAN` or `SCANNER`.
    """

    number: Codes
    lead: Codes
    kind: Codes
    at_us: NDArray[np.int64]
    received_us: NDArray[np.int64]
    content: Codes
    agent: Codes

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "RawActivities":
        """Choose rows."""
        return RawActivities(
            self.number[rows],
            self.lead[rows],
            self.kind[rows],
            self.at_us[rows],
            self.received_us[rows],
            self.content[rows],
            self.agent[rows],
        )


def add_noise(record: Record, rng: np.random.Generator) -> RawActivities:
    """Overlay a record with noise; what would be received after the end of the record is not in the export."""
    scans = _scans(record, rng)
    clean = np.arange(len(record.lead))
    rows = np.concatenate([clean, clean[rng.random(len(clean)) < RECORDED_TWICE], scans.source])
    extra = len(rows) - len(scans.source)
    kind, at = record.kind[rows], record.at_us[rows].copy()
    kind[extra:], at[extra:] = scans.kind, at[extra:] + scans.after_us
    agent = np.where(np.arange(len(rows)) < extra, HUMAN, SCANNER)
    order = np.lexsort((np.arange(len(rows)), at))
    late = rng.random(len(rows)) < LATE
    delay = np.minimum(_LATE_MEDIAN_S * np.exp(_LATE_SPREAD * rng.standard_normal(len(rows))), _LATE_MOST_S)
    received = at + np.where(late, delay.astype(np.int64), 0) * MICROSECONDS_PER_SECOND
    number = np.empty(len(rows), dtype=np.int64)
    number[order] = np.arange(len(rows))
    raw = RawActivities(number, record.lead[rows], kind, at, received, record.content[rows], agent).take(order)
    raw = raw.take(raw.received_us <= record.options.observed_until_us)
    twice = np.sort(np.concatenate([np.arange(len(raw.lead)), np.flatnonzero(rng.random(len(raw.lead)) < SENT_TWICE)]))
    return raw.take(twice)


@dataclass(frozen=True, slots=True)
class _Scans:
    source: Codes  # row of the mail in the record
    kind: Codes
    after_us: NDArray[np.int64]


def _scans(record: Record, rng: np.random.Generator) -> _Scans:
    """A scanner opens a mail and follows one or two links within seconds of its delivery."""
    gate = rng.random(len(record.people.company_codes)) < SCANNING_COMPANIES
    mails = np.flatnonzero(record.kind == ACTIVITY_TYPES.index("mail_sent"))
    mails = mails[gate[record.people.company[record.lead[mails]]]]
    mails = mails[rng.random(len(mails)) < SCANNED_MAILS]
    opened, clicked = ACTIVITY_TYPES.index("mail_open"), ACTIVITY_TYPES.index("mail_click")
    second = mails[rng.random(len(mails)) < 0.5]
    source = np.concatenate([mails, mails, second])
    kind = np.concatenate([np.full(len(mails), opened), np.full(len(source) - len(mails), clicked)])
    return _Scans(source, kind, rng.integers(0, 6, len(source)) * MICROSECONDS_PER_SECOND)
