#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "../adapt.hpp"
#include "../pages.hpp"

namespace syncmap::bench::adapters {

/// The hard limit of a lookup in a table that does not fit the caches: hash the key, read one line.
struct line {
    static constexpr std::string_view name = "line";
    static constexpr std::string_view about = "one random 64-byte line read, over the footprint of the array";
    static constexpr role part = role::limit;
    static constexpr reach can = reach::reads;
    static constexpr bool integers_only = true;
    static constexpr bool is_bare = true;

    template <class Key, class T>
    class map {
        struct alignas(64) words {
            std::uint64_t word[8];
        };

    public:
        bool load(const Key& key, T& out) const {
            const words& read = lines_[common_hash<Key>{}(key) >> shift_];
            out = 0;
            for (const std::uint64_t word : read.word) out += word;
            return true;
        }
        void store(const Key&, const T&) {}
        bool insert(const Key&, const T&) { return true; }
        bool erase(const Key&) { return false; }
        bool modify(const Key&) { return false; }
        void settle(std::uint64_t entries) {
            const std::uint64_t count = std::bit_ceil(2 * entries) * 16 / sizeof(words);
            memory_ = pages((count < 2 ? 2 : count) * sizeof(words));
            lines_ = memory_.template as<words>();
            shift_ = 64 - (count < 2 ? 1 : std::countr_zero(count));
            for (std::uint64_t i = 0; i < count; ++i) lines_[i].word[0] = i;
        }

    private:
        pages memory_{2 * sizeof(words)};
        words* lines_ = memory_.template as<words>();
        int shift_ = 63;
    };
};

} // namespace syncmap::bench::adapters
