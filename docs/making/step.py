"""A drawing of one time step: a frame, gates, arithmetic signs, and the wires between them."""

from svg import Picture

STATE, INPUT, MEMORY, GATE = "model", "1", "2", "soft"
Point = tuple[float, float]


class Step(Picture):
    """A frame for one time step: states enter on the left and leave on the right."""

    def __init__(self, title: str, height: float):
        super().__init__(720, height, title)
        self.above: list[str] = []  # boxes and signs are drawn on top of all wires
        self.rectangle(82, 18, 556, height - 56, fill="none", stroke="line", radius=14)

    def wire(self, *points: Point, color: str = GATE, arrow: bool = True) -> None:
        """Draw a wire from the first point to the last."""
        self.line(list(points), color=color)
        if arrow:
            self.head(points[-1], points[-2], color=color)

    def dot(self, x: float, y: float, color: str = STATE) -> None:
        """Draw the branching point of a wire."""
        self.circle(x, y, 3.6, fill=color)

    def gate(self, x: float, y: float, name: str, function: str, width: float = 58) -> None:
        """Draw a gate or a candidate, with its function."""
        self._above(lambda: self._box(x, y, name, function, width))

    def sign(self, x: float, y: float, words: str) -> None:
        """Draw a sign of elementwise arithmetic."""
        self._above(lambda: self._sign(x, y, words))

    def entering(self, y: float, name: str, color: str = STATE) -> None:
        """Draw a state's name on the left."""
        self.text(28, y, name, size=17, color=color, weight="600", style="italic")

    def leaving(self, y: float, name: str, color: str = STATE) -> None:
        """Draw a state's name on the right."""
        self.text(694, y, name, size=17, color=color, weight="600", style="italic")

    def svg(self) -> str:
        """Return the file's text, with the boxes on top."""
        self.parts, self.above = self.parts + self.above, []
        return super().svg()

    def _above(self, draw: object) -> None:
        kept, self.parts = self.parts, []
        draw()  # type: ignore[operator]
        self.above, self.parts = self.above + self.parts, kept

    def _box(self, x: float, y: float, name: str, function: str, width: float) -> None:
        self.rectangle(x - width / 2, y - 21, width, 42, stroke="soft", radius=7)
        if function:
            self.text(x, y - 7, name, size=15, weight="600", style="italic")
            self.text(x, y + 10, function, size=11.5, color="soft")
        else:
            self.text(x, y, name, size=14, weight="600")

    def _sign(self, x: float, y: float, words: str) -> None:
        self.circle(x, y, 14, fill="card", stroke="soft")
        self.text(x, y, words, size=15 if len(words) == 1 else 12.5, weight="600")


def bus(step: Step, y: float, end: float, *, from_h: float | None, bottom: float, h_end: float = 0) -> None:
    """Draw the input from below, and h if the gates see it, side by side below the gates."""
    step.wire((110, bottom), (110, y), (end, y), color=INPUT, arrow=False)
    step.text(110, bottom + 14, "x", size=17, color=INPUT, weight="600", style="italic")
    if from_h is not None:
        h_end = h_end or end + 3
        if from_h == y + 5:
            step.wire((98, y + 5), (h_end, y + 5), color=STATE, arrow=False)
        else:
            step.wire((98, from_h), (98, y + 5), (h_end, y + 5), color=STATE, arrow=False)
            step.dot(98, from_h)


def up(step: Step, x: float, y: float, to: float, *, h: bool = True) -> None:
    """Draw a wire from the bus to a gate."""
    if h:
        step.wire((x + 3, y + 5), (x + 3, to), color=STATE)
        step.wire((x - 3, y), (x - 3, to), color=INPUT)
    else:
        step.wire((x, y), (x, to), color=INPUT)


def output(step: Step, x: float, y: float, to: float) -> None:
    """Draw the output, upwards or downwards."""
    step.dot(x, y)
    step.wire((x, y), (x, to), color=STATE)
    step.text(x + 14, to + (6 if to < y else -4), "y", size=17, color=STATE, weight="600", style="italic")
