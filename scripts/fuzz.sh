#!/usr/bin/env bash
# Fuzzes: builds the targets with libFuzzer and sanitizers, and runs them. scripts/fuzz.sh [SECONDS], by default 600 in all.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
source scripts/packages.sh

seconds=${1:-600}
if [ $# -gt 1 ] || ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: scripts/fuzz.sh [SECONDS]" >&2
    exit 2
fi
need "${packages_to_build[@]}" "${packages_of_clang[@]}"

cmake --preset fuzz && cmake --build --preset fuzz || exit

# fuzz TARGET SECONDS: from the kept inputs on; new ones of interest are kept under build/, a finding in findings/ there.
fuzz() {
    local grown=build/fuzz/corpus/$1
    mkdir -p "$grown" build/fuzz/findings
    build/fuzz/test/fuzz/fuzz-"$1" -max_total_time="$2" -max_len=4096 -timeout=60 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix=build/fuzz/findings/"$1"- "$grown" test/fuzz/corpus/"$1" 2>&1 | tail -n 40
    return "${PIPESTATUS[0]}"
}

status=0
fuzz maps $((seconds - seconds / 6)) || status=1
fuzz options $((seconds / 6 + 1)) || status=1
[ $status -eq 0 ] || echo "fuzz.sh: findings lie in build/fuzz/findings; copy them to test/fuzz/corpus once they are mended" >&2
exit $status
