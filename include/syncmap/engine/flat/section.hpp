// The locked maps in which the calling thread has an operation under way.
#pragma once

#include <syncmap/errors.hpp>

namespace syncmap::engine::flat {

/// One operation of one thread in one locked map. The sections of a thread form a list. By that a call from a callback finds
/// out that it would wait for its own thread, before it waits.
///
///  inside a read, a read      works: nothing can change while the outer read holds the lock
///  anything else              throws `reentrant_call`
///
/// A library with hidden symbols has a list of its own.
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
        section** link = &innermost; // usually the first; but what lock() returns may be destroyed in any order
        while (*link != this) link = &(*link)->outer_;
        *link = outer_;
    }

    /// Returns whether the thread holds this map's lock by another section.
    bool nested() const noexcept { return nested_; }
    /// Called for a section that has the lock and ends. If a nested section goes on, that one takes the lock over. Returns
    /// whether there is one.
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
