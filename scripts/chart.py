#!/usr/bin/env python3
"""Draws what `syncmap bench --suite limits --json FILE` found: for each cell the rate of `map` by that of the best peer,
and by that of its limit, median and range over the rounds.

Usage: chart.py FILE.json... >docs/performance.svg    (of several files with the same cell the last counts)
"""
import json
import math
import sys
from html import escape

LIMITS = ("flat", "xchg_array", "array", "mutex_flat")  # the first of them that a cell has is its limit
NAMES = {"flat": "flat map", "xchg_array": "exchanged array", "array": "array", "mutex_flat": "mutex + flat map"}
PEER, LIMIT, INK, FAINT = "#1f6feb", "#c2571a", "#24292f", "#d0d7de"
LEFT, WIDTH, RIGHT, ROW, TOP = 168, 520, 196, 24, 92
LEAST, MOST = 0.25, 16.0


def x_of(ratio):
    share = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + share * WIDTH


def text(x, y, words, anchor="start", colour=INK, size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{escape(words)}</text>'


def mark(y, ratio, colour, square):
    """A median with its range."""
    middle, low, high = (x_of(ratio[key]) for key in ("median", "min", "max"))
    shape = (f'<rect x="{middle - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"/>' if square
             else f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>')
    return (f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" stroke-width="2" '
            f'stroke-linecap="round" opacity="0.5"/>{shape}')


def read(files):
    """The machine, and (cell, ratio to the best peer, its name, ratio to the limit, its name) of every cell with rates."""
    found = {}
    machine = ""
    for name in files:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
        here = document["machine"]
        machine = f'{here["processor"]}, {here["processors"]} processors, {document["compiler"]}'
        for cell in document["cells"]:
            limits = cell.get("limits")
            if limits and limits["map_by_row"]:
                found[limits["cell"]] = limits
    rows = []
    for name, limits in found.items():
        by_row = limits["map_by_row"]
        peer = limits["best_peer"]
        limit = next((row for row in LIMITS if row in by_row), None)
        rows.append((name, by_row.get(peer, {}).get("ratio"), peer, by_row.get(limit, {}).get("ratio"), limit))
    return machine, rows


def draw(files):
    machine, rows = read(files)
    if not rows:
        sys.exit("chart.py: no cell of the suite limits with rates in these files")
    height = TOP + ROW * len(rows) + 44
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" '
        'font-family="system-ui, sans-serif">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        text(16, 26, "syncmap::map against the best peer installed, and against its limit", size=16),
        text(16, 46, f"ratio of rates, median and range over interleaved rounds; right of 1: map is faster. {machine}", size=11),
        f'<circle cx="{LEFT}" cy="64" r="4.5" fill="{PEER}"/>', text(LEFT + 10, 68, "by the best peer"),
        f'<rect x="{LEFT + 126}" y="60" width="8" height="8" fill="{LIMIT}"/>',
        text(LEFT + 142, 68, "by the limit, which does not synchronise"),
    ]
    bottom = TOP + ROW * len(rows)
    tick = LEAST
    while tick <= MOST:
        x = x_of(tick)
        strong = tick == 1
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}" stroke="{INK if strong else FAINT}"/>')
        parts.append(text(x, bottom + 18, f"{tick:g}", "middle"))
        tick *= 2
    for i, (name, by_peer, peer, by_limit, limit) in enumerate(rows):
        y = TOP + ROW * i + ROW / 2 - 4
        parts.append(text(LEFT - 10, y + 4, name, "end"))
        if by_limit:
            parts.append(mark(y + 4, by_limit, LIMIT, True))
        if by_peer:
            parts.append(mark(y - 4, by_peer, PEER, False))
        rivals = " / ".join(word for word in (peer, NAMES.get(limit)) if word)
        parts.append(text(LEFT + WIDTH + 10, y + 4, rivals, size=11))
    return "\n".join([*parts, "</svg>"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    try:
        print(draw(sys.argv[1:]))
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"chart.py: {error}")
