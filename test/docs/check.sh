#!/usr/bin/env bash
# Usage: check.sh ROOT: every whole program among the C++ blocks of the pages is, word for word, one of examples/, which
# are compiled and run (fragments.awk compiles and runs the other blocks); every link leads to a file that is there, and
# to one of its headings.
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

# prose PAGE: without its code, in which `](` is something else.
prose() {
    sed '/^```/,/^```$/d; /^<!-- given/,/^-->/d; s/`[^`]*`//g' "$1"
}

# headings PAGE: the names by which its headings can be linked to.
headings() {
    sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

for page in "$root"/README.md "$root"/docs/*.md; do
    rm -f "$folder"/*
    awk -v folder="$folder" '
        /^```cpp$/ { inside = 1; file = sprintf("%s/%d", folder, FNR); next }
        /^```/     { inside = 0 }
        inside     { print > file }' "$page"
    for block in "$folder"/*; do
        [ -e "$block" ] || continue
        grep -q 'int main(' "$block" || continue
        blocks=$((blocks + 1))
        is_an_example "$block" || fail "$page:${block##*/}: this program is none of examples/"
    done
    while read -r link; do
        [ -e "$(dirname "$page")/$link" ] || fail "$page: nothing lies at $link"
    done < <(prose "$page" | grep -o '](\([^)#]*\)' | sed 's/^](//' | grep -v '^[a-z]*:' | grep .)
    while read -r link; do
        target=${link%%#*}
        [ -n "$target" ] && target=$(dirname "$page")/$target || target=$page
        headings "$target" | grep -qx -- "${link#*#}" || fail "$page: no heading at $link"
    done < <(prose "$page" | grep -o '](\([^)]*#[^)]*\)' | sed 's/^](//' | grep -v '^[a-z]*:')
done

[ "$blocks" -gt 0 ] || fail "no program was found at all"
[ "$failures" -eq 0 ]
