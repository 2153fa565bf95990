"""How traffic looks on a flow's drawing: lines by how many calls took them, boxes with who came and who was lost there."""

from ivr.flow.drawing.layout import Edge
from ivr.flow.drawing.look import Box, Look
from ivr.flow.drawing.traffic import Traffic

# Of a line, in pixels: from a few calls to all of them.
WIDTHS = (1.5, 2.5, 3.5, 5.0, 6.5, 8.0)
_STYLE = """
.flow{--traffic:#5f54cf;--lost:#b4464b;--whole:#c9d3de}
@media(prefers-color-scheme:dark){.flow{--traffic:#8b81ee;--lost:#ef8388;--whole:#45566a}}
.flow path.never{stroke-dasharray:2 5;opacity:.6}.flow g.never{opacity:.55}
.flow path[class*=" t"]{stroke:var(--traffic);stroke-opacity:.6}
.flow .whole{stroke:var(--whole);stroke-width:4;stroke-linecap:round}.flow .share{stroke:var(--lost);stroke-width:4;stroke-linecap:round}
"""


class TrafficLook(Look):
    """Widths are by share of all calls, so that a thick line is one that most callers take."""

    about = ", with how many calls took each way; the table has the same numbers"
    style = _STYLE + "".join(f".flow path.t{size}{{stroke-width:{width}}}" for size, width in enumerate(WIDTHS))

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic

    def of_step(self, name: str) -> str:
        return "" if self.traffic.reached[name] else " never"

    def of_way(self, source: str, target: str) -> str:
        count = self.traffic.taken[source, target]
        return f" t{size_of(count, self.traffic.calls)}" if count else " never"

    def detail(self, name: str, step: Box) -> str:
        reached, lost = self.traffic.reached[name], self.traffic.lost_at(name)
        if not reached:
            return "no call"
        here = f"{reached:,} call{'' if reached == 1 else 's'}"
        return f"{here}, {lost:,} lost ({per_cent(lost, reached)})" if lost else here

    def label(self, edge: Edge) -> str:
        count = self.traffic.taken[edge.source, edge.target]
        return " · ".join(filter(None, (edge.label, f"{count:,}"))) if count else edge.label

    def share(self, name: str) -> float:
        return self.traffic.share_lost(name)


def size_of(count: int, calls: int) -> int:
    """An index of WIDTHS."""
    return min(round(count / calls * (len(WIDTHS) - 1)), len(WIDTHS) - 1) if calls else 0


def per_cent(part: int, whole: int) -> str:
    """Whole numbers; a little is never called nothing, and nearly all never all."""
    if not whole or not part:
        return "0 %"
    share = 100 * part / whole
    if share < 1:
        return "< 1 %"
    return "> 99 %" if 99 < share < 100 else f"{share:.0f} %"
