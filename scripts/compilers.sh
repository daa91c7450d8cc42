#!/usr/bin/env bash
# Compiles and runs one program that uses every part of the map with every compiler, library and language that is promised.
# What is promised is what stands here. Usage: compilers.sh [NAME...]   (names as in the table below; all without any)
# Installs what Debian has; tells in one line what cannot be had, and leaves it out. The last line counts.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
source scripts/packages.sh

# name | packages | compiler and flags | how to run it | flags of a second object, linked last. `-` or nothing stands for none.
# g++-12-multilib and the versioned cross compiler live side by side; g++-multilib and g++-aarch64-linux-gnu do not.
table='
gcc-12          | g++-12                                             | g++-12                                    | -
gcc-13          | g++-13                                             | g++-13                                    | -
gcc-14          | g++-14                                             | g++-14                                    | -
clang-14        | clang-14                                           | clang++-14                                | -
clang-19        | clang-19                                           | clang++-19                                | -
clang-19-libc++ | clang-19 libc++-19-dev libc++abi-19-dev            | clang++-19 -stdlib=libc++                 | -
gcc-m32         | g++-12 g++-12-multilib                             | g++-12 -m32 -isystem /usr/include/x86_64-linux-gnu | -
aarch64         | g++-12-aarch64-linux-gnu qemu-user                 | aarch64-linux-gnu-g++-12 -static          | qemu-aarch64
aarch64-tagged  | g++-12-aarch64-linux-gnu qemu-user                 | aarch64-linux-gnu-g++-12 -static -DSYNCMAP_TAGGED_ADDRESSES -DWITH_TAGGED_HEAP | qemu-aarch64
gcc-no-rtti     | g++                                                | g++ -fno-rtti                             | -
clang-no-rtti   | clang-19                                           | clang++-19 -fno-rtti                      | -
gcc-c++23       | g++                                                | g++ -std=c++23                            | -
clang-c++23     | clang-19                                           | clang++-19 -std=c++23                     | -
clang-c++26     | clang-19                                           | clang++-19 -std=c++26                     | -
gcc-avx2        | g++                                                | g++ -mavx2                                | -
gcc-no-avx      | g++ qemu-user                                      | g++                                       | qemu-x86_64 -cpu Nehalem
gcc-mixed       | g++ qemu-user                                      | g++ -DWITH_NEWER_PROCESSOR                | qemu-x86_64 -cpu Nehalem | -mavx2
'
strict=(-std=c++20 -O1 -Wall -Wextra -Wconversion -Wshadow -Werror -Iinclude)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0 left_out=0

# build: the program of a row. The last -std counts: that of the row comes after ours.
build() {
    local compile=("${command[0]}" "${strict[@]}" "${command[@]:1}") objects=()
    if [ ${#second[@]} -gt 0 ]; then
        objects=("$folder/second.o")
        "${compile[@]}" "${second[@]}" -c test/compilers/newer_processor.cpp -o "${objects[0]}" || return
    fi
    "${compile[@]}" test/compilers/everything.cpp "${objects[@]}" -o "$folder/everything" -pthread
}

trim() { sed 's/^ *//; s/ *$//'; }

while IFS='|' read -r name packages command runner second; do
    name=$(trim <<<"$name")
    [ -n "$name" ] || continue
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    read -ra packages <<<"$packages"
    read -ra command <<<"$command"
    read -ra runner <<<"$runner"
    read -ra second <<<"$second"
    [ "${runner[0]}" != - ] || runner=()
    if ! command -v "${command[0]}" >/dev/null || { has_apt && [ -n "$(missing "${packages[@]}")" ]; }; then
        want "${packages[@]}" >"$folder/apt" 2>&1
    fi
    if ! command -v "${command[0]}" >/dev/null || { [ ${#runner[@]} -gt 0 ] && ! command -v "${runner[0]}" >/dev/null; }; then
        echo "$name: left out, this system does not offer ${packages[*]}"
        left_out=$((left_out + 1))
        continue
    fi
    # `std::filesystem` and the like are not used: a library that lacks its headers is one that is not installed.
    if ! printf '#include <vector>\nint main() {}\n' | "${command[@]}" -x c++ -fsyntax-only - 2>/dev/null; then
        echo "$name: left out, ${command[*]} has no standard library here"
        left_out=$((left_out + 1))
        continue
    fi
    if build >"$folder/log" 2>&1 &&
        timeout 300 "${runner[@]}" "$folder/everything" >>"$folder/log" 2>&1; then
        echo "$name: passed"
        passed=$((passed + 1))
    else
        echo "$name: FAILED (${command[*]})"
        head -n 20 "$folder/log"
        failed=$((failed + 1))
    fi
done <<<"$table"

echo "$passed passed, $failed failed, $left_out left out"
[ "$failed" -eq 0 ]
