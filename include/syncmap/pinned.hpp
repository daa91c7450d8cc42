// syncmap::pinned: an entry that is kept beyond a call.
#pragma once

#include <syncmap/detail/language.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/facade.hpp>
#include <syncmap/synchronized_values.hpp>

namespace syncmap {

/// An entry as it was at one instant, made by `map.pin(key)`: readable for as long as wanted, whatever becomes of its
/// key meanwhile (erased, overwritten, cleared, the table grown or shrunk). Empty when the key was absent.
///
///     if (const auto user = users.pin("ann")) co_await greet(user->name);
///
/// Threads      It belongs to no thread: it may be moved to another one, be read by several at once, be dropped
///              anywhere, and lie in a coroutine that goes on elsewhere. Moving and dropping belong to one thread.
/// Progress     Reading it touches nothing of the map. It holds no lock, and blocks no other thread: a writer that
///              erases or overwrites the key goes on at once, and this entry stays as it was.
/// Validity     It must be dropped before its map is destroyed. References into it are valid until it is dropped, moved
///              or assigned to.
/// Cost         No allocation. An entry that is a node is shared and counted, by one atomic instruction at each end,
///              and its memory is kept; the last one to let go of an erased entry destroys it. An entry that lies in the
///              table is copied: key and value together 16 bytes at most. (Of a string key with a small value: the node
///              is shared, the value copied.)
template <class Engine>
class pinned {
    using held = typename Engine::held_entry;
    using shown = detail::shown_t<typename Engine::mapped_type>;

public:
    using key_type = typename Engine::key_type;
    using mapped_type = typename Engine::mapped_type;

    /// Of no entry.
    pinned() noexcept = default;

    /// Whether there is an entry. All below need one.
    explicit operator bool() const noexcept { return static_cast<bool>(held_); }

    /// The key as the map has it (not the argument of `pin`, which may be another one that compares equal).
    [[nodiscard]] const key_type& key() const noexcept { return held_.key(); }
    /// A value that synchronises itself is shown as one that may be changed, see synchronized_values.hpp.
    [[nodiscard]] shown value() const noexcept { return detail::shown(held_.value()); }
    shown operator*() const noexcept { return value(); }
    std::remove_reference_t<shown>* operator->() const noexcept { return std::addressof(value()); }

    /// Lets go of the entry, if there is one. May run destructors of key and value.
    void reset() noexcept { held_.reset(); }

private:
    template <class>
    friend class basic_map;
    explicit pinned(held entry) noexcept : held_(std::move(entry)) {}

    held held_{};
};

} // namespace syncmap
