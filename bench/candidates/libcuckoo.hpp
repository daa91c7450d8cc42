#pragma once

#include <libcuckoo/cuckoohash_map.hh>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct libcuckoo {
    static constexpr std::string_view name = "libcuckoo";
    static constexpr std::string_view about = "libcuckoo::cuckoohash_map";
    static constexpr role part = role::peer;

    template <class Key, class T>
    class map {
    public:
        bool load(const Key& key, T& out) const {
            return table_.find_fn(key, [&](const T& value) { out = value; });
        }
        void store(const Key& key, const T& value) { table_.insert_or_assign(key, value); }
        bool insert(const Key& key, const T& value) { return table_.insert(key, value); }
        bool erase(const Key& key) { return table_.erase(key); }
        bool modify(const Key& key) {
            return table_.update_fn(key, [](T& value) { payload<Key>::modify(value); });
        }
        std::uint64_t walk() {
            std::uint64_t sum = 0;
            const auto locked = table_.lock_table();
            for (const auto& [key, value] : locked) sum += payload<Key>::digest(value);
            return sum;
        }
        std::uint64_t visit_all() { return walk(); }
        void clear() { table_.clear(); }

    private:
        ::libcuckoo::cuckoohash_map<Key, T, common_hash<Key>> table_{smallest}; // its default has room for 2^18 entries
        static constexpr std::size_t smallest = 1;
    };
};

} // namespace syncmap::bench::adapters
