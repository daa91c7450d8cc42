#!/usr/bin/env python3
"""Prints what `syncmap bench --suite limits --json FILE` found as the tables of docs/performance.md.

Usage: limits_table.py FILE.json...    (of several files with the same cell the last counts)
"""
import json
import sys

RIVALS = ("flat", "array", "xchg_array", "mutex_flat", "growt")


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def with_range(spread):
    median, least, most = (number(spread[key]) for key in ("median", "min", "max"))
    return median if least == most else f"{median} ({least} – {most})"


def ratio(limits, rival):
    found = limits["map_by_row"].get(rival)
    return number(found["ratio"]["median"]) if found else "–"


def best_peer(limits):
    peer = limits["best_peer"]
    return f'{with_range(limits["map_by_row"][peer]["ratio"])} {peer}' if peer else "–"


def goals(limits, kept):
    """The goals that were measured, those that are met and those that are not."""
    named = [f'{goal["goal"].removeprefix(">= ")}: {number(goal["found"]["median"])}'
             + (f' ({goal["against"]})' if goal["against"] else "")
             for goal in limits["goals"] if goal["met"] is kept]
    return "; ".join(named) or "–"


def millions(cell):
    rate = next((one["ops_per_second"]["median"] for one in cell["maps"] if one["candidate"] == "map"), None)
    return number(rate / 1e6) if rate else "–"


def read(files):
    cells = {}
    for name in files:
        with open(name, encoding="utf-8") as file:
            for cell in json.load(file)["cells"]:
                if "limits" in cell:
                    cells[cell["limits"]["cell"]] = cell
    return cells


def rates(cells):
    print("| cell | map, M/s | / " + " | / ".join(name.replace("_array", "").replace("_flat", "") for name in RIVALS)
          + " | / best peer (range) | goals met | goals missed |")
    print("|---|" + "---:|" * (1 + len(RIVALS)) + "---|---|---|")
    for name, cell in cells.items():
        limits = cell["limits"]
        if not limits["map_by_row"]:
            continue
        row = [f"`{name}`", millions(cell), *(ratio(limits, rival) for rival in RIVALS), best_peer(limits),
               goals(limits, True), goals(limits, False)]
        print("| " + " | ".join(row) + " |")


def others(cells):
    """Bytes and stalls: a row for each cell and figure, a column for each map."""
    rows = {}
    for name, cell in cells.items():
        for kind in ("figures", "weights"):
            for candidate, figures in cell["limits"][kind].items():
                for figure, value in figures.items():
                    if value is not None:
                        rows.setdefault((name, figure), {})[candidate] = value
    maps = list(dict.fromkeys(candidate for row in rows.values() for candidate in row))
    print("| cell | figure | " + " | ".join(maps) + " |")
    print("|---|---|" + "---:|" * len(maps))
    for (name, figure), row in rows.items():
        shown = (number(row[candidate]) if candidate in row else "–" for candidate in maps)
        print(f"| `{name}` | {figure.replace('_', ' ')} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    try:
        found = read(sys.argv[1:])
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"limits_table.py: {error}")
    rates(found)
    print()
    others(found)
