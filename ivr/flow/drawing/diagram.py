"""A flow drawn for people: SVG for the page (no script, no network). Where things go is in `layout`; for documents see `mermaid`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ivr.flow.drawing.layout import Edge, EdgeRoute, Layout, lay_out
from ivr.flow.drawing.look import PLAIN, Drawable, Look, edges
from ivr.flow.parts import in_words

# ---- SVG: sizes in pixels

BOX_HEIGHT, LAYER_GAP, MARGIN = 50.0, 84.0, 18.0
NAME_SIZE, DETAIL_SIZE, LABEL_SIZE = 14.0, 11.5, 11.5
MEAN_GLYPH = 0.56  # of the font size: a generous mean for the system's sans-serif faces
PORT_GAP = 40.0
LOOP_REACH, LOOP_WORDS = 30.0, 6.0

_STYLE = """
.flow{--way:#4a40b5;--ink:#1b2733;--soft:#55677a;--line:#7d90a5;--halo:#fff;--talk:#eef2f7;--talk-line:#9db0c4;--card:#fff3d6;
--card-line:#c98a00;--bank:#e9e7fc;--bank-line:#7468d8;--paid:#dcf5e3;--paid-line:#2d8a4e;--reserved:#dcefee;
--reserved-line:#2b7f7a;--unpaid:#f8e2e3;
--unpaid-line:#b4464b;--pending:#ffead2;--pending-line:#c2701d;font-family:system-ui,sans-serif}
@media(prefers-color-scheme:dark){.flow{--way:#a79ff7;--ink:#e8eef5;--soft:#a9b8c8;--line:#73869b;--halo:#12181f;--talk:#1f2a36;
--talk-line:#4d627a;--card:#3a2e10;--card-line:#d9a22e;--bank:#2a2650;--bank-line:#8f84f0;--paid:#12351f;
--paid-line:#4fb374;--reserved:#12332f;--reserved-line:#4fb3ac;--unpaid:#411d20;--unpaid-line:#d9777c;--pending:#42290f;--pending-line:#e39a4d}}
.flow rect{stroke-width:1.5}.flow .name{font-size:14px;font-weight:600;fill:var(--ink)}
.flow .detail{font-size:11.5px;fill:var(--soft)}.flow path{fill:none;stroke:var(--line);stroke-width:1.5}
.flow .climbs{stroke-dasharray:5 4}.flow .head{fill:var(--line);stroke:none}
.flow g.took rect{stroke:var(--way);stroke-width:2.5}.flow path.took{stroke:var(--way);stroke-width:3}
.flow g.now rect{stroke:var(--way);stroke-width:5}
.flow .label{font-size:11.5px;fill:var(--ink);stroke:var(--halo);stroke-width:4;paint-order:stroke;stroke-linejoin:round}
"""
_COLOURS = "".join(
    f".flow .{name} rect{{fill:var(--{name});stroke:var(--{name}-line)}}"
    for name in ("talk", "card", "bank", "paid", "reserved", "unpaid", "pending")
)


@dataclass(frozen=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True)
class Curve:
    """One cubic: leaves and arrives vertically."""

    begin: Point
    end: Point

    def at(self, t: float) -> Point:
        middle, s = (self.begin.y + self.end.y) / 2, 1 - t
        across = self.begin.x * s * s * (s + 3 * t) + self.end.x * t * t * (t + 3 * s)
        down = self.begin.y * s**3 + 3 * middle * s * t + self.end.y * t**3
        return Point(across, down)

    def path(self) -> str:
        middle = (self.begin.y + self.end.y) / 2
        return f"C{_n(self.begin.x)} {_n(middle)} {_n(self.end.x)} {_n(middle)} {_n(self.end.x)} {_n(self.end.y)}"


def svg(flow: Drawable, *, nonce: str = "", look: Look = PLAIN) -> str:
    """The whole drawing. `nonce`: where a page's Content-Security-Policy asks for one on styles."""
    ways = edges(flow)
    drawing = _Drawing(flow, lay_out(flow.head.start, _widths(flow, ways, look), ways), ways, look)
    allowed = f' nonce="{escape(nonce)}"' if nonce else ""
    title = escape(f"The flow {flow.name}, from {in_words(flow.head.start)} to its endings{look.about}")
    body = "".join([*drawing.lines(), *drawing.boxes(), *drawing.labels()])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" role="img" aria-label="{title}" '
        f'viewBox="{drawing.view()}" width="{_n(drawing.width)}" height="{_n(drawing.height)}">'
        f"<title>{title}</title><style{allowed}>{_STYLE}{_COLOURS}{look.style}</style>{body}</svg>\n"
    )


def _widths(flow: Drawable, ways: Sequence[Edge], look: Look) -> dict[str, float]:
    """A box is as wide as its words, and as its lines need."""
    widths = {}
    for name, step in flow.steps.items():
        words = max(_text_width(in_words(name), NAME_SIZE) * 1.08, _text_width(look.detail(name, step), DETAIL_SIZE))
        lines = max(sum(way.source == name for way in ways), sum(way.target == name for way in ways))
        loops = any(way.source == way.target == name for way in ways)
        widths[name] = max(words + 30, PORT_GAP * min(lines, 5)) + (2 * LOOP_REACH if loops else 0)
    return widths


def _text_width(text: str, size: float) -> float:
    return len(text) * size * MEAN_GLYPH


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


class _Drawing:
    """Coordinates and the three layers of paint: lines under boxes under labels."""

    def __init__(self, flow: Drawable, layout: Layout, ways: Sequence[Edge], look: Look) -> None:
        self.flow, self.layout, self.look = flow, layout, look
        self.outer = _widths(flow, ways, look)
        self.loops = {way.source: look.label(way) for way in ways if way.source == way.target}
        self.left = min(layout.x[name] - self.outer.get(name, 0) / 2 for name in layout.x) - MARGIN
        self.right = max(map(self._right_of, layout.x)) + MARGIN
        self.width = self.right - self.left
        self.height = len(layout.layers) * (BOX_HEIGHT + LAYER_GAP) - LAYER_GAP + 2 * MARGIN
        self.curves = {route: self._curves(route) for route in layout.routes}

    def _right_of(self, joint: str) -> float:
        """A loop's words stand beside its box."""
        box = self.layout.x[joint] + self.outer.get(joint, 0) / 2
        words = _text_width(self.loops.get(joint, ""), LABEL_SIZE)
        return max(box, box - LOOP_REACH + LOOP_WORDS + words) if joint in self.loops else box

    def view(self) -> str:
        return f"{_n(self.left)} 0 {_n(self.width)} {_n(self.height)}"

    # ---- boxes

    def boxes(self) -> Iterator[str]:
        for name, step in self.flow.steps.items():
            x, top = self.layout.x[name], self._top(name)
            width = self._box_width(name)
            yield (
                f'<g class="{step.drawn().colour}{self.look.of_step(name)}" data-step="{escape(name)}"><rect x="{_n(x - width / 2)}" y="{_n(top)}" width="{_n(width)}" '
                f'height="{_n(BOX_HEIGHT)}" rx="10"/>{self._share(name, x, top, width)}<text class="name" text-anchor="middle" x="{_n(x)}" '
                f'y="{_n(top + 21)}">{escape(in_words(name))}</text><text class="detail" text-anchor="middle" '
                f'x="{_n(x)}" y="{_n(top + 38)}">{escape(self.look.detail(name, step))}</text></g>'
            )

    def _share(self, name: str, x: float, top: float, width: float) -> str:
        """A bar along the lower edge, between the box's round corners."""
        share = self.look.share(name)
        if not share:
            return ""
        left, y, full = x - width / 2 + 10, top + BOX_HEIGHT - 6, width - 20
        return (
            f'<path class="whole" d="M{_n(left)} {_n(y)}h{_n(full)}"/>'
            f'<path class="share" d="M{_n(left)} {_n(y)}h{_n(max(full * share, 1.0))}"/>'
        )

    def _top(self, joint: str) -> float:
        return MARGIN + self.layout.rank[joint] * (BOX_HEIGHT + LAYER_GAP)

    def _box_width(self, name: str) -> float:
        return self.outer[name] - (2 * LOOP_REACH if name in self.loops else 0)

    # ---- lines

    def lines(self) -> Iterator[str]:
        for route, curves in self.curves.items():
            begin, end = curves[0].begin, curves[-1].end
            way = f"M{_n(begin.x)} {_n(begin.y)}" + "".join(
                f"L{_n(c.begin.x)} {_n(c.begin.y)}{c.path()}" for c in curves
            )
            kind = ("climbs" if route.climbs else "falls") + self.look.of_way(route.edge.source, route.edge.target)
            yield f'<path class="{kind}"{_ends_of(route.edge.source, route.edge.target)} d="{way}"/>'
            yield _arrow_head(end, -1 if route.climbs else 1)
        for name in self.loops:
            yield from self._loop(name)

    def _loop(self, name: str) -> Iterator[str]:
        x, y = self.layout.x[name] + self._box_width(name) / 2, self._top(name) + BOX_HEIGHT / 2
        reach = x + LOOP_REACH
        yield f'<path class="climbs{self.look.of_way(name, name)}"{_ends_of(name, name)} d="M{_n(x)} {_n(y + 11)}C{_n(reach)} {_n(y + 20)} {_n(reach)} {_n(y - 20)} {_n(x + 5)} {_n(y - 11)}"/>'
        yield f'<path class="head" d="M{_n(x)} {_n(y - 12)}l9 -2l-3 8z"/>'

    def _curves(self, route: EdgeRoute) -> list[Curve]:
        """From the source's edge, past each layer on its lane, to the target's edge."""
        joints = route.joints
        down = -1 if route.climbs else 1
        xs = [
            self._port(joints[0], route),
            *(self.layout.x[lane] for lane in joints[1:-1]),
            self._port(joints[-1], route),
        ]
        near, far = (0.0, BOX_HEIGHT) if route.climbs else (BOX_HEIGHT, 0.0)
        tops = [self._top(joint) for joint in joints]
        return [
            Curve(
                Point(xs[i], tops[i] + near),
                Point(xs[i + 1], tops[i + 1] + far - (down * 7 if i == len(xs) - 2 else 0)),
            )
            for i in range(len(joints) - 1)
        ]

    def _port(self, name: str, route: EdgeRoute) -> float:
        """Lines leave a side of a box in the order of where they go; those on one lane arrive as one."""
        at_bottom = (name == route.joints[0]) != route.climbs
        ports = sorted(
            {self._beyond(name, other) for other in self.layout.routes if self._touches(other, name, at_bottom)}
        )
        place = ports.index(self._beyond(name, route))
        step = min(PORT_GAP, self._box_width(name) / len(ports))
        return self.layout.x[name] + (place - (len(ports) - 1) / 2) * step

    def _touches(self, route: EdgeRoute, name: str, at_bottom: bool) -> bool:
        begins, ends = route.joints[0] == name, route.joints[-1] == name
        return (begins and at_bottom != route.climbs) or (ends and at_bottom == route.climbs)

    def _beyond(self, name: str, route: EdgeRoute) -> tuple[float, str, bool]:
        next_joint = route.joints[1] if route.joints[0] == name else route.joints[-2]
        return self.layout.x[next_joint], next_joint, route.climbs

    # ---- labels

    def labels(self) -> Iterator[str]:
        taken: list[tuple[Point, float]] = []
        for route, curves in self.curves.items():
            label = self.look.label(route.edge)
            place = _free_place(curves[0], label, taken)
            taken.append((place, _text_width(label, LABEL_SIZE)))
            yield _label_text(place, label, "middle")
        for name, label in self.loops.items():
            x = self.layout.x[name] + self._box_width(name) / 2 + LOOP_WORDS
            yield _label_text(Point(x, self._top(name) + 6), label, "start")


def _free_place(curve: Curve, label: str, taken: Sequence[tuple[Point, float]]) -> Point:
    half = _text_width(label, LABEL_SIZE) / 2
    places = [curve.at(t) for t in (0.5, 0.35, 0.65, 0.25, 0.75, 0.15, 0.85)]
    free = (
        place
        for place in places
        if all(
            abs(place.y - other.y) > LABEL_SIZE + 2 or abs(place.x - other.x) > half + width / 2 + 4
            for other, width in taken
        )
    )
    return next(free, places[0])


def _label_text(place: Point, label: str, anchor: str) -> str:
    if not label:
        return ""
    return f'<text class="label" text-anchor="{anchor}" x="{_n(place.x)}" y="{_n(place.y + 4)}">{escape(label)}</text>'


def _ends_of(source: str, target: str) -> str:
    """For whoever marks the way that a call took."""
    return f' data-from="{escape(source)}" data-to="{escape(target)}"'


def _arrow_head(tip: Point, down: int) -> str:
    return f'<path class="head" d="M{_n(tip.x - 4.5)} {_n(tip.y - down)}h9l-4.5 {_n(down * 8.0)}z"/>'
