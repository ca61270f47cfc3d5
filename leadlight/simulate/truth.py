"""The truth folder of a simulated market, and the exact probabilities that it gives.

    TRUTH/market.json   parameters, options and how far the record is complete
    TRUTH/record.npz    clean timelines and attribute codes (plain arrays, no pickle)

Nothing of it is ever read by ingest.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError, UnknownLeadError, WorkspaceError
from leadlight.schema import DAY, STAGES, Target
from leadlight.simulate.filtering import (
    ASK,
    MOVE,
    History,
    filter_states,
    informative_kinds,
    not_open,
    passage_probability,
)
from leadlight.simulate.market import Floats, Market
from leadlight.simulate.people import Codes, People, type_prior
from leadlight.simulate.record import Record

FORMAT: Final = 1


def lead_name(row: int) -> str:
    """Give the id of the lead at a row.

    >>> lead_name(41)
    'L0000042'
    """
    return f"L{row + 1:07d}"


def write_truth(folder: Path, market: Market, record: Record) -> None:
    """Write the truth of a run into a folder that exists."""
    options = record.options
    about = {
        "format": FORMAT,
        "leads": options.leads,
        "seed": options.seed,
        "observed_until": options.observed_until_us,
        "drift": options.drift,
        "base_rate_shift": options.base_rate_shift,
        "market": market.to_json(),
    }
    (folder / "market.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    kept = ~record.first
    np.savez(
        folder / "record.npz",
        created=record.created_us,
        company=record.people.company.astype(np.int32),
        company_codes=record.people.company_codes.astype(np.int8),
        person_codes=record.people.person_codes.astype(np.int8),
        lead=record.lead[kept].astype(np.int32),
        kind=record.kind[kept].astype(np.int16),
        at=record.at_us[kept],
        move_lead=record.move_lead.astype(np.int32),
        move_stage=record.move_stage.astype(np.int16),
        move_at=record.move_at_us,
    )


def true_probability(
    folder: Path, lead_ids: Sequence[str], as_of_us: NDArray[np.int64], target: Target, horizon_us: int
) -> NDArray[np.float64]:
    """Give P(label = 1 | clean history strictly before as_of, attributes) of snapshots, exactly.

    The label is 1 if the target or a later stage is first entered in (as_of, as_of + horizon].

    Args:
        folder: what `leadlight simulate` wrote, or its `truth` folder.
        lead_ids: lead of each snapshot, shape (n,).
        as_of_us: instant of each snapshot in µs UTC, shape (n,), after the lead's creation.
        target: `sql`, `opportunity` or `customer`; every lead must be open for it at its as_of.
        horizon_us: length of the outcome window in µs, > 0.

    Returns:
        Probabilities, shape (n,), in the order asked.

    Raises:
        InputError: the market changes over time (its truth is not defined), or a snapshot is outside the record or
            of a lead that is not open for the target.
        UnknownLeadError: a lead is not in the market.
        WorkspaceError: the folder holds no truth.
    """
    truth = _Truth.read(folder)
    if horizon_us <= 0:
        raise InputError(f"horizon_us == {horizon_us}, must be > 0")
    asked = np.asarray(as_of_us, dtype=np.int64)
    lead = truth.rows(lead_ids)
    truth.check(lead, asked)
    order = np.lexsort((asked, lead))
    weight, stage = truth.states(lead[order], asked[order])
    closed = not_open(stage, target)
    if closed.any():
        first = order[int(np.argmax(closed))]
        name = STAGES[stage[int(np.argmax(closed))]]
        raise InputError(f"lead `{lead_ids[first]}` is `{name}` at its as_of and so not open for `{target}`")
    chance = passage_probability(truth.market, target, horizon_us / DAY)
    result = np.empty(len(order))
    result[order] = np.einsum("nkm,knm->n", weight, chance[:, stage])
    return np.clip(result, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Truth:
    market: Market
    observed_until: int
    people: People
    created: NDArray[np.int64]
    event_lead: Codes
    event_at: NDArray[np.int64]
    event_code: Codes

    @classmethod
    def read(cls, folder: Path) -> "_Truth":
        """Read a truth folder; informative activities and moves together, in their true order."""
        inner = folder / "truth"
        place = inner if inner.is_dir() else folder
        try:
            about: dict[str, Any] = json.loads((place / "market.json").read_text(encoding="utf-8"))
            with np.load(place / "record.npz", allow_pickle=False) as file:
                data = {name: file[name] for name in file.files}
        except FileNotFoundError as missing:
            raise WorkspaceError(f"`{folder}` holds no truth of a simulated market ({missing.filename})") from missing
        if about["format"] != FORMAT:
            raise WorkspaceError(f"`{place}` has truth format {about['format']}, this version reads {FORMAT}")
        if about["drift"] != 0.0 or about["base_rate_shift"] != 1.0:
            raise InputError(
                f"`{folder}` was simulated with --drift or --base-rate-shift: "
                "its rates change over time, and its true probabilities are not defined; simulate without them"
            )
        market = Market.from_json(about["market"])
        people = People(data["company"], data["company_codes"], data["person_codes"])
        return cls(market, int(about["observed_until"]), people, data["created"], *_events(market, data))

    def rows(self, lead_ids: Sequence[str]) -> Codes:
        """Give the row of each lead id."""
        row_of = {lead_name(row): row for row in range(len(self.created))}
        try:
            return np.array([row_of[str(name)] for name in lead_ids], dtype=np.int64)
        except KeyError as unknown:
            raise UnknownLeadError(f"lead {unknown} is not in the simulated market") from unknown

    def check(self, lead: Codes, asked: NDArray[np.int64]) -> None:
        """Refuse snapshots outside the record."""
        if lead.shape != asked.shape:
            raise InputError(f"{len(lead)} lead ids and {len(asked)} instants; there must be one for each")
        outside = (asked <= self.created[lead]) | (asked > self.observed_until)
        if outside.any():
            row = int(np.argmax(outside))
            raise InputError(
                f"as_of {asked[row]} of lead `{lead_name(int(lead[row]))}` is not between its creation "
                f"({self.created[lead[row]]}) and the end of the record ({self.observed_until})"
            )

    def states(self, lead: Codes, asked: NDArray[np.int64]) -> tuple[Floats, Codes]:
        """Filter up to each snapshot (ordered by lead and instant): weights (n, K, M) and stages (n,)."""
        wanted, row = np.unique(lead, return_inverse=True)
        last = np.full(len(self.created), np.iinfo(np.int64).min)
        np.maximum.at(last, lead, asked)
        position = np.full(len(self.created), -1)
        position[wanted] = np.arange(len(wanted))
        needed = self.event_at < last[self.event_lead]
        all_lead = np.concatenate([row, position[self.event_lead[needed]]])
        all_at = np.concatenate([asked, self.event_at[needed]])
        all_code = np.concatenate([np.full(len(row), ASK), self.event_code[needed]])
        order = np.lexsort((all_at, all_lead))  # stable: asks come before events of the same instant
        days = (all_at - self.created[wanted][all_lead]) / DAY
        history = History(all_lead[order], days[order], all_code[order])
        people = People(self.people.company[wanted], self.people.company_codes, self.people.person_codes[wanted])
        return filter_states(self.market, type_prior(self.market, people), history)


def _events(market: Market, data: dict[str, NDArray[Any]]) -> tuple[Codes, NDArray[np.int64], Codes]:
    """Merge informative activities and moves.

    Within one second a lead's activities come before its moves; the true order is lost there, and matters little.
    """
    useful = informative_kinds(market)[data["kind"]]
    lead = np.concatenate([data["lead"][useful], data["move_lead"]]).astype(np.int64)
    at = np.concatenate([data["at"][useful], data["move_at"]])
    code = np.concatenate([data["kind"][useful].astype(np.int64), MOVE + data["move_stage"].astype(np.int64)])
    order = np.lexsort((at, lead))
    return lead[order], at[order], code[order]
