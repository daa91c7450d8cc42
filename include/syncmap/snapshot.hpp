// syncmap::snapshot: one instant of a whole map.
#pragma once

#include <syncmap/detail/language.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/engine/parallel_walk.hpp>
#include <syncmap/facade.hpp>

namespace syncmap {

namespace detail {

/// A value that lies in a table is a copy already; any other is shown as callbacks are shown it.
template <class T>
T shown_as_it_is(T&& copy) noexcept
    requires(!std::is_lvalue_reference_v<T>)
{
    return copy;
}
template <class T>
shown_t<T> shown_as_it_is(const T& value) noexcept {
    return shown(value);
}

template <class Cursor>
using shown_key_t = decltype(std::declval<const Cursor&>().key());
template <class Cursor>
using shown_value_t = decltype(shown_as_it_is(std::declval<const Cursor&>().value()));

template <class Cursor>
struct shown_entry : std::pair<shown_key_t<Cursor>, shown_value_t<Cursor>> {
    shown_entry(shown_key_t<Cursor> key, shown_value_t<Cursor> value) noexcept
        : std::pair<shown_key_t<Cursor>, shown_value_t<Cursor>>(key, value) {}
};

} // namespace detail

/// One instant of a whole map, made by `map.snapshot()`: what was there then, and nothing else, however long it is kept
/// and whatever is written meanwhile.
///
/// Threads      Any number may read one snapshot at once, also threads other than the one that took it. Moving it and
///              destroying it belong to one thread. Several snapshots of a map may be alive.
/// Validity     It must be destroyed before its map.
/// Progress     Its reads and walks take no lock, and wait for no thread.
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
                              [&](const mapped_type& value) { detail::invoke(f, detail::shown(value)); });
    }

    /// Calls `f(const Key&, const T&)` for every entry once; `f` may return false to stop. Returns the number of calls.
    template <class F>
    size_type for_each(F&& f) const {
        return instant_.for_each(
            [&](const key_type& key, const mapped_type& value) { return detail::goes_on(f, key, detail::shown(value)); });
    }

    /// `for_each` in steps, as the map's.
    template <class F>
    [[nodiscard]] walk_position for_each_from(walk_position position, F&& f) const {
        return instant_.for_each_from(
            position, [&](const key_type& key, const mapped_type& value) { detail::invoke(f, key, detail::shown(value)); });
    }

    template <class F>
    [[nodiscard]] walk_range for_each_from(walk_range range, F&& f) const {
        return instant_.for_each_from(
            range, [&](const key_type& key, const mapped_type& value) { detail::invoke(f, key, detail::shown(value)); });
    }

    /// `for_each` by several threads, as the map's.
    template <class F>
    size_type for_each_parallel(size_type threads, F&& f) const {
        return engine::walk_in_parallel(threads, instant_, [&](const key_type& key, const mapped_type& value) {
            return detail::goes_on(f, key, detail::shown(value));
        });
    }

    /// What a loop over a snapshot shows of an entry: `first`, the key, and `second`, the value; references to what the map
    /// has, or copies of what lies in its table. It is made for structured bindings, and where both can be copied, converts to
    /// a `std::pair`.
    using entry = detail::shown_entry<typename Engine::instant::cursor>;

    /// Where a loop stands; it holds the entries of one bucket. It belongs to one thread at a time, and can be moved, and not
    /// copied.
    class iterator {
        using cursor = typename Engine::instant::cursor;

    public:
        using iterator_concept = std::input_iterator_tag;
        using difference_type = std::ptrdiff_t;
        using value_type =
            std::conditional_t<std::is_copy_constructible_v<key_type> && std::is_copy_constructible_v<mapped_type>,
                               std::pair<key_type, mapped_type>, entry>;
        using reference = entry;

        iterator() noexcept = default;

        entry operator*() const noexcept { return {cursor_->key(), detail::shown_as_it_is(cursor_->value())}; }
        iterator& operator++() {
            cursor_->advance();
            return *this;
        }
        void operator++(int) { cursor_->advance(); }
        friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept {
            return at.cursor_ == nullptr || at.cursor_->at_end();
        }

    private:
        friend snapshot;
        explicit iterator(const instant& of) : cursor_(std::make_unique<cursor>(of)) {}

        std::unique_ptr<cursor> cursor_{};
    };

    /// A loop over all entries, each of them once:
    ///
    ///     for (const auto& [key, value] : map.snapshot()) show(key, value);
    ///
    /// Progress: as `for_each`, bucket by bucket. Complexity: linear in the table, and one allocation for the loop. Throws:
    /// `std::bad_alloc`, here and when the iterator is moved on. Validity: an entry and its references until the iterator is
    /// moved on or destroyed; the iterator until the snapshot is moved or destroyed. It is a `std::ranges::input_range`.
    [[nodiscard]] iterator begin() const { return iterator(instant_); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

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
