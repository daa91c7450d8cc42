#pragma once

#include <cstddef>
#include <cstdint>

// growt's headers use these without including them.
#include <atomic>
#include <iostream>
#include <memory>

#include <allocator/alignedallocator.hpp>
#include <data-structures/hash_table_mods.hpp>
#include <data-structures/table_config.hpp>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct growt {
    static constexpr std::string_view name = "growt";
    static constexpr std::string_view about = "growt's uaGrow: growable, with deletion, a handle for each thread";
    static constexpr std::string_view caveat = "integers alone, keys of 63 bits: it keeps one for itself, and 0";
    static constexpr role part = role::peer;
    static constexpr bool integers_only = true;

    template <class Key, class T>
    class map {
        using table = typename ::growt::table_config<Key, T, common_hash<Key>, ::growt::AlignedAllocator<>, hmod::growable,
                                                     hmod::deletion>::table_type;

    public:
        /// The operations of one thread, as growt's pages advise: through its own handle.
        class registration {
        public:
            explicit registration(map& of) : table_(of.table_.get_handle()) {}

            bool load(const Key& key, T& out) {
                auto found = table_.find(own(key));
                if (found == table_.end()) return false;
                out = (*found).second;
                return true;
            }
            void store(const Key& key, const T& value) { table_.insert_or_update(own(key), value, overwrite{}, value); }
            bool insert(const Key& key, const T& value) { return table_.insert(own(key), value).second; }
            bool erase(const Key& key) { return table_.erase(own(key)) != 0; }
            bool modify(const Key& key) { return table_.update(own(key), increase{}).second; }

        private:
            static Key own(const Key& key) noexcept { return key >> 1; }

            typename table::handle_type table_;
        };

        std::uint64_t visit_all() {
            auto handle = table_.get_handle();
            std::uint64_t sum = 0;
            for (auto at = handle.begin(); at != handle.end(); ++at) sum += payload<Key>::digest((*at).second);
            return sum;
        }

    private:
        struct overwrite {
            T operator()(T& current, const T& value) const { return current = value; }
            T atomic(T& current, const T& value) const {
                __atomic_store_n(&current, value, __ATOMIC_RELEASE);
                return value;
            }
        };
        struct increase {
            T operator()(T& current) const { return ++current; }
            T atomic(T& current) const { return __atomic_add_fetch(&current, 1, __ATOMIC_ACQ_REL); }
        };

        table table_{smallest};
        static constexpr std::size_t smallest = 1;
    };
};

} // namespace syncmap::bench::adapters
