import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.engines import memory
from features.engines.duckdb import DuckDBEngine
from leadlight.errors import InputError

UNITS = [f"{power}{rest}" for power in "KMGT" for rest in ("B", "iB", "")]
WRONG = ["4GB'; SELECT 1; --", "-1GB", "-1", "foo", "none", "", "4", "4 B", "80%", "0GB", "0.0GB", "1PB", "infGB"]
WRONG += ["+4GB", "4Gi", "4GB\n", "1.GB", "9999999TB", "4\u212aB", "\u0664GB"]  # a Kelvin sign, an Arabic four


@given(number=st.integers(1, 10**6 - 1) | st.sampled_from(["0.5", "1.25"]), unit=st.sampled_from(UNITS))
@pytest.mark.parametrize("between", ["", " "])
def test_a_number_and_a_unit_are_a_size(between, number, unit):
    for size in (f"{number}{between}{unit}", f"{number}{between}{unit.lower()}"):
        assert memory.checked(size) == size


def test_no_limit_is_one_too():
    assert memory.checked(None) is None


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("number", ["2000000", "999999", "100.5"])
def test_duckdb_takes_what_is_taken_here(number, unit):
    if unit.startswith("T") and len(number) > 6:
        with pytest.raises(InputError, match="is no size"):
            memory.checked(f"{number}{unit}")
    else:
        DuckDBEngine(memory_limit=f"{number}{unit}")


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("take", [memory.checked, lambda wrong: DuckDBEngine(memory_limit=wrong)])
def test_what_is_no_size_is_refused_with_an_example(wrong, take):
    with pytest.raises(InputError, match="is no size; give a positive number and a unit, such as 4GB or 512MiB"):
        take(wrong)
