// What the policy leans to: how often keys were seen, or how lately. It learns that from its own mistakes.
//
// Of all puts of new keys, some are *returns*: the key came lately, and was evicted since. A longer stay in the cache would
// have made each of them a hit. The hand, on its way over main, counts the *uses* of entries that were kept as they are used
// often. The two tell which mistake is made [L1]:
//
//   | returns, for each put | beside uses                  | leaning                                                        |
//   |-----------------------|------------------------------|----------------------------------------------------------------|
//   | 0.095 or more         | more than 0.5                | recency: uses of the past tell nothing, new keys come again    |
//   | 0.16 or more          | more than 0.26, if balanced  | recency                                                        |
//   | 0.14 or more          | less than 0.21               | frequency: keys come again in turn, as in a loop               |
//   | others                |                              | balanced                                                       |
//
// - *Balanced*: an entry that leaves small has to win a duel, a return does not.
// - *Frequency*: a return has to win one, too, or goes through small.
// - *Recency*: an entry that leaves small becomes main in any case, with a use: it stays for a round of the hand at least.
//
// A *period* is two capacities of puts of new keys, and 1,000 at least. Recency needs two periods that ask for it, or one that
// does so loudly. It ends after four periods: what it does to returns hides whether it is still right. If the cache comes to
// the same end again, it stays longer, up to sixteen periods.
//
// All words are read and written with relaxed orders, and what two threads lose is a count.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

enum class lean : std::uint8_t { balanced, frequency, recency };

template <class Sync>
class leaning {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

public:
    /// `entries`: how many the cache has, about.
    explicit leaning(std::size_t entries) noexcept : period_((std::max)(std::uint64_t{1'000}, std::uint64_t{2} * entries)) {}

    lean now() const noexcept { return now_.load(std::memory_order_relaxed); }

    /// What a thread has counted since it was here last. `is_full`: the cache evicts.
    void report(std::uint64_t puts, std::uint64_t returns, std::uint64_t uses, bool is_full) noexcept {
        returns_.fetch_add(returns, std::memory_order_relaxed);
        uses_.fetch_add(uses, std::memory_order_relaxed);
        const std::uint64_t before = puts_.fetch_add(puts, std::memory_order_relaxed);
        if (before >= period_ || before + puts < period_) return; // the thread that ends the period judges it
        const std::uint64_t all_returns = returns_.exchange(0, std::memory_order_relaxed);
        const std::uint64_t all_uses = uses_.exchange(0, std::memory_order_relaxed);
        judge(before + puts, all_returns, all_uses, is_full);
        puts_.store(0, std::memory_order_relaxed);
    }

private:
    static constexpr unsigned first_stay = 4; ///< periods
    static constexpr unsigned longest_stay = 16;

    /// By one thread at a time: `puts_` is 0 when it has ended.
    void judge(std::uint64_t puts, std::uint64_t returns, std::uint64_t uses, bool is_full) noexcept {
        if (now() == lean::recency) {
            if (add(left_, -1) != 0) return;
            lean_to(lean::balanced);
            rest_.store(1, std::memory_order_relaxed);
            return;
        }
        if (!is_full) {
            lean_to(lean::balanced);
            rest_.store(1, std::memory_order_relaxed);
            return;
        }
        if (rest_.load(std::memory_order_relaxed) != 0) { // the period in which the cache became full, or recency ended
            add(rest_, -1);
            return;
        }
        const bool prefers_new = (returns * 1'000 >= puts * 95 && returns * 2 > uses) ||
                                 (now() == lean::balanced && returns * 100 >= puts * 16 && returns * 100 > uses * 26);
        if (prefers_new) {
            if (add(votes_, returns * 10 > uses * 8 ? 2 : 1) < 2) return;
            votes_.store(0, std::memory_order_relaxed);
            const unsigned stay = stay_.load(std::memory_order_relaxed);
            left_.store(stay, std::memory_order_relaxed);
            stay_.store((std::min)(2 * stay, longest_stay), std::memory_order_relaxed);
            lean_to(lean::recency);
            return;
        }
        votes_.store(0, std::memory_order_relaxed);
        stay_.store(first_stay, std::memory_order_relaxed);
        const bool comes_in_turn = returns * 100 >= puts * 14 && returns * 100 < uses * 21;
        lean_to(comes_in_turn ? lean::frequency : lean::balanced);
    }
    void lean_to(lean l) noexcept {
        if (now() != l) now_.store(l, std::memory_order_relaxed);
    }
    static unsigned add(atomic<unsigned>& to, int n) noexcept {
        const unsigned sum = to.load(std::memory_order_relaxed) + static_cast<unsigned>(n);
        to.store(sum, std::memory_order_relaxed);
        return sum;
    }

    const std::uint64_t period_;
    atomic<lean> now_{lean::balanced};
    alignas(detail::cache_line_bytes) atomic<std::uint64_t> puts_{0};
    atomic<std::uint64_t> returns_{0};
    atomic<std::uint64_t> uses_{0};
    atomic<unsigned> rest_{1};  ///< periods that are not judged
    atomic<unsigned> votes_{0}; ///< for recency
    atomic<unsigned> left_{0};  ///< periods of recency
    atomic<unsigned> stay_{first_stay};
};

} // namespace syncmap::cache_detail
