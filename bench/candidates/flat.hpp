#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

/// The limit for one thread: a fast open-addressing map without any synchronisation.
struct flat {
    static constexpr std::string_view name = "flat";
    static constexpr std::string_view about = "boost::unordered_flat_map, not synchronised";
    static constexpr role part = role::limit;

    template <class Key, class T>
    class map {
    public:
        bool load(const Key& key, T& out) const {
            const auto found = table_.find(key);
            if (found == table_.end()) return false;
            out = found->second;
            return true;
        }
        void store(const Key& key, const T& value) { table_.insert_or_assign(key, value); }
        bool insert(const Key& key, const T& value) { return table_.try_emplace(key, value).second; }
        bool erase(const Key& key) { return table_.erase(key) != 0; }
        bool modify(const Key& key) {
            const auto found = table_.find(key);
            if (found == table_.end()) return false;
            payload<Key>::modify(found->second);
            return true;
        }
        std::uint64_t size() const { return table_.size(); }
        std::uint64_t walk() const {
            std::uint64_t sum = 0;
            for (const auto& [key, value] : table_) sum += payload<Key>::digest(value);
            return sum;
        }
        std::uint64_t visit_all() const { return walk(); }
        void clear() { table_.clear(); }

    private:
        boost::unordered_flat_map<Key, T, common_hash<Key>> table_;
    };
};

} // namespace syncmap::bench::adapters
