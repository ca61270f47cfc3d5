import pytest

from benchmarks.measure import ROOT, options_of
from benchmarks.sets import BPIC2012, OLIST, QUESTIONS, XEDUCATION_CREATION, XEDUCATION_LAST, check_files, instant
from leadlight.documents import Document, plain
from leadlight.errors import InputError
from rules import parse


def test_instants_are_utc():
    assert instant("2011-12-01T01:00:00+01:00") == instant("2011-12-01T00:00:00+00:00") == 1_322_697_600_000_000


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.key)
def test_a_question_goes_through_the_examples_with_the_default_tuning(question):
    example = ROOT / "examples" / question.folder
    options = options_of(question, parse.read(example / "card.yaml"))
    assert (options.trials, options.seed, options.seconds, options.until) == (15, 0, None, None)
    mapping = plain(Document.read(example / "mapping.yaml").data)
    assert [raw["file"] for raw in mapping["files"]] == list(question.files)
    attributes = mapping["files"][0]["tables"][0]["attributes"]
    assert all(attributes[name]["known_at"] == "unknown" for name in question.allow)


def test_only_the_questions_that_say_so_allow_unknown_attributes():
    assert [question for question in QUESTIONS if question.allow] == [XEDUCATION_LAST]


def test_what_the_plain_reference_does_not_see_training_does_not_use():
    assert [question for question in QUESTIONS if question.drop] == [XEDUCATION_CREATION]
    options = options_of(XEDUCATION_CREATION, parse.builtin("standard"))
    assert options.features.drop == ("fit.last_activity", "fit.last_notable_activity")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"--data: folder `.*nowhere` does not exist"):
        check_files(tmp_path / "nowhere")


def test_missing_files_are_named(tmp_path):
    for question in (BPIC2012, OLIST):
        (tmp_path / question.folder).mkdir()
        for name in question.files:
            (tmp_path / question.folder / name).touch()
    check_files(tmp_path, (BPIC2012, OLIST))
    (tmp_path / "olist" / "closed_deals.csv").unlink()
    with pytest.raises(InputError, match=r"--data: .* lacks olist/closed_deals.csv;"):
        check_files(tmp_path, (BPIC2012, OLIST))
    with pytest.raises(InputError, match=r"lacks xeducation/leads.csv, olist/closed_deals.csv"):
        check_files(tmp_path)
