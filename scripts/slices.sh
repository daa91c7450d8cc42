#!/usr/bin/env bash
# Maps of a million strings side by side by processor time, on a machine that others use. Usage: slices.sh [ROUNDS]
# Wants libcuckoo, oneTBB and Boost >= 1.81 installed. Medians, and the middle half of the ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${CXX:-g++}" -std=c++20 -O3 -DNDEBUG -march=native -Iinclude -o "$folder/slices" bench/slices.cpp -pthread -ltbb
"$folder/slices" "${1:-40}"
