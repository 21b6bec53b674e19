"""Descriptions as HTML: readable, harmless, in bounded time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.catalog.reference.markup import html

TAG = re.compile(r"<\s*/?\s*([a-z0-9]+)([^<>]*)>", re.IGNORECASE)


def test_markdown_reads_as_it_is_meant():
    made = html("# One\n\nA *b* `c` [d](https://e.f/?a=1&b=2)\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n\n1. z")
    assert "<h4>One</h4>" in made
    assert "<em>b</em> <code>c</code>" in made
    assert '<a href="https://e.f/?a=1&amp;b=2" rel="nofollow noopener noreferrer">d</a>' in made
    assert "<td>1</td>" in made
    assert "<ol>" in made


def test_headings_begin_at_the_fourth_level():
    made = html("# a\n## b\n### c\n#### d\n\n<h1>e</h1>\n\nf <H2>g</H2>")
    assert re.findall(r"<(h\d)", made) == ["h4", "h5", "h6", "h6", "h4", "h5"]


def test_an_image_is_a_link_named_by_its_text():
    link = '<a href="https://a.b/c.png" rel="nofollow noopener noreferrer">A cat</a>'
    assert html("![A *cat*](https://a.b/c.png)") == f"<p>{link}</p>"
    assert html('x <img alt="A cat" onerror=alert(1) src="https://a.b/c.png">') == f"<p>x {link}</p>"
    assert "<a" in html("![](https://a.b)")
    assert "href" not in html('<img src="javascript:alert(1)" alt=x>')


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1) style=color:red id=a class=b>x</p>",
        "[x](javascript:alert(1))",
        "[x](  JaVaScRiPt:alert(1))",
        "<a href='data:text/html,x'>x</a>",
        "<a href='//evil.example'>x</a>",
        "[x](/relative)",
        "<svg onload=alert(1)>",
        "<iframe src=https://a></iframe>",
        "<style>*{}</style>",
        "<form action=https://a><input></form>",
        "<link rel=stylesheet href=https://a>",
        "<img src=x onerror=alert(1)>",
        "<img src='https://a/\"onload=1'>",
        "<base href=https://a>",
        "<math><mi><style><img src=x onerror=alert(1)></style></mi></math>",
        "<noscript><p title='</noscript><img src=x onerror=1>'>",
        "<a href='vbscript:x'>x</a>",
        "<meta http-equiv=refresh content=0>",
        "<video src=https://a autoplay>",
        "`<script>`",
        "<object data=https://a></object>",
        "<template><script>1</script></template>",
        "<!-- <script>x</script> -->",
        "[x]: javascript:alert(1)\n\n[x]",
        "<javascript:alert(1)>",
        "<a href='java\nscript:alert(1)'>x</a>",
        "&lt;script&gt;",
    ],
)
def test_nothing_that_acts_or_loads_comes_through(text: str):
    safe(html(text))
    safe(html(f"a {text} b"))


def safe(made: str) -> None:
    for name, attributes in TAG.findall(made):
        assert name in html_tags(), made
        for attribute, value in re.findall(r"([\w:-]+)=\"([^\"]*)\"", attributes):
            assert attribute in ("href", "rel", "start", "colspan", "rowspan"), made
            assert attribute != "href" or value.startswith(("https://", "http://", "mailto:")), made
        assert not re.search(r"\bon\w+\s*=|style|srcdoc", re.sub(r'"[^"]*"', "", attributes)), made


def html_tags() -> set[str]:
    from offhook.catalog.reference import markup

    assert not markup._TAGS & {"img", "script", "style", "form", "input", "iframe", "h1", "h2", "h3", "div"}
    return markup._TAGS


@given(st.text("<>[]()!'\"=/ \n#`*|-ahrefsconclick:&;\0", max_size=80))
def test_whatever_is_written_comes_out_safe(text: str):
    safe(html(text))


@pytest.mark.parametrize(
    "text",
    [
        ">" * 20_000,
        "- " * 10_000,
        "[" * 20_000,
        "[a](" * 5_000,
        "![[" * 6_000,
        "*a" * 10_000,
        "**a " * 5_000,
        "".join("`" * n + " " for n in range(190)),
        "<b>" * 6_000,
        "<div>" * 1_900,
        "<table>" * 1_999,
        "<b><i><a href=x>" * 600,
        "|" + "a|" * 4_000 + "\n|" + "-|" * 4_000 + "\n" + "|\n" * 1_000,
        "[a]: b\n" * 2_500,
        "<!--" * 4_000,
        "<?" * 4_000,
        "\\" * 20_000,
        "&#x" * 6_000,
        "\n".join(">" * n for n in range(190)),
        "\n".join("  " * n + "- a" for n in range(140)),
        "<img " * 4_000,
        "_" * 20_000,
        "a" * 5_000_000,
    ],
    ids=lambda text: text[:6],
)
def test_hostile_text_ends_in_time(text: str):
    start = time.process_time()
    made = html(text)
    assert time.process_time() - start < 1
    assert len(made) < 1_000_000


def test_what_is_too_long_is_cut_and_shows_it():
    assert html("word " * 100, limit=7) == "<p>word wo…</p>"
