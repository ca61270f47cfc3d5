"""What a benchmark says goes to stderr, and an error is one line."""

from benchmarks.training.command import attempted
from leadlight.errors import InputError


def test_what_is_found_is_given_and_what_is_said_goes_to_stderr(capsys):
    def work(say):
        say("[half] done")
        return {"key": 1}

    assert attempted(work) == {"key": 1}
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "[half] done\n")


def test_an_error_is_one_line(capsys):
    def work(_):
        raise InputError("no leads; give more")

    assert attempted(work) is None
    assert capsys.readouterr().err == "error: no leads; give more\n"
