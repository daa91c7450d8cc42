#pragma once

#include <oneapi/tbb/concurrent_hash_map.h>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct onetbb {
    static constexpr std::string_view name = "onetbb";
    static constexpr std::string_view about = "tbb::concurrent_hash_map";
    static constexpr role part = role::peer;

    template <class Key, class T>
    class map {
        struct compare {
            std::size_t hash(const Key& key) const noexcept { return common_hash<Key>{}(key); }
            bool equal(const Key& a, const Key& b) const noexcept { return a == b; }
        };
        using table = tbb::concurrent_hash_map<Key, T, compare>;

    public:
        bool load(const Key& key, T& out) const {
            typename table::const_accessor found;
            if (!table_.find(found, key)) return false;
            out = found->second;
            return true;
        }
        void store(const Key& key, const T& value) {
            typename table::accessor entry;
            table_.insert(entry, key);
            entry->second = value;
        }
        bool insert(const Key& key, const T& value) { return table_.insert({key, value}); }
        bool erase(const Key& key) { return table_.erase(key); }
        bool modify(const Key& key) {
            typename table::accessor found;
            if (!table_.find(found, key)) return false;
            payload<Key>::modify(found->second);
            return true;
        }

        std::uint64_t visit_all() const {
            std::uint64_t sum = 0;
            for (const auto& [key, value] : table_) sum += payload<Key>::digest(value);
            return sum;
        }
        void clear() { table_.clear(); }

    private:
        table table_;
    };
};

} // namespace syncmap::bench::adapters
