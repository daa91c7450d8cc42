#!/usr/bin/env bash
# Usage: names.sh ROOT [TOOL]: what the pages name in `code` is there: files, options of our scripts, operations and other
# names of ours, and, if TOOL is given, whatever a `bench` command asks for.
set -u
root=$1
tool=${2-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0 seen=0

fail() {
    echo "$1"
    failures=$((failures + 1))
}

# Every word of what is compiled or run here, and names of other libraries and systems.
(cd "$root" && find . \( -name build -o -name .git \) -prune -o -type f -print) | sed 's|^\./||' >"$folder/files"
{
    (cd "$root" && grep -E '\.(hpp|cpp|h|c|in|cmake|sh|py|json|awk)$|CMakeLists\.txt$' "$folder/files" | tr '\n' '\0' |
        xargs -0 grep -ohE '[A-Za-z_][A-Za-z0-9_]*')
    printf '%s\n' concurrent_flat_map update_fn insert_or_assign try_emplace pthread_atfork gtest_filter MADV_POPULATE_WRITE
} | sort -u >"$folder/words"
# Every file by its path, and by each end of it.
awk '{ do print; while (sub(/^[^\/]*\//, "")) }' "$folder/files" | sort -u >"$folder/ends"

# What the tool knows.
if [ -n "$tool" ]; then
    "$tool" bench --list | sed -nE 's/^  ([a-z0-9_-]+) +.*/\1/p' | sort -u >"$folder/known"
    for suite in limits guarantee-costs; do # the refusal of a cell that is not there tells those that are
        "$tool" bench --suite $suite --cell . 2>&1 | sed 's/.*: it has //' | tr -d ' ' | tr ',' '\n' >"$folder/cells-$suite"
    done
    "$tool" bench --help | grep -oE -- '--[a-z-]+' | sort -u >"$folder/options"
fi

# bench_is_right PLACE WORD...: the options of a `bench` command, and the names that they are given.
bench_is_right() {
    local place=$1 option="" word name suite=default
    shift
    for word; do
        if [[ $word == --* ]]; then
            option=$word
            grep -qx -- "$option" "$folder/options" || fail "$place: bench has no $option"
            continue
        fi
        [ "$option" = --suite ] && suite=$word
        for name in ${word//,/ }; do
            case $option in
                --workload | --candidate | --suite) grep -qx -- "$name" "$folder/known" || fail "$place: bench $option knows no '$name'" ;;
                --cell)
                    [ -e "$folder/cells-$suite" ] || { fail "$place: --cell needs --suite limits or guarantee-costs"; continue; }
                    grep -qE -- "^$name(-.*)?\$" "$folder/cells-$suite" || fail "$place: the suite $suite has no cell '$name'" ;;
            esac
        done
    done
}

for page in "$root"/README.md "$root"/docs/*.md; do # each name with its page and the line among those that are prose
    sed '/^```/,/^```$/d; /^<!-- given/,/^-->/d' "$page" | grep -no '`[^`]*`' | tr -d '`' | sed "s|^|${page##*/}:|"
done >"$folder/spans"
seen=$(wc -l <"$folder/spans")

# ---- files, and names with an underscore, which are no words of English ----
awk -v words="$folder/words" -v ends="$folder/ends" '
    BEGIN {
        while ((getline line <words) > 0) known[line] = 1
        while ((getline line <ends) > 0) file[line] = 1
    }
    {
        match($0, /^[^:]*:[0-9]+:/)
        place = substr($0, 1, RLENGTH - 1)
        count = split(substr($0, RLENGTH + 1), part, /[ \t]+/)
        for (i = 1; i <= count; ++i) {
            word = part[i]
            sub(/^\.\//, "", word)
            if (word ~ /^[A-Za-z0-9_][A-Za-z0-9_.\/-]*\.(hpp|cpp|h|c|sh|py|md|json|svg|txt|awk)$/) {
                if (word !~ /^build\// && !(word in file)) print place ": no file " word
                continue
            }
            if (word ~ /^(\.?[A-Za-z0-9_-]+\/)+[A-Za-z0-9_.-]*$/ || word ~ /^SYNCMAP_[0-9]/) continue # a place, a version
            sub(/^-D/, "", word)
            gsub(/std::[a-z_0-9:]+/, " ", word)
            while (match(word, /[A-Za-z_][A-Za-z0-9_]*/)) {
                name = substr(word, RSTART, RLENGTH)
                word = substr(word, RSTART + RLENGTH)
                if (name ~ /[A-Za-z0-9]_[A-Za-z0-9]/ && !(name in known)) print place ": nothing is named " name
            }
        }
    }' "$folder/spans" >"$folder/findings"
cat "$folder/findings"
failures=$(wc -l <"$folder/findings")

# ---- commands ----
while IFS=: read -r page line span; do
    place=$page:$line
    read -ra words <<<"$span"
    if [[ ${words[0]-} =~ ^(\./)?((scripts/)?[a-z_]+\.(sh|py))$ ]]; then
        for word in "${words[@]:1}"; do
            [[ $word != --* ]] || grep -q -- "$word" "$root/${BASH_REMATCH[2]}" || fail "$place: ${words[0]} has no $word"
        done
    fi
    for word in "${words[@]}"; do # each part of a filter fits a test
        [[ $word == --gtest_filter=* ]] || continue
        IFS=: read -ra parts < <(tr -d "'*" <<<"${word#*=}")
        for part in "${parts[@]}"; do
            grep -rqE "TEST[A-Z_]*\(.*${part%%.*}|SUITE.*${part%%.*}" "$root/test" || fail "$place: no test fits $word"
        done
    done
    case ${words[0]-} in build/*/tool/syncmap | syncmap) words=("${words[@]:1}") ;; esac
    [ "${words[0]-}" != bench ] || [ -z "$tool" ] || bench_is_right "$place" "${words[@]:1}"
done < <(grep -E ':(\./|scripts/|build/|syncmap |bench |.*gtest_filter)' "$folder/spans")

[ "$seen" -gt 500 ] || fail "only $seen names were found"
[ "$failures" -eq 0 ]
