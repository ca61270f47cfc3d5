from leadlight.schema import ACTIVITY_TYPES, ACTORS, STAGES
from leadlight.vocabulary import ACTIVITIES, ACTORS_JA, ANY_ACTIVITY, BY_ACTOR, STAGES_EN, STAGES_JA


def test_every_canonical_name_has_words_in_both_languages():
    assert set(ACTIVITIES) == set(ACTIVITY_TYPES)
    assert set(ACTORS_JA) == set(BY_ACTOR) == set(ACTORS)
    assert set(STAGES_EN) == set(STAGES_JA) == set(STAGES)


def test_phrases_are_distinct_and_hold_no_technical_name():
    for part in ("did", "noun", "ja"):
        phrases = [getattr(phrase, part) for phrase in ACTIVITIES.values()]
        assert len(set(phrases)) == len(phrases)
        assert not any("_" in phrase for phrase in phrases)


def test_the_japanese_noun_has_no_particle():
    assert ACTIVITIES["pricing_view"].ja == "料金ページ閲覧"
    assert ACTIVITIES["seminar_attended"].ja == "セミナー参加"
    assert BY_ACTOR["sales"].ja == "営業の接触"
    assert ANY_ACTIVITY.ja == "活動"
