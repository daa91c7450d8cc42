// The read-modify-writes of values that are numbers, as those of `std::atomic`; a part of `basic_map`, whose class comment
// holds here too.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <type_traits>
#include <utility>

#include <syncmap/detail/absent.hpp>
#include <syncmap/detail/value_forms.hpp>
#include <syncmap/operation/built_in.hpp>
#include <syncmap/scalar_keys.hpp>

namespace syncmap {

template <class Engine>
class basic_map;

namespace detail {

template <class T>
concept is_number = std::is_arithmetic_v<T> && !std::same_as<T, bool>;

/// The result is a `T` whatever the operand is. So a floating-point value takes every floating-point operand, and an `int`,
/// as that of `std::atomic` does.
template <class T, class N>
concept operand_for = returned_for<T, N> || (std::floating_point<T> && (std::floating_point<N> || std::same_as<N, int>));

} // namespace detail

template <class Engine>
class number_operations {
    using T = typename Engine::mapped_type;
    using given_key = detail::given_t<typename Engine::key_type>;

public:
    /// Adds `operand` to the value of `key`, where an absent key counts as zero. Returns the value before. Integers wrap
    /// around, as in `std::atomic`. An operand of another type is converted where nothing is lost; an `int` may be for any
    /// number. For a floating-point value, an operand of a wider one is rounded first, as in `std::atomic`: 0.5 for a `float`.
    /// Progress: a write.
    template <detail::forwarded K = given_key, class N = T>
    T fetch_add(K&& key, N operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::sum_of>(std::forward<K>(key), operand, order);
    }
    /// Sets the value of `key` to the larger (`fetch_min`: the smaller) one of it and `operand`. An absent key gets `operand`.
    /// Returns the value before, zero if there was none. Progress: a write.
    template <detail::forwarded K = given_key, class N = T>
    T fetch_max(K&& key, N operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::larger_of>(std::forward<K>(key), operand, order);
    }
    template <detail::forwarded K = given_key, class N = T>
    T fetch_min(K&& key, N operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::smaller_of>(std::forward<K>(key), operand, order);
    }
    /// Combines the bits of the value of `key` with those of `operand`, where an absent key counts as zero. Returns the value
    /// before. Progress: a write.
    template <detail::forwarded K = given_key, class N = T>
    T fetch_or(K&& key, N operand, std::memory_order order = std::memory_order_seq_cst)
        requires(detail::is_number<T> && std::integral<T>)
    {
        return fetch<detail::bits_of_either>(std::forward<K>(key), operand, order);
    }
    template <detail::forwarded K = given_key, class N = T>
    T fetch_and(K&& key, N operand, std::memory_order order = std::memory_order_seq_cst)
        requires(detail::is_number<T> && std::integral<T>)
    {
        return fetch<detail::bits_of_both>(std::forward<K>(key), operand, order);
    }

    // Errors in words.
    template <class K, class N, class... More>
        requires(!detail::is_number<T>)
    detail::fetch_operations_are_for_values_that_are_numbers_use_update fetch_add(const K&, const N&, More...) = delete;
    template <class K, class N, class... More>
        requires(!detail::is_number<T>)
    detail::fetch_operations_are_for_values_that_are_numbers_use_update fetch_max(const K&, const N&, More...) = delete;
    template <class K, class N, class... More>
        requires(!detail::is_number<T>)
    detail::fetch_operations_are_for_values_that_are_numbers_use_update fetch_min(const K&, const N&, More...) = delete;
    template <class K, class N, class... More>
        requires(!detail::is_number<T> || !std::integral<T>)
    detail::bits_are_those_of_integers_use_update fetch_or(const K&, const N&, More...) = delete;
    template <class K, class N, class... More>
        requires(!detail::is_number<T> || !std::integral<T>)
    detail::bits_are_those_of_integers_use_update fetch_and(const K&, const N&, More...) = delete;

private:
    template <class Combine, class K, class N>
    T fetch(K&& key, N operand, std::memory_order order) {
        static_assert(detail::operand_for<T, N>,
                      "syncmap: this operand may not fit into the value type: convert it with static_cast");
        detail::fetch_operation<T, Combine> op{static_cast<T>(operand), order};
        self().write(std::forward<K>(key), op);
        return op.previous;
    }

    basic_map<Engine>& self() noexcept { return static_cast<basic_map<Engine>&>(*this); }
};

} // namespace syncmap
