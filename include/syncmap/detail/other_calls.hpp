// Operations of maps as other maps and `std::atomic` call them. Each of these calls is a compile error that says what to write.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <syncmap/detail/value_forms.hpp>

namespace syncmap::detail {

/// A base of `basic_map`, which has the operations themselves. By overload resolution each of those is better wherever it can
/// be called.
template <class Engine>
struct other_calls {
    using entry = std::pair<const given_t<typename Engine::key_type>, given_t<typename Engine::mapped_type>>;

    bool insert(const entry&) {
        static_assert(sizeof(Engine) == 0,
                      "syncmap: insert takes a key and a value, insert(key, value), and no pair of them: it "
                      "returns whether it inserted. Several entries: insert({{key, value}, ...})");
        return false;
    }
    template <class K>
    bool store(const K&) {
        static_assert(sizeof(K) == 0, "syncmap: store takes a key and a value: store(key, value)");
        return false;
    }
    template <class K, class D>
    auto load(const K&, const D&) const {
        static_assert(sizeof(K) == 0, "syncmap: load takes a key, and returns an optional: load(key).value_or(other). For a "
                                      "value to be made where the key is absent: load_or_compute(key, f)");
    }
    template <class K, class E, class U>
    bool compare_exchange(const K&, const E&, const U&) {
        static_assert(sizeof(K) == 0, "syncmap: compare_exchange(key, expected, desired) tells in expected what it saw: pass a "
                                      "variable of the value type, or of std::optional of it");
        return false;
    }
    template <class K, class E>
    bool compare_erase(const K&, const E&) {
        static_assert(sizeof(K) == 0, "syncmap: compare_erase(key, expected) tells in expected what it saw: pass a variable of "
                                      "the value type");
        return false;
    }
    template <class K, class F>
        requires(!std::predicate<F&, const typename Engine::mapped_type&> &&
                 !std::same_as<std::remove_cvref_t<F>, std::memory_order>)
    bool erase_if(const K&, F&&) {
        static_assert(sizeof(K) == 0,
                      "syncmap: erase_if(key, f) calls f(const T&), and erase_if(f) calls f(const Key&, const T&): "
                      "f returns whether to erase the entry");
        return false;
    }
};

} // namespace syncmap::detail
