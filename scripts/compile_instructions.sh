#!/usr/bin/env bash
# Instructions that the compiler takes for a program with one map, and for one with oneTBB's, at -O2: counted, not timed, so that
# other programs do not disturb it. Usage: compile_instructions.sh [INCLUDE_FOLDER]. Takes a minute or two a row.
set -euo pipefail
cd "$(dirname "$0")/.."
include=${1:-include}
compiler=${CXX:-g++}
for tool in valgrind "$compiler"; do
    command -v "$tool" >/dev/null || { echo "compile_instructions.sh: $tool is not installed" >&2; exit 2; }
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# program NAME HEADER: the text of a program comes from stdin.
program() { { echo "#include <string>"; echo "#include <$2>"; cat; } >"$folder/$1.cpp"; }
for key in int std::string; do
    program "syncmap-${key#std::}" syncmap/map.hpp <<PROGRAM
int f(syncmap::map<$key, int>& m, const $key& key) {
    m.store(key, 1);
    return m.load(key).value_or(0);
}
PROGRAM
    program "tbb-${key#std::}" tbb/concurrent_hash_map.h <<PROGRAM
int f(tbb::concurrent_hash_map<$key, int>& m, const $key& key) {
    m.insert({key, 1});
    tbb::concurrent_hash_map<$key, int>::const_accessor entry;
    return m.find(entry, key) ? entry->second : 0;
}
PROGRAM
done
program syncmap-header syncmap/map.hpp </dev/null
program tbb-header tbb/concurrent_hash_map.h </dev/null

# count NAME: millions of instructions. What the driver would run runs under valgrind instead, and writes nothing.
count() {
    local command
    command=$("$compiler" -std=c++20 -O2 -S -o /dev/null -I "$include" "$folder/$1.cpp" '-###' 2>&1 | grep -m1 '^ .*/cc1plus')
    eval "valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null $command" 2>&1 >/dev/null |
        awk '/I +refs/ { gsub(",", "", $NF); printf "%d\n", $NF / 1e6; found = 1 } END { exit !found }'
}

printf '%-8s %10s %10s %8s\n' program syncmap oneTBB ratio
for row in header int string; do
    ours=$(count "syncmap-$row")
    theirs=$(count "tbb-$row" || echo 0) # oneTBB is not installed
    printf '%-8s %10s %10s %6s %%\n' "$row" "$ours" "$theirs" "$((theirs == 0 ? 0 : 100 * ours / theirs))"
done
