// syncmap::snapshot: one instant of a whole map.
#pragma once

#include <syncmap/detail/language.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/engine/parallel_walk.hpp>
#include <syncmap/facade.hpp>

namespace syncmap {

/// One instant of a whole map, made by `map.snapshot()`: what was there then, and nothing else, however long it is kept
/// and whatever is written meanwhile.
///
/// Threads      Any number may read one snapshot at once, also threads other than the one that took it. Moving it and
///              destroying it belong to one thread. Several snapshots of a map may be alive.
/// Validity     It must be destroyed before its map.
/// Progress     Its reads take no lock. As `for_each` they wait at most for a writer of the bucket they copy.
/// Cost         While it is alive, the first change of a bucket copies that bucket; that memory is returned when the
///              snapshot is destroyed. Entries that are erased or replaced meanwhile are kept for it. A `clear` leaves
///              the whole table to it.
/// Throws       Reads: what hash, equality, copies and callbacks throw; walks also `std::bad_alloc`.
template <class Engine>
class snapshot {
    using instant = typename Engine::instant;

public:
    using key_type = typename Engine::key_type;
    using mapped_type = typename Engine::mapped_type;
    using size_type = std::size_t;

    /// Of no map: empty.
    snapshot() noexcept = default;

    /// A copy of the value that `key` had, or nothing.
    template <class K = detail::given_t<key_type>>
    [[nodiscard]] std::optional<detail::copied_out_t<mapped_type>> load(const K& key) const {
        std::optional<detail::copied_out_t<mapped_type>> result;
        visit(key, [&](const mapped_type& value) { result.emplace(value); });
        return result;
    }

    /// Whether `key` was there.
    template <class K = detail::given_t<key_type>>
    [[nodiscard]] bool contains(const K& key) const {
        return visit(key, [](const mapped_type&) {});
    }

    /// Calls `f(const T&)` on the value that `key` had and returns true, or returns false.
    template <class K = detail::given_t<key_type>, class F>
    bool visit(const K& key, F&& f) const {
        static_assert(detail::lookup_key<K, key_type, typename Engine::hasher, typename Engine::key_equal>,
                      "syncmap: this type cannot be looked up in this snapshot");
        return instant_.visit(detail::as_key<Engine>(key),
                              [&](const mapped_type& value) { std::invoke(f, detail::shown(value)); });
    }

    /// Calls `f(const Key&, const T&)` for every entry once; `f` may return false to stop. Returns the calls.
    template <class F>
    size_type for_each(F&& f) const {
        return instant_.for_each(
            [&](const key_type& key, const mapped_type& value) { return detail::goes_on(f, key, detail::shown(value)); });
    }

    /// `for_each` in steps, as the map's.
    template <class F>
    [[nodiscard]] walk_position for_each_from(walk_position position, F&& f) const {
        return instant_.for_each_from(
            position, [&](const key_type& key, const mapped_type& value) { std::invoke(f, key, detail::shown(value)); });
    }

    template <class F>
    [[nodiscard]] walk_range for_each_from(walk_range range, F&& f) const {
        return instant_.for_each_from(
            range, [&](const key_type& key, const mapped_type& value) { std::invoke(f, key, detail::shown(value)); });
    }

    /// `for_each` by several threads, as the map's.
    template <class F>
    size_type for_each_parallel(size_type threads, F&& f) const {
        return engine::walk_in_parallel(threads, instant_, [&](const key_type& key, const mapped_type& value) {
            return detail::goes_on(f, key, detail::shown(value));
        });
    }

    /// How many entries there were. Constant.
    [[nodiscard]] size_type size() const noexcept { return instant_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

private:
    template <class>
    friend class whole_map_operations;
    explicit snapshot(instant taken) noexcept : instant_(std::move(taken)) {}

    instant instant_{};
};

} // namespace syncmap
