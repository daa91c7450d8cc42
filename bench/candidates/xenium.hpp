#pragma once

#include <array> // which xenium's headers use without including it

#include <xenium/reclamation/generic_epoch_based.hpp>
#include <xenium/vyukov_hash_map.hpp>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct xenium {
    static constexpr std::string_view name = "xenium";
    static constexpr std::string_view about = "xenium::vyukov_hash_map, epoch-based reclamation";
    static constexpr std::string_view caveat = "has no update: an overwrite is an erase and an insert, not atomic";
    static constexpr role part = role::peer;

    template <class Key, class T>
    class map {
        using table = ::xenium::vyukov_hash_map<Key, T, ::xenium::policy::reclaimer<::xenium::reclamation::epoch_based<>>,
                                                ::xenium::policy::hash<common_hash<Key>>>;

    public:
        bool load(const Key& key, T& out) const {
            typename table::accessor found;
            if (!table_.try_get_value(key, found)) return false;
            out = *found;
            return true;
        }
        void store(const Key& key, const T& value) {
            do {
                table_.erase(key);
            } while (!table_.emplace(key, value));
        }
        bool insert(const Key& key, const T& value) { return table_.emplace(key, value); }
        bool erase(const Key& key) { return table_.erase(key); }
        bool modify(const Key& key) {
            T value;
            if (!load(key, value)) return false;
            payload<Key>::modify(value);
            store(key, value);
            return true;
        }

        std::uint64_t visit_all() {
            std::uint64_t sum = 0;
            for (auto at = table_.begin(); at != table_.end(); ++at) sum += payload<Key>::digest((*at).second);
            return sum;
        }

    private:
        table table_;
    };
};

} // namespace syncmap::bench::adapters
