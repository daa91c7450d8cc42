#pragma once

#include <boost/unordered/concurrent_flat_map.hpp>
#include <boost/version.hpp>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct boost_concurrent {
    static constexpr std::string_view name = "boost";
    static constexpr std::string_view about = "boost::concurrent_flat_map";
    static constexpr role part = role::peer;

    template <class Key, class T>
    class map {
    public:
        bool load(const Key& key, T& out) const {
            return table_.cvisit(key, [&](const auto& entry) { out = entry.second; }) != 0;
        }
#if BOOST_VERSION >= 108400
        template <class F>
        std::size_t load_batch(const Key* keys, std::size_t size, F f) const {
            return table_.cvisit(keys, keys + size, [&](const auto& entry) { f(entry.second); });
        }
#endif
        void store(const Key& key, const T& value) { table_.insert_or_assign(key, value); }
        bool insert(const Key& key, const T& value) { return table_.emplace(key, value); }
        bool erase(const Key& key) { return table_.erase(key) != 0; }
        bool modify(const Key& key) {
            return table_.visit(key, [](auto& entry) { payload<Key>::modify(entry.second); }) != 0;
        }

        std::uint64_t visit_all() const {
            std::uint64_t sum = 0;
            table_.cvisit_all([&](const auto& entry) { sum += payload<Key>::digest(entry.second); });
            return sum;
        }
        void clear() { table_.clear(); }

    private:
        boost::concurrent_flat_map<Key, T, common_hash<Key>> table_;
    };
};

} // namespace syncmap::bench::adapters
