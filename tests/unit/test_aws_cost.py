"""The tables in the docs are what the scripts compute, and the formula goes the right way."""

from pathlib import Path

import pytest

from scripts import aws_cost
from scripts.prune_versions import superfluous

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "deploy-aws.md"
PRICES = aws_cost.PRICES


def test_the_page_shows_what_the_script_computes() -> None:
    assert aws_cost.table(PRICES) in PAGE.read_text("utf-8")


def test_the_page_says_where_each_price_is_from() -> None:
    assert aws_cost.price_list() in PAGE.read_text("utf-8")


def test_every_price_is_used() -> None:
    for name in PRICES:
        dearer = {**PRICES, name: PRICES[name] * 2 + 100}
        parts = [
            {**aws_cost.variable(10**6, "dynamodb", p, rings=True), **aws_cost.fixed("dynamodb", p, n), "traces": aws_cost.traces(10**6, p)}
            for p in (PRICES, dearer)
            for n in (0, 1)
        ]
        assert name == "dashboard_month" or name == "sqs_request" or parts[:2] != parts[2:], name


@pytest.mark.parametrize("rings", [False, True])
def test_calls_cost_in_proportion(rings: bool) -> None:
    one, ten = (sum(aws_cost.variable(n, "mem0", PRICES, rings=rings).values()) for n in (1, 10))
    assert abs(ten - 10 * one) < 1e-12


def test_warm_instances_cost_while_nobody_calls() -> None:
    cold, warm = (sum(aws_cost.fixed("mem0", PRICES, n).values()) for n in (0, 2))
    assert warm > cold


def test_each_version_kept_costs_its_snapshot() -> None:
    off, one, two = (aws_cost.fixed("dynamodb", PRICES, versions=n)["snapshots"] for n in (0, 1, 2))
    assert off == 0
    assert two == 2 * one > 0
    assert aws_cost.fixed("dynamodb", PRICES, provisioned=1)["snapshots"] == 0


def test_few_traces_are_free_and_of_many_only_some_are_recorded() -> None:
    assert aws_cost.traces(10_000, PRICES) == 0
    hundred, million = (aws_cost.traces(n, PRICES) for n in (100_000, 1_000_000))
    assert 0 < hundred < 100_000 * 8 * PRICES["trace"]
    assert million < 10 * hundred


def test_what_is_aliased_or_new_is_kept() -> None:
    versions = ["$LATEST", "1", "10", "2", "9", "3"]
    assert superfluous(versions, {"2"}, 2) == ["1", "3"]
    assert superfluous(versions, set(), 5) == []
    assert superfluous(["$LATEST"], set(), 1) == []
