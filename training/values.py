"""Made-up values for `training/facts.py`: companies, people, counts, sums, years."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Words = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Values:
    """Makes values by kind: of `kinds` one of their words, of the others something of `words`."""

    words: Words
    kinds: Words

    def knows(self, kind: str) -> bool:
        """Whether values of a kind can be made."""
        return kind in self.kinds or kind in _MAKERS

    def make(self, kind: str, rng: random.Random) -> str:
        """Return a value of a kind."""
        if kind in self.kinds:
            return rng.choice(self.kinds[kind])
        return _MAKERS[kind](self.words, rng)

    def other(self, kind: str, taken: set[str], rng: random.Random) -> str:
        """Return a value that is not taken, unless nearly all are."""
        value = self.make(kind, rng)
        for _ in range(20):
            if value not in taken:
                break
            value = self.make(kind, rng)
        return value

    def short(self, value: str, kind: str, rng: random.Random) -> str:
        """Return a name as people shorten it: a person's last, a company's first."""
        words = value.split()
        if kind == "person" and rng.random() < 0.3:
            return words[-1]
        if kind == "company" and words[-1] in self.words["firms"] and rng.random() < 0.3:
            return " ".join(words[:-1])
        return value


def _count(_: Words, rng: random.Random) -> str:
    size = rng.choice([3, 4, 5, 5, 6, 6, 7])
    number = rng.randrange(10 ** (size - 1), 10**size)
    if rng.random() < 0.6:
        number -= number % 10 ** (size - rng.choice([1, 2, 3]))
    if number >= 10**6 and rng.random() < 0.5:
        return f"{number / 1e6:.1f} million"
    return f"{number:,}" if rng.random() < 0.85 else str(number)


def _small_count(_: Words, rng: random.Random) -> str:
    return f"{rng.choice([rng.randint(2, 60), 50 * rng.randint(2, 90)]):,}"


def _percent(_: Words, rng: random.Random) -> str:
    number = rng.choice([f"{rng.uniform(0.1, 40):.1f}", str(rng.randint(1, 95))])
    return number + rng.choice(["%", "%", " %", " percent", " per cent"])


def _money(_: Words, rng: random.Random) -> str:
    number = rng.choice([f"{rng.uniform(1, 90):.1f}", str(rng.randint(2, 900))])
    sign = rng.choice(["$", "$", "€", "£", " euros", " dollars", " yen"])
    size = rng.choice(["", " million", " million", " billion"])
    return f"{number}{size}{sign}" if sign.startswith(" ") else f"{sign}{number}{size}"


def _score(_: Words, rng: random.Random) -> str:
    return f"{rng.randint(2, 9)}{rng.choice('-–:')}{rng.randint(0, 3)}"


def _degrees(_: Words, rng: random.Random) -> str:
    return f"{rng.randint(-9, 39)}{rng.choice([' °C', '°C', ' degrees'])}"


def _tons(words: Words, rng: random.Random) -> str:
    return f"{_count(words, rng)} {rng.choice(['tons', 'tonnes'])}"


def _of(units: str, low: int, high: int) -> Callable[[Words, random.Random], str]:
    return lambda _, rng: f"{rng.randint(low, high)} {rng.choice(units.split())}"


def _year(_: Words, rng: random.Random) -> str:
    return str(rng.randint(1990, 2035) if rng.random() < 0.7 else rng.randint(1480, 1990))


def _month(words: Words, rng: random.Random) -> str:
    return rng.choice(words["months"])


def _date(words: Words, rng: random.Random) -> str:
    day, month = rng.randint(1, 28), _month(words, rng)
    return rng.choice([f"{month} {day}", f"{day} {month}", f"{day} {month} {_year(words, rng)}"])


def _made_up(words: Words, rng: random.Random) -> str:
    return "".join(rng.sample(words["syllables"], rng.choice([2, 2, 3]))).capitalize()


def _company(words: Words, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.45:
        return _made_up(words, rng)
    if kind < 0.8:
        return f"{_made_up(words, rng)} {rng.choice(words['firms'])}"
    name = rng.choice(words["last"])
    return f"{name} {rng.choice(['& ' + rng.choice(words['last']), rng.choice(words['firms'])])}"


def _person(words: Words, rng: random.Random) -> str:
    return f"{rng.choice(words['first'])} {rng.choice(words['last'])}"


def _team(words: Words, rng: random.Random) -> str:
    return f"{rng.choice(words['cities'])} {rng.choice(words['teams'])}"


def _place(words: Words, rng: random.Random) -> str:
    return rng.choice(words["places"])


def _city(words: Words, rng: random.Random) -> str:
    return rng.choice(words["cities"]) if rng.random() < 0.7 else _made_up(words, rng)


def _product(words: Words, rng: random.Random) -> str:
    return rng.choice([f"{_made_up(words, rng)} {rng.randint(2, 900)}", _made_up(words, rng)])


def _title(words: Words, rng: random.Random) -> str:
    return " ".join(rng.sample(words["titles"], rng.choice([1, 2, 2])))


_MAKERS: dict[str, Callable[[Words, random.Random], str]] = {
    "company": _company,
    "person": _person,
    "team": _team,
    "place": _place,
    "city": _city,
    "product": _product,
    "title": _title,
    "year": _year,
    "date": _date,
    "month": _month,
    "count": _count,
    "smallcount": _small_count,
    "tons": _tons,
    "money": _money,
    "percent": _percent,
    "score": _score,
    "degrees": _degrees,
    "length": _of("metres meters m feet cm", 3, 400),
    "distance": _of("km kilometres miles", 3, 900),
    "weight": _of("kg grams g pounds tons", 2, 900),
    "duration": _of("hours days weeks months minutes years", 2, 30),
    "days": _of("days", 2, 40),
    "rain": _of("mm", 5, 300),
}
