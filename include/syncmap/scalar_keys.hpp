// The writes for keys that are numbers, enumerations or pointers. They take a reference to const: bit-fields and members of
// packed structs can bind to that, and not to a forwarding reference.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/results.hpp>

namespace syncmap {

template <class Engine>
class basic_map;

namespace detail {

template <class K>
concept scalar = std::is_scalar_v<K>;

/// What a write of `basic_map` takes by `K&&`: everything except a named scalar, which `scalar_keys` takes.
template <class K>
concept forwarded = !std::is_lvalue_reference_v<K> || !scalar<std::remove_reference_t<K>>;

/// Fails to compile, with an explanation, if `More` is anything but a memory order or nothing: no other overload takes it, so
/// the function that passes it on would call itself for ever.
template <class... More>
constexpr void check_order() {
    static_assert(sizeof...(More) == 0 || (sizeof...(More) == 1 && (std::same_as<More, std::memory_order> && ...)),
                  "syncmap: behind the arguments of a write there may be a std::memory_order, and nothing else. (An update of "
                  "several keys takes them in braces: update({a, b}, f))");
}

} // namespace detail

/// A part of `basic_map`, which describes these operations. Each one passes a copy of the key on.
template <class Engine>
class scalar_keys {
    using T = typename Engine::mapped_type;
    using copied = detail::copied_out_t<T>;
    using given = detail::given_t<T>;
    using map = basic_map<Engine>;

public:
    template <detail::scalar K, class U = given, class... More>
    [[gnu::always_inline]] bool store(const K& key, U&& value, More... more) {
        detail::check_order<More...>();
        return self().store(K(key), std::forward<U>(value), more...);
    }
    template <detail::scalar K, class U = given, class... More>
    [[gnu::always_inline]] bool insert(const K& key, U&& value, More... more) {
        detail::check_order<More...>();
        return self().insert(K(key), std::forward<U>(value), more...);
    }
    template <detail::scalar K, class U = given, class... More>
    [[nodiscard, gnu::always_inline]] load_result<copied> load_or_store(const K& key, U&& value, More... more) {
        detail::check_order<More...>();
        return self().load_or_store(K(key), std::forward<U>(value), more...);
    }
    template <detail::scalar K, class U = given, class... More>
    [[nodiscard, gnu::always_inline]] std::optional<copied> exchange(const K& key, U&& value, More... more) {
        detail::check_order<More...>();
        return self().exchange(K(key), std::forward<U>(value), more...);
    }
    template <detail::scalar K, class U = given, class... More>
    [[nodiscard, gnu::always_inline]] bool compare_exchange(const K& key, copied& expected, U&& desired, More... more) {
        detail::check_order<More...>();
        return self().compare_exchange(K(key), expected, std::forward<U>(desired), more...);
    }
    template <detail::scalar K, class U = given, class... More>
    [[nodiscard, gnu::always_inline]] bool compare_exchange(const K& key, std::optional<copied>& expected, U&& desired,
                                                            More... more) {
        detail::check_order<More...>();
        return self().compare_exchange(K(key), expected, std::forward<U>(desired), more...);
    }
    template <detail::scalar K, class... Arguments>
    bool emplace(const K& key, Arguments&&... arguments) {
        return self().emplace(K(key), std::forward<Arguments>(arguments)...);
    }
    template <detail::scalar K, class... Arguments>
    [[nodiscard]] auto load_or_emplace(const K& key, Arguments&&... arguments)
        requires requires(const Engine& e, const typename Engine::key_type& k) { e.pin(k); }
    {
        return self().load_or_emplace(K(key), std::forward<Arguments>(arguments)...);
    }
    template <detail::scalar K, class U = given, class F, class... More>
    bool insert_or_visit(const K& key, U&& value, F&& f, More... more) {
        detail::check_order<More...>();
        return self().insert_or_visit(K(key), std::forward<U>(value), f, more...);
    }
    template <detail::scalar K, class N = T, class... More>
    [[gnu::always_inline]] T fetch_add(const K& key, N operand, More... more)
        requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
    {
        detail::check_order<More...>();
        return self().fetch_add(K(key), operand, more...);
    }
    template <detail::scalar K, class N = T, class... More>
    [[gnu::always_inline]] T fetch_max(const K& key, N operand, More... more)
        requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
    {
        detail::check_order<More...>();
        return self().fetch_max(K(key), operand, more...);
    }
    template <detail::scalar K, class N = T, class... More>
    [[gnu::always_inline]] T fetch_min(const K& key, N operand, More... more)
        requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
    {
        detail::check_order<More...>();
        return self().fetch_min(K(key), operand, more...);
    }
    template <detail::scalar K, class N = T, class... More>
    [[gnu::always_inline]] T fetch_or(const K& key, N operand, More... more)
        requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
    {
        detail::check_order<More...>();
        return self().fetch_or(K(key), operand, more...);
    }
    template <detail::scalar K, class N = T, class... More>
    [[gnu::always_inline]] T fetch_and(const K& key, N operand, More... more)
        requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
    {
        detail::check_order<More...>();
        return self().fetch_and(K(key), operand, more...);
    }
    template <detail::scalar K, class Op>
    void apply(const K& key, Op&& operation) {
        self().apply(K(key), operation);
    }
    template <detail::scalar K, class F, class... More>
    [[nodiscard, gnu::always_inline]] load_result<copied> load_or_compute(const K& key, F&& f, More... more) {
        detail::check_order<More...>();
        return self().load_or_compute(K(key), std::forward<F>(f), more...);
    }
    template <detail::scalar K, class F, class... More>
    [[nodiscard, gnu::always_inline]] load_result<copied> load_or_compute(unshared_t mode, const K& key, F&& f, More... more) {
        detail::check_order<More...>();
        return self().load_or_compute(mode, K(key), std::forward<F>(f), more...);
    }
    template <detail::scalar K, class F, class... More>
    [[gnu::always_inline]] update_result update(const K& key, F&& f, More... more) {
        detail::check_order<More...>();
        return self().update(K(key), std::forward<F>(f), more...);
    }

private:
    map& self() noexcept { return static_cast<map&>(*this); }
};

} // namespace syncmap
