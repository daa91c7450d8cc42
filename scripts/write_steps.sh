#!/usr/bin/env bash
# What the steps of an overwrite cost without an engine around them: nanoseconds, one thread. Usage: write_steps.sh
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${CXX:-g++}" -std=c++20 -O3 -DNDEBUG -march=native -Iinclude -o "$folder/write_steps" bench/write_steps.cpp
"$folder/write_steps"
