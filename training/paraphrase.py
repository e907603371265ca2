"""The same question in other words: plainer ones, synonyms, and how people begin to ask."""

from __future__ import annotations

import random
import re
from functools import cache

from training.edits import QUESTION_WORDS
from training.synonyms import FILE

_BE = "(is|was|are|were)"
_AUX = "(did|was|were|is|are|does|do|has|had)"

WORDINGS: list[tuple[re.Pattern[str], tuple[str, ...]]] = [
    (re.compile(pattern, re.I), texts)
    for pattern, texts in [
        (rf"^(?:in|during|on|at)? ?(?:what|which) (?:year|date|time) {_AUX}\b", (r"When \1",)),
        (
            rf"^in (?:what|which) (?:city|country|place|location|town|state|region) {_AUX}\b",
            (r"Where \1",),
        ),
        (rf"^who {_BE} the (?:author|writer) of\b", ("Who wrote",)),
        (rf"^who {_BE} the inventor of\b", ("Who invented", "Who came up with")),
        (rf"^who {_BE} the founders? of\b", ("Who founded", "Who started", "Who set up")),
        (rf"^who {_BE} the (?:creator|maker) of\b", ("Who made", "Who created")),
        (rf"^who {_BE} the (?:discoverer) of\b", ("Who discovered", "Who found")),
        (rf"^who {_BE} the winner of\b", ("Who won",)),
        (r"^who wrote\b", ("Who is the author of", "Which author wrote")),
        (r"^who founded\b", ("Who started", "Who was the founder of", "Who set up")),
        (r"^who invented\b", ("Who came up with", "Who was the inventor of")),
        (r"^who won\b", ("Who was the winner of", "Who came first in")),
        (rf"^what {_BE} the cause of\b", ("What caused", "What led to")),
        (r"^what caused\b", ("What led to", "What brought about", "What was the reason for")),
        (rf"^what {_BE} the reason (?:for|behind)\b", ("What led to", "What was behind")),
        (r"^what (?:is|was) the population of\b", ("How many people live in",)),
        (r"^how many people live in\b", ("What is the population of", "How big is")),
        (r"^what (is|was) the (?:height|elevation) of\b", (r"How high \1", r"How tall \1")),
        (r"^what (is|was) the length of\b", (r"How long \1",)),
        (r"^what (is|was) the depth of\b", (r"How deep \1",)),
        (r"^what (is|was) the age of\b", (r"How old \1",)),
        (r"^what (is|was) the (?:cost|price) of\b", (r"How much \1", r"How expensive \1")),
        (rf"^what {_BE} the name of\b", (r"What \1 the name for", r"What do you call")),
        (r"^what (?:type|kind|sort) of\b", ("What kind of", "What sort of", "Which type of")),
        (r"^how (?:many|much) money\b", ("How much",)),
        (r"^for (?:what|which) reason\b", ("Why",)),
        (r"^(?:what|which) (?:person|individual|man|woman)\b", ("Who",)),
        (r"^where (is|was|are|were) (.+) (?:located|situated|found)\b", (r"Where \1 \2",)),
        (r"^to what extent\b", ("How much", "How far")),
        (r"^by what means\b", ("How",)),
        (r"^(what|who|where|when|how) is\b", (r"\1's",)),
    ]
]

_PLAIN = """
commence start; commenced started; commences starts; begin start; begins starts; began started;
beginning start; concluded ended; terminated ended; ceased stopped; purchase buy; purchased
bought; purchases buys; acquired bought; acquire buy; acquired took_over; construct build;
constructed built; constructed put_up; erected built; established set_up; established founded;
established started; founded set_up; founded started; resided lived; reside live; resides lives;
inhabitants people; individuals people; persons people; residents people; citizens people; obtain
get; obtained got; received got; receive get; receives gets; required needed; require need;
requires needs; utilized used; utilize use; utilizes uses; attempted tried; attempt try; assist
help; assisted helped; depart leave; departed left; arrive come; arrived came; numerous many;
children kids; film movie; movie film; automobile car; automobiles cars; vehicles cars; physician
doctor; physicians doctors; manufactured made; manufacture make; manufactures makes; produced
made; produce make; produces makes; production making; occurred happened; occur happen; occurs
happens; largest biggest; biggest largest; large big; wealthy rich; increased rose; increased
went_up; increase rise; increase go_up; decreased fell; decreased went_down; decrease drop;
declined fell; permitted allowed; permit allow; permits allows; prohibited banned; prohibited
forbidden; prohibit ban; deceased dead; passed_away died; approximately about; approximately
roughly; regarding about; concerning about; nation country; nations countries; company firm;
companies firms; corporation company; employees workers; employees staff; employed hired;
occupation job; profession job; salary pay; spouse wife_or_husband; residence home; dwelling
house; dwellings houses; documents papers; discovered found; demonstrated showed; demonstrate
show; indicated showed; indicates shows; depicts shows; depicted shown; selected chosen; selected
picked; chosen picked; considered seen_as; regarded seen; referred_to called; termed called; named
called; titled called; known_as called; entitled called; conducted done; conducted carried_out;
performed done; performed played; responsible_for behind; primarily mostly; primarily mainly;
mainly mostly; primary main; principal main; prior_to before; previous earlier; previously before;
subsequently later; following after; initially at_first; initial first; currently now; presently
now; annually every_year; annually a_year; annual yearly; frequently often; rapidly fast; rapid
fast; quickly fast; numerous lots_of; sufficient enough; additional more; entire whole; complete
finish; completed finished; completed done; launched started; released came_out; opened started;
debuted came_out; defeated beat; defeat beat; conquered took; captured took; seized took; donated
gave; awarded given; granted given; supplied gave; contains has; possesses has; possess have;
comprises has; includes has; consists_of is_made_of; composed_of made_of; caused led_to;
resulted_in led_to; due_to because_of; in_order_to to; as_a_result_of because_of; located found;
situated located; border touch; borders touches; portion part; component part; components parts;
location place; locations places; difficulty trouble; error mistake; errors mistakes; assistance
help; revenue income; revenues income; fee price; cost price; costs prices; funds money;
""".replace("\n", " ")

OPENINGS = (
    "Can you tell me: ",
    "Tell me, ",
    "Do you know: ",
    "I want to know ",
    "Quick question: ",
    "Hi, ",
    "So ",
    "Please tell me ",
)
CLOSINGS = ("", "", " please", " exactly", " again")


@cache
def plain_words() -> dict[str, tuple[str, ...]]:
    """Return what may stand for a word; blanks in words are underscores."""
    found: dict[str, list[str]] = {}
    for pair in _PLAIN.split(";"):
        if pair.strip():
            old, new = pair.split()
            found.setdefault(old, []).append(new)
    return {old: tuple(new) for old, new in found.items()}


@cache
def synonyms() -> dict[str, tuple[str, ...]]:
    """Return the words that WordNet has for the same as a word."""
    found: dict[str, list[str]] = {}
    for line in FILE.read_text("utf-8").splitlines():
        one, other = line.split()
        found.setdefault(one, []).append(other)
        found.setdefault(other, []).append(one)
    return {old: tuple(new) for old, new in found.items()}


def paraphrased(question: str, rng: random.Random) -> str:
    """Return the question worded otherwise; as it was where nothing fits."""
    question = reworded(question, rng)
    for words, chance in ((plain_words(), 0.8), (synonyms(), 0.3)):
        if rng.random() < chance:
            question = exchanged(question, words, rng)
    return opened(question, rng) if rng.random() < 0.12 else question


def reworded(question: str, rng: random.Random) -> str:
    """Put another beginning in the place of the first that fits."""
    for pattern, texts in WORDINGS:
        if pattern.search(question):
            return pattern.sub(rng.choice(texts), question, count=1)
    return question


def exchanged(question: str, words: dict[str, tuple[str, ...]], rng: random.Random) -> str:
    """Put another word for up to two of a question, names left as they are."""
    joined = re.sub(
        r"\b(?:referred to|known as|responsible for|prior to|consists of|composed of|due to|"
        r"resulted in|in order to|passed away|as a result of)\b",
        lambda phrase: phrase.group().replace(" ", "_"),
        question,
    )
    found = joined.split(" ")
    known = [i for i, w in enumerate(found) if i and w.rstrip("?,.") in words]
    for i in rng.sample(known, min(len(known), 2)):
        word = found[i].rstrip("?,.")
        if word not in QUESTION_WORDS:
            found[i] = rng.choice(words[word]) + found[i][len(word) :]
    return " ".join(found).replace("_", " ")


def opened(question: str, rng: random.Random) -> str:
    """Begin and end a question as people do who talk."""
    first = question.split(" ", 1)[0]
    if first.lower() not in QUESTION_WORDS:
        return question
    asked = question.rstrip("? ") + rng.choice(CLOSINGS)
    return f"{rng.choice(OPENINGS)}{asked[0].lower()}{asked[1:]}?"
