// The operations on many keys at once; a part of `basic_map`, whose words hold here too.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/operation/built_in.hpp>

namespace syncmap {

template <class Engine>
class basic_map;

/// The same operations for many keys in one call. What it saves is waiting for memory: `map` asks for the places of 32
/// keys (16 that are nodes) before it looks at the first of them. That pays where the table is larger than the caches.
///
/// Keys, values Anything contiguous: a vector, an array, a span. Keys of another type than `key_type` as everywhere.
/// Order        The elements are done one after the other, in the order of their index. A key may come twice.
/// Consistency  *Each element is an operation of its own*, with the progress and the consistency of the operation that
///              it is named after, at an instant of the call. All together are nothing: others may see some of them
///              done and others not, and what comes back need never have been true at one instant (`snapshot` is).
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

public:
    /// Calls `f(index, const T&)` for every key that is there, as `visit` does; returns how many.
    template <class Keys, class F>
    std::size_t visit_many(const Keys& keys, F&& f) const {
        static_assert(std::invocable<F&, std::size_t, const T&>,
                      "syncmap: visit_many(keys, f) calls f(std::size_t index, const T&)");
        std::size_t found = 0;
        read_each(keys, [&](std::size_t i, const T* value) {
            if (value == nullptr) return;
            ++found;
            std::invoke(f, i, *value);
        });
        return found;
    }

    /// `results[i]` becomes a copy of the value of `keys[i]`, or nothing; returns how many were there. There may be more
    /// results than keys; those are left alone.
    template <class Keys>
    std::size_t load_many(const Keys& keys, std::span<std::optional<detail::copied_out_t<T>>> results) const {
        static_assert(std::is_copy_constructible_v<detail::copied_out_t<T>>,
                      "syncmap: load_many copies the values, and this value type cannot be "
                      "copied: use visit_many(keys, f)");
        require_room(std::size(keys), results.size(), "syncmap: load_many: fewer results than keys");
        std::size_t found = 0;
        read_each(keys, [&](std::size_t i, const T* value) {
            if (value == nullptr) {
                results[i].reset();
            } else {
                results[i].emplace(*value);
                ++found;
            }
        });
        return found;
    }

    /// `results[i]` becomes whether `keys[i]` is there; returns how many are.
    template <class Keys>
    std::size_t contains_many(const Keys& keys, std::span<bool> results) const {
        require_room(std::size(keys), results.size(), "syncmap: contains_many: fewer results than keys");
        std::size_t found = 0;
        read_each(keys, [&](std::size_t i, const T* value) {
            results[i] = value != nullptr;
            if (results[i]) ++found;
        });
        return found;
    }

    /// Sets the value of each `keys[i]` to a copy of `values[i]`; returns how many keys were new. `f(index, bool is_new)`,
    /// where there is one, is called after each.
    template <class Keys, class Values>
    std::size_t store_many(const Keys& keys, const Values& values, std::memory_order order = std::memory_order_seq_cst) {
        return store_many(keys, values, [](std::size_t, bool) {}, order);
    }
    template <class Keys, class Values, class F>
    std::size_t store_many(const Keys& keys, const Values& values, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::invocable<F&, std::size_t, bool>,
                      "syncmap: store_many(keys, values, f) calls f(std::size_t index, bool is_new)");
        require_room(std::size(keys), std::size(values), "syncmap: store_many: fewer values than keys");
        require_room(std::size(values), std::size(keys), "syncmap: store_many: fewer keys than values");
        const auto* const first = std::data(values);
        using U = decltype(*first);
        detail::check_value<T, U>();
        std::size_t added = 0;
        write_each(
            keys, [first, order](std::size_t i) { return detail::store_operation<T, U>{first[i], order}; },
            [&](std::size_t i, const auto& op) {
                if (!op.existed) ++added;
                std::invoke(f, i, !op.existed);
            });
        return added;
    }

    /// Erases each key; returns how many were there. `f(index, bool was_there)`, where there is one, is called after each.
    template <class Keys>
    std::size_t erase_many(const Keys& keys, std::memory_order order = std::memory_order_seq_cst) {
        return erase_many(keys, [](std::size_t, bool) {}, order);
    }
    template <class Keys, class F>
    std::size_t erase_many(const Keys& keys, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::invocable<F&, std::size_t, bool>,
                      "syncmap: erase_many(keys, f) calls f(std::size_t index, bool was_there)");
        std::size_t erased = 0;
        write_each(
            keys, [order](std::size_t) { return detail::erase_operation<T>{order}; },
            [&](std::size_t i, const auto& op) {
                if (op.existed) ++erased;
                std::invoke(f, i, op.existed);
            });
        return erased;
    }

private:
    template <class Keys>
    using element = std::remove_cvref_t<decltype(*std::data(std::declval<const Keys&>()))>;

    static void require_room(std::size_t needed, std::size_t there, const char* otherwise) {
        if (there < needed) throw std::length_error(otherwise);
    }

    const Engine& engine() const noexcept { return static_cast<const basic_map<Engine>&>(*this).engine_; }
    Engine& engine() noexcept { return static_cast<basic_map<Engine>&>(*this).engine_; }

    /// The i-th key as the engine takes it.
    template <class Keys>
    static auto keys_of(const Keys& keys) {
        static_assert(detail::lookup_key<element<Keys>, Key, typename Engine::hasher, typename Engine::key_equal>,
                      "syncmap: this type cannot be looked up in this map");
        return [first = std::data(keys)](std::size_t i) -> decltype(auto) { return detail::as_key<Engine>(first[i]); };
    }
    /// An engine's own form asks for each key twice: it is not used where that converts it to a string, say, twice.
    template <class Keys>
    static constexpr bool asking_twice_is_cheap =
        std::is_reference_v<decltype(keys_of(std::declval<const Keys&>())(0))> || std::is_trivially_copyable_v<Key>;

    /// Calls `f(i, const T*)` for each key, null when it is absent.
    template <class Keys, class F>
    void read_each(const Keys& keys, F f) const {
        const auto key_at = keys_of(keys);
        if constexpr (asking_twice_is_cheap<Keys> && requires { engine().visit_many(std::size(keys), key_at, f); }) {
            engine().visit_many(std::size(keys), key_at, f);
        } else {
            for (std::size_t i = 0; i != std::size(keys); ++i) {
                if (!engine().visit(key_at(i), [&](const T& value) { f(i, std::addressof(value)); }))
                    f(i, static_cast<const T*>(nullptr));
            }
        }
    }

    /// Writes each key as `op_at(i)` decides, and calls `done(i, op)` after it.
    template <class Keys, class OpAt, class Done>
    void write_each(const Keys& keys, OpAt op_at, Done done) {
        if constexpr (std::invoke_result_t<OpAt&, std::size_t>::may_assign) {
            detail::check_key<
                Key, const element<Keys>&,
                detail::looked_up_as_it_is<element<Keys>, Key, typename Engine::hasher, typename Engine::key_equal>>();
        }
        const auto key_at = keys_of(keys);
        if constexpr (asking_twice_is_cheap<Keys> && requires { engine().write_many(std::size(keys), key_at, op_at, done); }) {
            engine().write_many(std::size(keys), key_at, op_at, done);
        } else {
            for (std::size_t i = 0; i != std::size(keys); ++i) {
                auto op = op_at(i);
                engine().write(key_at(i), op);
                done(i, op);
            }
        }
    }
};

} // namespace syncmap
