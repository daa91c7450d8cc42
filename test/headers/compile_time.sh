#!/usr/bin/env bash
# Including the map and using it once must cost the compiler at most twice what oneTBB's map costs.
# Usage: compile_time.sh COMPILER INCLUDE_FOLDER
# Time of the processor, the two in turn, so that a busy machine disturbs both alike: the first pair, or the best of up to 15 where
# that does not suffice, for the best of many is what the compiler takes when nothing disturbs it. Exits 77 where there is no oneTBB.
set -eu
compiler=$1
include=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/syncmap.cpp" <<'PROGRAM'
#include <syncmap/map.hpp>
int f(syncmap::map<int, int>& m, int key) {
    m.store(key, 1);
    return m.load(key).value_or(0);
}
PROGRAM
cat >"$folder/tbb.cpp" <<'PROGRAM'
#include <tbb/concurrent_hash_map.h>
int f(tbb::concurrent_hash_map<int, int>& m, int key) {
    m.insert({key, 1});
    tbb::concurrent_hash_map<int, int>::const_accessor entry;
    return m.find(entry, key) ? entry->second : 0;
}
PROGRAM

compile() { "$compiler" -std=c++20 -O2 -c -o /dev/null -I "$include" "$folder/$1.cpp"; }

compile tbb 2>/dev/null || { echo "oneTBB is not installed (libtbb-dev): nothing to compare with"; exit 77; }

# milliseconds NAME: what one compilation takes of the processor, for the program and for the system.
milliseconds() {
    local TIMEFORMAT='%3U %3S' taken user system
    taken=$({ time compile "$1" >&2; } 2>&1) || { echo "$taken" >&2; return 1; }
    read -r user system <<<"${taken##*$'\n'}"
    echo $((10#${user/[.,]/} + 10#${system/[.,]/}))
}

ours=999999999 theirs=999999999
for round in {1..15}; do
    [ "$round" -eq 1 ] || [ "$ours" -gt $((2 * theirs)) ] || break
    time=$(milliseconds syncmap); ours=$((time < ours ? time : ours))
    time=$(milliseconds tbb); theirs=$((time < theirs ? time : theirs))
done
echo "syncmap::map $ours ms, tbb::concurrent_hash_map $theirs ms: ratio $((100 * ours / theirs)) %"
[ "$ours" -le $((2 * theirs)) ]
