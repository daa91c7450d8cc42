#!/usr/bin/env bash
# map.hpp includes none of the standard headers that take long to compile and that it can do without.
# Usage: light_includes.sh COMPILER INCLUDE_FOLDER
set -eu
compiler=$1
include=$2

headers=$(echo '#include <syncmap/map.hpp>' | "$compiler" -std=c++20 -I "$include" -x c++ -MM - |
    tr -s ' \\' '\n\n' | grep '/syncmap/.*\.hpp$')
[ "$(wc -l <<<"$headers")" -gt 50 ] || { echo "the compiler does not tell what map.hpp includes"; exit 1; }
# shellcheck disable=SC2086
if grep -nE '^ *# *include <(algorithm|ranges|chrono|condition_variable|deque|functional|list|map|unordered_map|set|thread|variant|any|format|regex|[a-z]*stream)>' \
    $headers | grep -v 'detail/functional.hpp:'; then # that one includes it where it must
    echo "map.hpp does without these; see docs/architecture.md"
    exit 1
fi
