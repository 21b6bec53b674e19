"""Markdown of documents as HTML that is safe to show: made by markdown-it, cleaned by an allow-list of nh3. Pure.

What comes out has no script, style, id or class, loads nothing, and has only links to the web and to mail.
"""

import re
from collections.abc import Sequence
from html import escape, unescape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST = 20_000
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "dl", "dt", "em", "h4", "h5", "h6", "hr",
    "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_WITH_CONTENT = {"script", "style", "template", "iframe", "object", "svg", "math", "textarea", "title", "noscript"}
_SCHEMES = {"http", "https", "mailto"}
_HEADING = re.compile(r"<(/?)h([1-6])(?=[\s>/])", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(src|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_MOST_TAGS = 2_000
"""Beyond so many tags of its own, a text is shown as it is written: to mend their nesting takes too long."""

_MOST_CELLS = 20_000
"""Beyond so many cells, tables are shown as they are written."""


def html(markdown: str, limit: int = LONGEST) -> str:
    """`markdown` (CommonMark with tables and HTML) as an HTML fragment; what is longer than `limit` characters is cut.

    Headings begin at h4, and images become links to them, named by their text.
    """
    text = markdown if len(markdown) <= limit else markdown[:limit] + "…"
    parser = _PARSERS[text.count("<") <= _MOST_TAGS, _tables_end(text)]
    tokens = parser.parse(text)
    _lowered(tokens)
    made = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(
        made,
        tags=_TAGS,
        clean_content_tags=_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel="nofollow noopener noreferrer",
    ).strip()


def _tables_end(text: str) -> bool:
    """Whether tables are no larger than they may be, every row as wide as the widest."""
    lines = [line.count("|") for line in text.splitlines() if "|" in line]
    return not lines or max(lines) * len(lines) <= _MOST_CELLS


def _parser(own_tags: bool, tables: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": own_tags})
    if tables:
        parser.enable("table")
    parser.add_render_rule("image", _image)
    parser.add_render_rule("html_block", _own)
    parser.add_render_rule("html_inline", _own)
    return parser


def _image(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return _linked(str(token.attrGet("src") or ""), renderer.renderInlineAsText(token.children or [], options, env))


def _own(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """HTML that stands in the Markdown, its headings and images treated as those of Markdown."""
    content = _HEADING.sub(lambda found: f"<{found[1]}h{_level(int(found[2]))}", tokens[index].content)
    return _IMAGE.sub(_own_image, content)


def _own_image(found: re.Match[str]) -> str:
    given = {name.lower(): unescape(one or two or bare) for name, one, two, bare in _ATTRIBUTE.findall(found[0])}
    return _linked(given.get("src", ""), given.get("alt", ""))


def _linked(source: str, name: str) -> str:
    return f'<a href="{escape(source)}">{escape(name or "image")}</a>'


def _lowered(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{_level(int(token.tag[1]))}"


def _level(level: int) -> int:
    return min(6, level + 3)


_PARSERS = {(own, tables): _parser(own, tables) for own in (False, True) for tables in (False, True)}
