import numpy as np
import pytest

from agentic_memory.engine.recall.kin import kin
from agentic_memory.engine.recall.lexical import KIN, Postings, postings
from agentic_memory.engine.recall.words import numbered, stem, words

SAID = ["My daughter plays the violin", "Mi hija come pan", "The violin, the violin!", "Nothing of that"]


def indexed() -> Postings:
    return postings(numbered([words(text) for text in SAID]))


def test_rare_words_and_short_passages_score_more() -> None:
    scores = indexed().scores(["violin"])
    assert scores[2] > scores[0] > 0 == scores[1] == scores[3]


def test_kin_counts_less_than_the_word_itself() -> None:
    scores = indexed().scores(["daughter"])
    assert scores[0] > scores[1] > 0


def test_kin_beside_the_word_itself_adds_nothing() -> None:
    both = postings(numbered([words("my daughter, mi hija"), words("my daughter, mi silla"), words("nobody")]))
    assert both.scores(["daughter"])[0] == both.scores(["daughter"])[1]


def test_coverage_is_the_share_of_what_is_wanted() -> None:
    held = indexed().coverage({stem("violin"), stem("daughter")})
    assert held[0] == pytest.approx(1.0)
    assert 0 < held[1] < held[2] < 1 and held[3] == 0


def test_what_nobody_said_lowers_coverage() -> None:
    assert indexed().coverage({stem("violin"), "zeppelin"})[0] < 0.5
    assert indexed().coverage(set()).tolist() == [0, 0, 0, 0]


def test_worth_is_relative_to_the_rarest() -> None:
    worth = indexed().worth([stem("violin"), stem("daughter"), "zeppelin"])
    assert worth[stem("daughter")] == 1.0 and 0 < worth[stem("violin")] < 1 and "zeppelin" not in worth


def test_no_passages() -> None:
    empty = postings(numbered([]))
    assert empty.scores(["a"]).shape == (0,) and empty.coverage(["a"]).shape == (0,)


def test_passages_without_words() -> None:
    assert np.isfinite(postings(numbered([[], []])).scores(["a"])).all()


def test_kin_is_mutual_and_across_languages() -> None:
    assert stem("hija") in kin(stem("daughter")) and stem("daughter") in kin(stem("hija"))
    assert kin("zeppelin") == ()
    assert 0 < KIN < 1
