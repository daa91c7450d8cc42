#pragma once

#include <folly/concurrency/ConcurrentHashMap.h>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct folly {
    static constexpr std::string_view name = "folly";
    static constexpr std::string_view about = "folly::ConcurrentHashMapSIMD, hazard pointers";
    static constexpr role part = role::peer;

    template <class Key, class T>
    class map {
        using table = ::folly::ConcurrentHashMapSIMD<Key, T, common_hash<Key>>;

    public:
        bool load(const Key& key, T& out) const {
            const auto found = table_.find(key);
            if (found == table_.cend()) return false;
            out = found->second;
            return true;
        }
        void store(const Key& key, const T& value) { table_.insert_or_assign(key, value); }
        bool insert(const Key& key, const T& value) { return table_.insert(key, value).second; }
        bool erase(const Key& key) { return table_.erase(key) != 0; }
        bool modify(const Key& key) {
            for (;;) {
                const auto found = table_.find(key);
                if (found == table_.cend()) return false;
                T value = found->second;
                payload<Key>::modify(value);
                if (table_.assign_if_equal(key, found->second, std::move(value))) return true;
            }
        }

        std::uint64_t visit_all() const {
            std::uint64_t sum = 0;
            for (auto at = table_.cbegin(); at != table_.cend(); ++at) sum += payload<Key>::digest(at->second);
            return sum;
        }
        void clear() { table_.clear(); }

    private:
        table table_;
    };
};

} // namespace syncmap::bench::adapters
