#!/usr/bin/env bash
# Usage: exports.sh INCLUDE LIBRARY VERSION: the library exports what the headers of C declare, all of it under a version,
# nothing else, and its name tells which interface it has.
set -u
include=$1 library=$2 version=$3
failed=0

declared=$(sed -n 's/^SYNCMAP_API .*\(syncmap_[a-z_]*\)(.*/\1/p' "$include"/syncmap/c/*.h | sort)
exported=$(nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | sort)
[ -n "$declared" ] || { echo "no declaration was found below $include"; exit 1; }
if ! diff <(echo "$declared") <(sed 's/@.*//' <<<"$exported"); then
    echo "< declared in the headers, > exported by the library"
    failed=1
fi
if grep -v '@@SYNCMAP_[0-9.]*$' <<<"$exported"; then
    echo "these have no version"
    failed=1
fi
soname=$(objdump -p "$library" | awk '$1 == "SONAME" { print $2 }')
if [ "$soname" != "libsyncmap.so.${version%.*}" ]; then
    echo "the library calls itself '$soname', not libsyncmap.so.${version%.*}"
    failed=1
fi
exit $failed
