"""A flow as a Mermaid flowchart, for documents; as a drawing of our own it is in `diagram`."""

from ivr.flow.drawing.look import Drawable, edges


def mermaid(flow: Drawable) -> str:
    """A Mermaid flowchart. Ids have a prefix: a step called `end` would end Mermaid's parser."""
    lines = ["flowchart TD", f'  call(["{flow.name}"]) --> {_id(flow.head.start)}']
    for name, step in flow.steps.items():
        lines.append(f'  {_id(name)}["{name}<br/><small>{step.drawn().words}</small>"]:::{step.drawn().colour}')
    for edge in edges(flow):
        arrow = f'-- "{edge.label}" -->' if edge.label else "-->"
        lines.append(f"  {_id(edge.source)} {arrow} {_id(edge.target)}")
    lines += [f"  classDef {name} {look}" for name, look in _MERMAID_LOOKS.items()]
    return "\n".join(lines) + "\n"


def _id(step: str) -> str:
    """A step of a part has a stroke in its name, which Mermaid reads as the beginning of a shape."""
    return f"step_{step.replace('/', '-')}"


_MERMAID_LOOKS = {
    "talk": "fill:#eef2f7,stroke:#8aa0b8,color:#16202b",
    "card": "fill:#fff3d6,stroke:#c98a00,color:#3a2a00",
    "bank": "fill:#e6e4fb,stroke:#6a5fd0,color:#221c5c",
    "paid": "fill:#dcf5e3,stroke:#2d8a4e,color:#0d3b1e",
    "reserved": "fill:#dcefee,stroke:#2b7f7a,color:#0c3634",
    "unpaid": "fill:#f6dfe0,stroke:#b4464b,color:#4d1417",
    "pending": "fill:#ffe9d1,stroke:#c2701d,color:#4f2a05",
}
