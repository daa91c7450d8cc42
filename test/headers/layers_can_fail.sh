#!/usr/bin/env bash
# layers.awk must see each kind of wrong include, and let the right ones through.
set -u
layers=$(dirname "$(readlink -f "$0")")/layers.awk
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect RESULT FILE INCLUDE: a FILE with one INCLUDE is accepted (0) or refused (1). A FILE without a folder at the top is a
# header below include/syncmap/.
expect() {
    local file=$folder/include/syncmap/$2
    [[ $2 =~ ^(src|bench|tool)/ ]] && file=$folder/$2
    mkdir -p "$(dirname "$file")"
    printf '#pragma once\n#include %s\n' "$3" >"$file"
    awk -f "$layers" "$file" >"$folder/output"
    if [ $? -ne "$1" ]; then
        echo "$2 with $3: expected status $1; said: $(cat "$folder/output")"
        failed=1
    fi
    rm "$file"
}

# ---- upwards ----
expect 1 detail/bits.hpp '<syncmap/reclaim/hazard.hpp>'
expect 1 sync/policy.hpp '<syncmap/engine/decision.hpp>'
expect 1 sync/policy.hpp '<syncmap/concurrency/parking.hpp>'
expect 1 hash.hpp '<syncmap/map.hpp>'
expect 1 walk_position.hpp '<syncmap/engine/decision.hpp>'
expect 1 reclaim/hazard.hpp '<syncmap/engine/table/table.hpp>'
expect 1 reclaim/hazard.hpp '<syncmap/engine/tuning.hpp>'
expect 1 engine/table/table.hpp '<syncmap/facade.hpp>'
expect 1 engine/decision.hpp '<syncmap/engine/flat/locked.hpp>'
expect 1 operation/write.hpp '<syncmap/engine/table/table.hpp>'
expect 1 operation/write.hpp '<syncmap/facade.hpp>'
expect 1 map.hpp '<syncmap/checked_map.hpp>'
expect 1 map.hpp '<syncmap/cache.hpp>'
expect 1 cache.hpp '<syncmap/near_cache.hpp>'

# ---- sideways ----
expect 1 engine/table/table.hpp '<syncmap/engine/flat/locked.hpp>'
expect 1 engine/flat/locked.hpp '<syncmap/engine/table/bucket.hpp>'
expect 1 engine/read_dirty.hpp '<syncmap/engine/table/bucket.hpp>'
expect 1 map.hpp '<syncmap/engine/read_dirty.hpp>'
expect 1 locked_map.hpp '<syncmap/engine/table/table.hpp>'
expect 1 any_map.hpp '<syncmap/engine/table/table.hpp>'
expect 1 facade.hpp '<syncmap/engine/table/table.hpp>'
expect 1 cache/store.hpp '<syncmap/engine/table/table.hpp>'
expect 1 cache/policy/sieve.hpp '<syncmap/map.hpp>'
expect 1 cache/policy/sieve.hpp '<syncmap/time/ticker.hpp>'
expect 1 trace/writer.hpp '<syncmap/map.hpp>'
expect 1 redis/resp3.hpp '<syncmap/cache.hpp>'

# ---- what is neither ours nor the system's ----
expect 1 map.hpp '"facade.hpp"'
expect 1 map.hpp '<bench/workload.hpp>'
expect 1 map.hpp '<tbb/concurrent_hash_map.h>'

# ---- outside of the headers ----
expect 1 src/c/api.cpp '<syncmap/engine/table/table.hpp>'
expect 1 src/c/api.cpp '<fmt/format.h>'
expect 1 bench/suite.cpp '<syncmap/engine/table/storage.hpp>'
expect 1 bench/suite.cpp '<syncmap/reclaim/node.hpp>'
expect 1 bench/suite.cpp '<CLI/CLI.hpp>'
expect 1 tool/main.cpp '<syncmap/sync/real.hpp>'

# ---- what is right ----
expect 0 map.hpp '<syncmap/facade.hpp>'
expect 0 map.hpp '<syncmap/engine/table/table.hpp>'
expect 0 fork.hpp '<syncmap/engine/table/map_registry.hpp>'
expect 0 snapshot_map.hpp '<syncmap/engine/read_dirty.hpp>'
expect 0 warm_up.hpp '<syncmap/engine/process.hpp>'
expect 0 engine/table/table.hpp '<syncmap/engine/table/bucket.hpp>'
expect 0 engine/table.hpp '<syncmap/engine/table/bucket.hpp>'
expect 0 engine/table/table.hpp '<syncmap/engine/decision.hpp>'
expect 0 engine/table/table.hpp '<syncmap/operation/write.hpp>'
expect 0 engine/table/table.hpp '<syncmap/reclaim/hazard.hpp>'
expect 0 engine/table/table.hpp '<syncmap/concurrency/single_flight.hpp>'
expect 0 reclaim/hazard.hpp '<syncmap/sync/policy.hpp>'
expect 0 cache/store.hpp '<syncmap/operation/apply.hpp>'
expect 0 cache/store.hpp '<syncmap/map.hpp>'
expect 0 cache/policy/sieve.hpp '<syncmap/cache/policy/queue.hpp>'
expect 0 near_cache.hpp '<syncmap/cache.hpp>'
expect 0 trace/writer.hpp '<syncmap/trace/format.hpp>'
expect 0 sync/policy.hpp '<sys/syscall.h>'
expect 0 hash.hpp '<string_view>'
expect 0 src/c/api.cpp '<syncmap/any_map.hpp>'
expect 0 src/c/operations.hpp '<syncmap/engine/decision.hpp>'
expect 0 bench/size_cost.cpp '<syncmap/engine/table/table.hpp>'
expect 0 tool/main.cpp '<CLI/CLI.hpp>'

# ---- bench/ and tool/ ----
mkdir -p "$folder/bench" "$folder/tool"
printf '#pragma once\n' >"$folder/tool/bench_options.hpp"
printf '#include "bench_options.hpp"\n' >"$folder/bench/suite.cpp"
if awk -f "$layers" "$folder/tool/bench_options.hpp" "$folder/bench/suite.cpp" >"$folder/output"; then
    echo "bench/ may include a file of tool/"
    failed=1
fi

# ---- names that nothing has ----
printf '#pragma once\n' >"$folder/include/syncmap/map.hpp"
if awk -v complete=1 -f "$layers" "$folder/include/syncmap/map.hpp" >"$folder/output"; then
    echo "names of headers that are not there are let through"
    failed=1
fi
exit $failed
