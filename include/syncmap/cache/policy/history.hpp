// What the cache remembers of keys: which came lately (the ghost), and how often each was seen (a count-min sketch).
//
// A *history line* is 64 bytes for eight entries of capacity, found by the hash: eight words of ghost (20 bits of the hash, 12
// bits of time) and four words of 16 counters, of which a key has four in one word. A put of a new key reads and writes its
// line once [Q1]. The ghost is written when a key comes, not when it goes: "came within the last 0.6 capacities of inserts,
// and is absent" is what a ghost says [Q2].
//
// All words are read and written with relaxed loads and stores. What two threads lose is a count or a fingerprint: hit ratio,
// never memory safety.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

template <class Sync, class Allocator>
class history {
    using atomic_word = typename Sync::template atomic<std::uint64_t>;

    struct alignas(detail::cache_line_bytes) line {
        atomic_word ghosts[4] = {}; ///< two ghosts each
        atomic_word counts[4] = {};
    };
    using memory = detail::aligned_memory<line, Allocator>;

public:
    static constexpr unsigned most = 15; ///< where a counter stops

    /// What a key's coming has told.
    struct answer {
        bool returned;  ///< it came lately, and has left since
        bool soon;      ///< so lately that a small queue of a tenth of the capacity would still have it
        unsigned count; ///< how often it was seen, about
    };

    history(std::size_t capacity, const Allocator& allocator)
        : allocator_(allocator), line_count_(lines_for(capacity)),
          period_((std::max)(std::uint64_t{1}, std::uint64_t{5} * capacity / line_count_)) {
        std::uint64_t window = (std::max)(std::uint64_t{1}, std::uint64_t{capacity} * 6 / 10);
        while (window >> time_shift_ > 2047) ++time_shift_;
        window_ = static_cast<std::uint32_t>(window >> time_shift_);
        soon_ = static_cast<std::uint32_t>(std::uint64_t{capacity} / 10 >> time_shift_);
        lines_ = memory::allocate(allocator_, line_count_);
        for (std::size_t i = 0; i < line_count_; ++i) std::construct_at(lines_ + i);
    }
    history(const history&) = delete;
    history& operator=(const history&) = delete;
    ~history() { memory::deallocate(allocator_, lines_, line_count_); }

    /// What it has allocated.
    std::size_t bytes() const noexcept { return line_count_ * sizeof(line); }

    void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(&line_of(hash), 1); }

    /// A new key comes. `now`: a number that grows by one with each entry that comes into the small queue. `keeps_ghost`: it
    /// goes into small even if it returns, so that it may return again.
    answer come(std::uint64_t hash, std::uint64_t now, bool keeps_ghost) noexcept {
        line& l = line_of(hash);
        const std::uint32_t age = meet_ghost(l, hash, static_cast<std::uint32_t>(now >> time_shift_) & time_mask, keeps_ghost);
        return {age <= window_, age <= soon_, add_to(count_word(l, hash), hash, 1)};
    }
    /// The key was used so often, since it was last asked for.
    void add(std::uint64_t hash, unsigned uses) noexcept { add_to(count_word(line_of(hash), hash), hash, uses); }
    unsigned count(std::uint64_t hash) const noexcept {
        return least(count_word(line_of(hash), hash).load(std::memory_order_relaxed), ones_of(hash));
    }

    /// By each put of a new key, with a number that its thread counts: now and then halves the counters of a line, all lines
    /// once in ten capacities of puts. Returns after how many puts it has done so; 0: it has not.
    std::uint64_t age(std::uint64_t tick) noexcept {
        if (tick % period_ != 0) return 0;
        // A read-modify-write: turns that go back would halve some lines twice and others never [E10].
        line& l = lines_[turn_.fetch_add(1, std::memory_order_relaxed) % line_count_];
        for (atomic_word& w : l.counts) {
            w.store(w.load(std::memory_order_relaxed) >> 1 & 0x7777777777777777U, std::memory_order_relaxed);
        }
        return period_;
    }

private:
    static constexpr std::uint32_t time_mask = 0xFFF;
    static constexpr std::uint32_t is_there = time_mask + 1; ///< set in each ghost
    static constexpr std::uint64_t rows = 0x0001'0001'0001'0001U; ///< where the rows of counters begin

    static std::size_t lines_for(std::size_t capacity) noexcept {
        const std::size_t entries = capacity < 4096 ? 4 : 8; // of a line
        return (std::max)(std::size_t{1}, capacity / entries + (capacity % entries != 0 ? 1 : 0));
    }
    /// By the upper bits of the hash, for any number of lines.
    line& line_of(std::uint64_t hash) const noexcept {
        const std::uint64_t high = hash >> 32;
        const std::uint64_t scaled = std::uint64_t{line_count_} >> 32 == 0 ? high * line_count_ >> 32 : hash % line_count_;
        return lines_[scaled];
    }
    static const atomic_word& count_word(const line& l, std::uint64_t hash) noexcept { return l.counts[hash >> 30 & 3]; }
    static atomic_word& count_word(line& l, std::uint64_t hash) noexcept { return l.counts[hash >> 30 & 3]; }

    /// The counters of a key: a 1 where each begins. A row of four counters has 16 bits, and two bits of the hash choose one.
    static std::uint64_t ones_of(std::uint64_t hash) noexcept {
        const std::uint64_t chosen = (hash >> 22 & 0xFF) * 0x0000'0400'1000'4001U & 0x0003'0003'0003'0003U;
        const std::uint64_t four_bits = chosen & rows;
        const std::uint64_t eight_bits = (chosen >> 1 & rows) * 0xFFFF;
        const std::uint64_t ones = rows + four_bits * 15;
        return (ones & ~eight_bits) | (ones & eight_bits) << 8;
    }
    static unsigned least(std::uint64_t counts, std::uint64_t ones) noexcept {
        counts &= ones * most;
        counts = (counts | counts >> 4 | counts >> 8 | counts >> 12) & rows * most;
        const auto row = [&](int i) { return static_cast<unsigned>(counts >> 16 * i & most); };
        return (std::min)((std::min)(row(0), row(1)), (std::min)(row(2), row(3)));
    }

    static unsigned add_to(atomic_word& word, std::uint64_t hash, unsigned uses) noexcept {
        const std::uint64_t before = word.load(std::memory_order_relaxed);
        const std::uint64_t ones = ones_of(hash);
        std::uint64_t after = before;
        for (; uses != 0; --uses) after += ones & ~(after & after >> 1 & after >> 2 & after >> 3); // to 15
        if (after != before) word.store(after, std::memory_order_relaxed);
        return least(after, ones);
    }

    /// The age of the key's ghost; more than any window if it is not there. A ghost that is young enough is gone afterwards,
    /// unless it is kept. Else it is new, in the place of the oldest.
    [[gnu::always_inline]] std::uint32_t meet_ghost(line& l, std::uint64_t hash, std::uint32_t now, bool keeps_ghost) noexcept {
        const std::uint32_t print = (static_cast<std::uint32_t>(hash) & ~time_mask) | is_there;
        std::uint64_t words[4]; // two ghosts each
        for (std::size_t i = 0; i < 4; ++i) words[i] = l.ghosts[i].load(std::memory_order_relaxed);
        // Of each place, from the top: whether it has the fingerprint, its age, its number. An empty one is older than all.
        // (No function takes or returns a vector: for 32 bits without SSE, GCC warns that its ABI has changed there.)
        const auto rank = [&](four_ranks& ranks, std::uint64_t two, std::uint64_t other_two, const four_numbers& numbers) {
            const auto ghosts = __builtin_bit_cast(four_numbers, (pair_of_words{two, other_two}));
            const four_numbers age = ((now - ghosts) & time_mask) | (~ghosts & is_there);
            const auto same = __builtin_bit_cast(four_numbers, (ghosts & ~time_mask) == print);
            ranks = __builtin_bit_cast(four_ranks, numbers | age << 3 | (same & is_same));
        };
        four_ranks low, high;
        rank(low, words[0], words[1], four_numbers{0, 1, 2, 3});
        rank(high, words[2], words[3], four_numbers{4, 5, 6, 7});
        const auto best = __builtin_bit_cast(pair_of_words, low > high ? low : high);
        const std::uint32_t found =
            (std::max)((std::max)(static_cast<std::uint32_t>(best[0]), static_cast<std::uint32_t>(best[0] >> 32)),
                       (std::max)(static_cast<std::uint32_t>(best[1]), static_cast<std::uint32_t>(best[1] >> 32)));
        const std::uint32_t at = found & 7;
        const std::uint32_t age = found >= is_same ? found >> 3 & time_mask : time_mask;
        const bool is_gone = age <= window_ && !keeps_ghost;
        const unsigned shift = at % 2 * 32;
        const std::uint64_t other = words[at / 2] & ~(std::uint64_t{0xFFFFFFFF} << shift);
        l.ghosts[at / 2].store(other | std::uint64_t{is_gone ? 0 : print | now} << shift, std::memory_order_relaxed);
        return age;
    }
    static constexpr std::uint32_t is_same = std::uint32_t{1} << 16;
    /// The compiler makes vector instructions of what is done to all of them.
    using four_numbers [[gnu::vector_size(16)]] = std::uint32_t;
    /// Older processors compare only numbers with a sign. None of these is negative.
    using four_ranks [[gnu::vector_size(16)]] = std::int32_t;
    using pair_of_words [[gnu::vector_size(16)]] = std::uint64_t;

    [[no_unique_address]] Allocator allocator_;
    std::size_t line_count_;
    std::uint64_t period_;
    std::uint32_t window_ = 1; ///< less than `time_mask`
    std::uint32_t soon_ = 0;
    unsigned time_shift_ = 0;
    line* lines_ = nullptr;
    alignas(detail::cache_line_bytes) atomic_word turn_{0};
};

} // namespace syncmap::cache_detail
