// What a thread can do that another one may notice, and where in the source it did.
#pragma once

#include <cstdint>

namespace explore {

enum class event : std::uint8_t {
    load,
    store,
    exchange,
    compare_exchange,
    fetch_add,
    fetch_sub,
    fetch_and,
    fetch_or,
    load_pair,
    store_pair,
    change_pair,
    lock,
    unlock,
    wait,
    notify,
    pause,
    barrier,
    deadline,
    start,
    leave
};

inline const char* name_of(event what) noexcept {
    static constexpr const char* names[] = {
        "load",     "store",     "exchange",   "compare_exchange", "fetch_add", "fetch_sub", "fetch_and",
        "fetch_or", "load_pair", "store_pair", "change_pair",      "lock",      "unlock",    "wait",
        "notify",   "pause",     "barrier",    "deadline",         "start",     "leave"};
    return names[static_cast<unsigned>(what)];
}

/// A place in the source: `std::source_location`, which Clang 14 does not have with every library.
struct site {
    const char* file;
    unsigned line;

    static constexpr site here(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) noexcept {
        return {file, line};
    }
};

} // namespace explore
