#!/usr/bin/env bash
# Usage: check.sh ROOT: every C++ block of the pages is, word for word, one of the programs in examples/, which are
# compiled and run; every link to a file leads somewhere.
set -u
root=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
blocks=0
failures=0

fail() {
    echo "$1"
    failures=$((failures + 1))
}

is_an_example() {
    local example
    for example in "$root"/examples/*.cpp; do
        cmp -s "$1" "$example" && return
    done
    return 1
}

for page in "$root"/README.md "$root"/docs/*.md; do
    rm -f "$folder"/*
    awk -v folder="$folder" '
        /^```cpp$/ { inside = 1; file = sprintf("%s/%d", folder, FNR); next }
        /^```/     { inside = 0 }
        inside     { print > file }' "$page"
    for block in "$folder"/*; do
        [ -e "$block" ] || continue
        blocks=$((blocks + 1))
        is_an_example "$block" || fail "$page:${block##*/}: this block is no program of examples/"
    done
    while read -r link; do
        [ -e "$(dirname "$page")/$link" ] || fail "$page: nothing lies at $link"
    done < <(grep -o '](\([^)#]*\)' "$page" | sed 's/^](//' | grep -v '^[a-z]*:' | grep .)
done

[ "$blocks" -gt 0 ] || fail "no C++ block was found at all"
[ "$failures" -eq 0 ]
