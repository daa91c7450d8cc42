#!/usr/bin/env bash
# Every header must compile behind the macros of macros.txt, and behind real headers that define many.
# Usage: macros.sh COMPILER INCLUDE_FOLDER
set -eu
compiler=$1
include=$2
list=$(dirname "$(readlink -f "$0")")/macros.txt
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

headers() { (cd "$include" && find syncmap syncmap.h -name '*.hpp' -o -name syncmap.h | LC_ALL=C sort); }

# The system's headers that ours include come first: whether those live with the macros is not for us to say.
{
    (cd "$include" && grep -rhoE '^#include <[a-z_./]+>' syncmap syncmap.h) | grep -v '<syncmap' | LC_ALL=C sort -u |
        sed -E 's|^#include (<.*>)|#if __has_include(\1)\n#include \1\n#endif|'
} >"$folder/system.hpp"

# A word of the list becomes what no compiler accepts, wherever it stands.
{
    cat "$folder/system.hpp"
    sed -E '/^(#|$)/d; s|^(\w+)\(\)$|#undef \1\n#define \1(...) }) this word is a macro elsewhere: \1 ({|; t
        s|^(\w+)$|#undef \1\n#define \1 }) this word is a macro elsewhere: \1 ({|' "$list"
    headers | sed 's|.*|#include <&>|'
} >"$folder/macros.cpp"

# The macros that curses.h, term.h and X11's headers have here.
{
    cat "$folder/system.hpp"
    for header in curses.h term.h X11/Xlib.h X11/Xutil.h complex.h sys/sysmacros.h sys/param.h; do
        printf '#if __has_include(<%s>)\n#include <%s>\n#endif\n' $header $header
    done
    headers | sed 's|.*|#include <&>|'
} >"$folder/real.cpp"

# The control: one word of ours among the macros is noticed.
{ cat "$folder/system.hpp"; echo '#define load_or_store }) ({'; echo '#include <syncmap/map.hpp>'; } >"$folder/control.cpp"

compile() { "$compiler" -std=c++20 -fsyntax-only -ferror-limit=3 -I "$include" "$folder/$1.cpp"; }
case $("$compiler" --version) in
    *clang*) ;;
    *) compile() { "$compiler" -std=c++20 -fsyntax-only -fmax-errors=3 -I "$include" "$folder/$1.cpp"; } ;;
esac

compile macros
compile real
if compile control 2>/dev/null; then
    echo "a macro with the name of an operation goes unnoticed" >&2
    exit 1
fi
