# shellcheck shell=bash disable=SC2034
# The Debian and Ubuntu packages of each purpose, and their installing. Sourced by run.sh, test.sh and the scripts here.
#
# `a|b` is a choice: the first that is installed or that the system offers.

packages_to_build=(g++ cmake ninja-build pkg-config libgtest-dev libcli11-dev libfmt-dev nlohmann-json3-dev)
packages_of_peers=(libtbb-dev libcuckoo-dev libxenium-dev liburcu-dev libcds-dev
    "libboost1.88-dev|libboost1.83-dev|libboost1.81-dev")
packages_of_traces=(xz-utils) # unpacks recorded requests
packages_of_clang=("clang-19|clang" "libclang-rt-19-dev|libclang-rt-dev" clang-format-19 clang-tidy-19)
packages_of_coverage=("llvm-19|llvm") # scripts/coverage.sh alone

has_apt() { command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; }
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
is_offered() { apt-cache show "$1" >/dev/null 2>&1; }

# choose A|B|...: prints the package to have.
choose() {
    local choices choice
    IFS='|' read -ra choices <<<"$1"
    for choice in "${choices[@]}"; do
        if is_installed "$choice" || is_offered "$choice"; then
            echo "$choice"
            return
        fi
    done
    echo "${choices[0]}"
}

# missing PACKAGE...: prints those that are not installed.
missing() {
    local package
    for package; do
        package=$(choose "$package")
        is_installed "$package" || echo "$package"
    done
}

# apt_get ARGUMENTS...: as root, or through sudo; without a terminal sudo must not ask for a password.
apt_get() {
    local environment=(env DEBIAN_FRONTEND=noninteractive) sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo=(sudo)
        [ -t 0 ] || sudo=(sudo -n)
    fi
    "${sudo[@]}" "${environment[@]}" apt-get -q "$@"
}

may_install() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null || return
    [ -t 0 ] || sudo -n true 2>/dev/null
}

# A fresh container has no lists, an old one stale ones; once a day is enough.
lists_are_fresh() {
    local lists=/var/lib/apt/lists
    compgen -G "$lists/*Packages*" >/dev/null && [ -n "$(find "$lists" -maxdepth 0 -mtime -1)" ]
}
update_lists() {
    lists_are_fresh && return
    apt_get update -qq || true
}

# need PACKAGE...: installs what is missing, or says what to type and ends the script.
need() {
    if ! has_apt; then
        echo "This is neither Debian nor Ubuntu: expecting to find $* or their like." >&2
        return
    fi
    local names
    mapfile -t names < <(missing "$@")
    [ ${#names[@]} -eq 0 ] && return
    if may_install; then
        update_lists
        mapfile -t names < <(missing "$@") # the fresh lists may offer a better choice
        echo "Installing ${names[*]}"
        apt_get install -y --no-install-recommends "${names[@]}" && return
    fi
    echo "Packages are missing and could not be installed. Type this line, then try again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names[*]}" >&2
    exit 1
}

# want PACKAGE...: installs what it can of packages that are good to have, and never fails.
want() {
    has_apt || return 0
    local names name
    mapfile -t names < <(missing "$@")
    [ ${#names[@]} -eq 0 ] && return
    if ! may_install; then
        echo "Going on without ${names[*]}: they are optional, and cannot be installed without root." >&2
        return
    fi
    update_lists
    mapfile -t names < <(missing "$@")
    echo "Installing ${names[*]} (optional)"
    apt_get install -y --no-install-recommends "${names[@]}" && return
    for name in "${names[@]}"; do
        apt_get install -y --no-install-recommends "$name" || echo "Going on without $name, which is optional." >&2
    done
}
