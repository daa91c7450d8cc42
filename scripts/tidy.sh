#!/usr/bin/env bash
# Runs the checks of .clang-tidy over all public headers, as test/compilers/everything.cpp uses them. Exit status 1: the
# checks found something. Exit status 77: there is no clang-tidy 19. Other versions of it have other checks.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

tool=
for candidate in clang-tidy-19 clang-tidy; do
    if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q 'version 19\.'; then tool=$candidate; fi
    [ -z "$tool" ] || break
done
if [ -z "$tool" ]; then
    echo "tidy.sh: skipped: clang-tidy 19 is not installed (Debian, Ubuntu: clang-tidy-19), and other versions have other checks"
    exit 77
fi

"$tool" --quiet --warnings-as-errors='*' --header-filter='include/syncmap/' --line-filter='[{"name":".hpp"}]' \
    test/compilers/everything.cpp -- -std=c++20 -Iinclude
