// What `checked_map` reports when it is misused, and the handler that gets the report.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include <syncmap/detail/access_monitor.hpp>
#include <syncmap/detail/source_place.hpp>

namespace syncmap {

/// Two accesses to one `checked_map` that overlapped, one of them a write at least.
struct map_misuse {
    const char* map_name;  ///< as given to the map, or empty
    source_place map_made; ///< where the map was made, for maps without a name
    map_access noticed;    ///< the call that noticed it
    map_access other;      ///< the call with which it overlapped

    /// Returns whether one call came from inside a callback of the other, in the same thread.
    bool from_a_callback() const noexcept { return noticed.thread == other.thread; }

    /// Returns the report as text.
    std::string message() const {
        std::ostringstream text;
        text << "syncmap: " << (from_a_callback() ? "a callback uses" : "two threads use") << " the checked_map ";
        if (*map_name != '\0') {
            text << '"' << map_name << '"';
        } else {
            text << "made at " << map_made.file << ':' << map_made.line;
        }
        text << (from_a_callback() ? " that it was called by:\n" : " at once:\n");
        for (const map_access* each : {&noticed, &other}) {
            text << "  thread " << each->thread << " calls " << each->operation << " at " << each->where.file << ':'
                 << each->where.line << " in " << each->where.function << '\n';
        }
        text << "A checked_map is for one thread at a time, and its callbacks may only read it. Declare it as\n"
                "syncmap::map (#include <syncmap/map.hpp>), which allows this; the operations are the same.\n";
        return text.str();
    }
};

/// Called in the thread that noticed the overlap, before its operation touches the map, or right after it. If the handler
/// returns, the operation goes on as usual. If it throws, the caller gets the exception.
using misuse_handler = void (*)(const map_misuse&);

/// The default handler: writes the message to the standard error output and aborts.
[[noreturn]] inline void abort_on_misuse(const map_misuse& misuse) {
    std::fputs(misuse.message().c_str(), stderr);
    std::abort();
}

namespace detail {
inline constinit std::atomic<misuse_handler> current_misuse_handler{&abort_on_misuse};
} // namespace detail

/// Sets the handler of the process and returns the one before. Any thread may call it at any time.
inline misuse_handler set_misuse_handler(misuse_handler handler) noexcept {
    return detail::current_misuse_handler.exchange(handler, std::memory_order_acq_rel);
}

} // namespace syncmap
