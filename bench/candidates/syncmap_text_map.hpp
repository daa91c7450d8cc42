#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <syncmap/map.hpp>
#include <syncmap/text.hpp>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

/// The compact form for strings.
struct syncmap_text_map {
    static constexpr std::string_view name = "text_map";
    static constexpr std::string_view about = "syncmap::map<syncmap::text, syncmap::text>";
    static constexpr role part = role::family;
    static constexpr bool strings_only = true;

    template <class Key, class T>
    class map {
    public:
        bool load(const Key& key, T& out) const {
            return map_.visit(key, [&](std::string_view value) { out = value; });
        }
        void store(const Key& key, const T& value) { map_.store(key, value); }
        bool insert(const Key& key, const T& value) { return map_.insert(key, value); }
        bool erase(const Key& key) { return map_.erase(key); }
        bool modify(const Key& key) {
            return map_.update(key, [](const text* current) -> std::optional<std::string> {
                if (current == nullptr) return std::nullopt;
                std::string changed = current->str();
                payload<Key>::modify(changed);
                return changed;
            }) == update_result::assigned;
        }
        template <class F>
        std::size_t load_batch(const Key* keys, std::size_t size, F f) const {
            return map_.visit_many(std::span(keys, size), [&](std::size_t, std::string_view value) { f(value); });
        }
        std::uint64_t size() const { return map_.size(); }
        std::uint64_t walk() const {
            std::uint64_t sum = 0;
            map_.snapshot().for_each(
                [&](const text&, std::string_view value) { sum += static_cast<unsigned char>(value.front()); });
            return sum;
        }

        std::uint64_t visit_all() const {
            std::uint64_t sum = 0;
            map_.for_each([&](const text&, std::string_view value) { sum += static_cast<unsigned char>(value.front()); });
            return sum;
        }
        void clear() { map_.clear(); }

    private:
        syncmap::map<text, text> map_;
    };
};

} // namespace syncmap::bench::adapters
