#!/usr/bin/env bash
# Runs the checks of .clang-tidy over all public headers, as test/compilers/everything.cpp uses them. Exit status 1: the
# checks found something. Exit status 77: there is no clang-tidy 19. Other versions of it have other checks.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
source scripts/clang_tools.sh

tool=$(find_tool clang-tidy) || exit

"$tool" --quiet --warnings-as-errors='*' --header-filter='include/syncmap/' --line-filter='[{"name":".hpp"}]' \
    test/compilers/everything.cpp -- -std=c++20 -Iinclude
