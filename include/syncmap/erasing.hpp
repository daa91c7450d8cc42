// The operations that erase one key; a part of `basic_map`, whose words hold here too.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/detail/absent.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/detail/value_forms.hpp>
#include <syncmap/operation/built_in.hpp>

namespace syncmap {

template <class Engine>
class basic_map;
template <class Engine>
class pinned;

template <class Engine>
class erasing_operations {
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using copied = detail::copied_out_t<T>;
    using given_key = detail::given_t<Key>;
    template <class K>
    static constexpr bool is_lookup_key = detail::lookup_key<K, Key, typename Engine::hasher, typename Engine::key_equal>;

public:
    /// Erases `key`; returns whether it was there. The entry is destroyed later, when no reader can look at it any
    /// more: with a batch of others, or with the map. A table that erasing leaves sparse is shrunk.
    ///
    /// Progress: a write. Throws: what hash, equality and a conversion of the key throw; `recursive_update`;
    /// `std::bad_alloc` only on a thread's first use of the map, while a snapshot lives, and when it meets a computation.
    /// Go: `Delete`.
    template <class K = given_key>
    bool erase(const K& key, std::memory_order order = std::memory_order_seq_cst) {
        detail::erase_operation<T> op{order};
        self().write(key, op);
        return op.existed;
    }

    /// Erases `key` if `f(const T&)` is true of its value; returns whether it did. As `erase`.
    ///
    /// `f` may run more than once, while other threads change the value, with nothing locked: the last run counts.
    template <class K = given_key, class F>
        requires std::predicate<F&, const T&>
    bool erase_if(const K& key, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        detail::erase_if_operation<T, std::remove_reference_t<F>> op{f, order};
        self().write(key, op);
        return op.erased;
    }

    /// Erases `key` and returns a copy of the value it had, or nothing when it was absent. As `erase`.
    /// Go: `LoadAndDelete`.
    template <class K = given_key>
    [[nodiscard]] std::optional<copied> load_and_erase(const K& key, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: load_and_erase returns a copy of the value (readers may still hold it), and this value "
                      "type cannot be copied: use visit and erase");
        std::optional<copied> previous;
        detail::load_and_erase_operation<T> op{previous, order};
        self().write(key, op);
        return previous;
    }

    /// Erases `key` and returns the value it had, or nothing when it was absent. As `load_and_erase`, which copies it, but in
    /// the maps behind a lock and in `checked_map` the value is moved, and need not be copyable. (If that move throws, the
    /// entry stays, with what the move has left.) In the other maps a thread may still be looking at the value, so they copy
    /// it; for a value that cannot be copied they have `extract`.
    template <class K = given_key>
    [[nodiscard]] std::optional<copied> take(const K& key, std::memory_order order = std::memory_order_seq_cst) {
        std::optional<copied> taken;
        if constexpr (requires { requires Engine::moves_values_out; }) {
            static_assert(std::is_move_constructible_v<T>,
                          "syncmap: take moves the value out, and this value type cannot be moved: use visit and erase");
            detail::take_operation<T> op{taken, order};
            self().write(key, op);
        } else {
            static_assert(std::is_copy_constructible_v<copied>,
                          "syncmap: take copies the value, which other threads may still look at, and this value type cannot "
                          "be copied: use extract(key), or store a std::shared_ptr");
            detail::load_and_erase_operation<T> op{taken, order};
            self().write(key, op);
        }
        return taken;
    }

    /// Erases `key` and returns its entry, held as by `pin`; an empty handle when it was absent. Nothing is copied, whatever
    /// the value's type: `(*handle)->close()` works for a `std::unique_ptr`. The value is destroyed when the handle is dropped
    /// and no other thread looks at it any more.
    ///
    /// Progress and Throws: as `erase`. Validity: as `pin`. Only of maps whose entries can be kept.
    template <class K = given_key>
    [[nodiscard]] auto extract(const K& key, std::memory_order order = std::memory_order_seq_cst)
        requires requires(Engine& e, const Key& k) { e.extract(k, order); }
    {
        static_assert(is_lookup_key<K>, "syncmap: this type cannot be looked up in this map");
        return pinned<Engine>(engine().extract(detail::as_key<Engine>(key), order));
    }
    template <class K>
    detail::only_syncmap_map_keeps_entries_for_handles_use_take extract(const K&, std::memory_order = {}) = delete;

    /// Erases `key` if its value equals `expected`, and returns true; otherwise returns false, and `expected`
    /// becomes the value seen, or is left alone when the key is absent.
    ///
    /// Progress and Throws: as `compare_exchange`. Go: `CompareAndDelete`.
    template <class K = given_key>
    [[nodiscard]] bool compare_erase(const K& key, copied& expected, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(detail::equality_comparable_value<T>,
                      "syncmap: compare_erase compares values, and this value type has no operator==: use update");
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: compare_erase returns the value that it saw, and this value "
                      "type cannot be copied: use update");
        detail::compare_operation<T, const copied&, decision::erase> op{std::addressof(expected), expected, order};
        self().write(key, op);
        if (op.seen) expected = *std::move(op.seen);
        return op.equal;
    }

private:
    Engine& engine() noexcept { return static_cast<basic_map<Engine>&>(*this).engine_; }
    basic_map<Engine>& self() noexcept { return static_cast<basic_map<Engine>&>(*this); }
};

} // namespace syncmap
