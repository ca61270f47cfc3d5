"""Which activities the specifications of a plan look at.

An activity's *kind* is its type, actor and channel, and which of the plan's globs its content and detail match: all
that a filter can ask for. A record has some dozen kinds, so a filter is a row of a small table, not a pass over texts.
"""

import re
from collections.abc import Iterable
from threading import Lock
from typing import Any, Final

import numpy as np

from features.single.seen import Indices
from features.single.selected import Floats, Selected
from leadlight.spec import FilterKey, glob_to_regex
from leadlight.timeline import Activities, Coded

ALL: Final[FilterKey] = ((), None, None, None, None)
# Strangers may send any word; what is remembered of them is forgotten beyond this many.
MOST_REMEMBERED: Final = 20_000


class Filters:
    """The filters of a plan, in the order of `keys`; shared between threads.

    Attributes:
        keys: the filters.
    """

    __slots__ = ("_by_key", "_globs", "_lock", "_places", "_rows", "_table", "keys")

    def __init__(self, keys: Iterable[FilterKey]) -> None:
        """Gather the globs, and begin with an empty table of kinds."""
        self.keys = tuple(dict.fromkeys(keys))
        self._by_key = {key: place for place, key in enumerate(self.keys)}
        globs = [("content", key[3]) for key in self.keys] + [("detail", key[4]) for key in self.keys]
        self._globs = tuple((column, glob) for column, glob in dict.fromkeys(globs) if glob is not None)
        self._lock = Lock()
        self._places: dict[Any, int] = {}  # kind -> row of the table
        self._rows: dict[bytes, int] = {}
        self._table: Floats = np.empty((0, len(self.keys)))

    def place(self, key: FilterKey) -> int:
        """Give the place of a filter in `keys`."""
        return self._by_key[key]

    def kinds(self, activities: Activities) -> tuple[Indices, Floats]:
        """Give the kind of every activity, and which filter selects which kind; computed once for each record.

        Returns:
            Kinds, shape (n,); and their table, see `table`.
        """
        found: tuple[Indices, Floats] | None = activities.memo.get(self)
        if found is None:
            coded = _coded(activities, self._globs)
            found = activities.memo[self] = coded.codes, self.table(coded.words)
        return found

    def selected(self, activities: Activities) -> Selected:
        """Give what each filter selects of a record; computed once for each record."""
        key = (self, "selected")
        found: Selected | None = activities.memo.get(key)
        if found is None:
            found = activities.memo[key] = Selected(activities, *self.kinds(activities), self._by_key)
        return found

    def table(self, kinds: tuple[Any, ...]) -> Floats:
        """Give 1 where a filter (column) selects a kind (row) and 0 elsewhere, shape (len(kinds), len(keys))."""
        places = self._places
        try:
            rows = [places[kind] for kind in kinds]
        except KeyError:
            return self._learnt(kinds)
        return self._table.take(rows, axis=0)

    def _learnt(self, kinds: tuple[Any, ...]) -> Floats:
        with self._lock:
            places = {} if len(self._places) > MOST_REMEMBERED else dict(self._places)
            for kind in kinds:
                if kind not in places:
                    places[kind] = self._row([self._selects(key, kind) for key in self.keys])
            table = self._table
            self._places = places  # after the table that it refers to, which only ever grows
        return table.take([places[kind] for kind in kinds], axis=0)

    def _row(self, selected: list[bool]) -> int:
        """Give the row of the table that holds this answer."""
        row = np.array(selected, dtype=np.float64)
        place = self._rows.setdefault(row.tobytes(), len(self._table))
        if place == len(self._table):
            self._table = np.vstack([self._table, row])
        return place

    def _selects(self, key: FilterKey, kind: tuple[Any, ...]) -> bool:
        types, actor, channel, content, detail = key
        globs = {("content", content), ("detail", detail)}
        needed = sum(1 << place for place, glob in enumerate(self._globs) if glob in globs)
        matched = kind[3] if self._globs else 0
        return (
            (not types or kind[0] in types)
            and actor in {None, kind[1]}
            and channel in {None, kind[2]}
            and matched & needed == needed
        )


def _coded(activities: Activities, globs: tuple[tuple[str, str], ...]) -> Coded:
    """Code type, actor and channel, and with globs a number whose bits say which of them match."""
    parts = [activities.coded("type", "actor", "channel")]
    for column in ("content", "detail"):
        own = [(1 << bit, re.compile(glob_to_regex(glob))) for bit, (name, glob) in enumerate(globs) if name == column]
        if own:
            parts.append(_matches(activities.coded(column), own))
    if not globs:
        return parts[0]
    codes = parts[0].codes
    for part in parts[1:]:
        codes = codes * len(part.words) + part.codes
    present, compact = np.unique(codes, return_inverse=True)
    kinds = []
    for code in present.tolist():
        left, bits = code, 0
        for part in reversed(parts[1:]):
            left, place = divmod(left, len(part.words))
            bits |= part.words[place]
        kinds.append((*parts[0].words[left], bits))
    return Coded(compact, tuple(kinds))


def _matches(texts: Coded, globs: list[tuple[int, re.Pattern[str]]]) -> Coded:
    """Give for every text the bits of the globs that match it whole; none match None."""
    patterns = [
        0 if text is None else sum(bit for bit, glob in globs if glob.fullmatch(text) is not None)
        for text in texts.words
    ]
    places = {pattern: place for place, pattern in enumerate(dict.fromkeys(patterns))}
    codes = np.array([places[pattern] for pattern in patterns], dtype=np.intp)
    return Coded(codes[texts.codes], tuple(places))
