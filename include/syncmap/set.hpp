// syncmap::set: a map's keys alone. What each operation promises stands in facade.hpp, at the operation of that name.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <memory_resource>
#include <span>
#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/no_value.hpp>
#include <syncmap/map.hpp>
#if defined(__GXX_RTTI) || defined(__cpp_rtti)
#include <syncmap/any.hpp>
#endif

namespace syncmap {

namespace detail {

/// For keys that lie in the table, beside a word.
enum class present : unsigned char { yes };

template <class Key, class Hash, class KeyEqual>
using value_of_set =
    std::conditional_t<engine_for<Key, present, engine::layout<Key, present, Hash, KeyEqual, engine::machine>>::inline_key,
                       present, no_value>;

} // namespace detail

template <class Map>
class set_snapshot;

/// A hash set that any number of threads share: `syncmap::map` without values.
///
///     syncmap::set<std::string> seen;
///     if (seen.insert(address)) send_greeting(address); // of all threads one
///
/// What `map` says of threads, progress, consistency, order, throws, keys, conversions and moves holds here, for the operation
/// of the same name.
///
/// Memory       A node has no byte for a value, and its slot takes half of that in `map<Key, bool>`. Keys that lie in the table
///              itself (integers) take there what they take in `map<Key, bool>`: 16 bytes and the free places.
template <class Key, class Hash = hash<Key>, class KeyEqual = std::equal_to<>, class Allocator = std::allocator<Key>>
class set {
    using value = detail::value_of_set<Key, Hash, KeyEqual>;
    using map_type = map<Key, value, Hash, KeyEqual,
                         typename std::allocator_traits<Allocator>::template rebind_alloc<std::pair<const Key, value>>>;
    using given_key = detail::given_t<Key>;

public:
    using key_type = Key;
    using value_type = detail::given_t<Key>;
    using size_type = std::size_t;
    using hasher = Hash;
    using key_equal = KeyEqual;
    using allocator_type = Allocator;

    constexpr set() noexcept(noexcept(map_type())) = default;
    constexpr explicit set(const allocator_type& alloc) : map_(typename map_type::allocator_type(alloc)) {}
    constexpr explicit set(const hasher& hash, const key_equal& equal = key_equal(),
                           const allocator_type& alloc = allocator_type())
        : map_(hash, equal, typename map_type::allocator_type(alloc)) {}
    set(std::initializer_list<value_type> keys) { insert(keys); }
    template <std::input_iterator Iterator, std::sentinel_for<Iterator> Sentinel>
    set(Iterator first, Sentinel last) {
        if constexpr (std::sized_sentinel_for<Sentinel, Iterator>) {
            if (last - first > 0) reserve(static_cast<size_type>(last - first));
        }
        for (; first != last; ++first) insert(*first, std::memory_order_release);
    }

    /// Whether `key` is there.
    template <class K = given_key>
    [[nodiscard]] bool contains(const K& key) const {
        return map_.contains(key);
    }
    /// Calls `f(const Key&)` on the key as the set has it and returns true, or returns false when it is absent.
    template <class K = given_key, class F>
    bool visit(const K& key, F&& f) const {
        static_assert(std::invocable<F&, const Key&>, "syncmap: visit(key, f) of a set calls f(const Key&)");
        return map_.visit(key, [&](const Key& own, const value&) { detail::invoke(f, own); });
    }

    /// Adds `key` if it is absent; returns whether it was.
    template <class K = given_key>
    bool insert(K&& key, std::memory_order order = std::memory_order_seq_cst) {
        return map_.insert(std::forward<K>(key), value{}, order);
    }
    /// Adds the keys of a list, or of a range, that are absent, one by one; returns how many. Throws: as `insert`; what was
    /// added until then stays.
    size_type insert(std::initializer_list<value_type> keys, std::memory_order order = std::memory_order_seq_cst) {
        return insert_range(keys, order);
    }
    template <class Range>
        requires requires(Range& keys) { std::begin(keys) != std::end(keys); }
    size_type insert_range(Range&& keys, std::memory_order order = std::memory_order_seq_cst) {
        size_type added = 0;
        for (auto&& key : keys) {
            if (insert(std::forward<decltype(key)>(key), order)) ++added;
        }
        return added;
    }

    /// Erases `key`; returns whether it was there.
    template <class K = given_key>
    bool erase(const K& key, std::memory_order order = std::memory_order_seq_cst) {
        return map_.erase(key, order);
    }
    /// Erases the keys for which `f(const Key&)` is true; returns how many.
    template <class F>
    size_type erase_if(F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::predicate<F&, const Key&>, "syncmap: erase_if(f) of a set calls f(const Key&)");
        return map_.erase_if([&](const Key& key, const value&) { return static_cast<bool>(detail::invoke(f, key)); }, order);
    }
    /// Moves the keys of `other` that are absent here to this set, one by one; returns how many.
    size_type merge(set& other, std::memory_order order = std::memory_order_seq_cst) { return map_.merge(other.map_, order); }

    /// `results[i]` becomes whether the i-th key is there; returns how many are. See `batch_operations`.
    template <class Keys = std::initializer_list<value_type>, class Projection = std::identity>
    size_type contains_many(Keys&& keys, std::span<bool> results, Projection projection = {}) const {
        return map_.contains_many(keys, results, projection);
    }
    /// Erases each key; returns how many were there.
    template <class Keys = std::initializer_list<value_type>>
    size_type erase_many(Keys&& keys, std::memory_order order = std::memory_order_seq_cst) {
        return map_.erase_many(keys, order);
    }

    /// Calls `f(const Key&)` for the keys; `f` may return false to stop. Returns the number of calls.
    template <class F>
    size_type for_each(F&& f) const {
        static_assert(std::invocable<F&, const Key&>, "syncmap: for_each(f) of a set calls f(const Key&)");
        return map_.for_each([&](const Key& key, const value&) { return detail::goes_on(f, key); });
    }
    /// The same by so many threads.
    template <class F>
    size_type for_each_parallel(size_type threads, F&& f) const {
        return map_.for_each_parallel(threads, [&](const Key& key, const value&) { return detail::goes_on(f, key); });
    }
    /// One instant of the whole set.
    [[nodiscard]] auto snapshot() const { return set_snapshot<map_type>(map_.snapshot()); }

    [[nodiscard]] size_type size() const { return map_.size(); }
    [[nodiscard]] size_type approx_size() const noexcept { return map_.approx_size(); }
    [[nodiscard]] bool empty() const { return map_.empty(); }
    [[nodiscard]] map_stats stats() const { return map_.stats(); }
    void clear() { map_.clear(); }
    void replace(set&& other) { map_.replace(std::move(other.map_)); }
    void reserve(size_type keys) { map_.reserve(keys); }
    void shrink_to_fit() { map_.shrink_to_fit(); }
    void flush() noexcept { map_.flush(); }
    void swap(set& other) noexcept { map_.swap(other.map_); }
    friend void swap(set& a, set& b) noexcept { a.swap(b); }

    [[nodiscard]] hasher hash_function() const { return map_.hash_function(); }
    [[nodiscard]] key_equal key_eq() const { return map_.key_eq(); }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(map_.get_allocator()); }

    // Errors in words, as those of a map.
    detail::no_iterator begin() const { return {}; }
    detail::no_iterator end() const { return {}; }
    template <class K>
    auto find(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: a set has no find, since there are no iterators: use contains(key)");
    }
    template <class K>
    auto count(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: there is no count(key): use contains(key); for the number of keys, size()");
    }
    template <class... Args>
    auto emplace(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: a set has no emplace: use insert(key)");
    }
    template <class... Args>
    auto add(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: a set has no add: use insert(key)");
    }
    template <class... Args>
    auto store(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: a set has no store: use insert(key)");
    }
    template <class... Args>
    auto remove(Args&&...) const {
        static_assert(sizeof...(Args) > most_arguments, "syncmap: a set has no remove: use erase(key)");
    }
    template <class K>
    auto load(const K&) const {
        static_assert(sizeof(K) == 0, "syncmap: a set has no load, since it has no values: use contains(key) or visit(key, f)");
    }

private:
    static constexpr std::size_t most_arguments = detail::other_names::most_arguments;
    map_type map_{};
};

/// One instant of a whole set, made by `set.snapshot()`: what holds for `syncmap::snapshot` holds here.
template <class Map>
class set_snapshot {
    using of_map = decltype(std::declval<const Map&>().snapshot());

public:
    using key_type = typename of_map::key_type;
    using size_type = std::size_t;

    template <class K = detail::given_t<key_type>>
    [[nodiscard]] bool contains(const K& key) const {
        return snapshot_.contains(key);
    }
    /// Calls `f(const Key&)` for every key once; `f` may return false to stop. Returns the number of calls.
    template <class F>
    size_type for_each(F&& f) const {
        return snapshot_.for_each([&](const key_type& key, const auto&) { return detail::goes_on(f, key); });
    }
    [[nodiscard]] size_type size() const noexcept { return snapshot_.size(); }
    [[nodiscard]] bool empty() const noexcept { return snapshot_.empty(); }

    /// As that of `syncmap::snapshot`, over keys.
    class iterator {
        using of_entries = typename of_map::iterator;

    public:
        using iterator_concept = std::input_iterator_tag;
        using difference_type = std::ptrdiff_t;
        using value_type = key_type;
        using reference = typename of_map::entry::first_type;

        iterator() noexcept = default;
        explicit iterator(of_entries at) noexcept : at_(std::move(at)) {}

        reference operator*() const noexcept { return (*at_).first; }
        iterator& operator++() {
            ++at_;
            return *this;
        }
        void operator++(int) { ++at_; }
        friend bool operator==(const iterator& a, std::default_sentinel_t end) noexcept { return a.at_ == end; }

    private:
        of_entries at_{};
    };
    /// `for (const auto& key : set.snapshot()) …`
    [[nodiscard]] iterator begin() const { return iterator(snapshot_.begin()); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    template <class, class, class, class>
    friend class set;
    explicit set_snapshot(of_map taken) noexcept : snapshot_(std::move(taken)) {}

    of_map snapshot_;
};

#if defined(__GXX_RTTI) || defined(__cpp_rtti)
/// A set of keys of any type, as `any_map` has them. Like `any`, it needs a compiler's type information.
using any_set = set<any>;
#endif

namespace pmr {
template <class Key, class Hash = hash<Key>, class KeyEqual = std::equal_to<>>
using set = syncmap::set<Key, Hash, KeyEqual, std::pmr::polymorphic_allocator<Key>>;
} // namespace pmr

} // namespace syncmap
