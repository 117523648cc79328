"""All calls remembered once, all questions asked once."""

from collections.abc import Iterator

import pytest

from tests.recall.measure import Answered, all_answers, keywords, remembered
from tests.wire import House


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    with remembered() as house:
        yield house


@pytest.fixture(scope="package")
def answers(house: House) -> list[Answered]:
    return all_answers(house)


@pytest.fixture(scope="package")
def answers_to_keywords(house: House) -> list[Answered]:
    return all_answers(house, keywords)
