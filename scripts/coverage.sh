#!/usr/bin/env bash
# Tells how much of include/syncmap the tests run: lines and branches, by file and in all, with Clang's own counters.
# scripts/coverage.sh [PROGRAM...], by default those below; the lines that nothing ran lie in
# build/coverage/uncovered.txt afterwards. (What a child of a fork ran is not counted: it ends without a word.)
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
source scripts/packages.sh

programs=(unit_tests contract_tests model_tests faults_tests attacks_tests life_tests explorer_tests)
for program in "$@"; do
    if [[ " ${programs[*]} " != *" $program "* ]]; then
        echo "usage: scripts/coverage.sh [PROGRAM...], of: ${programs[*]}" >&2
        exit 2
    fi
done
if [ $# -ne 0 ]; then programs=("$@"); fi
need "${packages_to_build[@]}" "${packages_of_clang[@]}" "${packages_of_coverage[@]}"
llvm_tool() { command -v "$1-19" || command -v "$1"; }
profdata=$(llvm_tool llvm-profdata) && cov=$(llvm_tool llvm-cov) || exit

cmake --preset coverage && cmake --build build/coverage --target "${programs[@]}" || exit

rm -f build/coverage/*.profraw
status=0
for program in "${programs[@]}"; do
    echo "running $program"
    LLVM_PROFILE_FILE=build/coverage/$program.profraw timeout 1200 build/coverage/test/"$program" --gtest_brief=1 || status=1
done
"$profdata" merge -sparse -o build/coverage/all.profdata build/coverage/*.profraw || exit

objects=()
for program in "${programs[@]:1}"; do objects+=(-object "build/coverage/test/$program"); done
objects=("build/coverage/test/${programs[0]}" "${objects[@]}" -instr-profile=build/coverage/all.profdata)
"$cov" show "${objects[@]}" --sources include/syncmap --show-instantiations=false --show-branches=count >build/coverage/uncovered.txt
"$cov" report "${objects[@]}" --sources include/syncmap --show-region-summary=false --show-functions=false
exit $status
