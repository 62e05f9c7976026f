from cnnctl.catalog import docstrings

TEXT = """One line.

    More.

    Args:
        filters: int, the dimension of the output
            space.
        mode: One of these:
            - "a": first.
            - "b": second.

            A later paragraph.
        **kwargs: Others.
        long: First sentence. Second e.g. one. {}

    Example:
        shape: not an argument
pasted text without a margin
"""


def test_arguments_are_read_up_to_the_next_section():
    found = docstrings.arguments(TEXT)
    assert list(found) == ["filters", "mode", "kwargs", "long"]
    assert found["filters"] == "int, the dimension of the output space."
    assert found["mode"] == "One of these:"


def test_whole_sentences_are_kept():
    found = docstrings.arguments(TEXT.format("word " * 60 + "end."))
    assert found["long"] == "First sentence. Second e.g. one."


def test_one_long_sentence_is_cut_at_a_word():
    cut = docstrings.shorten("word " * 100)
    assert len(cut) <= docstrings.LONGEST
    assert cut.endswith("word…")


def test_the_summary_is_the_first_paragraph():
    assert docstrings.summary(TEXT) == "One line."
    assert docstrings.summary(None) == ""


def test_no_section_no_arguments():
    assert docstrings.arguments("One line.") == {}
