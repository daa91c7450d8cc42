#!/usr/bin/env bash
# Usage: check.sh PROGRAM.cpp COMPILER ARGUMENTS...
# A program with lines `// expect: WORDS` must be refused, and the compiler's output must contain all of the WORDS.
# A program without such a line is a control: it must compile, or the refusals of the others would prove nothing.
set -u
program=$1
shift
mapfile -t expected < <(sed -n 's|^[[:space:]]*// expect: ||p' "$program")

output=$("$@" "$program" 2>&1)
status=$?

if [ ${#expected[@]} -eq 0 ]; then
    [ $status -eq 0 ] && exit 0
    printf 'must compile, but the compiler says:\n%s\n' "$output"
    exit 1
fi
if [ $status -eq 0 ]; then
    echo "must not compile, but does"
    exit 1
fi
for words in "${expected[@]}"; do
    if ! grep -qF -- "$words" <<<"$output"; then
        printf 'is refused, but without the words "%s". The compiler says:\n%s\n' "$words" "$output"
        exit 1
    fi
done
