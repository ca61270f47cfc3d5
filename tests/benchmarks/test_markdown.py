from benchmarks.markdown import table


def test_a_bar_inside_a_cell_does_not_end_it():
    assert table(("a", "b"), [("1", "2|3")]) == "| a | b |\n| --- | --- |\n| 1 | 2/3 |"
