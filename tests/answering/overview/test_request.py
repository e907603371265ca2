"""Who asks for an overview, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

import pytest

from rag.answering.overview.request import (
    MAX_REQUEST_CHARS,
    OverviewScope,
    documents_named,
    requested_overview,
)

TITLES = {
    "reports/annual_report_2024.pdf": "Annual Report 2024 of Example Motors",
    "leases/berlin.docx": "Lease of the Berlin office",
    "notes.txt": "",
    "合同.txt": "",
}

ALL = """
What is this about?
what's this about
What is this document about?
What are these documents about?
What are the files in this folder about?
What is the document mainly about?
What does this document say?
What do the documents contain?
What topics do these documents cover?
What is in these documents?
Tell me about this document.
Summarise the documents
Summarize this, please
Please summarize everything in three sentences.
Could you summarise all of the documents for me?
Can you give me a short summary?
Give me an overview
Give me a brief overview of the documents, please.
I need a summary of these files
summary
TL;DR
tldr
What are the main points?
What are the main points of this document?
List the key takeaways
Main ideas
key findings of this report
Hi, can I have a quick summary of this paper?
Worum geht es?
Worum geht es in diesem Dokument?
Wovon handelt dieser Text?
Fasse die Dokumente zusammen
Kannst du mir das bitte kurz zusammenfassen?
Gib mir einen Überblick
Was sind die wichtigsten Punkte?
Zusammenfassung
¿De qué trata este documento?
¿De qué se trata?
Resume los documentos
Dame un resumen
¿Cuáles son los puntos principales?
De quoi s'agit-il ?
De quoi parle ce document ?
Résume les documents
Fais-moi un résumé
Quels sont les points principaux ?
这是关于什么的？
这些文件讲了什么？
总结一下
请帮我总结这篇文章
主要内容是什么？
これは何についてですか？
この文書を要約してください
要約して
概要を教えてください
""".strip().splitlines()

NONE = """
What is the summary judgment motion about?
What is the merger about?
What is the Treaty of Lisbon about?
What was the strike about?
What does the summary say about costs?
Who wrote the executive summary?
When was the overview published?
How long is the summary?
Where is the summary of the trial kept?
What is the main point of contact?
Who is the main point of contact?
What are the main points of Article 5?
What are the main ideas of Buddhism?
What are the key findings of the 2019 audit?
What is the main topic of chapter 3?
What does the law say?
What is in the box?
What is in gunpowder?
What does milk contain?
Tell me about Lexus
Describe the production process
Explain photosynthesis
Which documents does an applicant need?
What documents are required for a visa?
How many documents were signed?
What does document control mean?
Is this a summary?
Summarise why sales fell in 2024
Summarize how the engine works
What is a summary?
What is an overview map?
Who is this about?
When is this due?
What is this company worth?
What about this?
Is it about money?
How does this work?
What happened in 2024?
What caused the main points failure on the railway?
Who summarised the findings?
Worum geht es in Faust?
Wer hat die Zusammenfassung geschrieben?
Wann beginnt die Produktion?
¿De qué trata la ley?
¿Quién escribió el resumen?
De quoi parle Candide ?
Qui a écrit le résumé ?
什么时候开始生产？
销量是多少？
この動物園の閉園時刻は何時ですか?
この画面は何年に初めて目撃された？
""".strip().splitlines()


def titles() -> Mapping[str, str]:
    return TITLES


@pytest.mark.parametrize("question", ALL)
def test_an_overview_of_all_documents(question: str) -> None:
    assert requested_overview(question, titles) == OverviewScope()


@pytest.mark.parametrize("question", NONE)
def test_a_question_like_any_other(question: str) -> None:
    assert requested_overview(question, titles) is None


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("Summarise the annual report", "reports/annual_report_2024.pdf"),
        ("What is the annual report about?", "reports/annual_report_2024.pdf"),
        ("What are the main points of annual_report_2024.pdf?", "reports/annual_report_2024.pdf"),
        ("Summary of reports/annual_report_2024.pdf", "reports/annual_report_2024.pdf"),
        ("Give me an overview of the Berlin lease", "leases/berlin.docx"),
        ("tl;dr notes.txt", "notes.txt"),
        ("Worum geht es in notes.txt?", "notes.txt"),
        ("Fasse „Lease of the Berlin office“ zusammen", "leases/berlin.docx"),
        ("¿De qué trata notes.txt?", "notes.txt"),
        ("总结一下合同.txt", "合同.txt"),
    ],
)
def test_an_overview_of_a_document_by_its_name(question: str, source: str) -> None:
    assert requested_overview(question, titles) == OverviewScope((source,))


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Summarise the battery strategy", "the battery strategy"),
        (
            "Please give me an overview of battery production in China",
            "battery production in China",
        ),
        ("Gib mir einen Überblick über die Batterien", "die Batterien"),
        ("Résume la stratégie", "la stratégie"),
    ],
)
def test_an_overview_of_a_topic(question: str, topic: str) -> None:
    assert requested_overview(question, titles) == OverviewScope(topic=topic)


def test_the_report_is_the_only_document_there_is() -> None:
    assert requested_overview("Summarise the report", lambda: {"a.pdf": ""}) == OverviewScope()
    assert requested_overview("Summarise the report", lambda: {"a.pdf": "", "b.pdf": ""}) == (
        OverviewScope(topic="the report")
    )


def test_in_a_conversation_it_is_what_was_talked_about() -> None:
    assert requested_overview("What is it about?", titles, in_conversation=True) is None
    assert requested_overview("What is it about?", titles) == OverviewScope()
    assert requested_overview("What is this about?", titles, in_conversation=True) is not None


def test_several_documents_of_a_name_are_meant_together() -> None:
    reports = {"report-2023.txt": "", "report-2024.txt": "", "a long name without it.txt": ""}
    assert documents_named("the report", reports) == ["report-2023.txt", "report-2024.txt"]
    assert documents_named("report-2023.txt", reports) == ["report-2023.txt"]


def test_a_word_of_a_long_title_names_a_topic() -> None:
    assert documents_named("China", {"a.txt": "Lexus confirms local production in China"}) == []


def test_the_names_are_not_read_for_other_questions() -> None:
    def unwanted() -> Mapping[str, str]:
        raise AssertionError("no name is needed")

    assert requested_overview("Who leads Acura?", unwanted) is None
    assert requested_overview("Summarise this", unwanted) == OverviewScope()


def test_long_texts_are_no_request_and_take_no_time() -> None:
    assert requested_overview("Summarise " + "this " * MAX_REQUEST_CHARS, titles) is None
    begin = perf_counter()
    for text in ("的" * 199, "please " * 28, "what is " * 24, "in a few " * 22, "summary of " * 18):
        requested_overview(text, titles)
    slow = perf_counter() - begin
    begin = perf_counter()
    for _ in range(2000):
        requested_overview("When does production start?", titles)
    assert slow < 5 * (perf_counter() - begin)
