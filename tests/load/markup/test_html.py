"""HTML: what a browser shows, as lines."""

import pytest

from rag.load.registry import load_bytes
from rag.types import Document


def load(html: str) -> Document:
    return load_bytes(html.encode(), "a.html")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one\n  two<b>three</b> four<p>five", "one twothree four\n\nfive"),
        ("<div>a</div><div>b<br>c</div>", "a\nb\nc"),
        ("AT&amp;T &lt;3 caf&eacute; 5&nbsp;km &#x1F600;", "AT&T <3 café 5 km 😀"),
        ("a<script>x()</script><style>p{}</style><!-- c --><template>t</template>b", "ab"),
        ("<p hidden>no</p><p style='color:red; display: none'>no</p><noscript>n</noscript>y", "y"),
        ("<pre>  a\n    b\n</pre>", "  a\n    b"),
        ("see <img src=x alt='a red car'> here", "see a red car here"),
        (
            "<ul><li>a<li>b<ul><li>c</ul></ul><ol start=3><li>d<li>e</ol>",
            "- a\n- b\n- c\n\n3. d\n4. e",
        ),
        ("<dl><dt>Term<dd>Meaning</dl>", "Term\nMeaning"),
        ("a\x01\x7fb&#133;c&shy;d", "ab…cd"),
    ],
)
def test_text(html: str, text: str) -> None:
    assert load(html).text == text


def test_headings_and_title() -> None:
    document = load("<title> The\n title </title><h1>One <i>and</i>\ntwo</h1><p>x<h3>Three</h3>y")
    assert document.text == "One and two\n\nx\n\nThree\n\ny"
    assert [(h.level, document.text[h.start : h.end]) for h in document.headings] == [
        (1, "One and two"),
        (3, "Three"),
    ]
    assert document.title == "The title"
    assert load("<h1>Only this</h1>x").title == "Only this"


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (
            "<tr><th>City<th>People<tr><td>Rome<td>2.8 m<tr><td>Oslo<td>0.7 m",
            "City: Rome | People: 2.8 m\nCity: Oslo | People: 0.7 m",
        ),
        ("<tr><td>a<td>b<tr><td>c<td>d", "a | b\nc | d"),
        ("<tr><th>Founded<td>1999<tr><th>Seat:<td>Rome", "Founded: 1999\nSeat: Rome"),
        (
            "<caption>Cap</caption><thead><tr><td>A<td>B</thead><tr><td rowspan=2>x<td>1<tr><td>2",
            "Cap\nA: x | B: 1\nA: x | B: 2",
        ),
        (
            "<tr><th rowspan=2>Year<th colspan=2>Sales<tr><th>EU<th>US"
            "<tr><td>2023<td>1<td>2<tr><td colspan=3>Forecast<tr><td>2024<td colspan=2>3",
            "Year: 2023 | Sales / EU: 1 | Sales / US: 2\nForecast\nYear: 2024 | Sales / EU: 3",
        ),
        ("<tr><th><th>2023<tr><th>Rome<td>5", "Rome | 2023: 5"),
        ("<tr><th>A<th>B<tr><td>1<td><tr><td><td>2<td>3", "A: 1\nB: 2 | 3"),
        ("<tr><th>A<th>B", "A | B"),
    ],
)
def test_data_tables(table: str, lines: str) -> None:
    assert load(f"<table>{table}</table>").text == lines


def test_a_layout_table_is_not_a_data_table() -> None:
    html = "<table><tr><td><h1>Title</h1><p>Text</p><td><table><tr><td>x<td>y</table></table>"
    assert load(html).text == "Title\n\nText\n\nx | y"


def test_spans_that_reach_too_far_cost_nothing() -> None:
    row = "<tr><td rowspan=9999 colspan=9999>x"
    assert load(f"<table>{row * 300}</table>").text.count("x") > 299


def test_boilerplate_goes_and_content_stays() -> None:
    words = "<p>" + "Real words. " * 20
    page = f"<nav>Menu</nav><header>Logo</header><main><header>By Ann</header>{words}</main>"
    text = load(page + "<footer>Imprint</footer><aside>Ads</aside>").text
    assert text == "By Ann\n\n" + ("Real words. " * 20).strip()
    assert load(f"<header>Logo</header>{words}<footer>Rome</footer>").text.startswith(
        "Logo\n\nReal"
    )
    assert (
        load("<nav>All of the page is in here</nav><p>x").text == "All of the page is in here\n\nx"
    )


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="shift_jis">', "shift_jis"),
        ('<meta http-equiv=Content-Type content="text/html; charset=euc-jp">', "euc_jp"),
        ('<?xml version="1.0" encoding="utf-8"?>', "utf-8"),
        ('<meta charset="iso-8859-1">', "utf-8"),
        ('<meta charset="iso-2022-jp">', "iso2022_jp"),
        ('<meta charset="no-such">', "utf-8-sig"),
        ('<meta charset="rot13">', "utf-16"),
    ],
)
def test_charset(head: str, encoding: str) -> None:
    data = f"{head}<p>日本語</p>".encode(encoding)
    assert load_bytes(data, "a.html").text == "日本語"


def test_xhtml_elements_that_close_themselves() -> None:
    html = (
        '<?xml version="1.0"?><html><head><title/><script src="x"/></head><body>Text</body></html>'
    )
    assert load(html).text == "Text"


def test_deep_nesting() -> None:
    assert load("<div>" * 3000 + "x").text == "x"


def test_a_page_that_starts_with_many_comments() -> None:
    assert load_bytes(b"<!-- x --> " * 5000 + b"<p>Text", "a.html").text == "Text"
