// The operations on many keys at once; a part of `basic_map`, whose words hold here too.
#pragma once

#include <syncmap/detail/language.hpp>

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/operation/built_in.hpp>

namespace syncmap {

template <class Engine>
class basic_map;

namespace detail {

/// Where the elements of a range begin; the address of the first one if that will do. An element that lies somewhere is read
/// only.
template <class Range>
auto elements_of(Range& range) {
    if constexpr (requires { std::data(std::as_const(range)); }) {
        return std::data(std::as_const(range));
    } else if constexpr (requires { std::begin(std::as_const(range)); }) {
        return std::begin(std::as_const(range));
    } else {
        return std::begin(range);
    }
}
template <class Range>
std::size_t count_of(Range& range) {
    if constexpr (requires { std::size(range); }) {
        return static_cast<std::size_t>(std::size(range));
    } else {
        return static_cast<std::size_t>(std::ranges::distance(std::begin(range), std::end(range)));
    }
}

} // namespace detail

/// The same operations for many keys in one call. What it saves is waiting for memory: `map` asks for the places of 32
/// keys (16 that are nodes) before it looks at the first of them. That pays where the table is larger than the caches.
///
/// Keys, values Any range that can be walked twice: a vector, a span, a `std::set`, a view; or a list in braces. Reads also
///              take a projection, which makes the key of an element: `map.load_many(users, results, &user::id)`. For writes
///              there is `std::views::transform`. A projection may be called twice for an element. Keys of another type than
///              `key_type` as everywhere.
/// Order        The elements are done one after the other, in the order of their index. A key may come twice.
/// Consistency  *Each element is an operation of its own*, with the progress and the consistency of the operation that
///              it is named after, at an instant of the call. The batch as a whole is not atomic: other threads may see some
///              elements done and others not, and the results need not be those of one instant (use `snapshot` for that).
///              The memory order of a batch that writes is that of each element. Where they need to be visible only at
///              the end, ask for `release` and call `std::atomic_thread_fence(std::memory_order_seq_cst)` behind.
/// Callbacks    run between the elements, with nothing held but what they are shown; else as those of `visit`.
/// Throws       What the single operation throws, a callback throws, and `std::length_error`, with nothing done, for
///              spans whose lengths do not match. After any other throw the elements before the one that threw are
///              done, that one has changed nothing, and the later ones were not begun; a callback has been told of
///              each that is done, and so knows how far the call came.
/// Complexity   That of the single operations.
template <class Engine>
class batch_operations {
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using given_key = detail::given_t<Key>;
    using given = detail::given_t<T>;

public:
    /// Calls `f(index, const T&)` for every key that is there, as `visit` does; returns how many.
    template <class Keys = std::initializer_list<given_key>, class F, class Projection = std::identity>
    std::size_t visit_many(Keys&& keys, F&& f, Projection projection = {}) const {
        static_assert(std::invocable<F&, std::size_t, const T&>,
                      "syncmap: visit_many(keys, f) calls f(std::size_t index, const T&)");
        std::size_t found = 0;
        read_each(keys, projection, [&](std::size_t i, const T* value) {
            if (value == nullptr) return;
            ++found;
            detail::invoke(f, i, *value);
        });
        return found;
    }

    /// `results[i]` becomes a copy of the value of the i-th key, or nothing; returns how many were there. There may be more
    /// results than keys; those are left alone.
    template <class Keys = std::initializer_list<given_key>, class Projection = std::identity>
    std::size_t load_many(Keys&& keys, std::span<std::optional<detail::copied_out_t<T>>> results,
                          Projection projection = {}) const {
        static_assert(std::is_copy_constructible_v<detail::copied_out_t<T>>,
                      "syncmap: load_many copies the values, and this value type cannot be "
                      "copied: use visit_many(keys, f)");
        require_room(detail::count_of(keys), results.size(), "syncmap: load_many: fewer results than keys");
        std::size_t found = 0;
        read_each(keys, projection, [&](std::size_t i, const T* value) {
            if (value == nullptr) {
                results[i].reset();
            } else {
                results[i].emplace(*value);
                ++found;
            }
        });
        return found;
    }

    /// `results[i]` becomes whether the i-th key is there; returns how many are.
    template <class Keys = std::initializer_list<given_key>, class Projection = std::identity>
    std::size_t contains_many(Keys&& keys, std::span<bool> results, Projection projection = {}) const {
        require_room(detail::count_of(keys), results.size(), "syncmap: contains_many: fewer results than keys");
        std::size_t found = 0;
        read_each(keys, projection, [&](std::size_t i, const T* value) {
            results[i] = value != nullptr;
            if (results[i]) ++found;
        });
        return found;
    }

    /// Sets the value of the i-th key to a copy of the i-th value; returns how many keys were new. `f(index, bool is_new)`,
    /// where there is one, is called after each.
    template <class Keys = std::initializer_list<given_key>, class Values = std::initializer_list<given>>
    std::size_t store_many(Keys&& keys, Values&& values, std::memory_order order = std::memory_order_seq_cst) {
        return store_many(keys, values, [](std::size_t, bool) {}, order);
    }
    template <class Keys = std::initializer_list<given_key>, class Values = std::initializer_list<given>, class F>
    std::size_t store_many(Keys&& keys, Values&& values, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::invocable<F&, std::size_t, bool>,
                      "syncmap: store_many(keys, values, f) calls f(std::size_t index, bool is_new)");
        require_room(detail::count_of(keys), detail::count_of(values), "syncmap: store_many: fewer values than keys");
        require_room(detail::count_of(values), detail::count_of(keys), "syncmap: store_many: fewer keys than values");
        auto value = detail::elements_of(values); // asked in the order of the keys
        using U = decltype(*value);
        detail::check_value<T, U>();
        std::size_t added = 0;
        write_each(
            keys,
            [&](std::size_t) {
                if constexpr (std::is_lvalue_reference_v<U>) {
                    return detail::store_operation<T, U>{*value++, order};
                } else { // made by a view: the operation keeps it
                    return detail::store_own_operation<T, U>{*value++, order};
                }
            },
            [&](std::size_t i, const auto& op) {
                if (!op.existed) ++added;
                detail::invoke(f, i, !op.existed);
            });
        return added;
    }

    /// Erases each key; returns how many were there. `f(index, bool was_there)`, where there is one, is called after each.
    template <class Keys = std::initializer_list<given_key>>
    std::size_t erase_many(Keys&& keys, std::memory_order order = std::memory_order_seq_cst) {
        return erase_many(keys, [](std::size_t, bool) {}, order);
    }
    template <class Keys = std::initializer_list<given_key>, class F>
    std::size_t erase_many(Keys&& keys, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::invocable<F&, std::size_t, bool>,
                      "syncmap: erase_many(keys, f) calls f(std::size_t index, bool was_there)");
        std::size_t erased = 0;
        write_each(
            keys, [order](std::size_t) { return detail::erase_operation<T>{order}; },
            [&](std::size_t i, const auto& op) {
                if (op.existed) ++erased;
                detail::invoke(f, i, op.existed);
            });
        return erased;
    }

private:
    template <class Keys, class Projection>
    using projected = std::invoke_result_t<Projection&, decltype(*detail::elements_of(std::declval<Keys&>()))>;
    template <class Keys, class Projection = std::identity>
    using element = std::remove_cvref_t<projected<Keys, Projection>>;

    static void require_room(std::size_t needed, std::size_t there, const char* otherwise) {
        if (there < needed) throw std::length_error(otherwise);
    }

    const Engine& engine() const noexcept { return static_cast<const basic_map<Engine>&>(*this).engine_; }
    Engine& engine() noexcept { return static_cast<basic_map<Engine>&>(*this).engine_; }

    /// The key of an element as the engine takes it: by reference only if the range has it.
    template <class Keys, class Projection, class Place>
    static decltype(auto) key_at(Projection& projection, Place&& place) {
        using key = projected<Keys, Projection>;
        using as_taken = decltype(detail::as_key<Engine>(std::declval<key>()));
        if constexpr (std::is_lvalue_reference_v<key> && std::is_lvalue_reference_v<decltype(*place)>) {
            return static_cast<as_taken>(detail::as_key<Engine>(detail::invoke(projection, *place)));
        } else {
            return std::remove_cvref_t<as_taken>(detail::as_key<Engine>(detail::invoke(projection, *place)));
        }
    }

    /// Calls `f(first, count, key_at)` for the whole range, or, where only its iterators lead to an element, for parts of it.
    template <class Keys, class Projection, class F>
    static void in_parts(Keys& keys, Projection& projection, F f) {
        static_assert(detail::lookup_key<element<Keys, Projection>, Key, typename Engine::hasher, typename Engine::key_equal>,
                      "syncmap: this type cannot be looked up in this map");
        auto at = detail::elements_of(keys);
        static_assert(std::forward_iterator<decltype(at)>, "syncmap: a batch needs a range that can be walked twice");
        if constexpr (std::random_access_iterator<decltype(at)>) {
            f(std::size_t{0}, detail::count_of(keys), [&](std::size_t i) -> decltype(auto) {
                return key_at<Keys>(projection, at + static_cast<std::iter_difference_t<decltype(at)>>(i));
            });
        } else {
            constexpr std::size_t part = 64; // twice what an engine asks memory for at a time
            std::array<decltype(at), part> places{};
            const std::size_t all = detail::count_of(keys);
            for (std::size_t first = 0; first < all; first += part) {
                const std::size_t size = all - first < part ? all - first : part;
                for (std::size_t i = 0; i != size; ++i) places[i] = at++;
                f(first, size, [&](std::size_t i) -> decltype(auto) { return key_at<Keys>(projection, places[i]); });
            }
        }
    }
    /// An engine's own form asks for each key twice: it is not used where that converts it to a string, say, twice.
    template <class KeyAt>
    static constexpr bool asking_twice_is_cheap =
        std::is_reference_v<std::invoke_result_t<KeyAt&, std::size_t>> || std::is_trivially_copyable_v<Key>;

    /// Calls `f(i, const T*)` for each key, null when it is absent.
    template <class Keys, class Projection, class F>
    void read_each(Keys& keys, Projection& projection, F f) const {
        in_parts(keys, projection, [&](std::size_t first, std::size_t count, auto key_at) {
            read_part(count, key_at, [&](std::size_t i, const T* value) { f(first + i, value); });
        });
    }
    template <class KeyAt, class F>
    void read_part(std::size_t count, KeyAt& key_at, F show) const {
        if constexpr (asking_twice_is_cheap<KeyAt> && requires { engine().visit_many(count, key_at, show); }) {
            engine().visit_many(count, key_at, show);
        } else {
            for (std::size_t i = 0; i != count; ++i) {
                if (!engine().visit(key_at(i), [&](const T& value) { show(i, std::addressof(value)); }))
                    show(i, static_cast<const T*>(nullptr));
            }
        }
    }

    /// Writes each key as `op_at(i)` decides, and calls `done(i, op)` after it.
    template <class Keys, class OpAt, class Done>
    void write_each(Keys& keys, OpAt op_at, Done done) {
        std::identity as_it_is;
        if constexpr (std::invoke_result_t<OpAt&, std::size_t>::may_assign) {
            detail::check_key<
                Key, const element<Keys>&,
                detail::looked_up_as_it_is<element<Keys>, Key, typename Engine::hasher, typename Engine::key_equal>>();
        }
        in_parts(keys, as_it_is, [&](std::size_t first, std::size_t count, auto key_at) {
            write_part(count, key_at, op_at, [&](std::size_t i, const auto& op) { done(first + i, op); });
        });
    }
    template <class KeyAt, class OpAt, class Done>
    void write_part(std::size_t count, KeyAt& key_at, OpAt& op_at, Done done) {
        if constexpr (asking_twice_is_cheap<KeyAt> && requires { engine().write_many(count, key_at, op_at, done); }) {
            engine().write_many(count, key_at, op_at, done);
        } else {
            for (std::size_t i = 0; i != count; ++i) {
                auto op = op_at(i);
                engine().write(key_at(i), op);
                done(i, op);
            }
        }
    }
};

} // namespace syncmap
