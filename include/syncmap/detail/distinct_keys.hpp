// The keys of one operation on several keys, in an order that does not depend on the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include <syncmap/detail/sorting.hpp>

namespace syncmap::detail {

struct hashed_index {
    std::uint64_t hash;
    std::size_t index;
};

/// Returns the indices of `keys` in the order of their hashes; keys with one hash keep the caller's order.
/// Throws `invalid_argument` if two keys are equal, and what hash and equality throw. (`Index` is a parameter so that only a
/// program that calls this instantiates the vector.)
template <class Key, class HashOf, class KeyEqual, class Index = hashed_index>
std::vector<Index> ordered_distinct(std::span<const Key> keys, HashOf hash_of, const KeyEqual& equal) {
    std::vector<Index> order;
    order.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) order.push_back({hash_of(keys[i]), i});
    sort(order.data(), order.size(),
         [](const Index& a, const Index& b) { return a.hash != b.hash ? b.hash > a.hash : b.index > a.index; });
    for (std::size_t i = 1; i < order.size(); ++i) {
        for (std::size_t j = i; j-- > 0 && order[j].hash == order[i].hash;) {
            if (static_cast<bool>(equal(keys[order[j].index], keys[order[i].index]))) {
                throw std::invalid_argument("syncmap: update of several keys: the same key was given twice");
            }
        }
    }
    return order;
}

} // namespace syncmap::detail
