// What people write without a library: a mutex around a list and a hash table, and sixteen of these.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include <syncmap/hash.hpp>

namespace syncmap::bench {

/// LRU of `std::list` and `std::unordered_map`. In a full cache a new key takes the nodes of the one that leaves: nothing is
/// allocated.
class locked_lru {
public:
    using key = std::uint64_t;
    using value = std::uint64_t;

    explicit locked_lru(std::size_t capacity) : capacity_(capacity) { places_.reserve(capacity); }

    std::optional<value> get(key k) {
        const std::lock_guard lock(mutex_);
        const auto found = places_.find(k);
        if (found == places_.end()) return std::nullopt;
        order_.splice(order_.begin(), order_, found->second);
        return found->second->second;
    }

    void put(key k, value v) {
        const std::lock_guard lock(mutex_);
        if (const auto found = places_.find(k); found != places_.end()) {
            found->second->second = v;
            order_.splice(order_.begin(), order_, found->second);
        } else if (places_.size() < capacity_) {
            order_.emplace_front(k, v);
            places_.emplace(k, order_.begin());
        } else {
            auto node = places_.extract(order_.back().first);
            order_.splice(order_.begin(), order_, std::prev(order_.end()));
            order_.front() = {k, v};
            node.key() = k;
            node.mapped() = order_.begin();
            places_.insert(std::move(node));
        }
    }

private:
    using order = std::list<std::pair<key, value>>;

    std::mutex mutex_;
    std::size_t capacity_;
    order order_;
    std::unordered_map<key, order::iterator, hash<key>> places_;
};

/// Sixteen of them, each with a sixteenth of the capacity and a cache line of its own for the mutex.
class sharded_lru {
public:
    using key = locked_lru::key;
    using value = locked_lru::value;

    explicit sharded_lru(std::size_t capacity)
        : sharded_lru(std::max<std::size_t>(1, capacity / shards), std::make_index_sequence<shards>()) {}

    std::optional<value> get(key k) { return of(k).get(k); }
    void put(key k, value v) { of(k).put(k, v); }

private:
    static constexpr std::size_t shards = 16;
    struct alignas(128) shard {
        locked_lru cache;
    };
    template <std::size_t... I>
    sharded_lru(std::size_t each, std::index_sequence<I...>) : shards_{{(static_cast<void>(I), shard{locked_lru(each)})...}} {}

    /// By bits that the shard's own table does not begin with.
    locked_lru& of(key k) { return shards_[static_cast<std::uint64_t>(hash<key>()(k)) >> 60].cache; }

    std::array<shard, shards> shards_;
};

} // namespace syncmap::bench
