// The operations that run a function while they own a key; a part of `basic_map`, whose class comment holds here too.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/detail/absent.hpp>
#include <syncmap/detail/goes_on.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/operation/built_in.hpp>
#include <syncmap/results.hpp>
#include <syncmap/scalar_keys.hpp>

namespace syncmap {

template <class Engine>
class basic_map;

namespace detail {

/// A contiguous range of elements that convert to a view.
template <class Keys>
inline constexpr bool are_views = requires(const Keys& keys) {
    { *std::data(keys) } -> std::convertible_to<std::string_view>;
    std::size(keys);
};

} // namespace detail

template <class Engine>
class computing_operations {
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using copied = detail::copied_out_t<T>;
    using given_key = detail::given_t<Key>;
    template <class K>
    static constexpr bool is_lookup_key = detail::lookup_key<K, Key, typename Engine::hasher, typename Engine::key_equal>;
    template <class Keys>
    static constexpr bool are_keys = !is_lookup_key<Keys> && (std::is_convertible_v<const Keys&, std::span<const given_key>> ||
                                                              (detail::string_like<Key> && detail::are_views<Keys>));
    template <class E>
    static constexpr bool has_multi_update = requires(E& e, bool (*f)(std::span<update_slot<T>>)) {
        e.update_all(std::span<const given_key>(), f, std::memory_order_seq_cst);
    };

public:
    /// Returns the value of `key`. If the key is absent, this stores what `f()` returns, and returns that. `.loaded` tells
    /// which.
    ///
    /// Single flight: of all threads that call this at once, one runs `f`. The others sleep until it is done, and share its
    /// outcome: they return its value, or throw the same exception object. Operations on other keys do not wait, nor do
    /// readers. If `f` throws, the map stores nothing, and the next call runs its own function. With `syncmap::unshared` as the
    /// first argument only the caller gets the exception: the next waiting thread then runs its own function.
    ///
    /// In the maps behind one lock each caller runs its own function, one after the other, until one succeeds.
    ///
    /// Progress: a hit is a read; a miss waits, asleep, for a thread that writes or computes this key. Consistency: a `clear`
    /// while `f` runs is ordered after the call, which returns the value and does not store it. A waiting thread that finds
    /// the value cleared or erased again takes part in a new flight. Throws: what `f` throws, in the thread that runs it and in
    /// those that wait for it; `recursive_update` if `f` writes its own key, or if threads would wait for each other's
    /// computations in a cycle; it is never shared. Computations of keys that can only be moved and have one hash wait for
    /// each other: a function must not write another such key.
    template <detail::forwarded K = given_key, class F>
    [[nodiscard]] load_result<copied> load_or_compute(K&& key, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<copied>, "syncmap: load_or_compute returns a copy of the value, and this "
                                                            "value type cannot be copied: use update");
        detail::check_computation<T, F&>();
        return compute<true>(std::forward<K>(key), f, order);
    }
    template <detail::forwarded K = given_key, class F>
    [[nodiscard]] load_result<copied> load_or_compute(unshared_t, K&& key, F&& f,
                                                      std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<copied>, "syncmap: load_or_compute returns a copy of the value, and this "
                                                            "value type cannot be copied: use update");
        detail::check_computation<T, F&>();
        return compute<false>(std::forward<K>(key), f, order);
    }

    /// Reads, modifies and writes one key atomically. Calls `f(const T* current)` once (null if the key is absent); meanwhile
    /// only writers of this key wait. `f` returns the new value, an empty optional (no entry), or `syncmap::keep`. Returns what
    /// the call has done.
    ///
    /// Progress: waits, asleep, for a thread that writes or computes this key; operations on other keys, and readers, do not
    /// wait. Consistency: readers see the old value until `f` has returned; a `clear` while `f` runs is ordered after the call,
    /// which returns its result and does not store it. Throws: as `load_or_compute`; the entry is then as before. Neither
    /// key type nor value type need be copyable.
    template <detail::forwarded K = given_key, class F>
    update_result update(K&& key, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_invocable_v<F&, const T*>,
                      "syncmap: update(key, f) calls f(const T* current), null when the key is absent");
        static_assert(std::is_constructible_v<update_action<T>, std::invoke_result_t<F&, const T*>>,
                      "syncmap: update: f returns the new value, an optional of it (empty: erase), or syncmap::keep");
        detail::update_operation<T, std::remove_reference_t<F>> op{f, order};
        self().exclusive(std::forward<K>(key), op);
        return op.outcome;
    }

    /// Reads, modifies and writes several keys atomically. Calls `f(std::span<update_slot<T>>)` once, with one slot for each
    /// key in the order given; meanwhile only writers of these keys wait. A slot has `current()` (null if the key is absent),
    /// `assign(value)`, `erase()` and `keep()`. The map makes all changes that `f` asks for in one step. `f` returns nothing,
    /// or whether to make them: after false nothing changes. Returns what `f` returned (true for nothing).
    ///
    ///     accounts.update({from, to}, [&](auto slots) {
    ///         if (slots[0].current() == nullptr || *slots[0].current() < amount) return false;
    ///         slots[0].assign(*slots[0].current() - amount);
    ///         slots[1].assign((slots[1].current() == nullptr ? 0 : *slots[1].current()) + amount);
    ///         return true;
    ///     });
    ///
    /// Progress: waits, asleep, for threads that write or compute one of the keys, and owns none of them meanwhile: in
    /// whatever orders calls give their keys, no thread waits for ever. Then locks the buckets that change, all of them while
    /// it publishes; `size` and `snapshot` wait for that. Consistency: atomic for writers of these keys, for `size` and for
    /// snapshots, but not for reads of one key. Beside the update a thread may read the new value of one key and afterwards
    /// the old value of another; take a `snapshot` to read both together. (A write that finds nothing to change may also read
    /// so.) A `clear` while `f` runs is ordered after the call, which returns its result and does not store it. Complexity:
    /// n log n in the keys. Throws: as `update` of one key; `std::invalid_argument` if two keys are equal; nothing has changed
    /// then. The key type must be copyable, the value type need not be.
    template <class F>
    bool update(std::initializer_list<given_key> keys, F&& f, std::memory_order order = std::memory_order_seq_cst)
        requires has_multi_update<Engine>
    {
        return update_all(std::span<const given_key>(keys.begin(), keys.size()), f, order);
    }

    /// Does the same with keys from a vector, an array, or any other type that converts to a `std::span<const Key>`; for text
    /// keys also with a range of views.
    template <detail::forwarded Keys, class F>
        requires(has_multi_update<Engine> && are_keys<std::remove_cvref_t<Keys>>)
    bool update(Keys&& keys, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        if constexpr (std::is_convertible_v<const std::remove_cvref_t<Keys>&, std::span<const given_key>>) {
            return update_all(std::span<const given_key>(std::as_const(keys)), f, order);
        } else {
            const std::vector<given_key> views(std::data(keys), std::data(keys) + std::size(keys));
            return update_all(std::span<const given_key>(views), f, order);
        }
    }
    template <class K, std::size_t Count, class F>
        requires(!has_multi_update<Engine> && Count > 1 && is_lookup_key<K>)
    detail::this_map_updates_one_key_at_a_time_use_syncmap_map_for_several update(const K (&)[Count], F&&) = delete;
    template <class Keys, class F>
        requires(!has_multi_update<Engine> && are_keys<Keys>)
    detail::this_map_updates_one_key_at_a_time_use_syncmap_map_for_several update(const Keys&, F&&) = delete;

private:
    template <bool Shared, class K, class F>
    load_result<copied> compute(K&& key, F& f, std::memory_order order) {
        if (std::optional<copied> hit = self().load(key)) return {*std::move(hit), true};
        detail::compute_operation<T, F, Shared> op{f, order};
        self().exclusive(std::forward<K>(key), op);
        return {*std::move(op.result), op.loaded};
    }

    template <class F>
    bool update_all(std::span<const given_key> keys, F& f, std::memory_order order) {
        using all_slots = std::span<update_slot<T>>;
        static_assert(std::is_invocable_v<F&, all_slots>,
                      "syncmap: update of several keys calls f(std::span<syncmap::update_slot<T>>), one slot for each key");
        static_assert(std::is_copy_constructible_v<given_key>, "syncmap: update needs a key type that can be copied");
        return engine().update_all(keys, [&](all_slots all) { return detail::goes_on(f, all); }, order);
    }

    const Engine& engine() const noexcept { return static_cast<const basic_map<Engine>&>(*this).engine_; }
    Engine& engine() noexcept { return static_cast<basic_map<Engine>&>(*this).engine_; }
    basic_map<Engine>& self() noexcept { return static_cast<basic_map<Engine>&>(*this); }
};

} // namespace syncmap
