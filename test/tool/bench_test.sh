#!/usr/bin/env bash
# The tool's `bench` verb: what it refuses, and what a short run gives. Usage: bench_test.sh PATH_TO_SYNCMAP
set -u
tool=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    echo "FAILED: $1" >&2
    failures=$((failures + 1))
}

# refuses WORD ARGUMENTS...: exit status 2, nothing on stdout, one line on stderr that has WORD in it.
refuses() {
    local word=$1 status
    shift
    "$tool" "$@" >"$folder/out" 2>"$folder/err"
    status=$?
    [ $status -eq 2 ] || fail "'$*' ends with $status, not 2"
    [ ! -s "$folder/out" ] || fail "'$*' writes to stdout"
    [ "$(wc -l <"$folder/err")" -eq 1 ] || fail "'$*' does not say one line: $(cat "$folder/err")"
    grep -q -- "$word" "$folder/err" || fail "'$*' does not name '$word': $(cat "$folder/err")"
}

# works ARGUMENTS...: exit status 0; stdout and stderr are kept in $folder/out and $folder/err.
works() {
    "$tool" "$@" >"$folder/out" 2>"$folder/err" || fail "'$*' ends with $?: $(cat "$folder/err")"
}

# says PATTERN: the last `works` wrote it to stdout.
says() { grep -Eq -- "$1" "$folder/out" || fail "no '$1' in the output: $(cat "$folder/out")"; }

refuses subcommand
refuses subcommand nonsense
refuses nonsense bench --nonsense
refuses '--keys' bench --keys 0
refuses '--keys' bench --keys -5
refuses '--keys' bench --keys 1.5
refuses '--keys' bench --keys many
refuses '--keys' bench --keys ''
refuses '--keys' bench --keys 1e99
refuses available bench --keys 1e15
refuses available bench --keys 1000,1e12
refuses '--threads' bench --threads 0
refuses '--threads' bench --threads 100000
refuses '--seconds' bench --seconds 0
refuses '--seconds' bench --seconds nan
refuses '--rounds' bench --rounds 0
refuses '--key-type' bench --key-type float
refuses '--distribution' bench --distribution normal
refuses nonsense bench --suite nonsense
refuses nonsense bench --workload ycsb-a,nonsense
refuses nonsense bench --engine nonsense
refuses exclude bench --quick --suite ycsb
refuses exclude bench --workload ycsb-a --suite ycsb
refuses 'at least' bench --workload churn --keys 3 --threads 2
refuses 'cannot be written' bench --json "$folder/no/such/folder"
refuses 'cannot be written' bench --json "$folder"

works --version
says '^syncmap [0-9]+\.[0-9]+\.[0-9]+$'
works --help
says bench
works bench --list
says 'ycsb-f'
says 'std::mutex \+ std::unordered_map'

# every workload, with as few keys as it can do with, and none of our maps may answer wrongly (status 1)
short=(--engine map,mutex_map,shared_mutex_map,mutex --seconds 0.1 --rounds 1)
works bench --suite all --keys 4 --threads 2 "${short[@]}"
says '\[34/34\]'
works bench --workload grow,ycsb-d,churn-90 --keys 1k,20k --threads 1,3 --key-type integer,string --json "$folder/found" "${short[@]}"
says '^\[24/24\]'
says '^Verdict: map '
python3 -m json.tool "$folder/found" >/dev/null 2>"$folder/err" || ! command -v python3 >/dev/null || fail "no JSON: $(cat "$folder/err")"
works bench --workload hot --json - "${short[@]}"
[ "$(head -c 1 "$folder/out")" = "{" ] || fail "--json - does not leave stdout to the JSON"
says '"wrong_operations": 0'
grep -q Verdict "$folder/err" || fail "--json - loses the table"

[ $failures -eq 0 ]
