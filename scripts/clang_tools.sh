# shellcheck shell=bash
# Finding the tools of Clang 19, for the scripts here. Other versions format and check differently.

# find_tool NAME: prints the command of version 19. Without one it says so for the calling script, and ends that with 77.
find_tool() {
    local candidate
    for candidate in "$1-19" "$1"; do
        if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q 'version 19\.'; then
            echo "$candidate"
            return
        fi
    done
    echo "${0##*/}: skipped: $1 19 is not installed (Debian, Ubuntu: $1-19), and other versions work differently" >&2
    return 77
}
