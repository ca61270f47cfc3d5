"""The reference says everything that a mapping can say, and its example is a valid mapping."""

import re
from pathlib import Path

import pytest

from leadlight.ingest.check import REQUIRED, MappingFile
from leadlight.ingest.mapping import (
    TIME_WORDS,
    AttributeSource,
    Condition,
    Mapping,
    Output,
    Pattern,
    RawFile,
)
from leadlight.schema import ACTIVITY_TYPES, TABLES

TEXT = (Path(__file__).parents[3] / "docs" / "mapping.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
WORDS = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", PROSE))))


@pytest.mark.parametrize("model", [Mapping, RawFile, Output, Condition, Pattern, AttributeSource])
def test_every_key_is_in_the_reference(model):
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert keys - WORDS == set()


def test_tables_columns_types_and_time_words_are_in_the_reference():
    columns = {column for table in TABLES.values() for column in table}
    assert (columns | set(TABLES) | set(REQUIRED) | set(ACTIVITY_TYPES)) - WORDS == set()
    assert [word for word in TIME_WORDS if f"`{word}`" not in TEXT] == []


def test_the_example_is_valid(tmp_path):
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 1
    (tmp_path / "mapping.yaml").write_text(blocks[0], encoding="utf-8")
    assert len(MappingFile.read(tmp_path / "mapping.yaml").mapping.files) == 2
