#!/usr/bin/env bash
# check_history.sh PROGRAM: check-history says yes, no, and what it cannot read, by its exit status too.
set -u
program=$1
failed=0
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

# expect STATUS TEXT [ARGUMENTS]: from the history on standard input.
expect() {
    local status=$1 text=$2 said
    shift 2
    said=$("$program" "$@" 2>&1)
    local got=$?
    if [ "$got" -ne "$status" ] || [[ $said != *"$text"* ]]; then
        printf 'expected status %s and "%s", got %s and:\n%s\n' "$status" "$text" "$got" "$said" >&2
        failed=1
    fi
}

right=$'syncmap history 1\nheld 7 5\n1 10 40 fetch_add 7 1 -> 5\n2 20 30 fetch_add 7 1 -> 6\n'
wrong=${right/-> 6/-> 5}
expect 0 "2 calls on 1 keys: linearizable" <<< "$right"
expect 0 "2 calls on 1 keys: linearizable" - <<< "$right"
expect 1 "no order explains this" <<< "$wrong"
printf %s "$wrong" > "$folder/wrong"
expect 1 "no order explains this" "$folder/wrong"
expect 2 "standard input:3: 'x' is not the start" <<< $'syncmap history 1\nheld 7 5\n1 x 40 load 7 -> 5\n'
expect 2 "a history begins with 'syncmap history 1'" < /dev/null
expect 2 "cannot be read" "$folder/missing"
expect 2 "cannot be read" "$folder"
expect 2 "Usage" one two
expect 0 "Usage" --help
exit $failed
