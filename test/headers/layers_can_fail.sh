#!/usr/bin/env bash
# layers.awk must see each kind of wrong include, and let the right ones through.
set -u
layers=$(dirname "$(readlink -f "$0")")/layers.awk
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect RESULT FILE INCLUDE: a header FILE with one INCLUDE is accepted (0) or refused (1).
expect() {
    local file=$folder/include/syncmap/$2
    mkdir -p "$(dirname "$file")"
    printf '#pragma once\n#include %s\n' "$3" >"$file"
    awk -f "$layers" "$file" >"$folder/output"
    if [ $? -ne "$1" ]; then
        echo "$2 with $3: expected status $1; said: $(cat "$folder/output")"
        failed=1
    fi
    rm "$file"
}

expect 1 detail/bits.hpp '<syncmap/reclaim/hazard.hpp>'
expect 1 sync/policy.hpp '<syncmap/engine/decision.hpp>'
expect 1 hash.hpp '<syncmap/map.hpp>'
expect 1 reclaim/hazard.hpp '<syncmap/engine/table/table.hpp>'
expect 1 engine/table/table.hpp '<syncmap/facade.hpp>'
expect 1 engine/table/table.hpp '<syncmap/engine/locked.hpp>'
expect 1 engine/locked.hpp '<syncmap/engine/table/bucket.hpp>'
expect 1 engine/decision.hpp '<syncmap/engine/locked.hpp>'
expect 1 map.hpp '<syncmap/checked_map.hpp>'
expect 1 checked_map.hpp '<syncmap/syncmap.hpp>'
expect 1 map.hpp '"facade.hpp"'
expect 1 map.hpp '<bench/workload.hpp>'
expect 1 map.hpp '<tbb/concurrent_hash_map.h>'

expect 0 map.hpp '<syncmap/facade.hpp>'
expect 0 map.hpp '<syncmap/engine/table/table.hpp>'
expect 0 engine/table/table.hpp '<syncmap/engine/table/bucket.hpp>'
expect 0 engine/table.hpp '<syncmap/engine/table/bucket.hpp>'
expect 0 engine/table/table.hpp '<syncmap/engine/decision.hpp>'
expect 0 engine/table/table.hpp '<syncmap/reclaim/hazard.hpp>'
expect 0 reclaim/hazard.hpp '<syncmap/sync/policy.hpp>'
expect 0 syncmap.hpp '<syncmap/checked_map.hpp>'
expect 0 sync/policy.hpp '<sys/syscall.h>'
expect 0 hash.hpp '<string_view>'
exit $failed
