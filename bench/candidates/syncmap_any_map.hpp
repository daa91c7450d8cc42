#pragma once

#include <optional>

#include <syncmap/any_map.hpp>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

/// Each request makes an `any` of its integer key, and a read asserts the type of what it finds.
struct syncmap_any_map {
    static constexpr std::string_view name = "any_map";
    static constexpr std::string_view about = "syncmap::any_map";
    static constexpr role part = role::dynamic;

    template <class Key, class T>
    class map {
    public:
        bool load(const Key& key, T& out) const {
            return map_.visit(key, [&](const any& value) { out = value.as<T>(); });
        }
        void store(const Key& key, const T& value) { map_.store(key, value); }
        bool insert(const Key& key, const T& value) { return map_.insert(key, value); }
        bool erase(const Key& key) { return map_.erase(key); }
        bool modify(const Key& key) {
            return map_.update(key, [](const any* current) -> std::optional<any> {
                if (current == nullptr) return std::nullopt;
                any changed = *current;
                payload<Key>::modify(changed.as<T>());
                return changed;
            }) == update_result::assigned;
        }
        std::uint64_t size() const { return map_.size(); }
        std::uint64_t walk() const {
            std::uint64_t sum = 0;
            map_.snapshot().for_each([&](const any&, const any& value) { sum += payload<Key>::digest(value.as<T>()); });
            return sum;
        }

    private:
        any_map map_;
    };
};

} // namespace syncmap::bench::adapters
