// syncmap::pinned: an entry that is kept beyond a call.
#pragma once

#include <syncmap/detail/language.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/facade.hpp>
#include <syncmap/synchronized_values.hpp>

namespace syncmap {

/// An entry as it was at one instant, made by `map.pin(key)`. It stays readable whatever other threads do to its key meanwhile
/// (erase, overwrite or clear it, grow or shrink the table). It is empty if the key was absent.
///
///     if (const auto user = users.pin("ann")) co_await greet(user->name);
///
/// Threads      It belongs to no thread: it may be moved to another thread, be read by several at once, be destroyed in any
///              thread, and lie in a coroutine that goes on elsewhere. One thread at a time moves or destroys it.
/// Progress     Reading it touches nothing of the map. It holds no lock, and blocks no other thread: a writer that
///              erases or overwrites the key goes on at once, and this entry stays as it was.
/// Validity     It must be destroyed or reset before its map is destroyed. References into it are valid until it is
///              destroyed, reset, moved or assigned to.
/// Cost         No allocation. An entry that is a node is shared and counted, by one atomic instruction at each end, and its
///              memory is kept; the last `pinned` that ends destroys an erased entry. An entry that lies in the table is
///              copied: key and value together 16 bytes at most. (For a string key with a small value the node is shared,
///              and the value copied.)
template <class Engine>
class pinned {
    using held = typename Engine::held_entry;
    using shown = detail::shown_t<typename Engine::mapped_type>;

public:
    using key_type = typename Engine::key_type;
    using mapped_type = typename Engine::mapped_type;

    /// Holds no entry.
    pinned() noexcept = default;

    /// Returns whether there is an entry. All functions below need one.
    explicit operator bool() const noexcept { return static_cast<bool>(held_); }

    /// Returns the map's key object (not the argument of `pin`, which may be another one that compares equal).
    [[nodiscard]] const key_type& key() const noexcept { return held_.key(); }
    /// Returns the value. A value that synchronises itself may be changed by it, see synchronized_values.hpp.
    [[nodiscard]] shown value() const noexcept { return detail::shown(held_.value()); }
    shown operator*() const noexcept { return value(); }
    std::remove_reference_t<shown>* operator->() const noexcept { return std::addressof(value()); }

    /// Ends the hold on the entry, if there is one. May run destructors of key and value.
    void reset() noexcept { held_.reset(); }

private:
    template <class>
    friend class basic_map;
    template <class>
    friend class erasing_operations;
    template <class, class>
    friend class basic_cache;
    explicit pinned(held entry) noexcept : held_(std::move(entry)) {}

    held held_{};
};

} // namespace syncmap
