"""Write the generated pages of the documentation: docs/features.md. Usage: make_docs.py (`make docs`)."""

import tempfile
from pathlib import Path

from features import catalog, tables
from features.page import page
from leadlight.ingest.pipeline import ingest
from leadlight.simulate.record import Options
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace

FEATURES = Path(__file__).parents[1] / "docs" / "features.md"
LEADS = 2_000
TITLE = "Example: the catalog of a simulated market"


def features_page() -> str:
    """Write the page of features, with the catalog that is suggested for a small simulated market."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_market(folder / "market", Options(LEADS, seed=1))
        room = Workspace.at(folder / "workspace")
        ingest(folder / "market" / "mapping.yaml", folder / "market" / "raw", room)
        info = room.tables_info()
        return page(catalog.suggest(tables.read(room), info, info.observed_until), TITLE)


def main() -> None:
    """Write every generated page."""
    FEATURES.write_text(features_page(), encoding="utf-8")
    print(f"-> {FEATURES}")


if __name__ == "__main__":
    main()
