// The read-modify-writes of values that are numbers, as those of `std::atomic`; a part of `basic_map`, whose class comment
// holds here too.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <type_traits>
#include <utility>

#include <syncmap/detail/value_forms.hpp>
#include <syncmap/operation/built_in.hpp>
#include <syncmap/scalar_keys.hpp>

namespace syncmap {

template <class Engine>
class basic_map;

namespace detail {

template <class T>
concept is_number = std::is_arithmetic_v<T> && !std::same_as<T, bool>;

} // namespace detail

template <class Engine>
class number_operations {
    using T = typename Engine::mapped_type;
    using given_key = detail::given_t<typename Engine::key_type>;

public:
    /// Adds `operand` to the value of `key`, where an absent key counts as zero. Returns the value before. Integers wrap
    /// around, as in `std::atomic`. An operand of another type is converted where nothing is lost; an `int` may be for any
    /// integer. Progress: a write.
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

private:
    template <class Combine, class K, class N>
    T fetch(K&& key, N operand, std::memory_order order) {
        static_assert(detail::returned_for<T, N>,
                      "syncmap: this operand may not fit into the value type: convert it with static_cast");
        detail::fetch_operation<T, Combine> op{static_cast<T>(operand), order};
        self().write(std::forward<K>(key), op);
        return op.previous;
    }

    basic_map<Engine>& self() noexcept { return static_cast<basic_map<Engine>&>(*this); }
};

} // namespace syncmap
