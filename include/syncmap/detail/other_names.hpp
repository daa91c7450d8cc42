// Names of operations in other maps. Each of them is a compile error that says what to write here.
#pragma once

#include <cstddef>

namespace syncmap::detail {

/// What `begin()` returns, so that the first error of a loop over a map is a readable message. It is no iterator: to concepts a
/// map is no range.
struct no_iterator {
    no_iterator() = default;
    no_iterator(const no_iterator&) = delete;
    no_iterator& operator=(const no_iterator&) = delete;

    template <class Other>
    constexpr auto operator!=(const Other&) const {
        static_assert(sizeof(Other) == 0, "syncmap: a map has no iterators, since others change it meanwhile: use for_each(f), "
                                          "erase_if(f), or a loop over snapshot()");
        return false;
    }
    template <class Other>
    constexpr auto operator==(const Other& other) const {
        return *this != other;
    }
};

/// A base of all maps. The result types are deduced, so that the compiler reports the errors inside first.
struct other_names {
    static constexpr std::size_t most_arguments = 1000; // of a call; the assertions below depend on the arguments, and fail
    no_iterator begin() const { return {}; }
    no_iterator end() const { return {}; }

    template <class K>
    auto operator[](const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: there is no operator[]: the reference that it would return could outlive "
                                      "the entry. Use load, store, fetch_add or update");
    }
    template <class K>
    auto at(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: there is no at: the reference that it would return could outlive the entry. "
                                      "Use load(key).value(), which throws for an absent key, or visit(key, f)");
    }
    template <class K>
    auto find(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: there is no find, since there are no iterators: use load(key) for a copy, "
                                      "visit(key, f) to look at the value, pin(key) to keep it, contains(key) to ask");
    }
    template <class K>
    auto count(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: there is no count(key): use contains(key); for the number of entries, size()");
    }
    template <class K>
    auto equal_range(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: there is no equal_range: a key has one value. Use load(key) or visit(key, f)");
    }
    template <class... Args>
    auto emplace_hint(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments,
                      "syncmap: there is no emplace_hint, since there are no iterators: use insert(key, value)");
    }
    template <class... Args>
    auto try_emplace(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: there is no try_emplace: use insert(key, value), or "
                                                        "load_or_compute(key, f), which makes the value only if it is missing");
    }
    template <class... Args>
    auto insert_or_assign(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments,
                      "syncmap: there is no insert_or_assign: use store(key, value), which returns whether the key is new");
    }
    template <class... Args>
    auto upsert(Args&&...) const {
        static_assert(
            sizeof...(Args) > most_arguments,
            "syncmap: there is no upsert: use update(key, f), which calls f(const T* current), null when the key is absent");
    }
    template <class... Args>
    auto get(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments,
                      "syncmap: there is no get: use load(key), which returns an optional copy");
    }
    template <class... Args>
    auto put(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: there is no put: use store(key, value)");
    }
    template <class... Args>
    auto set(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: there is no set: use store(key, value)");
    }
    template <class... Args>
    auto compute_if_absent(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments,
                      "syncmap: there is no compute_if_absent: use load_or_compute(key, f), which calls f()");
    }
    template <class... Args>
    auto fetch_sub(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: there is no fetch_sub: use fetch_add(key, -operand)");
    }
    template <class... Args>
    auto fetch_xor(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: there is no fetch_xor: use update(key, f)");
    }
    template <class... Args>
    auto rehash(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: there is no rehash: use reserve(entries)");
    }
    template <class... Args>
    auto bucket_count(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: there is no bucket_count: use stats()");
    }
    template <class... Args>
    auto remove(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments,
                      "syncmap: there is no remove: use erase(key), or load_and_erase(key) for the value it had");
    }
};

} // namespace syncmap::detail
