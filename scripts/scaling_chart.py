#!/usr/bin/env python3
"""Draws what `syncmap bench --suite scaling --json FILE` found: for each workload the rates of the maps over the number of
threads, medians and ranges over the rounds, both axes logarithmic.

Usage: scaling_chart.py FILE.json >docs/scaling.svg
"""
import json
import math
import sys

from chart import FAINT, INK, text

MAPS = {"map": "#1f6feb", "text_map": "#8250df", "onetbb": "#c2571a", "libcuckoo": "#1a7f37", "xenium": "#bf8700",
        "liburcu": "#0a7ea4", "mutex": "#cf222e", "shared_mutex": "#6e7781"}
WIDE, HIGH, COLUMNS, LEFT, TOP, RIGHT, BOTTOM = 300, 210, 3, 46, 40, 14, 26
HEAD = 96


class Panel:
    """One workload: a curve for each map."""

    def __init__(self, cells):
        self.cells = sorted(cells, key=lambda cell: cell["threads"])
        rates = [map["ops_per_second"] for cell in cells for map in cell["maps"]]
        self.least = 10 ** math.floor(math.log10(min(rate["min"] for rate in rates)))
        self.most = 10 ** math.ceil(math.log10(max(rate["max"] for rate in rates)))
        self.threads = max(cell["threads"] for cell in cells)

    def x(self, threads):
        return LEFT + (WIDE - LEFT - RIGHT) * math.log2(threads) / max(1.0, math.log2(self.threads))

    def y(self, rate):
        share = math.log(rate / self.least) / math.log(self.most / self.least)
        return HIGH - BOTTOM - (HIGH - BOTTOM - TOP) * share

    def curve(self, name, colour):
        points, ranges = [], []
        for cell in self.cells:
            for found in cell["maps"]:
                if found["candidate"] != name:
                    continue
                rate = found["ops_per_second"]
                x = self.x(cell["threads"])
                points.append(f'{x:.1f},{self.y(rate["median"]):.1f}')
                ranges.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{self.y(rate["min"]):.1f}" y2="{self.y(rate["max"]):.1f}" '
                              f'stroke="{colour}" stroke-width="3" opacity="0.4"/>')
        if not points:
            return []
        strong = 2.4 if name == "map" else 1.4
        return [*ranges, f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="{strong}"/>']

    def draw(self):
        first = self.cells[0]
        parts = [text(LEFT, 24, f'{first["workload"]}, {first["key_type"]} keys', size=13)]
        rate = self.least
        while rate <= self.most:
            parts.append(f'<line x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{self.y(rate):.1f}" y2="{self.y(rate):.1f}" stroke="{FAINT}"/>')
            parts.append(text(LEFT - 6, self.y(rate) + 4, f"{rate / 1e6:g}", "end", size=11))
            rate *= 10
        for cell in self.cells:
            parts.append(text(self.x(cell["threads"]), HIGH - 8, str(cell["threads"]), "middle", size=11))
        for name, colour in reversed(MAPS.items()):
            parts += self.curve(name, colour)
        return parts


def draw(name):
    with open(name, encoding="utf-8") as file:
        document = json.load(file)
    panels = {}
    for cell in document["cells"]:
        panels.setdefault((cell["workload"], cell["key_type"]), []).append(cell)
    drawn = {found["candidate"] for cell in document["cells"] for found in cell["maps"]}
    here = document["machine"]
    rows = -(-len(panels) // COLUMNS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * WIDE} {HEAD + rows * HIGH}" '
        'font-family="system-ui, sans-serif">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        text(16, 26, "Rates over threads: millions of operations a second, all threads together", size=16),
        text(16, 46, f'{document["cells"][0]["keys"]:,} keys; medians and ranges of {document["rounds"]} interleaved rounds. '
                     f'{here["processor"]}, {here["processors"]} processors, {document["compiler"]}', size=11),
    ]
    x = 16.0
    for name, colour in MAPS.items():
        if name in drawn:
            parts.append(f'<line x1="{x}" x2="{x + 18}" y1="66" y2="66" stroke="{colour}" stroke-width="3"/>')
            parts.append(text(x + 24, 70, name))
            x += 44 + 7 * len(name)
    for i, cells in enumerate(panels.values()):
        parts.append(f'<g transform="translate({i % COLUMNS * WIDE},{HEAD + i // COLUMNS * HIGH})">')
        parts += Panel(cells).draw()
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    try:
        print(draw(sys.argv[1]))
    except (OSError, ValueError, KeyError, IndexError) as error:
        sys.exit(f"scaling_chart.py: {error}")
