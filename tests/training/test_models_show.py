import re
from dataclasses import replace

from tests.training.variants import LEAK, rules, saved, worse
from training import models, models_show, promotion, versus


def test_the_list_marks_what_serves_and_what_cannot_be_trusted(trained, capsys):
    room, model = trained
    room.set_current(model.bundle.version)
    (room.bundles / "20200101T000000-empty").mkdir()
    models_show.show_models(models.listed(room))
    said = capsys.readouterr().out
    assert f"-> {model.bundle.version}" in said
    assert f"champion (現行モデル): {model.bundle.version}" in said
    assert "UNREADABLE" in said
    models_show.show_models([])
    assert "leadlight train" in capsys.readouterr().out


def test_an_audit_without_outcomes_is_told_as_none(trained, capsys):
    room, model = trained
    saved(room, model, "20300101T000000-none", training={"audit": {"findings": [], "won": 0, "lost": 0}})
    models_show.show_models(models.listed(room))
    said = capsys.readouterr().out
    assert "20300101T000000-none: nothing could be audited, as no lead had been won or lost before its cut" in said
    assert said.count("nothing could be audited") == 1


def test_where_rules_serve_there_is_no_champion(trained, capsys):
    room, model = trained
    room.set_current(rules(room, model, "20300101T000000-rules").version)
    models_show.show_models(models.listed(room))
    assert "no champion: what serves is of kind `rules`" in capsys.readouterr().out


def test_a_comparison_has_both_the_rules_and_the_differences(trained, capsys):
    room, model = trained
    a, b = worse(room, model, "20300101T000000-a"), saved(room, model, "20300101T000000-b")
    models_show.show_versus(versus.compare(room, a, b))
    said = capsys.readouterr().out
    rules_of = "difference to the rules of 20300101T000000-a"
    for words in ("20300101T000000-a ", "difference to 20300101T000000-b", rules_of, ", worse"):
        assert words in said
    assert "at ages 1d, 7d" in said


def test_without_a_clock_a_comparison_shows_no_instants(trained, capsys):
    room, model = trained
    found = versus.compare(room, worse(room, model, "20300101T000000-a"), saved(room, model, "20300101T000000-b"))
    models_show.show_versus(replace(found, a=replace(found.a, scorer=replace(found.a.scorer, horizon_us=None))))
    said = capsys.readouterr().out
    assert f"mature snapshots of {found.comparison.leads:,} leads, " in said
    assert not re.search(r"\d{4}-\d\d-\d\d", said)


def test_a_refusal_says_what_speaks_against_it_and_what_to_do(trained, capsys):
    room, model = trained
    models_show.show_promoted(promotion.promote(room, worse(room, model, "20300101T000000-a").version))
    said = capsys.readouterr().out
    assert "against it: it is worse than the rules" in said
    assert "--because TEXT" in said
    models_show.show_promoted(promotion.promote(room, saved(room, model, "20300101T000000-b", audit=[LEAK]).version))
    said = capsys.readouterr().out
    assert "unresolved leak: `later`" in said
    assert "a leak is not overridden" in said
    assert "--because" not in said


def test_a_promotion_says_what_it_replaced_and_why(trained, capsys):
    room, model = trained
    promotion.promote(room, rules(room, model, "20300101T000000-r").version)
    worse(room, model, "20300101T000000-a")
    models_show.show_promoted(promotion.promote(room, "20300101T000000-a", because="a trial"))
    said = capsys.readouterr().out
    assert "20300101T000000-a serves from now on instead of 20300101T000000-r, because: a trial" in said
    models_show.show_promoted(promotion.rollback(room))
    assert "it is no model, so there is no champion" in capsys.readouterr().out
