from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadlight.errors import MappingError
from leadlight.ingest.check import MappingFile
from leadlight.ingest.mapping import RawFile
from tests.leadlight.ingest.conftest import MAPPING


def read(tmp_path: Path, text: str) -> MappingFile:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return MappingFile.read(path)


def test_a_mapping_is_read(tmp_path):
    mapping = read(tmp_path, MAPPING).mapping
    leads = mapping.files[0].tables[0]
    assert leads.columns["lead_id"].column == "id"
    assert leads.attributes["size"].column == "size"
    assert (leads.attributes["size"].kind, leads.attributes["size"].known_at) == ("number", "creation")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("zone: Asia", "zome: Asia", "line 2: unknown key `zome`; did you mean `zone`?"),
        (
            "    tables:\n",
            "    encodng: utf-8\n    tables:\n",
            "line 5: unknown key `encodng`; did you mean `encoding`?",
        ),
        ("constant: lead", "constnat: lead", "line 21: unknown key `constnat`; did you mean `constant`?"),
        ("Asia/Tokyo", "Asia/Tokio", "line 2: zone `Asia/Tokio` does not exist; did you mean `Asia/Tokyo`?"),
        ("constant: lead", "constant: sale", "line 21: actor `sale` does not exist; did you mean `sales`?"),
        ("table: leads", "table: lead", "line 6: "),
        ("type: what", "typ: what", "line 19: table `activities` has no column `typ`; did you mean `type`?"),
        ("          type: what\n", "", "line 16: table `activities` needs the column `type`"),
        ("kind: number", "kind: integer", "line 11: `files.0.tables.0.attributes.size.kind`"),
        (
            "at: created",
            "at: { column: created, time: nonsense }",
            "line 9: `files.0.tables.0.columns.created_at.time`",
        ),
        ("at: created", "at: { column: created, zone: Mars/Base }", "line 9: zone `Mars/Base` does not exist"),
        ("lead_id: id", "lead_id: { column: id, time: iso }", "line 8: `lead_id` is no instant; it takes no `time`"),
        ("lead_id: id", "lead_id: { column: id, constant: x }", "exactly one of `column`, `template` and `constant`"),
        ("lead_id: id", "lead_id: { template: x }", "line 8: no column in braces"),
        ("size: {", "lead_id: {", "line 11: `lead_id` cannot be an attribute's name"),
        ("size: {", "__lead: {", "line 11: `__lead` begins with `__`, as only leadlight's own columns do"),
        ("- file: leads.csv", "- file: leads.csv\n    encoding: utf8x", "line 5: encoding `utf8x` does not exist"),
        ("version: 1", "version: 2", "line 1: `version`"),
        ("version: 1", "observed_until: soon", "line 1: `observed_until`: `soon` is not an ISO 8601 date or time"),
        ("version: 1", "clock: order", "line 1: `clock`: `order` is neither `time` nor `order(COLUMN)`"),
        ("version: 1", "clock: order(n)", "line 9: `created_at` comes from `clock: order`; leave it out"),
        ("type: what", "type: { column: what, patterns: [{ regex: '(', value: x }] }", "is not a regular expression"),
        ("type: what", "type: { column: what, patterns: [{ value: x }] }", "give exactly one of `glob` and `regex`"),
        ("version: 1", "version: [", "not valid YAML"),
        ("file: leads.csv", "file: /etc/passwd", "line 4: `/etc/passwd` is no name or glob inside the --data folder"),
        ("file: leads.csv", 'file: ""', "line 4: `` is no name or glob inside the --data folder"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, message):
    text = MAPPING.replace(old, new, 1)
    assert text != MAPPING
    with pytest.raises(MappingError) as caught:
        read(tmp_path, text)
    assert "mapping.yaml line " in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_stage_in_a_value_map_has_the_line_of_its_entry(tmp_path):
    text = MAPPING + (
        "      - table: stages\n        columns:\n          lead_id: lead\n          entered_at: at\n"
        "          stage:\n            column: what\n            map:\n              deal: opportunity\n"
        "              won: costumer\n"
    )
    with pytest.raises(MappingError, match=r"line 30: stage `costumer` does not exist; did you mean `customer`\?"):
        read(tmp_path, text)


def test_an_attribute_has_one_kind(tmp_path):
    text = MAPPING.replace("  - file: events*.csv\n", MAPPING.partition("files:\n")[2].partition("  - file: events")[0])
    text = text.partition("    tables:\n      - table: activities")[0]
    text = text.replace("kind: number", "kind: category", 1)
    with pytest.raises(MappingError, match="`size` is a category here, a number there"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2018-04-01", datetime(2018, 3, 31, 15, tzinfo=UTC)),
        ("2012-02-01T00:00:00+01:00", datetime(2012, 1, 31, 23, tzinfo=UTC)),
        ('"2012-02-01T00:00+01:00"', datetime(2012, 1, 31, 23, tzinfo=UTC)),
        ("2018-04-01 12:00:00", datetime(2018, 4, 1, 3, tzinfo=UTC)),
    ],
)
def test_observed_until_is_read_in_the_zone_quoted_or_not(tmp_path, text, instant):
    mapping = read(tmp_path, MAPPING + f"observed_until: {text}\n").mapping
    assert mapping.observed_until_us() == int(instant.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("name", "kind", "delimiter"),
    [
        ("a.CSV", "csv", ","),
        ("a.tsv.gz", "csv", "\t"),
        ("a.parquet", "parquet", ","),
        ("a.jsonl.gz", "ndjson", ","),
        ("a.dat", None, ","),
    ],
)
def test_format_comes_from_the_suffix(name, kind, delimiter):
    raw = RawFile.model_construct(file=name, format=None, delimiter=None)
    assert (raw.format_of(name), raw.delimiter_of(name)) == (kind, delimiter)


@pytest.mark.parametrize("text", ["", "just a text", "- a\n- list", "files: []", "files:\n  - 3"])
def test_what_is_no_mapping_at_all(tmp_path, text):
    with pytest.raises(MappingError, match=r"mapping\.yaml"):
        read(tmp_path, text)
    with pytest.raises(MappingError, match=r"none\.yaml does not exist"):
        MappingFile.read(tmp_path / "none.yaml")
