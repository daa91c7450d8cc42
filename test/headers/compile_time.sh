#!/usr/bin/env bash
# Including the map and using it once must cost the compiler at most 1.5 times what oneTBB's map costs.
# Usage: compile_time.sh COMPILER INCLUDE_FOLDER
# User time, the two in turn, so that a busy machine disturbs both alike: the best of three, or of up to 25 where three do not
# suffice, for the best of many is what the compiler takes when nothing disturbs it. Exits 77 where there is no oneTBB.
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

# milliseconds NAME: the user time of one compilation.
milliseconds() {
    local TIMEFORMAT=%3U seconds
    seconds=$({ time compile "$1" >&2; } 2>&1) || { echo "$seconds" >&2; return 1; }
    seconds=${seconds##*$'\n'}
    echo $((10#${seconds/[.,]/}))
}

ours=999999999 theirs=999999999
for round in {1..25}; do
    [ "$round" -le 3 ] || [ $((2 * ours)) -gt $((3 * theirs)) ] || break
    time=$(milliseconds syncmap); ours=$((time < ours ? time : ours))
    time=$(milliseconds tbb); theirs=$((time < theirs ? time : theirs))
done
echo "syncmap::map $ours ms, tbb::concurrent_hash_map $theirs ms: ratio $((100 * ours / theirs)) %"
[ $((2 * ours)) -le $((3 * theirs)) ]
