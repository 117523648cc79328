"""Time in questions and in what was said: windows that a question names, and whether a turn speaks of time."""

import calendar
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agentic_memory.engine.recall.words import fold

_MONTH_NAMES = (
    "january enero januar janner janvier", "february febrero februar fevrier", "march marzo marz mars", "april abril avril",
    "may mayo mai", "june junio juni juin", "july julio juli juillet", "august agosto aout",
    "september septiembre setiembre septembre", "october octubre oktober octobre",
    "november noviembre novembre", "december diciembre dezember decembre",
)
MONTHS = {name: i for i, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_SHORT = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12}
_ALL = MONTHS | _SHORT
_NAMES = "|".join(sorted(_ALL, key=len, reverse=True))
_DATED = re.compile(
    rf"\b(?:(?P<day1>\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?)?(?P<month>{_NAMES})\b\.?"
    rf"(?:\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:))?(?:,?\s+(?:of\s+|de\s+|del\s+)?(?P<year>(?:19|20)\d\d)\b)?"
)
_MAY_THE_VERB = re.compile(r"\b(?:i|you|he|she|we|they|it|that|this|which|who|what)\s+may\b|\bmay\s+(?:i|you|he|she|we|they|it|be|have|not)\b")
_YEAR = re.compile(r"\b(20\d\d|19[5-9]\d)\b")
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "un": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "couple of": 2, "few": 3,
    "einem": 1, "einer": 1, "zwei": 2, "drei": 3, "vier": 4, "funf": 5, "sechs": 6, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5}
_DAYS = {"day": 1, "dia": 1, "week": 7, "semana": 7, "month": 30, "mes": 30, "meses": 30, "year": 365, "ano": 365,
    "tag": 1, "woche": 7, "monat": 30, "jahr": 365, "jour": 1, "semaine": 7, "mois": 30, "an": 365}
_AGO = re.compile(r"\b(\d{1,3}|" + "|".join(_COUNTS) + r")\s+(day|week|month|year)s?\s+ago\b|\bhace\s+(\d{1,3}|" + "|".join(_COUNTS) + r")\s+(dia|semana|meses|mes|ano)s?\b"
    r"|\bvor\s+(\d{1,3}|" + "|".join(_COUNTS) + r")\s+(tag|woche|monat|jahr)e?n?\b|\bil y a\s+(\d{1,3}|" + "|".join(_COUNTS) + r")\s+(jour|semaine|mois|an)s?\b")
_LAST = re.compile(
    r"\b(?:last|past|previous)\s+(week|month|year)\b|\b(semana|mes|ano)\s+(?:pasad[ao]|anterior)\b"
    r"|\b(?:letzte[nrs]?|vorige[nrs]?)\s+(woche|monat|jahr)\b|\b(semaine|mois|annee|an)\s+(?:derniere?|passee?|precedente?)\b"
)
_THIS = re.compile(r"\bthis\s+(week|month|year)\b|\best[ea]\s+(semana|mes|ano)\b"
    r"|\bdiese[nrsm]?\s+(woche|monat|jahr)\b|\b(?:ce|cette)\s+(semaine|mois|annee)\b")
_WEEKDAYS = ("monday montag lundi", "tuesday dienstag mardi", "wednesday mittwoch mercredi", "thursday donnerstag jeudi",
    "friday freitag vendredi", "saturday samstag sonnabend samedi", "sunday sonntag dimanche")
_SPANISH_DAYS = ("lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo")
_WEEKDAY = {name: i for i, names in enumerate(_WEEKDAYS) for name in (*names.split(), _SPANISH_DAYS[i])}
_A_DAY = "|".join(_WEEKDAY)
_LAST_DAY = re.compile(
    rf"\b(?:last|past|letzte[nrsm]?|vorige[nrsm]?|pasado) ({_A_DAY})\b|\b({_A_DAY}) (?:pasado|dernier|passe)\b"
    rf"|\b(?:say|said|talk|talked|speak|spoke|tell|told|discuss|discussed|call|called)\b[^.?!]* on ({_A_DAY})\b"
)
_A_CALL = re.compile(
    r"\b(?:(?P<last>last|latest|previous|most recent|ultima|letzte[nrsm]?|derniere?)|first|primera|erste[nrsm]?|premiere?)"
    r" (?:phone |telephone )?(?:call|conversation|chat|llamada|conversacion|anruf|gesprach|telefonat|appel|entretien|"
    r"time (?:we|i|you|he|she|they) (?:spoke|talked|called|rang)|vez que (?:hablamos|hable|llame|llamo))\b"
)
_YESTERDAY = re.compile(r"\b(?:yesterday|ayer|gestern)\b")
_TODAY = re.compile(r"\b(?:today|hoy|heute|aujourd'hui)\b")
_PERIOD = {"week": "week", "semana": "week", "month": "month", "mes": "month", "year": "year", "ano": "year",
    "woche": "week", "monat": "month", "jahr": "year", "semaine": "week", "mois": "month", "annee": "year", "an": "year"}

TIME_WORDS = frozenset(
    (set(_ALL) - {"may", "mar", "march", "jan", "mars", "mai"})
    | {f"{day}{s}" for days in _WEEKDAYS for day in days.split() for s in ("", "s")}
    | {f"{unit}{s}" for unit in ("day", "week", "weekend", "month", "year", "semana", "ano") for s in ("", "s")}
    | {"yesterday", "today", "tonight", "tomorrow", "ago", "since", "summer", "winter", "autumn"}
    | {"ayer", "hoy", "manana", "anoche", "mes", "meses", "desde", "hace", "verano", "invierno", "otono"}
    | {*_SPANISH_DAYS, "proximo", "proxima"}
    | {"gestern", "heute", "morgen", "ubermorgen", "tag", "tage", "tagen", "woche", "wochen", "monat", "monate", "monaten"}
    | {"jahr", "jahre", "jahren", "seit", "sommer", "herbst", "fruhling", "uhr", "wochenende", "mai"}
    | {"aujourd'hui", "demain", "jour", "jours", "semaine", "semaines", "mois", "annee", "annees", "ans", "depuis"}
    | {"ete", "hiver", "automne", "printemps", "heures", "primavera", "dia", "dias", "o'clock"}
)
"""Folded words that name a time, each by itself."""
_TIME_FIGURES = re.compile(
    r"\d(?<!\w\d)(?:(?:(?<=1)9|(?<=2)0)\d\d|\d?(?:st|nd|rd|th)|\d?(?::\d\d)? ?[ap]\.?m|\d?:\d\d)\b"
)
MAYBE_TIMES = ("night", "spring", "fall", "may", "march")
"""Words that name a time after another one: "last night", "this spring"."""
_SPRING = re.compile(rf"\b(?:last|next|this|past|in|early|late) (?:{'|'.join(MAYBE_TIMES)})\b")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time that a question names; month and day may hold in any year."""

    start: float | None = None
    """Unix seconds; None: any year, `month` (and `day`) decide."""
    end: float | None = None
    month: int | None = None
    day: int | None = None
    is_call: bool = False
    """Whether it is just the time of one call: what is told in later ones is not meant."""


def speaks_of_time(folded: str, said: AbstractSet[str]) -> bool:
    """Whether something said (folded, and the set of its words) names a time: what "when" is answered by."""
    return not TIME_WORDS.isdisjoint(said) or shows_a_time(folded)


def shows_a_time(folded: str) -> bool:
    """Whether something said (folded) names a time in figures or in two words: "10:30", "last night"."""
    if _TIME_FIGURES.search(folded):
        return True
    return any(word in folded for word in MAYBE_TIMES) and _SPRING.search(folded) is not None


def windows(question: str, at: float, calls: Sequence[float] = ()) -> tuple[Window, ...]:
    """The times that a question names; relative ones count from `at`.

    `calls` are the times of the first and the last call, which may be asked for. All in Unix seconds.
    """
    text = fold(question)
    return tuple(_named(text)) + tuple(_relative(text, at)) + tuple(_of_calls(text, calls))


def _of_calls(text: str, calls: Sequence[float]) -> Iterator[Window]:
    for match in _A_CALL.finditer(text) if calls else ():
        begun = calls[-1 if match["last"] else 0]
        yield Window(begun, begun + 1, is_call=True)


def _named(text: str) -> list[Window]:
    found, years_used = [], set()
    verb = _MAY_THE_VERB.search(text)
    for match in _DATED.finditer(text):
        if match["month"] in ("may", "mar", "march", "jan", "mars", "mai") and (verb or not _is_month(text, match)):
            continue
        month, day = _ALL[match["month"]], int(match["day1"] or match["day2"] or 0)
        if match["year"]:
            years_used.add(match["year"])
        window = _month_window(int(match["year"]) if match["year"] else None, month, day)
        found += [window] if window else []
    for match in _YEAR.finditer(text):
        if match[0] not in years_used:
            found.append(Window(_start(int(match[0])), _start(int(match[0]) + 1)))
    return found


def _is_month(text: str, match: "re.Match[str]") -> bool:
    before = text[: match.start()].rstrip().rsplit(" ", 1)[-1]
    return bool(match["day1"] or match["day2"] or match["year"]) or before in {
        "in", "of", "last", "since", "until", "by", "during", "early", "late", "mid", "this", "before", "after", "en", "de", "desde", "im", "seit", "bis", "ende", "anfang", "mitte", "depuis", "debut", "fin"
    }


def _month_window(year: int | None, month: int, day: int) -> Window | None:
    if year is None:
        return Window(month=month, day=day or None)
    last = calendar.monthrange(year, month)[1]
    if not day:
        return Window(_start(year, month), _start(year, month, last) + 86400)
    return Window(_start(year, month, day), _start(year, month, day) + 86400) if day <= last else None


def _start(year: int, month: int = 1, day: int = 1) -> float:
    return datetime(year, month, day, tzinfo=UTC).timestamp()


def _relative(text: str, at: float) -> list[Window]:
    try:
        today = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return list(_counted_back(text, today))
    except (OverflowError, OSError, ValueError):
        return []


def _counted_back(text: str, today: datetime) -> list[Window]:
    found = []
    if _YESTERDAY.search(text):
        found.append(_days(today - timedelta(days=1), 1))
    if _TODAY.search(text):
        found.append(_days(today, 1))
    for match in _AGO.finditer(text):
        count, unit = [found for found in match.groups() if found]
        number = int(count) if count.isdigit() else _COUNTS[count]
        found.append(_days(today - timedelta(days=number * _DAYS[unit] + _DAYS[unit] // 2), _DAYS[unit]))
    for match in _LAST_DAY.finditer(text):
        back = (today.weekday() - _WEEKDAY[_first(match)] - 1) % 7 + 1
        found.append(_days(today - timedelta(days=back), 1))
    found += [_period(_PERIOD[_first(m)], today, 1) for m in _LAST.finditer(text)]
    found += [_period(_PERIOD[_first(m)], today, 0) for m in _THIS.finditer(text)]
    return found


def _first(match: "re.Match[str]") -> str:
    return next(found for found in match.groups() if found)


def _days(start: datetime, count: int) -> Window:
    return Window(start.timestamp(), (start + timedelta(days=count)).timestamp())


def _period(unit: str, today: datetime, back: int) -> Window:
    if unit == "week":
        return _days(today - timedelta(days=today.weekday() + 7 * back), 7)
    if unit == "year":
        return Window(_start(today.year - back), _start(today.year - back + 1))
    first = today.replace(day=1)
    if back:
        first = (first - timedelta(days=1)).replace(day=1)
    return _days(first, calendar.monthrange(first.year, first.month)[1])
