#!/usr/bin/env bash
# Shows what the library is for. ./run.sh --help tells the options.
set -u
cd_to=$(dirname "$(readlink -f "$0")")
source "$cd_to/scripts/packages.sh"

usage() {
    cat <<'TEXT'
Usage: ./run.sh [FOLDER]

Installs the packages that are missing (Debian, Ubuntu), builds into build/release, and then runs
  1. the first program everybody writes, and a request cache        (examples/)
  2. a real job: all cores count the identifiers in the C and C++ source text below FOLDER into one map,
     beside the same job on one thread and on a map behind a mutex   (examples/word_count.cpp)
  3. a one-minute measurement against the maps one would use else, with a verdict   (syncmap bench)
  4. recorded requests of a web shop: how many of them a cache of a tenth of the keys answers   (syncmap trace)

Step 4 reads web12.trace.xz (cache2k's benchmark traces, headissue GmbH, CC BY 4.0) in the folder that SYNCMAP_TRACES names,
../shared/traces by default. Without that file it is left out, with a message.
FOLDER is any folder with source text; the default is /usr/include.
The first call takes a few minutes, later ones build only what has changed.
Exit status: 0 when all went well, 1 when a step failed, 2 for bad arguments.
TEXT
}

refuse() {
    echo "run.sh: $1 (see ./run.sh --help)" >&2
    exit 2
}

folder=/usr/include
[ $# -le 1 ] || refuse "takes one folder at most"
case "${1-}" in
    -h | --help) usage && exit 0 ;;
    -*) refuse "unknown option '$1'" ;;
    *) [ $# -eq 0 ] || folder=$1 ;;
esac
[ -d "$folder" ] || refuse "'$folder' is not a folder"
{ [ -r "$folder" ] && [ -x "$folder" ]; } || refuse "'$folder' cannot be read"
folder=$(readlink -f "$folder")
cd "$cd_to" || exit 1

step() { printf '\n==== %s ====\n' "$1"; }
# or_stop COMMAND...: a step that fails ends the script, with its name.
or_stop() { "$@" || { echo "run.sh: failed: $*" >&2 && exit 1; }; }

need "${packages_to_build[@]}"
want "${packages_of_peers[@]}" "${packages_of_traces[@]}"

step "Building (build/release)"
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
or_stop cmake --preset release
or_stop cmake --build --preset release --target examples syncmap-tool

step "1. The first program"
or_stop build/release/examples/first_program
step "1. A request cache"
or_stop build/release/examples/request_cache
step "2. Counting the identifiers below $folder"
or_stop build/release/examples/word_count "$folder"
step "3. One minute of measuring"
or_stop build/release/tool/syncmap bench --seconds 60

# answer_a_trace FILE: replays it, and tells in one line what the cache saved.
answer_a_trace() (
    set -o pipefail
    xz -dc "$1" | build/release/tool/syncmap trace - --format words --capacity 1375 --name "$(basename "$1" .trace.xz)" | tail -n 1
)
step "4. A cache on a recorded trace"
trace=${SYNCMAP_TRACES:-../shared/traces}/web12.trace.xz
if [ ! -r "$trace" ]; then
    echo "Left out: there is no $trace."
elif ! command -v xz >/dev/null; then
    echo "Left out: there is no xz to unpack $trace."
else
    or_stop answer_a_trace "$trace"
fi
