"""What callers say about themselves in English, by cue."""

import re

from agentic_memory.domain.memory import Category
from agentic_memory.domain.naming import clean_name
from agentic_memory.engine.extract.clauses import Clause
from agentic_memory.engine.extract.cues import (
    WAYS,
    Cue,
    Said,
    Tell,
    channel,
    cue,
    is_address,
    trimmed,
)
from agentic_memory.engine.extract.language import wished_language

KIN = (
    "daughter|son|wife|husband|partner|fiancée|fiancé|fiance|girlfriend|boyfriend|mother|mom|mum|father|dad|"
    "brother|sister|grandmother|grandma|grandfather|grandpa|grandson|granddaughter|aunt|uncle|cousin|"
    "nephew|niece|friend|best friend|boss|neighbor|neighbour|doctor|baby|child|kid|dog|cat|"
    "stepson|stepdaughter|mother-in-law|father-in-law|assistant|colleague|caregiver|carer"
)
_ADVERBS = r"(?:really |just |also |always |still |actually |usually |generally |absolutely |do |much |would |kind of |currently |now )*"
_ENDINGS = re.compile(
    r"[\s,]+(?:please|thanks|thank you(?: very much)?|too|as well|actually|you know|though|right|okay|ok|"
    r"anymore|any more|since|when|while|where|which|who|after|until|if possible|if that's (?:ok|okay|possible|alright|all right)|if you (?:can|could|don't mind)|"
    r"by the way|i think|i guess|i mean|so|and|but|or|because)$",
    re.IGNORECASE,
)
_CONDITIONS = re.compile(r"\b(?:if|unless|whether|in case|as long as|provided)\b|\?", re.IGNORECASE)
_OWN_CLAUSE = re.compile(
    r"(?:\s+(?:that|which))?\s+i(?:'m|'d|'ve|'ll)?\s.*"
    r"|\s+(?:my \w+(?: \w+)? (?:is|are|was|has|likes?|works?|wants?)|my \w+'s (?:not|going|called)|it's|it (?:is|was|has|will|would)|he's|she's|they're|we're"
    r"|(?:he|she|we|they) (?:is|are|was|were|has|have|will|would|can)|you (?:can|could|should|need|are|have)|(?:can|could) you|please)\s.*",
    re.IGNORECASE,
)
"""Another clause behind the object, where speech has no comma."""
_SPANISH = re.compile(r"\b(?:mi|con|por|para|que|del|una|muy|pero|porque|y)\b")
_BARE_VERB = re.compile(r"to \w+", re.IGNORECASE)
_PLACE_END = re.compile(r",?\s+(?:with|since|because|but|so|for|which|where|while|con|desde|porque)\b.*|\s+and (?![A-Z]).*")
_DANGLING = re.compile(r"\b(?:what|where|when|how|why|who|because|and|or|the|a|an|to|of|my|with|for)$", re.IGNORECASE)
_NO_OBJECT = re.compile(
    r"(?:it|that|this|them|those|these|you|your|yours|him|her|one|ones|how|what|when|where|why|who|which|neither|both|"
    r"either|none|nothing|something|anything|everything|so|to know|to ask|to say|to tell|to see|to hear|"
    r"to make sure|to thank|to understand|to check if|to go|to think|to be honest|to apologi[sz]e|to hang|"
    r"to do (?:that|this|it)|a minute|a moment|a second|a sec|some time|the (?:idea|sound|way|fact)|"
    r"any of|all of|my name|like)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|them|they|these|those)\b|\b(?:that|there|either|the (?:same|other))$"
    r"|\bthis\b(?! (?:morning|afternoon|evening|week|weekend|month|year|spring|summer|autumn|fall|winter)\b)",
    re.IGNORECASE,
)
"""Words whose meaning lies outside the clause: a fact must be understood years later."""
_PERSONS = (
    (re.compile(rf"\bmy (?=(?:{KIN})(?:'s|s)?\b)", re.IGNORECASE), "their "),
    (re.compile(r"\bmyself\b", re.IGNORECASE), "themselves"),
    (re.compile(r"\bme\b", re.IGNORECASE), "them"),
    (re.compile(r"\bmine\b", re.IGNORECASE), "theirs"),
    (re.compile(r"\byour\b", re.IGNORECASE), "our"),
    (re.compile(r"\byou\b", re.IGNORECASE), "us"),
)
_MONTHS = (
    "jan|january|feb|february|mar|march|apr|april|may|june?|july?|aug|august|sep|sept|september|oct|october|"
    "nov|november|dec|december"
)
_DATE = re.compile(
    rf"\d|\b(?:{_MONTHS}|monday|tuesday|wednesday|thursday|friday|saturday|sunday|first|second|third|"
    r"\w+teenth|\w+tieth|fourth|fifth|sixth|seventh|eighth|ninth|tenth|twelfth|nineteen|today|tomorrow|christmas)\b",
    re.IGNORECASE,
)
_NO_WORK = re.compile(
    r"(?:bit|little|lot|customer|client|member|subscriber|user|big|huge|new|person|fan|regular|man|woman|"
    r"mess|friend|human|robot|tad|couple|few|kind|huge|firm|believer|long|day|week|month|year|good|bad|"
    r"hundred|thousand|million|loyal|existing|returning|first|patient|victim|caller)\b",
    re.IGNORECASE,
)
_STATES = (
    r"vegan|vegetarian|pescatarian|diabetic|celiac|coeliac|retired|pregnant|married|divorced|widowed|deaf|"
    r"blind|hard of hearing|color ?blind|colour ?blind|left-handed|lactose[- ]intolerant|gluten[- ]free|"
    r"unemployed|self-employed|engaged|asthmatic|autistic|dyslexic|epileptic|disabled|in a wheelchair|"
    r"on a diet|hearing impaired|visually impaired|a vegan|a vegetarian"
)
_HAVE = (
    rf"(?:(?:a|an|one|two|three|four|five|six|\d+) (?:\w+ ){{0,2}}(?:{KIN}|children|kids|sons|daughters|"
    r"brothers|sisters|dogs|cats|grandchildren|grandkids|pets?)\b.*)|"
    r"(?:(?:type (?:one|two|1|2) )?diabetes|asthma|epilepsy|arthritis|dementia|cancer|high blood pressure|"
    r"adhd|autism|dyslexia|hearing loss|celiac disease|coeliac disease|parkinson's|migraines|"
    r"(?:a |an )(?:\w+ )?(?:allergy|disability|heart condition|pacemaker|hearing aid|intolerance)\b.*)"
)
_PROMISED = (
    r"call|send|email|mail|pay|bring|text|upload|sign|transfer|let|get back|ring|return|drop|come|check|"
    r"forward|post|confirm|talk to|ask|pick|write|fill|submit|provide|visit|speak to|speak with|deliver"
)


def thing(words: str, *, own: str = "their ") -> str | None:
    """The object of a cue in the third person; `own` takes the place of "my". None if it says nothing."""
    alone = _OWN_CLAUSE.sub("", words)
    whole = trimmed(alone, _ENDINGS, _CONDITIONS)
    if whole is None or (alone != words and _BARE_VERB.fullmatch(whole)) or _SPANISH.search(whole):
        return None
    if _NO_OBJECT.match(whole) or _DANGLING.search(whole) or _POINTING.search(whole):
        return None
    for pattern, other in _PERSONS:
        whole = pattern.sub(other, whole)
    return re.sub(r"\bmy\s+", own, whole, flags=re.IGNORECASE)


def _prefers(match: re.Match[str], _: Clause) -> Said | None:
    liked = thing(match["o"])
    if liked is None:
        return None
    way, tongue = channel(liked), wished_language(liked)
    if tongue:
        return Said(f"User prefers {liked}", Category.PREFERENCE, "language", tongue, 0.9)
    if way:
        return Said(f"User prefers {liked}", Category.PREFERENCE, "preferred_contact", way, 0.9)
    return Said(f"User prefers {liked}", Category.PREFERENCE, None, liked, 0.7)


_UNPLEASANT = re.compile(
    r"(?:wait|sit|hold|hang|queu|stand)ing\b|(?:being|getting) \w|(?:pay|spend|repeat|explain|call)ing (?:\w+ ){0,3}?(?:twice|extra|again|hours|myself|more|double)\b"
    r"|repeating|(?:talk|speak|listen)ing to (?:\w+ ){0,2}?(?:machines?|robots?|bots?|recordings?|walls?|music)\b|having to\b|when\b|how\b|losing\b|wasting\b",
    re.IGNORECASE,
)
"""What nobody likes and many say they love."""


def _stance(template: str, category: Category) -> Tell:
    def tell(match: re.Match[str], _: Clause) -> Said | None:
        liked = thing(match["o"])
        if liked is None or (category is Category.PREFERENCE and _UNPLEASANT.match(liked)):
            return None
        return Said(template.format(liked), category, None, channel(liked) or liked, 0.7)

    return tell


def _wants(template: str, category: Category = Category.INTENT) -> Tell:
    def tell(match: re.Match[str], _: Clause) -> Said | None:
        wanted = thing(match["o"], own="")
        return None if wanted is None else Said(template.format(wanted), category, None, wanted, 0.8)

    return tell


def _about(template: str, category: Category, importance: float = 0.6, slot: str | None = None) -> Tell:
    def tell(match: re.Match[str], _: Clause) -> Said | None:
        what = thing(match["o"])
        return None if what is None else Said(template.format(what), category, slot, what if slot else None, importance)

    return tell


def _favourite(match: re.Match[str], _: Clause) -> Said | None:
    what, kind = thing(match["o"]), match["k"].strip().lower()
    if what is None:
        return None
    slot = "favorite_" + re.sub(r"\W+", "_", kind)
    return Said(f"User's {match['f'].lower()} {kind} is {what}", Category.PREFERENCE, slot, what, 0.7)


def _person(match: re.Match[str], clause: Clause) -> Said | None:
    name = _their_name(match["n"], clause)
    return None if name is None else Said(f"User's {match['k'].lower()} is called {name}", Category.PERSON, importance=0.7)


def _their_name(words: str, clause: Clause) -> str | None:
    heard = re.split(r",| and | who | is | she | he ", words)[0].strip()
    cased = any(c.isupper() for c in clause.quote[1:].replace("I", ""))
    return clean_name(heard, cased=cased, most_words=4 if cased else 2)


def _place(template: str, slot: str | None) -> Tell:
    def tell(match: re.Match[str], clause: Clause) -> Said | None:
        where = thing(_PLACE_END.sub("", match["o"]))
        if where is None or not _is_place(where, clause):
            return None
        return Said(template.format(where), Category.PLACE, slot, where if slot else None, 0.7)

    return tell


def _is_place(where: str, clause: Clause) -> bool:
    """A place is written with a capital, or said by someone whose transcript has none."""
    if re.match(r"(?:fear|hope|here|there|peace|pain|a mess|work|accounting|scratch|our|us)\b", where):
        return False
    has_case = any(c.isupper() for c in clause.quote[1:].replace("I", ""))
    return any(c.isupper() for c in where) or (not has_case and not where.startswith(("a ", "an ")))


def _day(match: re.Match[str], _: Clause) -> Said | None:
    when, kind = thing(match["o"]), match["k"].lower()
    if when is None or not _DATE.search(when):
        return None
    slot = "birthday" if kind in {"birthday", "date of birth", "dob"} else re.sub(r"\W+", "_", kind)
    return Said(f"User's {kind} is {when}", Category.DATE, slot, when, 0.7)


def _born(match: re.Match[str], clause: Clause) -> Said | None:
    what = thing(match["o"])
    if what is None:
        return None
    text = f"User was born {match['p'].lower()} {what}"
    if _DATE.search(what):
        return Said(text, Category.DATE, importance=0.7)
    return Said(text, Category.PLACE, importance=0.6) if _is_place(what, clause) else None


def _promises(match: re.Match[str], _: Clause) -> Said | None:
    what = thing(f"{match['v']} {match['o'] or ''}".strip())
    if what is None:
        return None
    return Said("User will " + re.sub(r"^call us back\b", "call back", what), Category.PROMISE, importance=0.8)


def _works(match: re.Match[str], _: Clause) -> Said | None:
    what = thing(match["o"])
    if what is None or _NO_WORK.search(" ".join(what.split()[:3])):
        return None
    return Said(f"User is {match['a'].lower()} {what}", Category.PROFILE)


_TO_REACH = {
    "email": ("email", "emails"), "call": ("phone", "phone calls"), "phone": ("phone", "phone calls"),
    "ring": ("phone", "phone calls"), "text": ("text message", "text messages"),
    "messag": ("messages", "messages"), "message": ("messages", "messages"), "contact": ("messages", "messages"),
    "whatsapp": ("whatsapp", "WhatsApp messages"),
}  # fmt: skip
"""Verbs of reaching somebody, without "-ing", with the way and its plural."""
_PASSIVE = {"email": "emailed", "call": "called", "phone": "phoned", "ring": "called", "text": "texted", "message": "messaged", "contact": "contacted"}
_REACH = "email|call|phone|ring|text|messag|contact|whatsapp"
_WAYS = r"(?:e?mails?|letters?|(?:phone |cold )?calls?|texts?|(?:text |whatsapp )?messages?|sms|whatsapps?|phone|text)"


def _stops(match: re.Match[str], _: Clause) -> Said:
    way, ways = _TO_REACH[match["v"].lower()]
    return Said(f"User does not want {ways}", Category.DISLIKE, None, way, 0.8)


def _never(match: re.Match[str], clause: Clause) -> Said | None:
    verb, rest = match["v"].lower(), (match["o"] or "").strip()
    if not rest:
        return _stops(match, clause)
    when = thing(rest)
    told = f"to be {_PASSIVE.get(verb, verb)} {when}"
    return None if when is None else Said(f"User does not want {told}", Category.DISLIKE, None, told, 0.8)


def _no_ways(match: re.Match[str], _: Clause) -> Said:
    ways = match["w"].lower()
    return Said(f"User does not want {ways}", Category.DISLIKE, None, channel(ways) or ways, 0.8)


def _instead(match: re.Match[str], _: Clause) -> Said | None:
    verb = match["v"].lower()
    way = _TO_REACH[verb][0] if verb in _TO_REACH else channel(verb)
    if way is None or way == "messages":
        return None
    return Said(f"User prefers {WAYS[way]}", Category.PREFERENCE, "preferred_contact", way, 0.9)


_O = r"(?P<o>.+)"
_I_AM = r"(?:i'm|i am|im)"
_NOT = r"(?:don't|do not|dont)"

CUES: tuple[Cue, ...] = (
    cue(r"(?:please |let's )?(?:speak|talk)(?: to me)? (?:in )?(?P<o>[a-z]+)(?: (?:to|with) me)?", lambda m, _: _speaks(m)),
    cue(rf"i(?:'d| would) {_ADVERBS}(?:rather|like|love) (?P<o>(?:to )?(?:speak|talk) (?:in )?[a-z]+)", lambda m, _: _speaks(m)),
    cue(rf"(?:please )?(?:stop|quit) (?P<v>{_REACH})ing(?: me)?(?: (?:at all|please|anymore|any more|now|so much|all the time))?", _stops),
    cue(r"(?:please )?(?:don't|do not|dont|never) (?:ever )?(?P<v>email|call|phone|ring|text|message|contact|whatsapp)(?: me)?(?: (?:at all|please|anymore|any more|again|ever))?(?: (?P<o>(?:before|after|on|at|in|during|until|between|by) .+))?", _never),
    cue(rf"no (?:more )?(?P<w>{_WAYS})(?: (?:at all|please|anymore|any more|ever|from (?:you|now on)))*", _no_ways),
    cue(r"(?:please |just )?(?P<v>email|call|phone|text|whatsapp) me instead(?: please)?", _instead),
    cue(rf"(?P<v>{_WAYS}) (?:is|are|works?|would be) (?:much |way )?(?:better|best)(?: for me)?", _instead),
    cue(rf"i(?:'d|'ll)? {_ADVERBS}(?:strongly )?prefer {_O}", _prefers),
    cue(rf"i(?:'d| would) {_ADVERBS}rather {_O}", _about("User would rather {}", Category.PREFERENCE, 0.7)),
    cue(rf"i(?:'d| would) {_ADVERBS}(?:like|love) (?P<o>to .+|an? .+|some .+|the .+|my .+)", _wants("User wants {}")),
    cue(rf"i {_ADVERBS}(?:wanna) {_O}", _wants("User wants to {}")),
    cue(rf"i {_ADVERBS}want {_O}", _wants("User wants {}")),
    cue(rf"i {_ADVERBS}need (?P<o>to .+|an? .+|help with .+|my .+|the .+|some .+|more .+)", _wants("User needs {}")),
    cue(rf"i {_ADVERBS}{_NOT} {_ADVERBS}want {_O}", _wants("User does not want {}", Category.DISLIKE)),
    cue(rf"i {_ADVERBS}(?:no longer want) {_O}", _wants("User no longer wants {}", Category.DISLIKE)),
    cue(rf"{_I_AM} {_ADVERBS}(?:calling|trying|hoping|looking) (?P<o>to .+)", _wants("User wants {}")),
    cue(rf"{_I_AM} {_ADVERBS}calling (?:about|because of|regarding) {_O}", _about("User called about {}", Category.INTENT)),
    cue(rf"{_I_AM} {_ADVERBS}looking for {_O}", _wants("User is looking for {}")),
    cue(rf"i {_ADVERBS}(?:{_NOT}|no longer) {_ADVERBS}(?:like|enjoy|love) {_O}", _stance("User dislikes {}", Category.DISLIKE)),
    cue(rf"i {_ADVERBS}(?:hate|dislike|detest|can't stand|cannot stand) {_O}", _stance("User dislikes {}", Category.DISLIKE)),
    cue(rf"i {_ADVERBS}like {_O}", _stance("User likes {}", Category.PREFERENCE)),
    cue(rf"i {_ADVERBS}(?:love|adore) {_O}", _stance("User loves {}", Category.PREFERENCE)),
    cue(rf"i {_ADVERBS}enjoy {_O}", _stance("User enjoys {}", Category.PREFERENCE)),
    cue(rf"my (?P<f>favou?rite) (?P<k>[a-z]+(?: [a-z]+)?) (?:is|are) {_O}", _favourite),
    cue(rf"my (?:[a-z]+est |old |little |big )?(?P<k>{KIN})(?:'s name is| is called| is named|'s called| name is| is) (?P<n>.+)", _person),
    cue(rf"(?:i|we) {_ADVERBS}live (?P<o>(?:in|at|near|on|outside|close to) .+)", lambda m, c: _home(m, c)),
    cue(rf"(?:i|i've|i have|we|we've|we have) {_ADVERBS}(?:just |recently )?moved (?P<o>to .+)", lambda m, c: _moved(m, c)),
    cue(rf"(?:my|our) (?:new |current |home |postal )?address(?: is|'s)(?: now)? {_O}", lambda m, _: _address(m)),
    cue(rf"{_I_AM} {_ADVERBS}(?:originally )?from {_O}", _place("User is from {}", "origin")),
    cue(rf"my (?P<k>birthday|anniversary|wedding anniversary|date of birth|dob)(?: is|'s) (?:on )?{_O}", _day),
    cue(rf"i was born (?P<p>in|on) {_O}", _born),
    cue(rf"(?:i'll|i will|i'm going to|i am going to|i'm gonna|i promise to|i promise i'll) (?:definitely )?(?P<v>{_PROMISED})(?: (?P<o>.+))?", _promises),
    cue(rf"{_I_AM} {_ADVERBS}allergic {_O}", _about("User is allergic {}", Category.PROFILE, 0.8)),
    cue(rf"{_I_AM} {_ADVERBS}(?P<o>(?:{_STATES})(?:(?:,? now)?,? (?:since|for|from) .+| now)?)", _about("User is {}", Category.PROFILE, 0.7)),
    cue(rf"{_I_AM} (?:currently |now )?(?P<a>an?) {_O}", _works),
    cue(rf"i {_ADVERBS}work (?P<o>(?:as|for|at|in|with) .+)", _about("User works {}", Category.PROFILE)),
    cue(rf"(?:i've got|i have|i have got) (?P<o>{_HAVE})", _about("User has {}", Category.PROFILE, 0.7)),
    cue(rf"(?:i've|i have) been diagnosed with {_O}", _about("User has been diagnosed with {}", Category.PROFILE, 0.8)),
    cue(rf"i {_ADVERBS}{_NOT} (?P<o>(?:eat|drink|drive|smoke)(?: .+)?)", _about("User does not {}", Category.PROFILE, 0.7)),
    cue(rf"i {_ADVERBS}speak (?P<o>(?:english|spanish|french|german|italian|portuguese|arabic|chinese|mandarin|hindi|russian|polish|catalan)\b.*)", _about("User speaks {}", Category.PROFILE)),
)  # fmt: skip


def _speaks(match: re.Match[str]) -> Said | None:
    tongue = wished_language(match["o"])
    spoken = match["o"].split()[-1].capitalize()
    return Said(f"User prefers to speak {spoken}", Category.PREFERENCE, "language", tongue, 0.9) if tongue else None


_APPOSED = re.compile(rf"\b[Mm]y (?P<k>{KIN})(?: is)?,? (?P<n>[A-ZÀ-Þ][\w'-]+)\b(?!\s+[A-ZÀ-Þ])")


def _home(match: re.Match[str], clause: Clause) -> Said | None:
    preposition, _, where = match["o"].partition(" ")
    if where.startswith("to "):
        return None
    where = re.sub(r"\s+(?:now|right now|these days|at the moment)$", "", where, flags=re.IGNORECASE)
    place = thing(_PLACE_END.sub("", where))
    if place is None or not _is_place(place, clause):
        return None
    return Said(f"User lives {preposition.lower()} {place}", Category.PLACE, "home", place, 0.7)


def _moved(match: re.Match[str], clause: Clause) -> Said | None:
    place = thing(_PLACE_END.sub("", match["o"].partition(" ")[2]))
    if place is None or not _is_place(place, clause):
        return None
    town = re.split(r" (?:last|this|in|on|a|two|three|\d)\b", place)[0]
    return Said(f"User moved to {place} and lives there", Category.PLACE, "home", town, 0.7)


def _address(match: re.Match[str]) -> Said | None:
    place = thing(re.sub(r"\s+(?:now|from now on)$", "", match["o"], flags=re.IGNORECASE))
    if place is None or not is_address(place):
        return None
    return Said(f"User's address is {place}", Category.PLACE, "address", place, 0.7)


def apposed(clause: Clause) -> Said | None:
    """A person named in passing: "my wife Maria"."""
    match = _APPOSED.search(clause.said)
    return _person(match, clause) if match else None
