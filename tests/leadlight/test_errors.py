import ast
import inspect
import re

import pytest

from leadlight import errors
from leadlight.errors import (
    BundleMissingError,
    InputError,
    LeadlightError,
    MappingError,
    NotEnoughDataError,
    UnknownLeadError,
    WorkspaceError,
    did_you_mean,
)


def every_error() -> list[type[LeadlightError]]:
    return [
        member
        for _, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, LeadlightError) and member.__module__ == "leadlight.errors"
    ]


def test_the_tree_at_the_top_of_the_file_is_the_tree_of_the_code():
    drawn = set(re.findall(r"\b(\w+Error)\b", ast.get_docstring(ast.parse(inspect.getsource(errors)))))
    assert drawn - {"ValueError", "KeyError", "OSError"} == {error.__name__ for error in every_error()}


@pytest.mark.parametrize("error", every_error())
def test_every_error_is_documented_and_keeps_its_message_unquoted(error):
    assert error.__doc__
    assert str(error("the file is wrong")) == "the file is wrong"
    assert str(error()) == error.__name__


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (MappingError, ValueError),
        (UnknownLeadError, KeyError),
        (NotEnoughDataError, ValueError),
        (WorkspaceError, OSError),
    ],
)
def test_a_caller_may_catch_the_builtin_it_expects(error, builtin):
    with pytest.raises(builtin):
        raise error("wrong")


def test_did_you_mean_names_the_nearest_else_what_is_known():
    assert did_you_mean("lead", ["leads", "stages"]) == "; did you mean `leads`?"
    assert did_you_mean("zzz", ["b", "a"]) == "; known: `a`, `b`"
    assert did_you_mean("zzz", [f"column{n:02}" for n in range(14)]).endswith("`column11` and 2 more")
    assert did_you_mean("zzz", []) == ""


def test_errors_in_files_are_located_and_keep_their_class():
    error = MappingError.in_file("some/folder/mapping.yaml", 12, "column `when` is not in events.csv")
    assert type(error) is MappingError
    assert str(error) == "mapping.yaml line 12: column `when` is not in events.csv"
    assert str(InputError.in_file("card.yaml", None, "is empty")) == "card.yaml: is empty"


def test_situations_say_the_mend(tmp_path):
    assert "leadlight ingest" in str(WorkspaceError.no_tables(tmp_path))
    assert "leadlight train" in str(BundleMissingError.none_current(tmp_path))
    assert str(UnknownLeadError.no_such_lead("L7")) == "lead `L7` is not known; ingest it first or send it inline"
    assert "did you mean `sql`?" in str(InputError.unknown_name("target", "sqll", ["sql", "customer"]))
