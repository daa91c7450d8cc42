#!/usr/bin/env bash
# Usage: check.sh COMPILER PREFIX VERSION: build and run the consumer with what pkg-config says, and nothing else.
# The installed tree is moved first: the package file must not remember where it was.
set -eu
compiler=$1 prefix=$2 version=$3
here=$(dirname "$(readlink -f "$0")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cp -R "$prefix" "$folder/moved"
export PKG_CONFIG_PATH=$folder/moved/share/pkgconfig

said=$(pkg-config --modversion syncmap)
[ "$said" = "$version" ] || { echo "pkg-config says version $said, not $version"; exit 1; }

read -ra flags <<<"$(pkg-config --cflags --libs syncmap)"
"$compiler" "$here/../consumer.cpp" "${flags[@]}" -o "$folder/consumer"
"$folder/consumer"
