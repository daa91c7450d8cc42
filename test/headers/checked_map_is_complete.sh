#!/usr/bin/env bash
# Usage: checked_map_is_complete.sh INCLUDE
# Every public operation of the facade has its namesake in `checked_map`, which derives from it in private; but for those that
# the flat map has not.
set -u
include=$1/syncmap
absent=" pin load_or_emplace extract for_each_from for_each_parallel snapshot replace shrink_to_fit flush "

# The names of the functions that stand before the first `private:` or `protected:` of a class that users see.
names() {
    awk '
        /^class |^struct /                 { shown = /^struct / }
        /^public:/                         { shown = 1 }
        /^(private|protected):/            { shown = 0 }
        shown && match($0, /^    [^\/ ][^()]* [&]?[a-z_]+\(/) {
            name = substr($0, RSTART, RLENGTH - 1)
            sub(/.* [&]?/, "", name)
            print name
        }' "$@" | sort -u
}

failures=0 seen=0
for name in $(names "$include"/{facade,erasing,whole_map,batches,number_values,computations}.hpp); do
    case $name in basic_map | requires | noexcept | decltype | alloc) continue ;; esac
    seen=$((seen + 1))
    case $absent in *" $name "*) continue ;; esac
    if ! grep -qE "( $name\(|using base::$name;)" "$include/checked_map.hpp"; then
        echo "checked_map lacks $name"
        failures=1
    fi
done
[ "$seen" -gt 40 ] || { echo "only $seen names were found"; failures=1; }
exit $failures
