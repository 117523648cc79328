"""Functions are short: that is what parts a house one likes to visit from the rest."""

from tests.house.source import Function, functions

LONGEST = 60
NINETIETH_PERCENTILE = 38


def _lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_function_is_longer_than_a_screen() -> None:
    long = [f"{where}: {_lines(f)} lines" for where, f in functions() if _lines(f) > LONGEST]
    assert not long, "\n".join(sorted(long))


def test_nine_of_ten_functions_are_short() -> None:
    measured = sorted((_lines(f), where) for where, f in functions())
    lines, where = measured[len(measured) * 9 // 10]
    worst = "\n".join(f"{n} {place}" for n, place in measured[-10:])
    assert lines <= NINETIETH_PERCENTILE, f"{where} has {lines} lines; the worst:\n{worst}"
