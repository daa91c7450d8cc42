#!/usr/bin/env bash
# Usage: docs.sh ROOT: the blocks of docs/c-api.md are, line by line, parts of programs that are compiled and run, and the
# page names every function that the headers declare.
set -u
root=$1
page=$root/docs/c-api.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
blocks=0 failures=0

fail() {
    echo "$1"
    failures=$((failures + 1))
}

is_part_of() {
    local program
    for program in "${@:2}"; do
        # Quoted, the pattern is taken as it is.
        [[ $(<"$program") == *"$(<"$1")"* ]] && return
    done
    return 1
}

awk -v folder="$folder" '
    /^```(c|python)$/ { inside = 1; file = sprintf("%s/%d.%s", folder, FNR, substr($0, 4)); next }
    /^```/            { inside = 0 }
    inside            { print > file }' "$page"
for block in "$folder"/*; do
    blocks=$((blocks + 1))
    case $block in
        *.c) is_part_of "$block" "$root"/examples/c_*.c ;;
        *) is_part_of "$block" "$root"/test/c/*.py ;;
    esac || fail "$page:${block##*/}: this block is no part of a program that is run"
done
[ "$blocks" -ge 4 ] || fail "only $blocks blocks were found"

for function in $(sed -n 's/^SYNCMAP_API .*\(syncmap_[a-z_]*\)(.*/\1/p' "$root"/include/syncmap/c/*.h); do
    case $function in syncmap_cursor_*) continue ;; esac # "a cursor"
    grep -q "\`$function\`" "$page" || fail "$page does not name $function"
done
[ "$failures" -eq 0 ]
