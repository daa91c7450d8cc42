// The floor for a map of integers: keys and values in one array, probed linearly, at most half full. No deletion, and
// no synchronisation but that values are words: read and written by one plain instruction, or exchanged.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "../adapt.hpp"
#include "../pages.hpp"

namespace syncmap::bench {

template <bool Exchange>
class bare_array {
    struct slot {
        std::uint64_t key;
        std::uint64_t value;
    };
    static constexpr std::uint64_t none = 0; ///< no key of the workloads: their index 0 does not become 0

public:
    bool load(const std::uint64_t& key, std::uint64_t& out) const { return load_at(first_slot(key), key, out); }

    /// Asks for the places of all keys before it looks at the first.
    template <class F>
    std::size_t load_batch(const std::uint64_t* keys, std::size_t size, F f) const {
        std::array<std::size_t, 32> first;
        std::size_t found = 0;
        for (std::size_t begin = 0; begin < size; begin += first.size()) {
            const std::size_t part = std::min(first.size(), size - begin);
            for (std::size_t i = 0; i < part; ++i) {
                first[i] = first_slot(keys[begin + i]);
                __builtin_prefetch(&slots_[first[i]]);
            }
            for (std::size_t i = 0; i < part; ++i) {
                std::uint64_t value = 0;
                if (!load_at(first[i], keys[begin + i], value)) continue;
                f(value);
                ++found;
            }
        }
        return found;
    }

    void store(const std::uint64_t& key, const std::uint64_t& value) {
        slot& s = slots_[place_of(key)];
        if (s.key == none) {
            insert(key, value);
            return;
        }
        const std::atomic_ref<std::uint64_t> word(s.value);
        if constexpr (Exchange) {
            word.exchange(value, std::memory_order_relaxed);
        } else {
            word.store(value, std::memory_order_relaxed);
        }
    }
    bool insert(const std::uint64_t& key, const std::uint64_t& value) {
        if (2 * (entries_ + 1) > mask_ + 1) grow();
        slot& s = slots_[place_of(key)];
        if (s.key == key) return false;
        s = {key, value};
        ++entries_;
        return true;
    }
    bool erase(const std::uint64_t&) { return false; }
    bool modify(const std::uint64_t& key) {
        std::uint64_t value = 0;
        if (!load(key, value)) return false;
        store(key, value + 1);
        return true;
    }

private:
    std::size_t first_slot(std::uint64_t key) const noexcept { return common_hash<std::uint64_t>{}(key) >> shift_; }

    bool load_at(std::size_t at, std::uint64_t key, std::uint64_t& out) const {
        for (;; at = (at + 1) & mask_) {
            slot& s = slots_[at];
            if (s.key == key) {
                out = std::atomic_ref<std::uint64_t>(s.value).load(std::memory_order_relaxed);
                return true;
            }
            if (s.key == none) return false;
        }
    }
    std::size_t place_of(std::uint64_t key) const noexcept {
        std::size_t at = first_slot(key);
        while (slots_[at].key != key && slots_[at].key != none) at = (at + 1) & mask_;
        return at;
    }
    void grow() {
        const std::size_t size = 2 * (mask_ + 1);
        const pages old = std::exchange(memory_, pages(size * sizeof(slot)));
        const slot* const from = slots_;
        const std::size_t before = mask_ + 1;
        slots_ = memory_.as<slot>();
        mask_ = size - 1;
        --shift_;
        for (std::size_t i = 0; i < before; ++i) {
            if (from[i].key != none) slots_[place_of(from[i].key)] = from[i];
        }
    }

    std::size_t mask_ = 15;
    int shift_ = 60;
    std::size_t entries_ = 0;
    pages memory_{16 * sizeof(slot)};
    slot* slots_ = memory_.as<slot>();
};

} // namespace syncmap::bench
