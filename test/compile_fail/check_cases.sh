#!/usr/bin/env bash
# Usage: check_cases.sh FILE.cases COMPILER ARGUMENTS...
# Many wrong programs in one file. What stands before the first line `// case: NAME` is the head of each of them, and is
# compiled once. A case with lines `// expect: WORDS` must be refused, and the *first* error must have all of the WORDS in its
# line: a reader looks no further. `// expect anywhere: WORDS` is for what no error can begin with: the copy of a map, whose
# first line names a member that the compiler has deleted. A case without such lines is a control, and must compile.
# `// flags: …` adds arguments.
set -u
file=$1
compiler=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

awk -v folder="$folder" '
    /^\/\/ case: / { name = $3; print name >(folder "/names"); next }
    { print >(name == "" ? folder "/head.hpp" : folder "/" name ".cpp") }
' "$file"

# The head in the form that the compiler reads fastest.
case $("$compiler" --version) in
    *clang*) compiled=(-include-pch "$folder/head.pch") form=$folder/head.pch ;;
    *) compiled=(-include "$folder/head.hpp") form=$folder/head.hpp.gch ;;
esac
"$compiler" "$@" -x c++-header -o "$form" "$folder/head.hpp" || exit 1

failed=0
say() {
    printf '%s\n' "$1" "${output:-}" ""
    failed=1
}
while read -r name; do
    program=$folder/$name.cpp
    mapfile -t expected < <(sed -n 's|^[[:space:]]*// expect: ||p' "$program")
    mapfile -t anywhere < <(sed -n 's|^[[:space:]]*// expect anywhere: ||p' "$program")
    flags=$(sed -n 's|^[[:space:]]*// flags: ||p' "$program")
    # With other flags the compiled head is of no use. (The flags are words without blanks.)
    # shellcheck disable=SC2086
    if [ -n "$flags" ]; then
        output=$("$compiler" "$@" $flags -fsyntax-only -include "$folder/head.hpp" "$program" 2>&1)
    else
        output=$("$compiler" "$@" -fsyntax-only "${compiled[@]}" "$program" 2>&1)
    fi
    status=$?
    if [ $((${#expected[@]} + ${#anywhere[@]})) -eq 0 ]; then
        [ $status -eq 0 ] || say "$name: must compile, but the compiler says:"
        continue
    fi
    if [ $status -eq 0 ]; then
        output="" say "$name: must not compile, but does"
        continue
    fi
    first=$(grep -m 1 -E '(^|[: ])(fatal )?error: ' <<<"$output")
    for words in "${expected[@]}"; do
        if ! grep -qF -- "$words" <<<"$first"; then
            output=$(head -n 20 <<<"$output") say "$name: the first error lacks the words \"$words\". It is: $first"
            break
        fi
    done
    for words in "${anywhere[@]}"; do
        grep -qF -- "$words" <<<"$output" || say "$name: refused, but without the words \"$words\". The compiler says:"
    done
done <"$folder/names"
exit $failed
