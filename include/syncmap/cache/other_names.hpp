// The names that other caches and maps have for an operation. Each is an error that says what to write here.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>

#include <syncmap/detail/other_names.hpp>

namespace syncmap::cache_detail {

/// For `cache(1000)` and for no argument: an error in words.
template <class Options, class... N>
const Options& options_instead_of() {
    static_assert(sizeof...(N) > 1, "syncmap: a cache is made with options: cache({.capacity = 1000})");
    return std::declval<const Options&>();
}

/// A base of caches. The results are deduced, so that the compiler looks inside before it complains about anything else.
struct other_names {
    detail::no_iterator begin() const { return {}; }
    detail::no_iterator end() const { return {}; }

    template <class K>
    auto operator[](const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: a cache has no operator[]: the entry could be evicted under the reference. Use "
                                      "get(key), visit(key, f), pin(key) or put(key, value)");
    }
    template <class K>
    auto at(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: a cache has no at: use get(key).value(), or pin(key) to keep the entry");
    }
    template <class K>
    auto find(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: a cache has no find, since there are no iterators: use get(key) for a copy, "
                                      "visit(key, f) to look at the value, pin(key) to keep it");
    }
    template <class K>
    auto erase(const K&) const {
        static_assert(sizeof(K) == 0,
                      "syncmap: a cache has no erase: use invalidate(key), which loads that are running obey, too");
    }
    template <class... Args>
    auto remove_by_tag(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no remove_by_tag: use invalidate_tag(tag), which loads that are running obey, too");
    }
    template <class... Args>
    auto insert(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no insert: use put(key, value) or put_if_absent(key, value)");
    }
    template <class... Args>
    auto emplace(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no emplace: use put_if_absent(key, value) or get_or_load(key, f)");
    }
    template <class... Args>
    auto store(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no store: use put(key, value)");
    }
    template <class K, class U, class Rep, class Period>
    auto put(const K&, const U&, const std::chrono::duration<Rep, Period>&) const {
        static_assert(sizeof(K) == 0, "syncmap: a lifetime of one entry is an option: put(key, value, {.ttl = 10s})");
    }
    template <class... Args>
    auto set(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no set: use put(key, value)");
    }
    template <class... Args>
    auto clear(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no clear: use invalidate_all(), which loads that are running obey, too");
    }
    template <class... Args>
    auto insert_or_assign(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no insert_or_assign: use put(key, value)");
    }
    template <class... Args>
    auto try_emplace(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no try_emplace: use put_if_absent(key, value) or get_or_load(key, f)");
    }
    template <class... Args>
    auto load_or_compute(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no load_or_compute: use get_or_load(key, f)");
    }
    template <class... Args>
    auto fetch_add(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no fetch_add: use update(key, f)");
    }
    template <class... Args>
    auto remove(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no remove: use invalidate(key), which loads that are running obey, too");
    }
    template <class... Args>
    auto evict(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no evict: use invalidate(key); entries are evicted by puts of others");
    }
    template <class... Args>
    auto count(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no count: use contains(key)");
    }
    template <class... Args>
    auto empty(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments, "syncmap: a cache has no empty: use size() == 0");
    }
    template <class... Args>
    auto resize(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no resize: use set_capacity(n)");
    }
    template <class... Args>
    auto reserve(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no reserve: its table grows with the entries");
    }
    template <class... Args>
    auto snapshot(Args&&...) const {
        static_assert(sizeof...(Args) > detail::other_names::most_arguments,
                      "syncmap: a cache has no snapshot: use for_each(f), which is not one instant");
    }
};

} // namespace syncmap::cache_detail
