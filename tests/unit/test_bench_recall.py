"""The measure of `bench/recall.py`: what it counts, and that its recipes rank."""

import gzip
import importlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def recall(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("recall")
    sys.modules.pop("recall")


def parts(*places: tuple[str, int]) -> list[frozenset[tuple[str, int]]]:
    return [frozenset({place}) for place in places]


def test_recall_counts_the_share_of_the_evidence(recall: ModuleType) -> None:
    hits = [recall.Hit(("c1", turn), "short") for turn in (7, 2, 9, 4, 5, 3)]
    figures = recall.measured(hits, parts(("c1", 2), ("c1", 3)))
    assert figures == {"R@1": 0.0, "R@5": 0.5, "R@10": 1.0, "hit@5": 1.0, "R<256t": 1.0}


def test_the_same_turn_of_another_call_is_no_evidence(recall: ModuleType) -> None:
    figures = recall.measured([recall.Hit(("c2", 2), "short")], parts(("c1", 2)))
    assert set(figures.values()) == {0.0}


def test_any_of_the_turns_that_say_the_same_will_do(recall: ModuleType) -> None:
    twice = frozenset({("c", 1), ("c", 5)})
    assert recall.share([("c", 5)], [twice]) == 1.0
    assert recall.share([("c", 5), ("c", 1)], [twice, frozenset({("c", 9)})]) == 0.5


def test_text_counts_until_it_no_longer_fits(recall: ModuleType) -> None:
    fits, beyond = recall.Hit(("c", 1), "x" * 1024), recall.Hit(("c", 2), "x")
    assert recall.within([fits, beyond], 256) == {("c", 1)}
    assert recall.within([recall.Hit(("c", 1), "x" * 1025)], 256) == set()


def test_a_result_may_contain_more_than_its_main_turn(recall: ModuleType) -> None:
    hit = recall.Hit(("c", 4), "She asked; he said.", (("c", 3), ("c", 4)))
    assert recall.within([hit], 256) == {("c", 3), ("c", 4)}


def person(recall: ModuleType, caller: str, call: str, *turns: str) -> object:
    question = recall.Question("Where do the roses grow?", "place", (frozenset({(call, 0)}),), 0.0)
    spoken = recall.SpokenCall(call, 0.0, tuple(("user", text) for text in turns))
    return recall.Person(caller, None, (spoken,), (question,))


def test_results_of_another_caller_are_leaks(recall: ModuleType) -> None:
    people = [person(recall, "ana", "a1", "roses"), person(recall, "ben", "b1", "roses")]
    scored = recall.score(lambda caller, query, limit, at: [recall.Hit(("a1", 0), "roses")], people)
    assert scored.leaks == 1
    assert scored.figures["R@1"] == 50.0


def test_the_embedders_time_is_taken_out(recall: ModuleType) -> None:
    clock = iter((1.0, 3.0))
    people = [person(recall, "ana", "a1", "roses")]
    scored = recall.score(lambda *_: [], people, embedding=lambda: next(clock))
    assert scored.without_embedding[0] == pytest.approx(scored.taken[0] - 2.0)


def test_bm25_prefers_the_rare_word(recall: ModuleType) -> None:
    said = ["the garden is big", "the garden has roses", "the garden is far", "so is the sea"]
    scores = recall.Bm25(said).scores("which roses are in the garden")
    assert recall.best_first(scores)[0] == 1
    assert scores[0] > scores[3] == 0.0


def test_bm25_saturates(recall: ModuleType) -> None:
    assert recall.Bm25(["rose", "tulip"]).scores("rose") == pytest.approx([math.log(2), 0.0])
    assert recall.Bm25(["rose rose", "tulip tulip"]).scores("rose") == pytest.approx([2 * 2.2 / 3.2 * math.log(2), 0.0])


class Ranked:
    def __init__(self, *scores: float) -> None:
        self._scores = list(scores)

    def scores(self, query: str) -> list[float]:
        return self._scores


def test_rank_fusion_adds_what_ranks_are_worth(recall: ModuleType) -> None:
    fused = recall.Fusion(Ranked(3, 2, 1), Ranked(1, 3, 2)).scores("any")
    assert fused == pytest.approx([1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 63 + 1 / 62])


def test_keywords_leave_the_little_words_out(recall: ModuleType) -> None:
    assert recall.keywords("Where did the caller's sister move to?") == "caller's sister move"
    assert recall.keywords("Who was he?") == "Who was he?"


def test_files_are_read_gzipped_or_not(recall: ModuleType, tmp_path: Path) -> None:
    calls = [
        {"id": "a-late", "at": "1970-01-02T00:00", "turns": [["caller", "Roses."], ["agent", " "]]},
        {"id": "b-early", "at": 5, "turns": [["user", "Tulips."]], "summary": "Tulips."},
    ]
    asked = [
        {"q": "Which?", "category": "c", "evidence": [[0, 0], [1, 0], [0, 0]], "at": "1970-01-03"},
        {"q": "Which first?", "category": "c", "evidence": [[[1, 0], [0, 0]]]},
        {"q": "Never said?", "category": "c", "evidence": []},
    ]
    entry = {"caller": "+15550100001", "caller_name": "Ana", "agent_name": None, "calls": calls, "questions": asked}
    plain, packed = tmp_path / "plain.json", tmp_path / "packed.json.gz"
    plain.write_text(json.dumps([entry]), "utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    (read,) = recall.load(plain)
    assert recall.load(packed) == [read]
    assert recall.sets([plain, tmp_path]) == {"plain": [read], tmp_path.name: [read, read]}
    assert [(call.id, call.at) for call in read.calls] == [("b-early", 5.0), ("a-late", 86_400.0)]
    assert read.turns == [(("b-early", 0), "Tulips."), (("a-late", 0), "Roses.")]
    assert [q.evidence for q in read.questions] == [
        ({("a-late", 0)}, {("b-early", 0)}),
        ({("b-early", 0), ("a-late", 0)},),
    ]
    assert [q.at for q in read.questions] == [2 * 86_400.0, 8 * 86_400.0]
    assert [(call.collected, call.summary) for call in read.calls] == [
        ({"caller_name": "Ana"}, "Tulips."),
        ({"caller_name": "Ana"}, None),
    ]
