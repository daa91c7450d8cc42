#!/usr/bin/env bash
# Instructions of single operations of one thread, at a thousand keys, counted by callgrind. Usage: instructions.sh [ROW...]
# Rows: map, text_map (strings in the compact form alone), flat (boost::unordered_flat_map), mutex (std::mutex + std::unordered_map), plain (std::unordered_map).
# Each figure is (instructions of 2 N operations - those of N) / N, less the same of the loop without a map.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in valgrind "${CXX:-g++}"; do
    command -v "$tool" >/dev/null || { echo "instructions.sh: $tool is not installed" >&2; exit 2; }
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# No -march=native: the counter does not know every instruction of every processor.
"${CXX:-g++}" -std=c++20 -O3 -DNDEBUG -march=x86-64-v3 -Iinclude -o "$folder/instructions" bench/instructions.cpp -pthread

rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(map text_map flat mutex plain)
operations=(hit miss overwrite insert+erase string-hit string-overwrite)
times=20000

# count ROW OPERATION TIMES: instructions of the whole program.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$folder/instructions" "$@" 2>&1 >/dev/null |
        awk '/Collected/ { print $NF; found = 1 } END { exit !found }'
}
# each ROW OPERATION: instructions of one operation, times 10, the loop included.
each() {
    local once twice
    once=$(count "$1" "$2" "$times") || { echo "instructions.sh: $1 $2 does not run under callgrind" >&2; exit 1; }
    twice=$(count "$1" "$2" $((2 * times)))
    echo $(((twice - once) * 10 / times))
}

printf '%-10s' row
printf '%18s' "${operations[@]}"
printf '\n'
declare -A loop
printf '%-10s' '(loop)'
for operation in "${operations[@]}"; do
    loop[$operation]=$(each loop "$operation")
    printf '%18s' "$((loop[$operation] / 10)).$((loop[$operation] % 10))"
done
printf '\n'
for row in "${rows[@]}"; do
    printf '%-10s' "$row"
    for operation in "${operations[@]}"; do
        if [ "$row" = text_map ] && [[ $operation != string-* ]]; then
            printf '%18s' -
            continue
        fi
        own=$(($(each "$row" "$operation") - loop[$operation]))
        printf '%18s' "$((own / 10)).$((own % 10))"
    done
    printf '\n'
done
