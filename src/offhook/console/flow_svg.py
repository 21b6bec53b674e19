"""The call flow as a picture: what follows stands below, a menu's keys stand to the right of its line. Pure.

It has a fixed width that fits a telephone's screen. Colours and letters are the style sheet's, by class. Its links
can be reached by keyboard; the page says the same in a list.
"""

from collections.abc import Callable, Mapping

from markupsafe import Markup

from offhook.console.flow import Node

WIDTH = 356
_TALL, _LOW, _GAP, _LED, _INDENT, _CAP = 46, 30, 14, 26, 34, 26
_LABEL, _NOTE = 8.8, 7.3
"""How wide a letter is at most, of a label and of a note."""

Address = Callable[[Mapping[str, str]], str]


def drawn(root: Node, lit: frozenset[str], address: Address, label: str) -> Markup:
    """The SVG of a flow. `lit` are the ids of the nodes that a call went through; `address` makes a link of a query."""
    pen = _Pen(lit, address)
    bottom = pen.chain(root, 1, 1)
    shape = Markup('<svg class="flow" role="group" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>')
    body = Markup("").join([*pen.lines, *pen.boxes])
    return shape.format(label, WIDTH, bottom + 2, WIDTH, bottom + 2, body)


class _Pen:
    """Draws from the top down; `lines` lie under `boxes`."""

    def __init__(self, lit: frozenset[str], address: Address) -> None:
        self.lit = lit
        self.address = address
        self.lines: list[Markup] = []
        self.boxes: list[Markup] = []

    def chain(self, node: Node, x: int, y: int) -> int:
        """A node at (x, y), what branches off it, and what follows it; the bottom of all."""
        bottom = self._box(node, x, y)
        end = self._branches(node, x, bottom)
        if node.then is None:
            return end
        gap = _LED if node.then.lead else _GAP
        spine = x + 17
        self._line(node.then, f"M{spine} {bottom}V{end + gap}")
        if node.then.lead:
            text = Markup('<text class="lead" x="{}" y="{}">{}</text>')
            self.boxes.append(text.format(spine + 9, end + gap - 8, node.then.lead))
        return self.chain(node.then, x, end + gap)

    def _branches(self, node: Node, x: int, bottom: int) -> int:
        end, spine = bottom, x + 17
        for one in node.branches:
            top = end + 8
            middle = top + _height(one) // 2
            self._line(one, f"M{spine} {bottom}V{middle}H{x + _INDENT}")
            end = self.chain(one, x + _INDENT, top)
        return end

    def _box(self, node: Node, x: int, y: int) -> int:
        high = _height(node)
        left = x
        if node.key:
            cap = Markup('<rect class="cap" x="{0}" y="{1}" width="{2}" height="{2}" rx="6"/>').format(
                x, y + (high - _CAP) // 2, _CAP
            )
            cap += Markup('<text class="key" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                x + _CAP // 2, y + high // 2 + 5, _cut(node.key, 3)
            )
            spoken = f"Press {node.key}: {node.label}" if node.key != "–" else "Press no key"
            self.boxes.append(self._put(node, self._follow(node, cap, spoken), "press"))
            left = x + _CAP + 6
        wide = WIDTH - left - 2
        shape = Markup('<rect class="box" x="{}" y="{}" width="{}" height="{}" rx="7"/>').format(left, y, wide, high)
        name = Markup('<text class="label" x="{}" y="{}">{}</text>').format(
            left + 11, y + 20, _cut(node.label, int((wide - 20) / _LABEL))
        )
        if node.note:
            name += Markup('<text class="note" x="{}" y="{}">{}</text>').format(
                left + 11, y + 37, _cut(node.note, int((wide - 20) / _NOTE))
            )
        whole = Markup("<title>{}</title>").format(f"{node.label} {node.note}".strip()) + shape + name
        if node.page:
            whole = Markup('<a href="{}" class="page">{}</a>').format(node.page, whole)
        elif not node.key:
            whole = self._follow(node, whole, _spoken(node))
        self.boxes.append(self._put(node, whole, "step"))
        return y + high

    def _follow(self, node: Node, drawn: Markup, spoken: str) -> Markup:
        if node.follow is None:
            return drawn
        here = Markup(' aria-current="step"') if node.id in self.lit else Markup("")
        return Markup('<a href="{}" class="follow" data-follow="{}" aria-label="{}"{}>{}</a>').format(
            self.address(node.follow), node.id, spoken, here, drawn
        )

    def _put(self, node: Node, drawn: Markup, kind: str) -> Markup:
        lit = " lit" if node.id in self.lit else ""
        return Markup('<g class="{}{}">{}</g>').format(kind, lit, drawn)

    def _line(self, node: Node, path: str) -> None:
        lit = node.id in self.lit
        mark = Markup('<path class="way{}" d="{}"/>').format(" lit" if lit else "", path)
        # What a call went through lies on top.
        self.lines.append(mark) if lit else self.lines.insert(0, mark)


def _spoken(node: Node) -> str:
    if node.follow and "answer" in node.follow:
        return f"Follow a call that is answered: {node.label} {node.note}"
    return f"Follow a call: {node.label}"


def _height(node: Node) -> int:
    return _TALL if node.note else _LOW


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(1, most - 1)]}…"
