#!/usr/bin/env bash
# Usage: pkg_config.sh COMPILER PREFIX LIBRARY_FOLDER VERSION: build and run the consumer in C with what pkg-config says,
# and nothing else. The installed tree is moved first: the package file must not remember where it was.
set -eu
compiler=$1 prefix=$2 libraries=$3 version=$4
here=$(dirname "$(readlink -f "$0")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cp -R "$prefix" "$folder/moved"
export PKG_CONFIG_PATH=$folder/moved/$libraries/pkgconfig

said=$(pkg-config --modversion syncmap-c)
[ "$said" = "$version" ] || { echo "pkg-config says version $said, not $version"; exit 1; }

read -ra flags <<<"$(pkg-config --cflags --libs syncmap-c)"
"$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror "$here/consumer.c" "${flags[@]}" -o "$folder/consumer"
LD_LIBRARY_PATH=$folder/moved/$libraries "$folder/consumer" "$version"
