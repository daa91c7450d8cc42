// The engine of a map for one thread: the flat table alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/flat/hash_table.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/stats.hpp>

namespace syncmap::engine::flat {

/// Nothing is synchronised. What a callback gets is valid until the next write to the map.
template <class Key, class T, class Hash, class KeyEqual, class Allocator>
class unlocked {
    static_assert(!syncmap::detail::is_text<Key> && !syncmap::detail::is_text<T>,
                  "syncmap: syncmap::text is made for the nodes of syncmap::map: use std::string in other maps");

public:
    using key_type = Key;
    using mapped_type = T;
    using hasher = Hash;
    using key_equal = KeyEqual;
    using allocator_type = Allocator;
    using plain_map = hash_table<Key, T, Hash, KeyEqual, Allocator>;

    static constexpr bool exact_size = true;
    static constexpr bool atomic_iteration = true;
    static constexpr bool lock_free_reads = false;
    static constexpr bool moves_values_out = true;

    constexpr unlocked() = default;
    constexpr unlocked(const Hash& hash, const KeyEqual& equal, const Allocator& allocator) : table_(hash, equal, allocator) {}

    template <class K, class F>
    bool visit(const K& key, F&& f) const {
        const T* const value = table_.find(key);
        if (value == nullptr) return false;
        syncmap::detail::invoke(f, *value);
        return true;
    }

    template <class K, class F>
    bool visit_entry(const K& key, F&& f) const {
        const auto entry = table_.locate(key);
        if (!entry) return false;
        syncmap::detail::invoke(f, entry.key(), std::as_const(entry.value()));
        return true;
    }

    template <class K, class Op>
    void write(K&& key, Op& op) {
        typename plain_map::remains old(table_.get_allocator());
        write(std::forward<K>(key), op, old);
    }

    /// Does the same, and moves what it removes into `old`.
    template <class K, class Op>
    void write(K&& key, Op& op, typename plain_map::remains& old) {
        const auto found = table_.locate(key);
        const T* const current = found ? std::addressof(found.value()) : nullptr;
        switch (op.decide(current)) {
        case decision::keep: return;
        case decision::erase:
            if (!found) return;
            if constexpr (!requires { op.takes(found.value()); }) {
                table_.erase(found, old);
            } else if constexpr (std::is_nothrow_move_constructible_v<T>) {
                table_.erase(found, old);
                op.takes(old.value());
            } else {
                op.takes(found.value()); // may throw: the entry is still there
                table_.erase(found, old);
            }
            return;
        case decision::assign:
            if (found) {
                table_.replace(found, old, value_maker{op});
            } else if constexpr (std::is_constructible_v<Key, K&&>) {
                table_.add(std::forward<K>(key), value_maker{op});
            } else {
                std::terminate(); // only erasures take keys that cannot be stored, and they never assign
            }
        }
    }

    template <class K, class Op>
    void exclusive(K&& key, Op& op) {
        write(std::forward<K>(key), op);
    }

    template <class F>
    std::size_t for_each(F&& f) const {
        std::size_t visited = 0;
        for (const auto [key, value] : table_) {
            ++visited;
            if (!f(key, value)) break;
        }
        return visited;
    }

    template <class F>
    std::size_t erase_if(F&& condemned, std::memory_order) {
        return table_.erase_if([&](const Key& key, const T& value) { return syncmap::detail::invoke(condemned, key, value); });
    }

    std::size_t size() const noexcept { return table_.size(); }
    std::size_t approx_size() const noexcept { return table_.size(); }
    void clear() { table_.clear(); }
    void reserve(std::size_t entries) { table_.reserve(entries); }

    map_stats stats() const noexcept {
        map_stats all;
        all.entries = table_.size();
        all.buckets = table_.group_count();
        all.places = all.buckets * group::width;
        if (all.places != 0) all.load = static_cast<double>(all.entries) / static_cast<double>(all.places);
        return all;
    }

    plain_map& table() noexcept { return table_; }
    const plain_map& table() const noexcept { return table_; }

    Hash hash_function() const { return table_.hash_function(); }
    KeyEqual key_eq() const { return table_.key_eq(); }
    Allocator get_allocator() const noexcept { return table_.get_allocator(); }

private:
    plain_map table_{};
};

} // namespace syncmap::engine::flat
