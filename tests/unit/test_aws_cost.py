"""The cost table in the docs is what the script computes, and the formula goes the right way."""

from pathlib import Path

from scripts import aws_cost

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "deploy-aws.md"


def test_the_page_shows_what_the_script_computes() -> None:
    assert aws_cost.table(aws_cost.PRICES) in PAGE.read_text("utf-8")


def test_calls_cost_in_proportion() -> None:
    one, ten = (sum(aws_cost.variable(n, "mem0", aws_cost.PRICES).values()) for n in (1, 10))
    assert abs(ten - 10 * one) < 1e-12


def test_warm_instances_cost_while_nobody_calls() -> None:
    cold, warm = (sum(aws_cost.fixed(aws_cost.PRICES, n).values()) for n in (0, 2))
    assert warm > cold + 10
