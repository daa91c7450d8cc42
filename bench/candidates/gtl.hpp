#pragma once

#include <memory>
#include <mutex>

#include <gtl/phmap.hpp>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct gtl {
    static constexpr std::string_view name = "gtl";
    static constexpr std::string_view about = "gtl::parallel_flat_hash_map, 16 parts, each behind a std::mutex";
    static constexpr role part = role::peer;

    template <class Key, class T>
    class map {
        using table = ::gtl::parallel_flat_hash_map<Key, T, common_hash<Key>, std::equal_to<Key>,
                                                    std::allocator<std::pair<const Key, T>>, 4, std::mutex>;

    public:
        bool load(const Key& key, T& out) const {
            return table_.if_contains(key, [&](const auto& entry) { out = entry.second; });
        }
        void store(const Key& key, const T& value) {
            table_.lazy_emplace_l(key, [&](auto& entry) { entry.second = value; }, [&](const auto& make) { make(key, value); });
        }
        bool insert(const Key& key, const T& value) {
            return table_.lazy_emplace_l(key, [](auto&) {}, [&](const auto& make) { make(key, value); });
        }
        bool erase(const Key& key) {
            return table_.erase_if(key, [](auto&) { return true; });
        }
        bool modify(const Key& key) {
            return table_.modify_if(key, [](auto& entry) { payload<Key>::modify(entry.second); });
        }

        std::uint64_t visit_all() const {
            std::uint64_t sum = 0;
            table_.for_each([&](const auto& entry) { sum += payload<Key>::digest(entry.second); });
            return sum;
        }
        void clear() { table_.clear(); }

    private:
        table table_;
    };
};

} // namespace syncmap::bench::adapters
