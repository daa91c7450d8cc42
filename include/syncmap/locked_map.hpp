// The plain map behind a lock: small, exact, atomic as a whole; the right choice for low contention.
#pragma once

#include <syncmap/detail/language.hpp>

#include <memory>
#include <memory_resource>
#include <mutex>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/engine/flat/locked.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/sync/fair_shared_mutex.hpp>

namespace syncmap {

/// A flat hash map behind one `Mutex`, with `lock` and `lock_shared`. docs/which-map.md lists the operations that it has.
///
///  - every operation waits for the lock; reads share it if the mutex can be shared;
///  - every operation is atomic: `for_each` sees one instant of the whole map, `erase_if` is one change;
///  - `size` is exact and, like `approx_size` and `empty`, takes no lock;
///  - callbacks run inside the lock and should be short. A callback may read the map from a read (`visit`,
///    `for_each`); any other call of the same map from a callback throws `reentrant_call` at once;
///  - an operation that throws has changed nothing. Exceptions: `erase_if` has erased the entries on which it had decided;
///    batches, `insert` of a list, `insert_range` and `merge` keep what they did before.
template <class Key, class T, class Mutex, class Hash = hash<Key>, class KeyEqual = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class locked_map
    : public basic_map<detail::engine_for<Key, T, engine::flat::locked<Key, T, Hash, KeyEqual, Allocator, Mutex>>> {
    using base = basic_map<engine::flat::locked<Key, T, Hash, KeyEqual, Allocator, Mutex>>;

public:
    using base::base;

    /// Locks the map until the result is destroyed, and gives access to the plain map behind the lock, for a sequence of
    /// operations that must be atomic:
    ///
    ///     auto plain = accounts.lock();
    ///     *plain->find("a") -= 5;
    ///     *plain->find("b") += 5;
    ///
    /// Until then every other call of this map from the same thread throws `reentrant_call`, except for the sizes, which
    /// return those from before the lock.
    [[nodiscard]] auto lock() { return this->engine_.lock(); }

    /// Does the same for reading, beside other readers if the mutex can be shared.
    [[nodiscard]] auto lock_shared() const { return this->engine_.lock_shared(); }
};

template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
using mutex_map = locked_map<Key, T, std::mutex, Hash, KeyEqual, Allocator>;

/// Reads share the lock. Readers that keep coming cannot keep a writer out; with `std::shared_mutex` they could.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
using shared_mutex_map = locked_map<Key, T, fair_shared_mutex, Hash, KeyEqual, Allocator>;

namespace pmr {

template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>>
using mutex_map = syncmap::mutex_map<Key, T, Hash, KeyEqual, std::pmr::polymorphic_allocator<std::pair<const Key, T>>>;

template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>>
using shared_mutex_map =
    syncmap::shared_mutex_map<Key, T, Hash, KeyEqual, std::pmr::polymorphic_allocator<std::pair<const Key, T>>>;

} // namespace pmr
} // namespace syncmap
