"""Round ticks, places, and text that is escaped."""

from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training import svg
from training.svg import Axis, Chart, Margins

MARGINS = Margins(10, 10, 20, 30)


def chart() -> Chart:
    return Chart(Axis(0, 10), Axis(0, 1), 140, 130, MARGINS)


@settings(max_examples=200)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_round_and_inside(low, span):
    ticks = svg.nice_ticks(low, low + span)
    assert 1 <= len(ticks) <= 11
    assert all(low - 1e-6 * span - 1e-9 <= tick <= low + span * (1 + 1e-6) + 1e-9 for tick in ticks)
    assert list(ticks) == sorted(set(ticks))


def test_an_axis_without_length_has_one_tick():
    assert svg.nice_ticks(3.0, 3.0) == (3.0,)


def test_places_in_pixels():
    made = chart()
    assert (made.across(0), made.across(10), made.across(5)) == (30, 130, 80)
    assert (made.up(0), made.up(1)) == (110, 10)
    assert made.across(99) == 130
    assert made.across(-99) == 30


def test_an_axis_without_length_places_everything_at_its_beginning():
    made = Chart(Axis(2, 2), Axis(0, 1), 140, 130, MARGINS)
    assert made.across(2) == 30


def test_names_stand_from_the_top():
    axis = Axis.of_names(["first", "second"])
    assert [axis.write(tick) for tick in axis.places()] == ["first", "second"]
    made = Chart(Axis(0, 1), axis, 140, 130, MARGINS)
    assert made.up(0) < made.up(-1)


def test_marks_stand_where_their_values_are():
    made = chart()
    made.line((0, 10), (0, 1), "model")
    made.dots((5,), (0.5,), "rules", 3)
    made.whiskers((5,), (0.2,), (0.7,), "")
    made.spans((0.5,), (1,), (2,), "")
    made.box(0, 5, 0, 1, "bar")
    made.band((0, 10), (0, 0), (1, 1), "model")
    assert made.marks == [
        '<path class="line model" d="M30 110L130 10"/>',
        '<path class="dots rules" stroke-width="6" d="M80 60h0"/>',
        '<path class="whisker " d="M80 90V40"/>',
        '<path class="whisker " d="M40 60H50"/>',
        '<rect class="bar" x="30" y="10" width="50" height="100"/>',
        '<path class="band model" d="M30 110L130 110L130 10L30 10Z"/>',
    ]


def test_nothing_is_drawn_of_nothing():
    made = chart()
    made.line((1,), (1,), "")
    made.band((), (), (), "")
    made.dots(np.empty(0), np.empty(0), "")
    assert made.marks == []


class Texts(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.found.append(data)


def test_every_text_is_escaped():
    evil = '"><script>alert(1)</script>&'
    made = Chart(Axis(0, 1, evil), Axis.of_names([evil]), 200, 100)
    made.words(1, 1, evil)
    read = Texts(made.svg("name", evil, evil))
    assert "script" not in read.tags
    assert sum(text == evil for text in read.found) == 5


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\ud800b", "a\x85b"])
def test_what_no_page_may_hold_becomes_a_visible_mark(text):
    assert svg.plain(text) == "a\N{REPLACEMENT CHARACTER}b"


def test_other_scripts_stay_as_they_are():
    assert svg.plain("業種\u3000製造業\tא") == "業種\u3000製造業\tא"


def test_a_chart_names_itself():
    drawn = chart().svg("gains", "Gains", "All of it.")
    assert 'role="img" aria-labelledby="gains-title gains-text"' in drawn
    assert '<title id="gains-title">Gains</title><desc id="gains-text">All of it.</desc>' in drawn
    assert isinstance(drawn, svg.Markup)
