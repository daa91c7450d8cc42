// Which locked maps the calling thread is inside of.
#pragma once

#include <syncmap/errors.hpp>

namespace syncmap::engine::flat {

/// One stay of one thread inside one locked map. The stays of a thread form a list, so that a call from a
/// callback can tell that it would wait for its own thread, before it does.
///
///  inside a read, a read      works: nothing can change while the outer read holds the lock
///  anything else              throws `reentrant_call`
///
/// The list is that of one library: another one with hidden symbols has its own.
class section {
public:
    enum class kind : bool { read, write };

    section(const void* map, kind wanted) : map_(map), kind_(wanted), outer_(innermost) {
        for (const section* each = outer_; each != nullptr; each = each->outer_) {
            if (each->map_ != map) continue;
            if (each->kind_ == kind::write || wanted == kind::write) throw reentrant_call();
            nested_ = true;
        }
        innermost = this;
    }
    section(const section&) = delete;
    section& operator=(const section&) = delete;
    ~section() {
        section** link = &innermost; // usually the first; the holders that lock() returns may die in any order
        while (*link != this) link = &(*link)->outer_;
        *link = outer_;
    }

    /// The thread holds this map's lock already, by another stay.
    bool nested() const noexcept { return nested_; }
    /// This stay has the lock and ends: a nested one that goes on takes it over, if there is one.
    bool hands_over() noexcept {
        for (section* each = innermost; each != nullptr; each = each->outer_) {
            if (each->map_ == map_ && each->nested_) {
                each->nested_ = false;
                return true;
            }
        }
        return false;
    }

private:
    static inline constinit thread_local section* innermost = nullptr;

    const void* map_;
    kind kind_;
    bool nested_ = false;
    section* outer_;
};

} // namespace syncmap::engine::flat
