#!/usr/bin/env python3
"""Writes docs/proof.md: docs/proof.in.md with the figures of test runs in its {{places}}.

Usage: scripts/proof.py LOG... [--mutants FILE]

LOG: build/STAGE/Testing/Temporary/LastTest.log of `./test.sh`, one or more. What the tests print about themselves is
added up over all of them. A place without a figure is an error (exit status 2), and nothing is written.
"""
import argparse
import collections
import json
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent


def stop(words):
    print(f"proof.py: {words}", file=sys.stderr)
    sys.exit(2)


def read(path):
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except OSError as error:
        stop(f"{path}: {error.strerror}")


class figures:
    def __init__(self):
        self.sums = collections.Counter()
        self.most = {}
        self.named = {}

    def add(self, text):
        for match in re.finditer(
            r"^\[ explored \] (.*?): (\d+) programs \((\d+) exhausted, (\d+) failed\), (\d+) schedules", text, re.M
        ):
            memory = "weak" if "weak memory" in match[1] else "explored"
            for name, value in zip(("programs", "exhausted", "failed", "schedules"), match.groups()[1:]):
                self.sums[f"{memory}.{name}"] += int(value)
        for match in re.finditer(r": (\d+) faults injected", text):
            self.sums["faults"] += int(match[1])
        for match in re.finditer(r"^linearizability: (\d+) operations of real threads checked", text, re.M):
            self.sums["linearizability"] += int(match[1])
        self.keep_most("attack", r" keys, \d+ maps, .*?: ([0-9.]+) of random keys", text)
        self.keep_most("order", r"filled in another map's order: ([0-9.]+) of a shuffled order", text)
        self.keep_most("constant", r"constant hash, \d+ keys: ([0-9.]+) of the memory", text)
        for match in re.finditer(r"^\[  figure  \] (.*?): (\d+)$", text, re.M):
            self.named[match[1]] = max(self.named.get(match[1], 0), int(match[2]))
        self.sums["tests"] += len(re.findall(r"^Test Passed\.$", text, re.M))

    def keep_most(self, name, pattern, text):
        found = [float(m[1]) for m in re.finditer(pattern, text)]
        if found:
            self.most[name] = max(found + [self.most.get(name, 0.0)])

    def value(self, name):
        if name in self.sums:
            return f"{self.sums[name]:,}"
        if name in self.most:
            return f"{self.most[name]:.2f}"
        if name in self.named:
            return f"{self.named[name]:,}"
        return None


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("logs", nargs="+", metavar="LOG")
    arguments.add_argument("--mutants", default=root / "test/mutants/results.json", help="results of scripts/mutants.py")
    arguments.add_argument("--list", action="store_true", help="print the figures that the logs have, and write nothing")
    given = arguments.parse_args()

    all_figures = figures()
    for log in given.logs:
        all_figures.add(read(log))
    summary = json.loads(read(given.mutants))["summary"]
    for name, count in summary.items():
        all_figures.sums[name if name == "mutants" else f"mutants.{name}"] = count
    all_figures.sums["mutants.left"] = summary["mutants"] - summary["killed"] - summary["equivalent"]
    if given.list:
        for name in sorted([*all_figures.sums, *all_figures.most, *all_figures.named]):
            print(f"{name}: {all_figures.value(name)}")
        return

    missing = []

    def fill(match):
        value = all_figures.value(match[1])
        if value is None:
            missing.append(match[1])
        return value or ""

    page = re.sub(r"\{\{(.*?)\}\}", fill, read(root / "docs/proof.in.md"))
    if missing:
        stop("the logs have no figure for: " + ", ".join(missing))
    (root / "docs/proof.md").write_text(page)


main()
