"""A small folder of raw files with a mapping, to be changed by each test."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from leadlight.ingest.pipeline import ingest
from leadlight.ingest.report import IngestReport
from leadlight.workspace import Workspace

MAPPING = """\
version: 1
zone: Asia/Tokyo
files:
  - file: leads.csv
    tables:
      - table: leads
        columns:
          lead_id: id
          created_at: created
        attributes:
          size: { kind: number, known_at: creation }
          industry: { kind: category, known_at: creation }
  - file: events*.csv
    tables:
      - table: activities
        columns:
          activity_id: id
          lead_id: lead
          type: what
          occurred_at: at
          actor: { constant: lead }
"""
LEADS = "id,created,size,industry\nA,2026-01-01 09:00,10,retail\nB,2026-01-02,,Select\n"
EVENTS = "id,lead,what,at\n1,A,page_view,2026-01-03 10:00\n2,B,download,2026-01-04 10:00\n"


@dataclass
class World:
    """Raw files in `data`, a mapping beside them, a workspace."""

    root: Path
    mapping: str = MAPPING

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def workspace(self) -> Workspace:
        return Workspace.at(self.root / "workspace")

    def write(self, **files: str | bytes) -> None:
        """Write raw files; `__` in a name stands for a dot."""
        for path in self.data.glob("*"):
            path.unlink()
        self.data.mkdir(exist_ok=True)
        for name, content in files.items():
            body = content if isinstance(content, bytes) else content.encode()
            (self.data / name.replace("__", ".")).write_bytes(body)

    def ingest(self, **files: str | bytes) -> IngestReport:
        """Write raw files, if any are given, and ingest them."""
        if files:
            self.write(**files)
        (self.root / "mapping.yaml").write_text(self.mapping, encoding="utf-8")
        return ingest(self.root / "mapping.yaml", self.data, self.workspace)

    def rows(self, table: str) -> list[dict[str, object]]:
        return self.workspace.scan(table).collect().to_dicts()  # type: ignore[arg-type]

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows of all tables."""
        names = ("leads", "accounts", "activities", "stages", "attribute_changes", "quarantine")
        return {name: self.workspace.scan(name).collect().rows() for name in names}  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    made.write(leads__csv=LEADS, events__csv=EVENTS)
    return made
