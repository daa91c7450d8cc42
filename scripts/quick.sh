#!/usr/bin/env bash
# After a change of one line of the engine: does it still work? About three minutes on two cores. ./scripts/quick.sh -h tells more.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

usage() {
    cat <<'TEXT'
Usage: scripts/quick.sh [-l LAYOUT] [-c] [-n]

Builds with the preset `quick` (g++ -O0, what is always inlined called as well; build/quick) and runs, at the same time where there are two processors:
  unit       all of test/unit
  contract   the operations on single keys and on whole maps, over syncmap::map with one layout
  explorer   pairs of operations in every interleaving of a few steps, while a table grows; writes beside whole-map operations

  -l LAYOUT  inline (integers in the table; what is taken without -l), node (strings in nodes)
  -c         the contract alone
  -n         builds, and runs nothing

The exit status is 0 when all passed. What is quicker still: compile one test file, as CONTRIBUTING.md tells.
TEXT
}

layout=inline
targets=(quick_unit quick_contract quick_explorer)
run=1
while getopts l:cnh option; do
    case $option in
        l) layout=$OPTARG ;;
        c) targets=(quick_contract) ;;
        n) run=0 ;;
        h) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
done
[[ $layout =~ ^(inline|node)$ ]] || { echo "quick.sh: no such layout: $layout" >&2; exit 2; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --preset quick -DSYNCMAP_QUICK="$layout" >"$log" 2>&1 || { cat "$log"; exit 1; }
cmake --build --preset quick -j "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" -t "${targets[@]}" || exit 1
echo "built after $SECONDS s"
[ $run = 1 ] || exit 0

failed=0
declare -A output pid
for target in "${targets[@]}"; do
    output[$target]=$(mktemp)
    filter='*'
    [ "$target" != quick_explorer ] || filter='*growth:*smallest:*no_call_for_help*:*forms_beside*'
    "build/quick/test/$target" --gtest_brief=1 --gtest_filter="$filter" >"${output[$target]}" 2>&1 &
    pid[$target]=$!
done
for target in "${targets[@]}"; do
    if wait "${pid[$target]}"; then
        echo "$target: $(tail -n 1 "${output[$target]}")"
    else
        cat "${output[$target]}"
        echo "$target: FAILED"
        failed=1
    fi
    rm -f "${output[$target]}"
done
echo "$SECONDS s"
exit $failed
