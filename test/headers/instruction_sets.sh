#!/usr/bin/env bash
# What the headers mean may not depend on the instruction set that an object is compiled for: the linker keeps one
# definition of each inline function for all objects of a program. Functions that are always inlined are exempt.
# Usage: instruction_sets.sh COMPILER INCLUDE_FOLDER
set -eu
compiler=$1
include=$(readlink -f "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Prints the text of our headers as this instruction set leaves it, without the functions that are always inlined.
text() {
    "$compiler" -std=c++20 "$@" -E -I "$include" -include syncmap/map.hpp -x c++ /dev/null | awk -v ours="$include/" '
        /^# [0-9]+ "/ { file = $3; inside = index(file, "\"" ours) == 1; next }
        !inside || /^ *$/ { next }
        /^\[\[gnu::always_inline\]\] inline / { skips = 1 }
        !skips { print }
        /^}/ { skips = 0 }'
}

case $("$compiler" -dumpmachine) in
    x86_64*) sets=(-msse4.1 -mavx -mavx2 -march=x86-64-v3) ;;
    *) exit 77 ;;
esac
text >"$folder/generic"
grep -q 'find_pair' "$folder/generic" || { echo "the headers' text was not found"; exit 1; }
for set in "${sets[@]}"; do
    text "$set" >"$folder/text"
    diff "$folder/generic" "$folder/text" || { echo "these lines differ with $set"; exit 1; }
done
