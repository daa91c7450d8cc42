#pragma once

#include <functional>
#include <optional>

#include <parlay_hash/unordered_map.h>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct parlayhash {
    static constexpr std::string_view name = "parlayhash";
    static constexpr std::string_view about = "parlay::parlay_unordered_map";
    static constexpr role part = role::peer;

    template <class Key, class T>
    class map {
    public:
        bool load(const Key& key, T& out) const {
            return table_
                .Find(key,
                      [&](const auto& entry) {
                          out = entry.second;
                          return true;
                      })
                .has_value();
        }
        void store(const Key& key, const T& value) {
            table_.Upsert(key, [&](const std::optional<T>&) { return value; });
        }
        bool insert(const Key& key, const T& value) { return !table_.Insert(key, value); }
        bool erase(const Key& key) { return table_.Remove(key).has_value(); }
        bool modify(const Key& key) {
            const std::optional<T> before = table_.Upsert(key, [](const std::optional<T>& current) {
                T value = current.value_or(T{});
                payload<Key>::modify(value);
                return value;
            });
            return before.has_value();
        }

        std::uint64_t visit_all() {
            std::uint64_t sum = 0;
            for (const auto& entry : table_) sum += payload<Key>::digest(entry.second);
            return sum;
        }
        void clear() { table_.clear(); }

    private:
        mutable ::parlay::parlay_unordered_map<Key, T, common_hash<Key>> table_;
    };
};

} // namespace syncmap::bench::adapters
