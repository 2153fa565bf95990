"""Where the boxes and lines of a flow's drawing go: layers from top to bottom, few crossings. What they look like is in `diagram`.

Sugiyama's method: break the circles, layer by longest path, order each layer by its neighbours' mean, then place each
box as near to its neighbours as the boxes beside it allow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 16
GAP_X, LANE_GAP = 34.0, 26.0  # between boxes, and beside a line that passes them
LANE_WIDTH = 8.0
STRAIGHTNESS = 8


@dataclass(frozen=True)
class Edge:
    source: str
    target: str
    label: str


@dataclass(frozen=True)
class EdgeRoute:
    """Joints from source to target: the ends, and the lanes on which the line passes the layers between."""

    edge: Edge
    joints: tuple[str, ...]
    climbs: bool


@dataclass(frozen=True)
class Layout:
    """`x`: the middle of each joint; `layers`: joints from left to right; `rank`: each joint's layer."""

    x: dict[str, float]
    rank: dict[str, int]
    layers: list[list[str]]
    routes: list[EdgeRoute]


def lay_out(start: str, widths: dict[str, float], edges: Sequence[Edge]) -> Layout:
    """`widths`: of each box. An edge from a box to itself is left to whoever draws."""
    between = [edge for edge in edges if edge.source != edge.target]
    climbing = _climbing_edges(start, widths, between)
    rank = _ranks(widths, [_downwards(edge, edge in climbing) for edge in between])
    routes = [_route(edge, edge in climbing, rank) for edge in between]
    layers = _ordered(_layers(rank), routes)
    return Layout(_place(layers, widths, routes), rank, layers, routes)


def _downwards(edge: Edge, climbs: bool) -> tuple[str, str]:
    return (edge.target, edge.source) if climbs else (edge.source, edge.target)


def _climbing_edges(start: str, names: Iterable[str], edges: Sequence[Edge]) -> set[Edge]:
    """The edges that close a circle, as a walk in depth meets them."""
    climbing: set[Edge] = set()
    done: set[str] = set()
    for root in (start, *names):
        open_steps: list[tuple[str, list[Edge]]] = [(root, _from(root, edges))] if root not in done else []
        while open_steps:
            name, left = open_steps[-1]
            if not left:
                done.add(name)
                open_steps.pop()
                continue
            edge = left.pop(0)
            if any(edge.target == above for above, _ in open_steps):
                climbing.add(edge)
            elif edge.target not in done:
                open_steps.append((edge.target, _from(edge.target, edges)))
    return climbing


def _from(name: str, edges: Sequence[Edge]) -> list[Edge]:
    return [edge for edge in edges if edge.source == name]


def _ranks(names: Iterable[str], links: Sequence[tuple[str, str]]) -> dict[str, int]:
    rank = dict.fromkeys(names, 0)
    # Without circles the longest path has fewer links than there are boxes.
    for _ in rank:
        for above, below in links:
            rank[below] = max(rank[below], rank[above] + 1)
    return rank


def _route(edge: Edge, climbs: bool, rank: dict[str, int]) -> EdgeRoute:
    """Lines to one box share their lanes, so that they run together; `rank` learns the lanes."""
    above, below = _downwards(edge, climbs)
    shared = edge.target if not climbs else f"{edge.source}>{edge.target}"
    lanes = [f"|{shared}|{level}" for level in range(rank[above] + 1, rank[below])]
    rank.update({lane: rank[above] + 1 + step for step, lane in enumerate(lanes)})
    joints = (above, *lanes, below)
    return EdgeRoute(edge, joints[::-1] if climbs else joints, climbs)


def _layers(rank: dict[str, int]) -> list[list[str]]:
    return [[name for name in rank if rank[name] == level] for level in range(max(rank.values(), default=-1) + 1)]


def _neighbours(routes: Sequence[EdgeRoute]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for one, other in {pair for route in routes for pair in pairwise(route.joints)}:
        near.setdefault(one, []).append(other)
        near.setdefault(other, []).append(one)
    return {name: sorted(others) for name, others in near.items()}


def _ordered(layers: list[list[str]], routes: Sequence[EdgeRoute]) -> list[list[str]]:
    near = _neighbours(routes)
    best, fewest = layers, _crossings(layers, near)
    for sweep in range(SWEEPS):
        layers = [list(layer) for layer in layers]
        downwards = sweep % 2 == 0
        for level in range(1, len(layers)) if downwards else range(len(layers) - 2, -1, -1):
            fixed = {name: place for place, name in enumerate(layers[level - 1 if downwards else level + 1])}
            layers[level] = _by_neighbours(layers[level], fixed, near)
        crossings = _crossings(layers, near)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _by_neighbours(layer: list[str], fixed: dict[str, int], near: dict[str, list[str]]) -> list[str]:
    means = {name: _mean([fixed[other] for other in near.get(name, ()) if other in fixed]) for name in layer}
    return sorted(layer, key=means.__getitem__)


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _crossings(layers: list[list[str]], near: dict[str, list[str]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        below = {name: place for place, name in enumerate(lower)}
        ends = [end for name in upper for end in sorted(below[other] for other in near.get(name, ()) if other in below)]
        total += sum(left > right for index, left in enumerate(ends) for right in ends[index + 1 :])
    return total


def _place(layers: list[list[str]], widths: dict[str, float], routes: Sequence[EdgeRoute]) -> dict[str, float]:
    near = _neighbours(routes)
    x: dict[str, float] = {}
    for layer in layers:
        x.update(_spread(layer, [0.0] * len(layer), widths))
    for sweep in range(2 * SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [_wanted(name, near.get(name, ()), x, widths) for name in layer]
            x.update(_spread(layer, wanted, widths))
    return x


def _wanted(name: str, neighbours: Sequence[str], x: dict[str, float], widths: dict[str, float]) -> float:
    """A lane would rather go straight on along itself than towards a box."""
    weights = [1 if other in widths or name in widths else STRAIGHTNESS for other in neighbours]
    pulls = [weight * x[other] for weight, other in zip(weights, neighbours, strict=True)]
    return sum(pulls) / sum(weights) if weights else x[name]


def _spread(layer: Sequence[str], wanted: Sequence[float], widths: dict[str, float]) -> dict[str, float]:
    """As near to the wanted places as can be (least squares), in order and without overlap: pool adjacent violators."""
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + _apart(left, right, widths))
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        pools.append((want - offset, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (low, few), (high, many) = pools.pop(), pools.pop()
            pools.append(((low * few + high * many) / (few + many), few + many))
    places = [place for place, count in pools for _ in range(count)]
    return {name: place + offset for name, place, offset in zip(layer, places, offsets, strict=True)}


def _apart(left: str, right: str, widths: dict[str, float]) -> float:
    gap = GAP_X if left in widths and right in widths else LANE_GAP
    return (widths.get(left, LANE_WIDTH) + widths.get(right, LANE_WIDTH)) / 2 + gap
