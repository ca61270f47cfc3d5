import pytest

from leadlight.errors import MappingError
from leadlight.ingest.check import missing_column
from tests.leadlight.ingest.conftest import EVENTS, LEADS, MAPPING


def test_a_column_that_is_not_in_the_file_is_located_with_the_nearest_one(world):
    world.mapping = MAPPING.replace("occurred_at: at", "occurred_at: when").replace("files:", "\n\nfiles:")
    with pytest.raises(MappingError) as caught:
        world.ingest(leads__csv=LEADS, events__csv=EVENTS.replace("at\n", "timestamp\n", 1))
    assert str(caught.value) == ("mapping.yaml line 22: column `when` is not in events.csv; did you mean `timestamp`?")


def test_columns_of_conditions_and_attributes_are_checked_too(world):
    world.mapping = MAPPING.replace(
        "      - table: activities\n", "      - table: activities\n        where: { x: y }\n"
    )
    with pytest.raises(MappingError, match=r"line 16: column `x` is not in events.csv"):
        world.ingest()
    world.mapping = MAPPING.replace("size: {", "siez: {")
    with pytest.raises(MappingError, match=r"line 11: column `siez` is not in leads.csv; did you mean `size`\?"):
        world.ingest()


def test_a_name_near_in_meaning_is_offered_for_instants_only():
    known = ["timestamp", "case"]
    loc = ("files", 0, "tables", 0, "columns", "occurred_at", "column")
    assert missing_column("when", loc, "f.csv", known).endswith("did you mean `timestamp`?")
    other = ("files", 0, "tables", 0, "columns", "lead_id", "column")
    assert missing_column("when", other, "f.csv", known).endswith("known: `case`, `timestamp`")
