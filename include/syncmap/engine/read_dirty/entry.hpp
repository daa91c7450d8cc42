// One key of the map, shared by the snapshot and the dirty map, and the value that it holds at the moment.
#pragma once

#include <atomic>
#include <cstdint>

#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine::read_dirty_parts {

/// What readers hold with a hazard: a value, or a whole index.
template <class Sync>
struct retirable : reclaim::node_base<Sync> {
    enum class kind : unsigned char { value, index };
    retirable(std::uint64_t h, kind k) noexcept : reclaim::node_base<Sync>(h), what(k) {}
    const kind what;
};

/// Immutable; a store to a key publishes a new one. The allocator makes and destroys the object, hence the union.
template <class T, class Sync>
struct value_node : retirable<Sync> {
    explicit value_node(std::uint64_t h) noexcept : retirable<Sync>(h, retirable<Sync>::kind::value) {}
    ~value_node() {}
    union {
        T object;
    };
};

/// What an entry holds: the address of a value or none, and whether a thread computes the next one.
using state = std::uintptr_t;

inline constexpr state absent = 0;
/// A thread computes this key: only it may change the entry. Readers go on to see the value beside the bit.
inline constexpr state owned = 1;
/// Absent, and missing in the dirty map: a writer that stores adds the entry there first, under the mutex.
inline constexpr state expunged = 2;

/// `references`: one of each index that has the entry, one of each operation that found it under the mutex.
///
/// State, and what sets it:
///
///     absent <-> value        compare-exchange by any writer, inside a change guard of the population counter
///     value -> other value    compare-exchange by any writer
///     absent -> expunged      compare-exchange under the mutex, when the dirty map is made
///     expunged -> absent, value     store under the mutex, after the entry was added to the dirty map
///     s -> s | owned          compare-exchange by the thread that owns the key (changes.hpp); then stores by the owner alone
template <class Key, class T, class Sync>
struct entry {
    using value_type = value_node<T, Sync>;

    explicit entry(std::uint64_t h) noexcept : hash(h) {}
    ~entry() {}

    static value_type* value_of(state s) noexcept {
        return s == expunged ? nullptr : reinterpret_cast<value_type*>(s & ~owned);
    }
    static state state_of(const value_type* v) noexcept { return reinterpret_cast<state>(v); }

    void refer() noexcept { references.fetch_add(1, std::memory_order_relaxed); } // the caller has one, or the mutex
    /// Returns true if that was the last reference. release: this thread's accesses come before the destruction. acquire: so do
    /// those of all other threads.
    [[nodiscard]] bool unrefer() noexcept { return references.fetch_sub(1, std::memory_order_acq_rel) == 1; }

    union {
        Key key;
    };
    const std::uint64_t hash;
    std::uint64_t generation = 0; ///< which generation of the map (`clear` begins a new one); constant once in an index
    typename Sync::template atomic<state> now{absent};
    typename Sync::template atomic<std::uint32_t> references{1};
};

} // namespace syncmap::engine::read_dirty_parts
