#!/usr/bin/env bash
# Formats all sources as .clang-format says. With --check changes nothing, and names the files that differ (exit status 1).
# Exit status 77: there is no clang-format 19. Other versions of it format differently.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
source scripts/clang_tools.sh

tool=$(find_tool clang-format) || exit

mapfile -d '' -t files < <(find include src bench tool test examples \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.c' \) -print0 | sort -z)
[ ${#files[@]} -gt 0 ] || { echo "format.sh: found no sources" >&2; exit 1; }

case ${1-} in
    "") printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 32 "$tool" -i ;;
    --check)
        if printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 32 "$tool" --dry-run -Werror >/dev/null 2>&1; then exit 0; fi
        for file in "${files[@]}"; do
            "$tool" --dry-run -Werror "$file" >/dev/null 2>&1 || echo "$file: differs from what scripts/format.sh makes of it"
        done
        exit 1
        ;;
    *) echo "usage: scripts/format.sh [--check]" >&2 && exit 2 ;;
esac
