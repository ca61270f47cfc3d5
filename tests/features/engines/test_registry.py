import sys

import pytest

from features.engines import base, registry
from features.tables import Tables
from leadlight.errors import InputError


@pytest.mark.parametrize("name", ["polars", "duckdb", "pandas"])
def test_every_engine_is_made_by_its_name(name):
    assert name in base.ENGINES
    assert registry.get(name).name == name


def test_an_unknown_engine_is_named_with_what_was_meant():
    with pytest.raises(InputError, match="duckdb"):
        registry.get("duckdv")


@pytest.mark.parametrize(("name", "module", "extra"), [("pyspark", "pyspark", "spark"), ("duckdb", "duckdb", "train")])
def test_an_engine_that_is_not_installed_names_the_extra(name, module, extra, monkeypatch):
    for loaded in [*sys.modules]:
        if loaded.split(".")[0] == module or loaded in {"features.engines.spark", "features.engines.duckdb"}:
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"leadlight\[{extra}\]"):
        registry.get(name)


def test_tables_of_an_unknown_kind_are_refused():
    with pytest.raises(InputError, match="`list`"):
        registry.of(Tables([], [], [], []))
