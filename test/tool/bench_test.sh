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

# lacks PATTERN: it did not.
lacks() { ! grep -Eq -- "$1" "$folder/out" || fail "'$1' in the output: $(cat "$folder/out")"; }
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
refuses nonsense bench --candidate nonsense
refuses "no cell 'foo'" bench --suite limits --cell foo
refuses family bench --candidate nonsense
refuses 'for one thread' bench --candidate limits --threads 2
refuses '--mix' bench --mix ''
refuses "'' is none of" bench --mix loads=100,
refuses 'writes' bench --mix loads=90,writes=10
refuses 'no percentage' bench --mix loads
refuses 'whole percentage' bench --mix loads=
refuses 'whole percentage' bench --mix loads=many
refuses 'whole percentage' bench --mix loads=99.5,stores=0.5
refuses 'whole percentage' bench --mix loads=110,stores=-10
refuses 'whole percentage' bench --mix loads=4294967396
refuses 'sum to 99' bench --mix loads=90,stores=9
refuses 'sum to 0' bench --mix loads=0
refuses twice bench --mix loads=50,stores=30,loads=20
refuses exclude bench --mix loads=100 --workload ycsb-a
refuses exclude bench --mix loads=100 --suite ycsb
refuses exclude bench --mix loads=100 --quick
refuses '--distribution' bench --mix loads=100 --distribution normal
refuses '--keys' bench --mix loads=100 --keys 0
refuses 'at least' bench --mix loads=90,churn=10 --keys 3 --threads 2
refuses 'at least' bench --mix loads=100 --distribution own --keys 3 --threads 4
refuses exclude bench --quick --suite ycsb
refuses '--suite limits' bench --cell read-1e3
refuses '--suite limits' bench --suite ycsb --cell read-1e3
refuses 'no cell' bench --suite limits --cell nonsense
refuses '--keys' bench --suite limits --keys 1000
refuses '--threads' bench --suite limits --threads 1
refuses 'is no map' bench --candidate line --threads 1
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
says '^  family +.*: map, text_map, snapshot_map, mutex_map, shared_mutex_map$'
says '^  frequent writes, compile-time types +everything else$'
works bench --help
for option in --mix --candidate --keys --threads --distribution; do says "$option"; done
says 'family, locks, peers, limits, all'

# every workload, with as few keys as it can do with, and no map of ours may answer wrongly (status 1)
short=(--candidate map,snapshot_map,mutex --seconds 0.005 --rounds 1)
works bench --suite all --keys 4 --threads 2 "${short[@]}"
says '\[50/50\]'
works bench --workload grow,ycsb-d,churn-90 --keys 1k,5k --threads 3 --key-type integer,string --json "$folder/found" \
    --candidate map,snapshot_map,mutex --seconds 0.01 --rounds 1
says '^\[12/12\]'
says '^  snapshot_map( +[0-9][0-9.]*) +[0-9.]+ - [0-9.]+ +[0-9.]+ +[0-9.]+x +[0-9,]+ +[0-9]+$' # p99.9 and bytes, too
says '^Verdict$'
says '^  use map: '
says '^Caveats$'
says '^  map won [0-9]+ of 12 cells'
python3 -m json.tool "$folder/found" >/dev/null 2>"$folder/err" || ! command -v python3 >/dev/null || fail "no JSON: $(cat "$folder/err")"
grep -q "\"commit\"" "$folder/found" || fail "the JSON does not tell the commit"
works bench --workload hot --json - "${short[@]}"
[ "$(head -c 1 "$folder/out")" = "{" ] || fail "--json - does not leave stdout to the JSON"
says '"wrong_operations": 0'
grep -q Verdict "$folder/err" || fail "--json - loses the table"

# a mix of one's own is run on the family, with the plain mutex as what it has to beat
instant=(--seconds 0.01 --rounds 2)
works bench --mix loads=80,stores=15,modifies=0,churn=5 --threads 2 "${instant[@]}"
says '^\[1/1\] mix \(80 % reads, 15 % overwrites, 5 % inserts and erases in turn\), 100,000 integer keys, 2 threads$'
for map in map snapshot_map mutex_map shared_mutex_map mutex; do says "^  $map +[0-9]"; done
for map in any_map shared_mutex plain onetbb libcuckoo liburcu; do lacks "^  $map "; done
works bench --mix modifies=50,lengths=50 --threads 2 --candidate locks "${instant[@]}"
for map in mutex shared_mutex; do says "^  $map +[0-9]"; done
lacks '^  (map|mutex_map) '
works bench --mix loads=100 --threads 1 --keys 1k --candidate limits,mutex_map "${instant[@]}"
for map in checked_map plain mutex_map; do says "^  $map +|^  $map \(limit\) +"; done
lacks '^  (map|mutex) '
works bench --mix stores=100 --key-type string --distribution own --keys 2k --threads 2 "${instant[@]}"
says 'overwrites; each thread its own keys\), 2,000 string keys, 2 threads'

# belongs_to ROW ARGUMENTS...: the one row of the decision matrix that the cell belongs to, in table, verdict and JSON.
belongs_to() {
    local row=$1
    shift
    [[ " $* " == *" --keys "* ]] || set -- "$@" --keys 5k
    works bench "$@" --candidate map,mutex --json "$folder/found" "${instant[@]}"
    says "^$row\$"
    says "^  rule of thumb: "
    [ "$(grep -c '^  rule of thumb: ' "$folder/out")" -eq 1 ] || fail "'$*' belongs to several rows: $(cat "$folder/out")"
    tr '\n' ' ' <"$folder/out" >"$folder/line"
    grep -Eq "Verdict   use map: $row\. [0-9.]+ Mops/s, [0-9]+ bytes an entry" "$folder/line" ||
        fail "'$*': no such row in the verdict: $(cat "$folder/out")"
    grep -q "\"decision_matrix_row\": \"$row\"" "$folder/found" || fail "'$*': the cell's row is not in the JSON"
    grep -q "\"row\": \"$row\"" "$folder/found" || fail "'$*': the row is not in the JSON"
}
read_mostly='reads far outnumber writes, threads write distinct keys'
write_heavy='frequent writes, compile-time types'
churning='length, one instant, churn that bloats'
belongs_to "$read_mostly" --mix loads=90,stores=10 --threads 2
belongs_to "$write_heavy" --mix loads=89,stores=11 --threads 2
belongs_to "$read_mostly" --mix loads=50,stores=50 --threads 2 --distribution own
belongs_to "$read_mostly" --mix loads=90,stores=6,churn=4 --threads 2 --distribution zipf
belongs_to "$churning" --mix loads=90,stores=5,churn=5 --threads 2
belongs_to "$churning" --mix loads=99,lengths=1 --threads 2
belongs_to "$churning" --mix loads=50,stores=49,walks=1 --threads 2 --keys 2k
belongs_to 'the map is small, simplicity matters' --mix stores=100 --threads 2 --keys 1000
belongs_to "$write_heavy" --mix stores=100 --threads 2 --keys 1001
belongs_to 'one thread only, by mistake many' --mix loads=100 --threads 1
belongs_to "$write_heavy" --workload grow --threads 2 --keys 2k
belongs_to "$read_mostly" --workload miss --threads 2 --keys 2k

# maps of any type compete where dynamic values are the question, and nowhere else
works bench --mix loads=95,stores=5 --threads 2 --candidate map,any_map "${instant[@]}"
says '^avoid locks on the read path, dynamic values acceptable$'
[ "$(grep -c '^  rule of thumb: ' "$folder/out")" -eq 2 ] || fail "two rows were wanted: $(cat "$folder/out")"
works bench --mix loads=50,stores=50 --threads 2 --candidate map,any_map "${instant[@]}"
lacks '^avoid locks'

# the suite of limits: rows that are no maps, goals that are met, not met or not measured, and every kind of cell
works bench --suite limits --quick --rounds 2 --candidate map,array,xchg_array,line --json "$folder/found" \
    --cell read-1e5,90-1e5,90-1e5-crowd,footprint
says '^\[1/4\] read-1e5: read-100 \(reads only\), 100,000 integer keys'
for row in map 'array \(limit\)' 'line \(limit\)'; do says "^  $row +[0-9]"; done
says '^  goal >= 1\.30 x array +[0-9.]+ \([0-9.]+ - [0-9.]+\) +(not )?met$'
says '^  goal >= 0\.96 x xchg array +[0-9.]+ \([0-9.]+ - [0-9.]+\) +(not )?met$'
says '^  goal >= 1\.40 x growt +not measured here$'
says '^  goal >= 0\.85 x own two threads +[0-9.]+ +(not )?met'
says '^  goal empty map: 0 bytes on the heap +[0-9.]+ +(not )?met' # malloc's own remainders are in it
says '^  goal four entries: <= 400 bytes on the heap'
says '^  goal forty entries: <= 1500 bytes on the heap'
says '^read-1e5 +[0-9.]+ M/s +- +[0-9.]+ +- +[0-9.]+ +- +- +[01] of 1$'
says '^[0-9]+ of [0-9]+ goals that could be measured are met; [0-9]+ more have a rival'
lacks '^Verdict'
for word in '"cell": "90-1e5-crowd"' '"map_by_row"' '"met": null'; do
    grep -q "$word" "$folder/found" || fail "no $word in the JSON of the suite limits"
done
works bench --suite limits --quick --rounds 1 --cell stall,bytes-doubling --candidate map
says '^  map +[0-9.]+ +[0-9.]+$'
says '^  map +[0-9.]+ +[0-9.]+ +[0-9.]+$'
says '^  goal longest operation <= 5 ms'
says '^  goal never over 48 bytes an entry +[0-9.]+ +(not )?met'
says '^  goal <= 30 bytes an entry +[0-9.]+ +(not )?met'

# the suite of guarantee costs: each figure with its median and range, goals that are met or not
works bench --suite guarantee-costs --quick --rounds 1 --keys 2k --cell size-cost,snapshot-taking,clear,replace --json "$folder/found"
says '^\[1/4\] size-cost: '
says '^  .*beside size\(\) without pause +[0-9.]+ ratio +[0-9.]+ - [0-9.]+ +goal >= 0\.95: (not )?met$'
says '^  2000 entries, beside a writer, taking: median of 100 +[0-9.]+ us '
says '^  2000 entries, until another thread sees the map empty +[0-9.]+ ms .*goal <= 1: (not )?met$'
for word in '"suite": "guarantee-costs"' '"cell": "replace"' '"at_least": 0.95' '"rounds": \['; do
    grep -q "$word" "$folder/found" || fail "no $word in the JSON of the suite guarantee-costs"
done
refuses 'no cell' bench --suite guarantee-costs --cell nonsense
refuses '--threads' bench --suite guarantee-costs --threads 1
refuses available bench --suite guarantee-costs --keys 1e9

# the suite of the cache: rates, ratios and hits of each contestant, goals, and in the end which of them are missed
works bench --suite cache --quick --rounds 1 --keys 1k --json "$folder/found"
says '^\[1/[0-9]+\] reads: '
says '^  1e3 entries, 1 thread: cache, (nodes|compact) by map, (nodes|compact) +[0-9.]+ ratio .*goal >= 0\.[89]: (not )?met$'
says '^  1e3 entries, 1 thread: compact_cache by map, integers in the table +[0-9.]+ ratio .*goal >= 0\.7: (not )?met$'
says '^  1e3 entries, 1 thread: cache by 16 LRU shards +[0-9.]+ ratio .*goal >= 2: (not )?met$'
for cache in cache compact_cache 'mutex \+ list LRU' '16 LRU shards'; do
    says "^  1e3 entries, 1 thread: $cache +[0-9.]+ M/s "
    says "^  1e3 entries, 1 thread: $cache, hits +[0-9.]+ % "
done
lacks 'wrong reads'
says '^Verdict$'
says '^  [0-9]+ of [0-9]+ goals are met$'
for word in '"suite": "cache"' '"cell": "mix"' '"at_least": 0.7' '"verdict": \['; do
    grep -q "$word" "$folder/found" || fail "no $word in the JSON of the suite cache"
done
refuses 'no cell' bench --suite cache --cell nonsense
refuses '--threads' bench --suite cache --threads 1
refuses excludes bench --suite cache --workload ycsb-a
refuses available bench --suite cache --keys 1e9
refuses '--keys' bench --suite cache --keys 10

works bench --list
says '^  limits '
says '^  guarantee-costs '
says '^  cache '
says '^  xchg_array '

# recorded requests: the hits of each policy, from files and pipes, in three formats
printf 'a\nb\na\nc\nb\na\n' >"$folder/lines"
works trace "$folder/lines" --capacity 2,1k --threads 1,2 --json "$folder/found"
says '^lines: 6 requests, 3 keys\. '
says '^ +2 +[0-9.]+ +[0-9.]+ +50\.00 +16\.67 +16\.67 +16\.67 +[-+][0-9.]+ +[0-9.]+$'
says '^ +1,000 +50\.00 +50\.00 +50\.00 +50\.00 +50\.00 +50\.00 +\+0\.00 +1\.000$'
says '^lines: 1,000 entries answer 50\.0 % of 6 requests, LRU 50\.0 %: 3 loads saved, 0 more than by LRU$'
for word in '"tool": "syncmap trace"' '"capacity": 1000' '"optimum"' '"threads": 2' '"hit_ratio": 0.5' '"wrong": false'; do
    grep -q "$word" "$folder/found" || fail "no $word in the JSON of trace"
done
works trace "$folder/lines" --capacity 2 --also lru,sieve --json "$folder/found"
says '^ +2 +[0-9.]+ +16\.67 +16\.67 +50\.00 '
grep -q '"cache": "sieve_cache"' "$folder/found" || fail "the JSON of trace does not say which cache it is about"
# what the cache hits less than the best of thirteen policies
works regret --kind pairs
says '^pairs, 0\.3 capacities apart +1,000 +[34][0-9.]+ +49\.95 +49\.95 '
says '^mean regret [0-9.]+, worst [0-9.]+, of 2 cells$'
works regret --second --kind jumps
says '^Zipf that jumps, each 3 capacities +2,000 '
works regret "$folder/lines" --capacity 2
says '^mean regret [0-9.]+, worst [0-9.]+, of 1 cells$'
refuses '--second belong' regret "$folder/lines" --capacity 2 --second
refuses '--kind' regret --kind nothing-of-that-name
refuses '--capacity' regret "$folder/lines"
refuses 'belong to a FILE' regret --capacity 2
# traces TEXT ARGUMENTS...: the same from a pipe.
traces() {
    local text=$1
    shift
    printf '%b' "$text" | "$tool" trace - "$@" >"$folder/out" 2>"$folder/err" || fail "trace of '$text' ends with $?"
}
traces '1 2 0 0\n1 1 0 0\r\n\n3 1\n2 1\n1 1' --format ranges --capacity 2 --name 'of ranges'
says '^of ranges: 6 requests, 3 keys\. '
says '^ +2 +[0-9.]+ +50\.00 +16\.67 '
traces '\0\0\0a\0\0\0b\0\0\0a' --format words --capacity 2
says '^stdin: 3 requests, 2 keys\. '
traces 'a\na\n' --capacity 1 --json -
[ "$(head -c 1 "$folder/out")" = "{" ] || fail "trace --json - does not leave stdout to the JSON"
refuses FILE trace --capacity 2
refuses '--capacity' trace "$folder/lines"
refuses '--capacity' trace "$folder/lines" --capacity 0
refuses '--capacity' trace "$folder/lines" --capacity 2,many
refuses '--capacity' trace "$folder/lines" --capacity 1e12
refuses '--threads' trace "$folder/lines" --capacity 2 --threads 0
refuses '--also' trace "$folder/lines" --capacity 2 --also fifo
refuses '--format' trace "$folder/lines" --capacity 2 --format xml
refuses '--json' trace "$folder/lines" --capacity 2 --json "$folder/none/found"
refuses 'cannot be read' trace "$folder/nothing" --capacity 2
refuses 'is a folder' trace "$folder" --capacity 2
printf 'a\na\nb\n' >"$folder/short"
refuses 'within a word' trace "$folder/short" --capacity 2 --format words
refuses "'first count' in line 1" trace "$folder/lines" --capacity 2 --format ranges
: >"$folder/empty"
refuses 'no request' trace "$folder/empty" --capacity 2
refuses 'no request' trace "$folder/empty" --capacity 2 --format words
printf '5 1\n7 1000000001\n' >"$folder/huge"
refuses 'in line 2: more than' trace "$folder/huge" --capacity 2 --format ranges
printf '18446744073709551615 2\n' >"$folder/huge"
refuses 'more than' trace "$folder/huge" --capacity 2 --format ranges
printf 'a\n\0\0b\n' >"$folder/binary"
refuses 'no text (line 2)' trace "$folder/binary" --capacity 2
printf '\3757zXZ\0\0\0' >"$folder/packed"
refuses 'xz -dc' trace "$folder/packed" --capacity 2
refuses 'xz -dc' trace "$folder/packed" --capacity 2 --format words

# a map that cannot tell a length is left out, and said to be
if "$tool" bench --list | grep -q '^  liburcu '; then
    works bench --workload length --threads 2 --keys 2k --candidate map,liburcu "${instant[@]}"
    says 'liburcu: left out, it does not tell its exact length'
fi
works bench --workload walk --threads 2 --keys 2k --candidate family,any_map,mutex "${instant[@]}"
says 'snapshot_map: left out, it cannot be iterated over as it is at one instant'
for map in map any_map mutex_map shared_mutex_map mutex; do says "^  $map +[0-9]"; done

[ $failures -eq 0 ]
