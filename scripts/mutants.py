#!/usr/bin/env python3
"""Weakens every memory order of the engine and removes every step of its protocol, and asks which program notices.

All mutants are compiled into one copy of the headers, each behind a condition that is looked at while the program runs
(test/mutants/mutant.hpp), so that the programs are compiled once; SYNCMAP_MUTANT says which of them is alive.
The programs (test/mutants/programs.hpp, snapshot_programs.hpp) explore the engine in the three slot formats, and that of
snapshot_map, under weak memory, with every plain access watched. A mutant is killed when one of them fails. First each is
run a little, to learn which mutants it comes by: only those are run for a mutant. Where aims.txt names an ordinary test
(`= test FILE`), it is compiled with the mutants as well, and run for those that it was made for.

Memory orders are found in the sources; what is removed beside them stands in test/mutants/removals.txt, and steps of
accounting, help and retry in test/mutants/steps.txt; mutants that are proven to change nothing stand in
test/mutants/equivalent.md, each under its name. Results: test/mutants/results.json.

    scripts/mutants.py --list                       the mutants, by number
    scripts/mutants.py --only 'counting|size'       those whose names match
    scripts/mutants.py --resume                     those without a result, as far as --limit goes
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "test" / "mutants"
SOURCES = ["engine/table/*.hpp", "reclaim/*.hpp", "sync/parking.hpp", "sync/wake_chain.hpp", "sync/wait_queues.hpp",
           "engine/single_flight.hpp", "engine/single_flight/*.hpp", "engine/read_dirty.hpp", "engine/read_dirty/*.hpp", "cache/*.hpp", "cache/policy/*.hpp", "cache/compact/*.hpp",
           "cache/time/[!c]*.hpp"]
LAYOUTS = ["node", "inline", "node_key", "snapshot"]
WEAKER = {
    "acquire": ["relaxed"],
    "release": ["relaxed"],
    "acq_rel": ["acquire", "release"],
    "seq_cst": ["acq_rel"],
}
COMPILE = ["-std=c++20", "-O2", "-w", "-fsanitize=thread", "--param=tsan-instrument-func-entry-exit=0",
           "-fno-threadsafe-statics"]


def fail(message):
    sys.exit("mutants.py: " + message)


class Mutant:
    def __init__(self, name, file, line, edits, by_line=None):
        self.name, self.file, self.line, self.edits = name, file, line, edits
        self.names = {name, by_line or name}
        self.is_order = by_line is not None
        self.number = 0


def comments(text):
    """The spans of comments, in which nothing is mutated."""
    return [m.span() for m in re.finditer(r"//[^\n]*", text)]


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def functions_of(text, name):
    """The spans of the definitions of functions, and of classes, of that name: from the name to the closing brace."""
    spans = []
    for m in re.finditer(r"^( *)(?! )(?!return\b|if\b|while\b|for\b|switch\b|else\b|case\b|//)[^\n=]*?(?<![\w.>])" + re.escape(name) + r"\b[^\n;]*", text, re.MULTILINE):
        opening = text.find("{", m.start())
        first_end = text.find(";", m.start())
        if opening < 0 or 0 <= first_end < opening:
            continue  # a declaration
        line_end = text.find("\n", opening)
        if text[opening:line_end].count("{") == text[opening:line_end].count("}"):
            spans.append((m.start(), line_end))
            continue
        close = re.compile(r"^ {" + str(len(m.group(1))) + r"}\}", re.MULTILINE).search(text, opening)
        if close is not None:
            spans.append((m.start(), close.end()))
    return spans


NUMBERED = re.compile(r"// \((\d+)\) ")


def site_of(text, at):
    """The number that a comment gives to the atomic access at `at`: behind it on its line, or right above its statement."""
    begin = text.rfind("\n", 0, at) + 1
    behind = NUMBERED.search(text[at : text.find("\n", at)])
    if behind is not None:
        return behind.group(1)
    number = None
    for line in reversed(text[:begin].splitlines()):
        if not line.strip().startswith("//"):
            break
        m = NUMBERED.match(line.strip())
        if m is not None:
            number = m.group(1)
            break
    return number


def orders_of(file, text):
    """One mutant for each memory order and each weaker one. Where a comment numbers the access, the mutant is named by the
    number, which outlives a change of the line; else by the line. The name by the line stays valid."""
    hidden = comments(text)
    named = {}
    for m in re.finditer(r"std::memory_order_(\w+)", text):
        if any(a <= m.start() < b for a, b in hidden):
            continue
        code = text[text.rfind("\n", 0, m.start()) + 1 : text.find("\n", m.start())].split("//")[0].strip()
        for weaker in WEAKER.get(m.group(1), []):
            name = f"{file}: `{code}` {m.group(1)} -> {weaker}"
            named[name] = named.get(name, 0) + 1
            if named[name] > 1:
                name += f" ({named[name]})"
            site = site_of(text, m.start())
            by_line = name
            if site is not None:
                name = f"{file}: ({site}) {m.group(1)} -> {weaker}"
                named[name] = named.get(name, 0) + 1
                if named[name] > 1:
                    name += f" [{named[name]}]"
            before = f"mutants::order(@, std::memory_order_{weaker}, "
            yield Mutant(name, file, line_of(text, m.start()), [(m.start(), m.end(), before, ")")], by_line)


def removals_of(path, texts):
    name, place, lines = None, None, {"<": [], ">": []}
    wrong = []

    def finish():
        if name is None:
            return None
        if place is None or not lines["<"]:
            fail(f"{path.name}: '{name}' has no place or no text")
        file, kind, *rest = place.split()
        if file not in texts:
            fail(f"{path.name}: '{name}': no such file: {file}")
        text = texts[file]
        pattern = r"(?:\s|//[^\n]*\n)+".join(re.escape(part) for part in " ".join(lines["<"]).split())
        found = list(re.finditer(pattern, text))
        where = file
        if rest[:1] == ["in"]:
            where = f"the functions {rest[1]} of {file}"
            spans = functions_of(text, rest[1])
            found = [m for m in found if any(a <= m.start() < b for a, b in spans)]
            rest = rest[2:]
        nth = rest
        n = int(nth[0]) if nth else 1
        if len(found) < n or (not nth and len(found) != 1):
            others = [other for other in texts if other != file and re.search(pattern, texts[other])]
            elsewhere = f"; it also stands in {', '.join(others)}" if others else ""
            wrong.append(f"{path.name}: '{name}': the text stands {len(found)} times in {where}{elsewhere}")
            return None
        m = found[n - 1]
        if any(a < m.end() <= b for a, b in comments(text)):
            wrong.append(f"{path.name}: '{name}': the text ends in a comment, where no brace can follow")
            return None
        instead = "\n".join(lines[">"])
        if kind == "statement":
            before, after = "if (mutants::is(@)) {" + instead + "} else {", "}"
        else:
            tail = ";" if instead.rstrip().endswith(";") else ""
            before, after = "(mutants::is(@) ? (" + instead.rstrip().rstrip(";") + ") : (", "))"
            if tail:  # the text goes on to the end of its statement, which stays outside
                return Mutant(f"{file}: {name}", file, line_of(text, m.start()),
                              [(m.start(), m.end() - 1, before, after)])
        return Mutant(f"{file}: {name}", file, line_of(text, m.start()), [(m.start(), m.end(), before, after)])

    for raw in path.read_text().splitlines() + ["= "]:
        mark, content = raw[:1], raw[2:]
        if mark == "=":
            mutant = finish()
            if mutant is not None:
                yield mutant
            name, place, lines = content, None, {"<": [], ">": []}
        elif mark in ("<", ">"):
            lines[mark].append(content)
        elif raw and mark != "#":
            place = raw
    if wrong:
        fail("\n".join(wrong))


def all_mutants(texts):
    mutants = [m for file, text in texts.items() for m in orders_of(file, text)]
    for file in ("removals.txt", "steps.txt"):
        mutants += removals_of(HERE / file, texts)
    for number, m in enumerate(mutants, 1):
        m.number = number
    return mutants


def write_tree(target, texts, mutants):
    """A copy of the headers in which every mutant sleeps."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "include", target)
    for file, text in texts.items():
        edits = []  # (position, order among those at one position, what is put in)
        for m in mutants:
            if m.file != file:
                continue
            for start, end, before, after in m.edits:
                edits.append((start, 1, -end, before.replace("@", str(m.number))))
                edits.append((end, 0, -start, after))
        out, last = [], 0
        for at, _, _, put in sorted(edits):
            out += [text[last:at], put]
            last = at
        out.append(text[last:])
        (target / "syncmap" / file).write_text("".join(out))


def build(directory, layouts, compiler, jobs):
    include = ["-I", str(directory / "include"), "-I", str(ROOT / "test")]
    checker = [p for p in sorted((ROOT / "test" / "linearizability").glob("*.cpp"))
               if not p.name.endswith("_test.cpp") and p.name != "check_history.cpp"]

    def compile_one(source, target, flags):
        done = subprocess.run([*compiler.split(), *flags, *include, "-c", str(source), "-o", str(directory / target)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"{target} does not compile:\n{done.stderr[:4000]}")

    def one(job):
        kind, name = job
        if kind == "layout":
            compile_one(HERE / "check.cpp", f"{name}.o",
                        [*COMPILE, "-include", str(HERE / "mutant.hpp"), f"-DSYNCMAP_LAYOUT={name}_layout"])
        else:
            compile_one(name, f"checker_{name.stem}.o", ["-std=c++20", "-O2", "-w", "-I", str(ROOT / "include")])

    # Nothing is compiled twice.
    digest = hashlib.sha256(repr((COMPILE, compiler)).encode())
    for path in sorted([*(directory / "include").rglob("*.hpp"), *(ROOT / "test" / "explore").glob("*.hpp"),
                        *(ROOT / "test" / "linearizability").glob("*.[ch]pp"), *HERE.glob("*.[ch]pp")]):
        digest.update(path.read_bytes())
    stamp = directory / "built"
    built = json.loads(stamp.read_text()) if stamp.exists() else {}
    missing = [layout for layout in layouts if built.get(layout) != digest.hexdigest()]
    if missing:
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, [("layout", layout) for layout in missing] + [("checker", path) for path in checker]))
    for layout in missing:
        objects = [str(directory / f"{layout}.o"), *(str(directory / f"checker_{path.stem}.o") for path in checker)]
        done = subprocess.run([*compiler.split(), *objects, "-o", str(directory / f"check_{layout}")],
                              capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"check_{layout} does not link:\n{done.stderr[:4000]}")
        done = subprocess.run([str(directory / f"check_{layout}"), "profile", str(directory / f"profile_{layout}")],
                              env=dict(os.environ, SYNCMAP_VERBOSE="1"), capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"without a mutant a check fails: {layout}: {done.stdout}{done.stderr}")
        programs = re.findall(r"^ *[\d.]+ (.*): \d+ schedules$", done.stdout, re.MULTILINE)
        (directory / f"programs_{layout}").write_text("\n".join(programs) + "\n")
    stamp.write_text(json.dumps({**built, **{layout: digest.hexdigest() for layout in layouts}}))


def read_aims(path, mutants):
    """Of each mutant's number the programs, and the tests, that were made for it."""
    aims, program = {}, None
    for raw in path.read_text().splitlines():
        if raw.startswith("= "):
            program = raw[2:]
        elif raw and not raw.startswith("#"):
            found = [m.number for m in mutants if any(raw in name for name in m.names)]
            if not found:
                fail(f"{path.name}: no such mutant: {raw}")
            for number in found:
                aims.setdefault(number, []).append(program)
    return aims


def test_program(directory, source):
    return directory / ("test_" + pathlib.Path(source).stem)


def build_test(directory, source, compiler):
    """An ordinary test, which goes through the living mutant."""
    program = test_program(directory, source)
    done = subprocess.run([*compiler.split(), "-std=c++20", "-O2", "-w", "-include", str(HERE / "mutant.hpp"), "-I",
                           str(directory / "include"), "-I", str(ROOT / "test"), str(ROOT / "test" / source), "-o", str(program),
                           "-lgtest_main", "-lgtest", "-pthread"], capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{source} does not compile:\n{done.stderr[:4000]}")
    if subprocess.run([str(program)], capture_output=True).returncode != 0:
        fail(f"without a mutant a test fails: {source}")


def narrowed_profile(directory, layout, number, programs):
    """A profile by which those programs alone come by the mutant; None if they are none of this layout's."""
    names = (directory / f"programs_{layout}").read_text().splitlines()
    wanted = [any(name.endswith(" " + each) for each in programs) for name in names]
    if not any(wanted):
        return None
    path = directory / f"profile_{layout}_{number}"
    path.write_text("".join((f"{number}:1 " if each else "") + "\n" for each in wanted))
    return path


def run(directory, layouts, number, seconds, of_a_step=False, aimed=()):
    """(killed, by which program and how, seconds)"""
    start = time.time()
    environment = dict(os.environ, SYNCMAP_MUTANT=str(number))
    reached = False
    for test in (each.removeprefix("test ") for each in aimed if each.startswith("test ")):
        reached = True
        try:
            done = subprocess.run([str(test_program(directory, test))], env=environment, capture_output=True, text=True,
                                  timeout=300)
        except subprocess.TimeoutExpired:
            return True, f"{test}: hangs", time.time() - start
        if done.returncode != 0:
            return True, f"{test}: " + " ".join(re.findall(r"\[  FAILED  \] (\S+) \(", done.stdout)), time.time() - start
    profiles = [(layout, narrowed_profile(directory, layout, number, aimed)) for layout in layouts] if aimed else []
    profiles += [(layout, directory / f"profile_{layout}") for layout in layouts]
    for layout, profile in profiles:
        if profile is None:
            continue
        try:
            command = [str(directory / f"check_{layout}"), str(seconds), str(profile)]
            done = subprocess.run(command + (["step"] if of_a_step else []), env=environment, capture_output=True,
                                  text=True, timeout=seconds * 40 + 60)
        except subprocess.TimeoutExpired:
            return True, f"{layout}: hangs", time.time() - start
        if done.returncode == 2:
            fail(f"check_{layout}: " + (done.stderr.strip() or "no profile of these programs"))
        if done.returncode == 3:
            continue
        reached = True
        if done.returncode < 0:
            return True, f"{layout}: ends with signal {-done.returncode}", time.time() - start
        if done.returncode != 0:
            lines = [line for line in done.stdout.splitlines() if "KILLED" in line or "REPLAY" in line]
            return True, layout + ": " + " ".join(" ".join(lines).split())[:400], time.time() - start
    return False, "" if reached else "no program comes by", time.time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--list", action="store_true", help="name the mutants and end")
    parser.add_argument("--syntax", action="store_true", help="see that all mutants compile, in one program, and end")
    parser.add_argument("--only", metavar="REGEX", help="mutants whose names match")
    parser.add_argument("--limit", type=int, metavar="N", help="so many at most")
    parser.add_argument("--resume", action="store_true", help="leave out those that have a result")
    parser.add_argument("--again", action="store_true", help="with --resume: those that survived once more")
    parser.add_argument("--seconds", type=float, default=20, help="of the processor for one mutant in one engine or slot format (%(default)s)")
    parser.add_argument("--until", type=float, metavar="SECONDS", help="start no mutant after so long")
    parser.add_argument("--layouts", default=",".join(LAYOUTS), help="of %(default)s")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at a time (%(default)s)")
    parser.add_argument("--compiler", default="g++", help="GCC (%(default)s)")
    parser.add_argument("--build", default=str(ROOT / "build" / "mutants"), help="scratch directory (%(default)s)")
    parser.add_argument("--results", default=str(HERE / "results.json"), help="file of results (%(default)s)")
    options = parser.parse_args()

    begin = time.time()
    paths = sorted(p for pattern in SOURCES for p in (ROOT / "include" / "syncmap").glob(pattern))
    texts = {str(p.relative_to(ROOT / "include" / "syncmap")): p.read_text() for p in paths}
    mutants = all_mutants(texts)
    layouts = options.layouts.split(",")
    if unknown := set(layouts) - set(LAYOUTS):
        fail(f"no such slot format: {', '.join(sorted(unknown))}")

    results_path = pathlib.Path(options.results)
    results = json.loads(results_path.read_text())["mutants"] if results_path.exists() else {}
    results = {m.name: results[name] for m in mutants for name in m.names if name in results}
    headings = {line[3:].strip() for line in (HERE / "equivalent.md").read_text().splitlines() if line.startswith("## ")}
    proven = {m.name for m in mutants if m.names & headings}
    aims = read_aims(HERE / "aims.txt", mutants)
    if stray := headings - {name for m in mutants for name in m.names}:
        fail("equivalent.md names no mutant: " + "; ".join(sorted(stray)))

    try:
        wanted = [m for m in mutants if options.only is None or any(re.search(options.only, name) for name in m.names)]
    except re.error as error:
        fail(f"--only: {error}")
    if options.list:
        for m in wanted:
            state = "equivalent" if m.name in proven else results.get(m.name, {}).get("state", "")
            print(f"{m.number:4} {state:10} {m.name} (line {m.line})")
        return 0
    if options.syntax:
        directory = pathlib.Path(options.build)
        directory.mkdir(parents=True, exist_ok=True)
        write_tree(directory / "include", texts, mutants)
        return subprocess.run([*options.compiler.split(), "-std=c++20", "-fsyntax-only", "-w", "-include", str(HERE / "mutant.hpp"),
                               "-I", str(directory / "include"), "-I", str(ROOT / "test"), "-DSYNCMAP_LAYOUT=node_layout",
                               str(HERE / "check.cpp")]).returncode
    wanted = [m for m in wanted if m.name not in proven]
    if options.resume:
        old = ("killed",) if options.again else ("killed", "survived")
        wanted = [m for m in wanted if results.get(m.name, {}).get("state") not in old]
    if options.limit is not None:
        wanted = wanted[: options.limit]

    directory = pathlib.Path(options.build)
    directory.mkdir(parents=True, exist_ok=True)
    write_tree(directory / "include", texts, mutants)
    build(directory, layouts, options.compiler, options.jobs)
    for test in sorted({each for m in wanted for each in aims.get(m.number, ()) if each.startswith("test ")}):
        build_test(directory, test.removeprefix("test "), options.compiler)
    print(f"{len(layouts)} programs ready after {time.time() - begin:.0f} s", flush=True)
    killed, how, _ = run(directory, layouts, 0, min(options.seconds, 5))
    if killed:
        fail(f"without a mutant a check fails: {how}")

    writing = threading.Lock()

    def keep_results():
        states = [results[m.name]["state"] for m in mutants if m.name in results and m.name not in proven]
        counted = {"mutants": len(mutants), "equivalent": len(proven), "run": len(states), "killed": states.count("killed")}
        results_path.write_text(json.dumps({"summary": counted, "mutants": results}, indent=1) + "\n")
        return counted

    def one(m):
        if options.until is not None and time.time() - begin > options.until:
            return
        killed, how, seconds = run(directory, layouts, m.number, options.seconds, not m.is_order, aims.get(m.number, ()))
        how = how.replace(f"{directory}/", "") if how else how  # results belong to no machine
        state = "killed" if killed else "survived"
        with writing:  # at once: a long run that is stopped keeps what it found
            results[m.name] = {"state": state, "by": how, "seconds": round(seconds, 1), "limit": options.seconds}
            keep_results()
            print(f"{state:8} {seconds:6.1f} s  {m.name}" + (f"\n         {how[:150]}" if how else ""), flush=True)

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, wanted))
    counted = keep_results()
    ran = [m for m in wanted if m.name in results]
    dead = sum(results[m.name]["state"] == "killed" for m in ran)
    print(f"all so far: {counted['killed']} of {counted['run']} killed, {len(proven)} proven equivalent, "
          f"{len(mutants)} in all")
    print(f"{dead} of {len(ran)} killed")
    return 0 if dead == len(ran) else 1


if __name__ == "__main__":
    sys.exit(main())
