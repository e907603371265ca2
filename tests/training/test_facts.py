"""Made-up passages: what they answer, and what they do not, is so by reading them again."""

import os
import random
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from training.facts import RELATIONS, Asked, Facts, make_examples

SALES = """
[words]
[kinds]
firm = ["Alba", "Bruno", "Cato", "Dora"]
town = ["Rome", "Oslo", "Bonn", "Kyiv"]
number = ["10", "20", "30", "40", "50", "60"]

[[relation]]
name = "sales"
roles = {a = "firm", v = "number", p = "town"}
told = ["{a} sold {v} in {p}"]
two = ["{a} sold {v} in {p} and {v2} in {p2}", "{a} sold {v} in {p}, where {a2} sold {v2}"]
denied = ["How many did {a} buy in {p}?"]
asked = {v = ["How many did {a} sell in {p}?"], a = ["Who sold {v} in {p}?"]}
"""


def told_in(passage: str) -> set[tuple[str, str, str]]:
    """Read the facts back as (firm, number, town)."""
    found: set[tuple[str, str, str]] = set()
    for part in re.findall(r"[^.\n]+", passage):
        match = re.match(
            r"\s*(\w+) sold (\d+) in (\w+)(?: and (\d+) in (\w+)|, where (\w+) sold (\d+))?$",
            part,
        )
        assert match is not None, part
        firm, number, town, second, other_town, other_firm, other = match.groups()
        found.add((firm, number, town))
        if second:
            found.add((firm, second, other_town))
        if other:
            found.add((other_firm, other, town))
    return found


@pytest.fixture
def sales(tmp_path: Path) -> list[Asked]:
    path = tmp_path / "facts.toml"
    path.write_text(SALES, encoding="utf-8")
    return list(islice(Facts(path=path).asked(random.Random(1)), 600))


def test_what_a_passage_answers_is_so_by_its_facts(sales: list[Asked]) -> None:
    kinds = {"value": 0, "firm": 0, "none": 0, "denied": 0}
    for asked in sales:
        facts = told_in(asked.passage)
        answer = asked.passage[asked.start : asked.end]
        if match := re.fullmatch(r"How many did (\w+) sell in (\w+)\?", asked.question):
            right = {v for firm, v, town in facts if (firm, town) == match.groups()}
        elif match := re.fullmatch(r"Who sold (\d+) in (\w+)\?", asked.question):
            right = {firm for firm, v, town in facts if (v, town) == match.groups()}
        else:
            right = set()
            kinds["denied"] += 1
        assert right == ({answer} if asked.end else set()), asked
        kinds["none" if not right else "value" if answer.isdigit() else "firm"] += 1
    assert min(kinds.values()) > 30


SCENES = """
[words]
places = ["Rome", "Oslo", "Bonn"]

[kinds]
firm = ["Alba", "Bruno", "Cato"]
number = ["10", "20", "30", "40", "50", "60", "70", "80", "90"]

[[relation]]
name = "sales"
roles = {a = "firm", v = "number", p = "place", t = "year"}
told = ["{a} sold {v} in {p} in {t}", "In {t}, {a} sold {v} in {p}"]
denied = ["Who bought {v} in {t}?"]
asked = {v = ["How many did {a} sell in {p} in {t}?"], p = ["Where did {a} sell {v}?"]}
"""


def test_what_is_left_out_is_what_the_sentence_before_told(tmp_path: Path) -> None:
    path = tmp_path / "facts.toml"
    path.write_text(SCENES, encoding="utf-8")
    left_out = answered = 0
    for asked in islice(Facts(path=path).asked(random.Random(2)), 600):
        place = year = ""
        facts = set()
        for part in re.findall(r"[^.\n]+", asked.passage):
            said = re.fullmatch(
                r"\s*(?:In (\d+), )?(\w+) sold (\d+)(?: there)?(?: in (\D\w+))?"
                r"(?: that year)?(?: in (\d+))?",
                part,
            )
            assert said is not None, part
            before, firm, number, told_place, after = said.groups()
            left_out += told_place is None or (before or after) is None
            place, year = told_place or place, before or after or year
            facts.add((firm, number, place, year))
        answer = asked.passage[asked.start : asked.end]
        if match := re.fullmatch(r"How many did (\w+) sell in (\w+) in (\d+)\?", asked.question):
            right = {v for firm, v, *scene in facts if (firm, *scene) == match.groups()}
            assert right == ({answer} if asked.end else set()), asked
            answered += bool(right)
    assert left_out > 50
    assert answered > 100


def test_every_question_of_every_relation_is_asked_and_a_third_has_no_answer() -> None:
    examples = make_examples(20_000, seed=3)
    unanswerable = [e for e in examples if e.end == 0]
    assert 0.25 < len(unanswerable) / len(examples) < 0.45
    for example in examples:
        assert "{" not in example.context + example.question
        assert example.answer == example.answer.strip()
    questions = "\n".join({example.question for example in examples})
    for relation in Facts().relations:
        for template in (t for templates in relation.asked.values() for t in templates):
            words = re.sub(r"\\{\w\\}", ".+", re.escape(template))
            assert re.search(f"^{words}$", questions, re.M | re.I), (relation.name, template)


def test_the_same_seed_gives_the_same_whatever_the_order_of_sets() -> None:
    code = "from training.facts import make_examples as m; print(m(300, 5))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=RELATIONS.parents[1],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{v} in {p}?", "{v} in {q}?", "sales: no role q as in"),
        ('p = "town"}', 'p = "village"}', "sales: nothing makes a village"),
    ],
)
def test_a_template_that_cannot_be_filled_is_named(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "facts.toml"
    path.write_text(SALES.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        Facts(path=path)
