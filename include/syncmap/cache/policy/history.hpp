// What the cache remembers of keys: which came lately (the ghost), and how often each was seen (a count-min sketch).
//
// A *history line* is 64 bytes for four, six or eight entries of capacity. It is found by the hash. It has eight ghosts (15
// bits of the hash, and 16 bits that tell when the key came), and four words of 16 counters, of which a key has two in one
// word. A put of a new key reads and writes its line once [Q1]. The ghost is written when a key comes, not when it goes: it
// says "came within the last 0.7 capacities of inserts, and is absent" [Q2].
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
#include <syncmap/detail/prefetch.hpp>

namespace syncmap::cache_detail {

template <class Sync, class Allocator>
class history {
    using atomic_word = typename Sync::template atomic<std::uint64_t>;

    struct alignas(detail::cache_line_bytes) line {
        atomic_word times[2] = {}; ///< when the keys of eight ghosts came
        atomic_word prints[2] = {}; ///< their fingerprints: odd numbers, or 0 for none
        atomic_word counts[4] = {};
    };
    using memory = detail::aligned_memory<line, Allocator>;

public:
    static constexpr unsigned most = 15; ///< where a counter stops

    /// What a key's coming has told.
    struct answer {
        bool returned; ///< it came lately, and has left since
        unsigned count; ///< how often it was seen, about
    };

    history(std::size_t capacity, const Allocator& allocator)
        : allocator_(allocator), line_count_(lines_for(capacity)),
          period_((std::max)(std::uint64_t{1}, std::uint64_t{5} * capacity / line_count_)),
          hasty_period_((std::max)(std::uint64_t{1}, period_ / 8)) {
        const std::uint64_t window = (std::max)(std::uint64_t{1}, std::uint64_t{capacity} * 7 / 10);
        while (window >> time_down_ >= ages_in_window) ++time_down_;
        while (window << (time_up_ + 1) < ages_in_window) ++time_up_;
        window_ = static_cast<std::uint32_t>(time_at(window));
        lines_ = memory::allocate(allocator_, line_count_);
        for (std::size_t i = 0; i < line_count_; ++i) std::construct_at(lines_ + i);
    }
    history(const history&) = delete;
    history& operator=(const history&) = delete;
    ~history() { memory::deallocate(allocator_, lines_, line_count_); }

    /// What it has allocated.
    std::size_t bytes() const noexcept { return line_count_ * sizeof(line); }

    /// Where the lines are: a thread may prefetch there without knowing that the history is still in use.
    struct location {
        std::uintptr_t first = 0;
        std::size_t line_count = 1;

        void prefetch(std::uint64_t hash) const noexcept {
            // A number, not a pointer: perhaps there is no history any more.
            detail::prefetch_to_write(reinterpret_cast<const void*>(first + number_of_line(hash, line_count) * sizeof(line)));
        }
    };
    void prefetch(std::uint64_t hash) const noexcept { where().prefetch(hash); }
    location where() const noexcept { return {reinterpret_cast<std::uintptr_t>(lines_), line_count_}; }

    /// A new key comes. `now`: a number that grows by one with each entry that comes into the small queue. `keeps_ghost`: it
    /// goes into small even if it returns, so that it may return again.
    [[gnu::always_inline]] answer come(std::uint64_t hash, std::uint64_t now, bool keeps_ghost) noexcept {
        line& l = line_of(hash);
        const std::uint32_t age = meet_ghost(l, hash, static_cast<std::uint16_t>(time_at(now)), keeps_ghost);
        return {age <= window_, add_to(count_word(l, hash), hash, 1)};
    }
    /// The key was used so often, since it was last asked for.
    void add(std::uint64_t hash, unsigned uses) noexcept { add_to(count_word(line_of(hash), hash), hash, uses); }
    unsigned count(std::uint64_t hash) const noexcept {
        return counters(hash).least_of(count_word(line_of(hash), hash).load(std::memory_order_relaxed));
    }

    /// By each put of a new key, with a number that its thread counts: now and then halves the counters of a line, all lines
    /// once in ten capacities of puts. `is_outdated`: eight times as often. Returns true after each 20 to 40 puts.
    bool age(std::uint64_t tick, bool is_outdated) noexcept {
        if (tick % (is_outdated ? hasty_period_ : period_) != 0) return false;
        // A read-modify-write: turns that go back would halve some lines twice and others never [E10].
        line& l = lines_[turn_.fetch_add(1, std::memory_order_relaxed) % line_count_];
        for (atomic_word& w : l.counts) {
            w.store(w.load(std::memory_order_relaxed) >> 1 & 0x7777777777777777U, std::memory_order_relaxed);
        }
        return tick % period_ == 0;
    }

private:
    static constexpr std::uint64_t ages_in_window =
        4096; ///< at most: a ghost looks young again after 16 windows at the earliest

    static std::size_t lines_for(std::size_t capacity) noexcept {
        const std::size_t entries = capacity < 4096 ? 4 : capacity < 65'536 ? 6 : 8; // of a line
        return (std::max)(std::size_t{1}, capacity / entries + (capacity % entries != 0 ? 1 : 0));
    }
    /// By the upper bits of the hash, for any number of lines.
    static std::uint64_t number_of_line(std::uint64_t hash, std::size_t line_count) noexcept {
        const std::uint64_t high = hash >> 32;
        return std::uint64_t{line_count} >> 32 == 0 ? high * line_count >> 32 : hash % line_count;
    }
    line& line_of(std::uint64_t hash) const noexcept { return lines_[number_of_line(hash, line_count_)]; }
    static const atomic_word& count_word(const line& l, std::uint64_t hash) noexcept { return l.counts[hash >> 30 & 3]; }
    static atomic_word& count_word(line& l, std::uint64_t hash) noexcept { return l.counts[hash >> 30 & 3]; }

    /// The two counters of a key in its word: one in each half, where three bits of the hash choose one of eight.
    struct counters {
        explicit counters(std::uint64_t hash) noexcept
            : first(static_cast<unsigned>(hash >> 22 & 7) * 4), second(static_cast<unsigned>(hash >> 25 & 7) * 4 + 32) {}
        unsigned least_of(std::uint64_t counts) const noexcept { return (std::min)(at(counts, first), at(counts, second)); }
        static unsigned at(std::uint64_t counts, unsigned place) noexcept {
            return static_cast<unsigned>(counts >> place & most);
        }
        const unsigned first;
        const unsigned second;
    };

    /// Only a counter that would be too low is raised: the other one has counted another key as well. (Conservative update:
    /// Estan and Varghese, New Directions in Traffic Measurement and Accounting, 2002.)
    static unsigned add_to(atomic_word& word, std::uint64_t hash, unsigned uses) noexcept {
        const counters own(hash);
        const std::uint64_t before = word.load(std::memory_order_relaxed);
        const unsigned count = (std::min)(own.least_of(before) + uses, most);
        const auto lacks = [&](unsigned place) {
            return std::uint64_t{count - (std::min)(counters::at(before, place), count)} << place;
        };
        const std::uint64_t after = before + lacks(own.first) + lacks(own.second);
        if (after != before) word.store(after, std::memory_order_relaxed);
        return count;
    }

    /// Put number `now` in the unit of the ghosts' times.
    std::uint64_t time_at(std::uint64_t now) const noexcept { return now << time_up_ >> time_down_; }

    /// The age of the key's ghost; more than any window if it is not there. A ghost that is young enough is gone afterwards,
    /// unless it is kept. Else it is new, in the place of the oldest.
    [[gnu::always_inline]] std::uint32_t meet_ghost(line& l, std::uint64_t hash, std::uint16_t now, bool keeps_ghost) noexcept {
        const auto print = static_cast<std::uint16_t>(hash | 1);
        const auto load = [](const atomic_word(&two)[2]) {
            return pair_of_words{two[0].load(std::memory_order_relaxed), two[1].load(std::memory_order_relaxed)};
        };
        // The place with the lowest rank is taken: the one that has the fingerprint, else an empty one, else the oldest, about.
        // (No function takes or returns a vector: for 32 bits without SSE, GCC warns that its ABI has changed there.)
        const auto prints = __builtin_bit_cast(eight_numbers, load(l.prints));
        const auto remaining = __builtin_bit_cast(eight_numbers, load(l.times)) - static_cast<std::uint16_t>(now + 1);
        const auto is_empty = __builtin_bit_cast(eight_numbers, prints == 0);
        const auto is_same = __builtin_bit_cast(eight_numbers, prints == print);
        const std::uint32_t lowest = lowest_of((((remaining & ~is_empty) | 8) & ~is_same & 0xFFF8) | places);
        const std::uint32_t at = lowest & 7;
        const unsigned shift = at % 4 * 16;
        const std::uint64_t others = ~(std::uint64_t{0xFFFF} << shift);
        atomic_word& time = l.times[at / 4];
        const std::uint64_t times = time.load(std::memory_order_relaxed);
        const std::uint32_t age = lowest < 8 ? static_cast<std::uint16_t>(now - (times >> shift)) : no_ghost;
        const bool is_gone = age <= window_ && !keeps_ghost;
        atomic_word& fingerprint = l.prints[at / 4];
        const std::uint64_t others_prints = fingerprint.load(std::memory_order_relaxed) & others;
        fingerprint.store(others_prints | std::uint64_t{is_gone ? std::uint16_t{0} : print} << shift,
                          std::memory_order_relaxed);
        time.store((times & others) | std::uint64_t{now} << shift, std::memory_order_relaxed);
        return age;
    }
    static constexpr std::uint32_t no_ghost = 1U << 16;
    /// The compiler makes vector instructions of what is done to all of them.
    using eight_numbers [[gnu::vector_size(16)]] = std::uint16_t;
    using pair_of_words [[gnu::vector_size(16)]] = std::uint64_t;

    static constexpr eight_numbers places = {0, 1, 2, 3, 4, 5, 6, 7};

    [[gnu::always_inline]] static std::uint16_t lowest_of(const eight_numbers& numbers) noexcept {
        using signed_numbers [[gnu::vector_size(16)]] = std::int16_t;
        constexpr std::uint16_t as_signed = 0x8000; // SSE2 compares signed numbers alone
        auto all = __builtin_bit_cast(signed_numbers, numbers ^ as_signed);
        const auto with = [&](const signed_numbers& others) { all = all < others ? all : others; };
        with(__builtin_shufflevector(all, all, 4, 5, 6, 7, 0, 1, 2, 3));
        with(__builtin_shufflevector(all, all, 2, 3, 0, 1, 6, 7, 4, 5));
        with(__builtin_shufflevector(all, all, 1, 0, 3, 2, 5, 4, 7, 6));
        return static_cast<std::uint16_t>(all[0]) ^ as_signed;
    }

    [[no_unique_address]] Allocator allocator_;
    std::size_t line_count_;
    std::uint64_t period_;
    std::uint64_t hasty_period_;
    std::uint32_t window_ = 1;
    unsigned time_up_ = 0;
    unsigned time_down_ = 0; ///< one of the two is 0
    line* lines_ = nullptr;
    alignas(detail::cache_line_bytes) atomic_word turn_{0};
};

} // namespace syncmap::cache_detail
