from typing import get_args

from leadlight import schema


def test_every_table_has_its_key_among_its_columns():
    assert set(schema.TABLES) == set(schema.KEYS) == set(get_args(schema.TableName))
    for table, key in schema.KEYS.items():
        assert set(key) <= set(schema.TABLES[table])


def test_kinds_of_columns_are_known():
    kinds = {kind for columns in schema.TABLES.values() for kind in columns.values()}
    assert kinds == set(get_args(schema.ColumnKind))
    assert all(
        columns[name] == "text" for columns in schema.TABLES.values() for name in columns if name.endswith("_id")
    )


def test_words_and_their_tuples_agree():
    assert set(schema.STAGES) == set(get_args(schema.Stage))
    assert get_args(schema.Target) == schema.TARGETS
    assert get_args(schema.Actor) == schema.ACTORS
    assert len(set(schema.ACTIVITY_TYPES)) == len(schema.ACTIVITY_TYPES)


def test_a_later_stage_fulfils_a_target_and_lost_fulfils_none():
    assert schema.at_or_beyond("sql") == ("sql", "opportunity", "customer")
    assert schema.at_or_beyond("customer") == ("customer",)
    assert all("lost" not in schema.at_or_beyond(target) for target in schema.TARGETS)


def test_units():
    assert schema.DAY == 86_400_000_000
    assert schema.DAY == 24 * schema.HOUR
