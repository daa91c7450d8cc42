// What each entry of a cache with a plain policy carries: a number beside what entry_state.hpp has.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>

#include <syncmap/cache/entry_state.hpp>

namespace syncmap::cache_detail {

/// What the number of an entry tells. The entry with the lowest one leaves first.
enum class numbered_by : unsigned char {
    last_use, ///< LRU
    arrival   ///< SIEVE, which gives a used entry another round
};

template <class Sync, numbered_by By>
class numbered_state : public entry_state<Sync> {
    using base = entry_state<Sync>;

public:
    static constexpr numbered_by number_tells = By;

    void inherit(numbered_state& old) noexcept {
        base::inherit(old);
        set_number(old.number());
    }

    std::uint64_t number() const noexcept { return number_.load(std::memory_order_relaxed); }
    void set_number(std::uint64_t n) noexcept { number_.store(n, std::memory_order_relaxed); }

private:
    typename Sync::template atomic<std::uint64_t> number_{0};
};

template <class Mark>
concept numbered_mark = requires(const Mark& mark) {
    Mark::number_tells;
    { mark.number() } noexcept -> std::same_as<std::uint64_t>;
};

} // namespace syncmap::cache_detail
