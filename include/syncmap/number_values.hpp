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
    /// around, as in `std::atomic`. Progress: a write.
    template <detail::forwarded K = given_key>
    T fetch_add(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::sum_of>(std::forward<K>(key), operand, order);
    }
    /// Sets the value of `key` to the larger (`fetch_min`: the smaller) one of it and `operand`. An absent key gets `operand`.
    /// Returns the value before, zero if there was none. Progress: a write.
    template <detail::forwarded K = given_key>
    T fetch_max(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::larger_of>(std::forward<K>(key), operand, order);
    }
    template <detail::forwarded K = given_key>
    T fetch_min(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::smaller_of>(std::forward<K>(key), operand, order);
    }
    /// Combines the bits of the value of `key` with those of `operand`, where an absent key counts as zero. Returns the value
    /// before. Progress: a write.
    template <detail::forwarded K = given_key>
    T fetch_or(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires(detail::is_number<T> && std::integral<T>)
    {
        return fetch<detail::bits_of_either>(std::forward<K>(key), operand, order);
    }
    template <detail::forwarded K = given_key>
    T fetch_and(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires(detail::is_number<T> && std::integral<T>)
    {
        return fetch<detail::bits_of_both>(std::forward<K>(key), operand, order);
    }

private:
    template <class Combine, class K>
    T fetch(K&& key, T operand, std::memory_order order) {
        detail::fetch_operation<T, Combine> op{operand, order};
        self().write(std::forward<K>(key), op);
        return op.previous;
    }

    basic_map<Engine>& self() noexcept { return static_cast<basic_map<Engine>&>(*this); }
};

} // namespace syncmap
