"""XML of known and unknown vocabularies, feeds and images, and XML made to do harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import LoadError
from rag.load.registry import load_bytes
from rag.types import Document


def load(xml: str | bytes, source: str = "a.xml") -> Document:
    return load_bytes(xml if isinstance(xml, bytes) else xml.encode(), source)


def headings(document: Document) -> list[tuple[int, str]]:
    return [(h.level, document.text[h.start : h.end]) for h in document.headings]


def refusal(xml: str) -> str:
    with pytest.raises(LoadError) as refused:
        load(xml)
    return str(refused.value)


def test_records_are_lines_with_their_names() -> None:
    assert load(
        "<people><person id='1'><name>Ann</name><role>CEO</role></person>"
        "<person id='2'><name>Bob</name><role> of \n all</role><x/></person></people>"
    ).text == ("name: Ann | role: CEO\nname: Bob | role: of all")


def test_a_document_has_paragraphs_and_headings() -> None:
    document = load(
        '<article xmlns="http://docbook.org/ns/docbook" xml:lang="en"><title>The <i>one</i></title>'
        "<info><author>Me</author></info>"
        "<para>First <emphasis>strong</emphasis> words,\n  and <b>more</b>.</para>"
        "<section><title>Part &amp; two</title><para>Second.</para><!-- unseen -->"
        "<list><item>a</item><item>b</item></list></section>"
        "<keyword>k1</keyword><keyword>k2</keyword></article>"
    )
    assert document.text == (
        "The one\n\nauthor: Me\n\nFirst strong words, and more.\n\nPart & two\n\nSecond.\n\n"
        "a\n\nb\n\nkeyword: k1\nkeyword: k2"
    )
    assert document.title == "The one"
    assert headings(document) == [(1, "The one"), (2, "Part & two")]


def test_attributes_that_carry_words() -> None:
    assert load(
        '<menu class="a b" style="color: red all over"><item label="Open file" id="x1" '
        'href="http://x.example/a b"/><item text="Quit" d="M0 0 L 5 5"/>'
        '<item hint="closes the window" key="3 + 4">Close</item></menu>'
    ).text == ("label: Open file\n\ntext: Quit\n\nhint: closes the window | item: Close")


def test_stray_text_between_sections_makes_no_paragraph_of_them() -> None:
    long = "words " * 1000
    document = load(f"<a>stray<s><title>One</title><p>{long}</p></s> and <s><p>{long}</p></s></a>")
    paragraphs = document.text.split("\n\n")
    assert [p[:10].strip() for p in paragraphs] == [
        "stray",
        "One",
        "words word",
        "and",
        "words word",
    ]


def test_escaped_html_is_read_as_html() -> None:
    assert load(
        "<kml><Placemark><name>Spot</name><description><![CDATA[<div style='x'>See <b>this</b>"
        "</div><table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table>]]>"
        "</description></Placemark></kml>"
    ).text == ("name: Spot\n\nSee this\n\nk: 1 | v: 2")


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<a>b&nbsp;c &eacute;t&eacute; &#233; &lt;x&gt;</a>", "b c été é <x>"),
        ('<!DOCTYPE a SYSTEM "x.dtd"><a>b&nbsp;c</a>', "b c"),
        ("<a><b>text</b><c>cut of", "b: text | c: cut of"),
        ("<a>this & that; AT&T &lt;</a>", "this & that; AT&T <"),
        ("<a>one\x07 two three four five six</a>", "one two three four five six"),
        ("<a><b>one</c> two</b> three</a>", "<a><b>one</c> two</b> three</a>"),
        ("no xml", "no xml"),
        ("<?xml version='1.0' encoding='utf-16'?><a>Größe</a>", "Größe"),
        ("\ufeff<?xml version='1.0'?><a>Größe</a>", "Größe"),
        ("<a>" + "<b>" * 150 + "deep" + "</b>" * 150 + "</a>", "deep"),
    ],
)
def test_malformed_and_odd_xml(xml: str, text: str) -> None:
    assert load(xml).text == text


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1251", "shift_jis"])
def test_encodings(encoding: str) -> None:
    words = {"latin-1": "Größe", "cp1251": "Привет, мир", "shift_jis": "日本語の文書"}
    word = words.get(encoding, "Größe, мир, 日本")
    xml = f'<?xml version="1.0" encoding="{encoding}"?><a>{word}</a>'.encode(encoding)
    assert load(xml).text == word


def test_xml_is_known_by_its_beginning() -> None:
    xml = "<?xml version='1.0'?><a><b>x</b><c>y</c></a>"
    for source in ("a.csproj", "a", "a.txt"):
        assert load(xml, source).text == "b: x | c: y"
    assert load(xml, "a.md").text == xml
    assert load("<?xml version='1.0'?><html><p>one<p>two", "a.xml").text == "one\n\ntwo"


# --- feeds and images --------------------------------------------------------------------------


def test_rss() -> None:
    document = load(
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:media="http://search.yahoo.com/mrss/"><channel><title>News &amp; views</title>'
        "<link>http://x.example</link><description>What is new.</description>"
        "<item><title>One</title><dc:creator>Ann</dc:creator><category>a</category>"
        "<category>b</category><pubDate>Tue, 19 Nov 2024 13:30:02 +0000</pubDate>"
        "<media:description>a picture that is longer than all the rest of this</media:description>"
        "<description>Short &amp;hellip;</description>"
        "<content:encoded><![CDATA[<h2>Head</h2><p>The whole text.</p>]]></content:encoded></item>"
        "<item><title>&lt;b&gt;Two&lt;/b&gt;</title><description>Plain.</description></item>"
        "</channel></rss>"
    )
    assert document.title == "News & views"
    assert document.text == (
        "News & views\n\nWhat is new.\n\nOne\nDate: 2024-11-19 13:30:02 +00:00\nAuthor: Ann\n"
        "Categories: a, b\n\nHead\n\nThe whole text.\n\nTwo\n\nPlain."
    )
    assert headings(document) == [(1, "News & views"), (2, "One"), (4, "Head"), (2, "Two")]


def test_atom() -> None:
    document = load(
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Log</title><entry><title>One</title>'
        "<author><name>Ann</name><email>a@x.example</email></author>"
        '<category term="c1"/><updated>2024-11-19T13:30:02Z</updated><summary>Short</summary>'
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>All of <b>it</b></p>'
        "</div></content></entry></feed>",
        "a.atom",
    )
    assert document.text == (
        "Log\n\nOne\nDate: 2024-11-19 13:30:02 +00:00\nAuthor: Ann\nCategories: c1\n\nAll of it"
    )


def test_svg() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg"><style>.a{}</style><script>x()</script>'
        "<title>Chart</title><desc>Of sales</desc><path d='M0 0'/><text x='1'>Sa<tspan>les</tspan>"
        '<tspan x="1" dy="2">2024</tspan></text><foreignObject><p xmlns="http://www.w3.org/1999/'
        'xhtml">in HTML</p></foreignObject></svg>'
    )
    document = load(svg, "a.svg")
    assert document.text == "Chart\nOf sales\nSales 2024\nin HTML"
    assert document.title == "Chart"
    assert load(svg, "a").text == document.text
    assert refusal('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>') == (
        "is an SVG image without text; describe it in a text file"
    )


# --- XML made to do harm -----------------------------------------------------------------------

LAUGHS = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))


@pytest.mark.parametrize(
    "xml",
    [
        f'<!DOCTYPE a [<!ENTITY e0 "lol">{LAUGHS}]><a>&e9;</a>',
        f'<!DOCTYPE a [<!ENTITY e0 "lol">{LAUGHS}]><a title="&e9;">x</a>',
        f'<!DOCTYPE a [<!ENTITY e "{"l" * 100_000}">]><a title="{"&e;" * 1000}">x</a>',
        f'<!DOCTYPE a [<!ENTITY e "{"l" * 100_000}">]><a>{"&e;" * 1000}</a>',
        '<!DOCTYPE a [<!ENTITY e "&f;"><!ENTITY f "&e;">]><a title="&e;">x</a>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a title="&e;">x</a>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "http://127.0.0.1:9/">]><a>&e;</a>',
        '<!DOCTYPE a [<!ENTITY nbsp SYSTEM "file:///etc/passwd">]><a>&nbsp;</a>',
        '<!DOCTYPE a [<!ENTITY company "Acme">]><a>&company;</a>',
        "<a>&company;</a>",
    ],
)
def test_entities_are_a_reason_and_never_expanded(xml: str) -> None:
    assert refusal(xml).startswith("declares entities of its own (")


@pytest.mark.parametrize(
    "dtd",
    ['<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;', '<!ENTITY e SYSTEM "file:///etc/passwd">'],
)
def test_what_is_declared_and_not_used_is_not_read(dtd: str) -> None:
    assert load(f"<!DOCTYPE a [{dtd}]><a>words</a>").text == "words"


def test_nothing_is_included() -> None:
    xml = (
        '<a xmlns:xi="http://www.w3.org/2001/XInclude"><b>words</b>'
        '<xi:include href="/etc/passwd" parse="text"/></a>'
    )
    assert load(xml).text == "b: words"


def test_deep_and_large_xml() -> None:
    why = "is XML that is nested too deep, or holds a text beyond 10 MB; split it"
    assert refusal("<a>" * 5000 + "x" + "</a>" * 5000) == why
    assert refusal(f"<a>{'x' * 11_000_000}</a>") == why
    assert refusal(f"<a>{'<b/>' * 4_000_000}</a>") == (
        "is XML of 16 MB with 4,000,002 tags; up to 50 MB and 3,000,000 are read: split it"
    )


def test_binary_data_in_xml_is_left_out() -> None:
    coded = "iVBORw0KGgoAAAANSUhEUgAA9x" * 200
    assert load(f"<book><title>T</title><binary>{coded}</binary><p>words</p></book>").text == (
        "title: T | p: words"
    )


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            ["<a>", "</a>", "<b x='y z' title='t'>", "</b>", "<title>", "</title>", "words", "é",
             "&lt;", "&nbsp;", "&x;", "<![CDATA[<p>x]]>", "<!-- c -->", "<?pi?>", "\n", "<rss>",
             "<item>", "<feed>", "<entry>", "<svg>", "<text>", "<!DOCTYPE a [<!ENTITY x 'y'>]>",
             "&", "<", "\x01", "<?xml?>"]
        ),
        max_size=30,
    ).map("".join)
)  # fmt: skip
def test_any_xml_loads_or_is_refused(xml: str) -> None:
    try:
        document = load(xml)
    except LoadError:
        return
    assert document.text.strip()
    for heading in document.headings:
        words = document.text[heading.start : heading.end]
        assert words
        assert words == words.strip()
