#!/usr/bin/env bash
# Builds and runs every test. ./test.sh --help tells the options.
set -u
cd "$(dirname "$(readlink -f "$0")")" || exit 1
source scripts/packages.sh

usage() {
    cat <<'TEXT'
Usage: ./test.sh [--quick | --full]

Installs the packages that are missing (Debian, Ubuntu), then builds and runs the tests:
  release      g++, optimised; with the headers, the compile-fail cases and the consumer projects, clang-format, clang-tidy
  asan-clang   clang-19; address, leak and undefined behaviour sanitizers
  tsan-clang   clang-19; thread sanitizer
Each test runs where it finds most:
  release              explorer, histories of real threads, ends of threads and processes, attacks, bytes, tool, examples; the
                       contract of snapshot_map
  asan-clang           unit, model, fault and cache tests; the contract of syncmap::map, in every layout
  tsan-clang           of these, the files that start threads; stress (the order of writes in release as well)
  release, asan-clang  C library
The suites over the whole family leave mutex_map out (it has the engine of shared_mutex_map); its contract runs with --quick and
--full. Those over maps of several types take one of them for each map but syncmap::map.

  --quick   release alone, with the suites of single operations over the first layout of each map
  --full    also release-clang, asan and tsan (g++), nothing left out under any sanitizer, and the long form of every test
            (may take hours); ten minutes of fuzzing; one program with every compiler that is promised (scripts/compilers.sh)

Each stage is a preset of CMakePresets.json and builds under build/. A stage that fails does not stop the others.
The last line is `N passed, M failed`; the exit status is 0 when M is 0, 1 otherwise, 2 for bad arguments.
TEXT
}

stages=(release asan-clang tsan-clang)
case "${1-}" in
    "") ;;
    --quick) stages=(release) ;;
    --full) stages+=(release-clang asan tsan) && export SYNCMAP_FULL=1 ;;
    -h | --help) usage && exit 0 ;;
    *) echo "test.sh: unknown argument '$1' (see ./test.sh --help)" >&2 && exit 2 ;;
esac
if [ $# -gt 1 ]; then
    echo "test.sh: takes one argument at most (see ./test.sh --help)" >&2
    exit 2
fi

need "${packages_to_build[@]}"
want libtbb-dev
[ ${#stages[@]} -eq 1 ] || want "${packages_of_clang[@]}"

export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
# Some tests wait for others of their threads: one more than there are processors.
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(($(nproc) + 1))}
# How many test files are compiled as one: 14 take up to 4 GB for each of the compilers that run at a time.
memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null)
[ "${memory_kb:-0}" -ge $((4000000 * CMAKE_BUILD_PARALLEL_LEVEL)) ] && batch=14 || batch=7
seconds_per_test=$((${SYNCMAP_FULL:-0} ? 14400 : 300))

# The thread sanitizer of older compilers cannot live with the wide address randomisation of newer kernels.
fixed_addresses=()
setarch "$(uname -m)" -R true 2>/dev/null && fixed_addresses=(setarch "$(uname -m)" -R)

passed=0
failed=0
report=()

fail_stage() {
    failed=$((failed + 1))
    report+=("$1: $2")
}

# configure STAGE: the preset, with the clang that is there.
configure() {
    local arguments=()
    if [[ $1 == *-clang ]]; then
        local compiler
        compiler=$(command -v clang++-19 || command -v clang++) || return
        [[ $compiler == *-19 ]] || echo "clang-19 is not here; using $("$compiler" --version | head -n 1)"
        arguments=("-DCMAKE_CXX_COMPILER=$compiler")
    fi
    [ "${SYNCMAP_FULL:-0}" = 0 ] ||
        arguments+=(-DSYNCMAP_TEST_EVERYTHING=ON -DSYNCMAP_BUILD_EXAMPLES=ON)
    [ "${SYNCMAP_FULL:-0}" = 1 ] || arguments+=(-DSYNCMAP_COMPILE_QUICKLY=ON)
    # The C library has the engines of the other programs: what the thread sanitizer has to say of these, it says there.
    [[ $1 != tsan-clang || ${SYNCMAP_FULL:-0} == 1 ]] || arguments+=(-DSYNCMAP_BUILD_C_API=OFF)
    # What usage() names for asan-clang alone is left out where that stage follows.
    local shared=OFF
    [[ $1 == release && ${SYNCMAP_FULL:-0} == 0 && " ${stages[*]} " == *" asan-clang "* ]] && shared=ON
    arguments+=("-DSYNCMAP_TEST_SHARED_WITH_SANITIZERS=$shared")
    cmake --preset "$1" "${arguments[@]}" "-DSYNCMAP_TEST_BATCH=$batch"
}

# run_tests STAGE: runs ctest, and adds what its last lines say to the sums.
run_tests() {
    local log=build/$1/ctest.log selection=() status summary skipped
    # What is about the source text alone needs no second run with another compiler.
    [ "$1" = release ] || selection=(-LE once)
    "${fixed_addresses[@]}" ctest --preset "$1" --timeout "$seconds_per_test" "${selection[@]}" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    summary=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+$' "$log")
    if [[ $summary =~ ,\ ([0-9]+)\ tests\ failed\ out\ of\ ([0-9]+)$ ]]; then
        skipped=$(grep -c '^.[ 0-9]*- .*(Skipped)$' "$log") # ctest takes them for passed, we do not
        passed=$((passed + BASH_REMATCH[2] - BASH_REMATCH[1] - skipped))
        failed=$((failed + BASH_REMATCH[1]))
        # The failed and the skipped by name, each line beginning with the stage.
        mapfile -t -O ${#report[@]} report < <(sed -n "s|^\t *[0-9]* - |$1: |p" "$log")
        [ "${BASH_REMATCH[1]}" -gt 0 ] || [ "$status" -eq 0 ] || fail_stage "$1" "ctest ended with status $status"
    else
        fail_stage "$1" "ctest ran no test (status $status)"
    fi
}

for stage in "${stages[@]}"; do
    printf '\n==== %s: configure and build (%d s since the start) ====\n' "$stage" $SECONDS
    if ! configure "$stage"; then
        fail_stage "$stage" "configuring failed"
    elif ! cmake --build --preset "$stage" -- -k 0; then # tells all errors, not the first one's alone
        fail_stage "$stage" "the build failed"
    else
        printf '\n==== %s: test (%d s since the start) ====\n' "$stage" $SECONDS
        run_tests "$stage"
    fi
done

if [ "${SYNCMAP_FULL:-0}" = 1 ]; then
    printf '\n==== fuzz (%d s since the start) ====\n' $SECONDS
    if scripts/fuzz.sh 600; then passed=$((passed + 1)); else fail_stage fuzz "scripts/fuzz.sh ended with an error"; fi
fi

if [ "${SYNCMAP_FULL:-0}" = 1 ]; then
    printf '\n==== compilers (%d s since the start) ====\n' $SECONDS
    if scripts/compilers.sh; then passed=$((passed + 1)); else fail_stage compilers "scripts/compilers.sh ended with an error"; fi
fi

printf '\n==== %d s ====\n' $SECONDS
[ ${#report[@]} -eq 0 ] || printf '%s\n' "${report[@]}"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
