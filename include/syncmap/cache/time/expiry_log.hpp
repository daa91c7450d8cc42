// The log of deadlines [T3], for caches with the option `prompt_expiry`: which entries end next. It holds hashes of entries,
// never pointers, so nothing has to be unlinked when an entry leaves or is overwritten.
//
// A *record* says: the entry with this hash, of this write, ends in this tick (2^20 ns). Records lie in a timer wheel of seven
// levels with 64 buckets each. Level 0 has a bucket for each of the next ticks, level n one for 64^n ticks. A bucket whose time
// has come is filed again one level lower, or, at level 0, its records are looked up. A record is moved seven times at most, so
// its cost does not depend on the number of entries.
//
// There are eight wheels, each behind a mutex, so that writers rarely meet. A writer never waits for one: it tries the next.
// Where it gets none, or no memory, the record is lost, and the scrub hand removes the entry [T2].
//
// The stamp of a record tells the node of an entry from other nodes of the same key. So a record of an entry that has left, or
// has a new value, is void. It goes when its tick comes. Where a wheel has twice as many
// records as it had valid ones, each new record has seven others looked up, and those that are void are dropped.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>
#include <utility>

#include <syncmap/cache/time/entry_times.hpp>
#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

/// What a write files: when its entry is to be removed, and by what its node is told from others of the key.
struct filing {
    nanoseconds_t ends = never; ///< `never`: nothing is filed
    std::uint32_t stamp = 0;
};

template <class Sync>
class expiry_log {
    template <class U>
    using atomic = typename Sync::template atomic<U>;
    using ticks = std::uint64_t;

public:
    expiry_log() = default;
    expiry_log(const expiry_log&) = delete;
    expiry_log& operator=(const expiry_log&) = delete;
    ~expiry_log() {
        for (wheel& w : wheels_) w.free_all();
    }

    /// Files the end of an entry. `look(hash, stamp)` returns when such an entry ends, or `never`: it has left.
    /// Complexity: constant. Progress: waits for no thread.
    template <class Look>
    void add(std::uint64_t hash, const filing& what, nanoseconds_t now, Look look) noexcept {
        const record filed(hash, tick_of(what.ends), what.stamp);
        for (std::size_t i = 0; i < wheels; ++i) {
            wheel& w = wheels_[((hash >> (64 - wheels_log2)) + i) % wheels];
            const std::unique_lock<typename Sync::mutex> turn(w.mutex, std::try_to_lock);
            if (!turn.owns_lock()) continue;
            if (w.is_new) w.position = tick_of(now);
            w.is_new = false;
            if (w.file(filed)) w.purge_some(look);
            lower_to(filed.tick());
            return;
        }
        has_lost_.store(true, std::memory_order_relaxed);
    }

    /// Whether records may be due. One relaxed load.
    bool may_be_due(nanoseconds_t now) const noexcept { return next_.load(std::memory_order_relaxed) < tick_of(now); }

    /// Looks up to `most` records that are due, of ticks that are over. `look(hash, stamp)` removes an entry whose time is
    /// over. It returns `never`, or when the entry ends now. What it throws leaves the record where it is. Waits for no thread.
    template <class Look>
    void take_due(nanoseconds_t now, std::size_t most, Look look) {
        const ticks target = tick_of(now);
        // The mutex of a wheel orders this before a record that is filed after the look at the wheel, which lowers the word
        // again.
        next_.exchange(none, std::memory_order_relaxed);
        ticks soonest = none;
        const lowering at_end{*this, soonest, target};
        for (wheel& w : wheels_) {
            const std::unique_lock<typename Sync::mutex> turn(w.mutex, std::try_to_lock);
            if (turn.owns_lock()) w.advance(target, most, look);
            soonest = (std::min)(soonest, turn.owns_lock() ? w.next_event() : target - 1);
        }
        at_end.is_known = true;
    }
    /// Looks up all records that are due, also of the tick that runs. Waits for threads that file or take records. (In the
    /// child of a fork there may be none: it then gives up, and records count as lost.)
    template <class Look>
    void take_all_due(nanoseconds_t now, Look look) {
        const ticks target = tick_of(now);
        for (wheel& w : wheels_) {
            const std::unique_lock<typename Sync::mutex> turn = patient_turn(w);
            if (!turn.owns_lock()) {
                has_lost_.store(true, std::memory_order_relaxed);
                continue;
            }
            std::size_t most = (std::numeric_limits<std::size_t>::max)();
            w.advance(target, most, look);
            w.take_current(look);
        }
    }

    /// Whether a record was lost since the last call.
    bool forget_lost() noexcept {
        bool has_lost = has_lost_.exchange(false, std::memory_order_relaxed);
        for (wheel& w : wheels_) {
            const std::unique_lock<typename Sync::mutex> turn(w.mutex, std::try_to_lock);
            if (turn.owns_lock()) has_lost = std::exchange(w.has_lost, false) || has_lost;
        }
        return has_lost;
    }

    /// The bytes that the log has allocated, and how many records it has.
    std::pair<std::size_t, std::size_t> bytes_and_records() {
        std::pair<std::size_t, std::size_t> all{sizeof(*this), 0};
        for (wheel& w : wheels_) {
            const std::unique_lock<typename Sync::mutex> turn(w.mutex);
            all.first += w.blocks * sizeof(block);
            all.second += w.records;
        }
        return all;
    }

private:
    static constexpr int tick_log2 = 20;
    static constexpr int level_log2 = 6;
    static constexpr std::size_t buckets = std::size_t{1} << level_log2;
    static constexpr std::size_t levels = 7; ///< 2^42 ticks: 146 years
    static constexpr ticks last_tick = (ticks{1} << (levels * level_log2)) - 1;
    static constexpr ticks none = ~ticks{0};
    static constexpr std::size_t wheels_log2 = 3;
    static constexpr std::size_t wheels = std::size_t{1} << wheels_log2;

    static ticks tick_of(nanoseconds_t when) noexcept {
        return when <= 0 ? 0 : (std::min)(static_cast<ticks>(when) >> tick_log2, last_tick);
    }

    class record {
    public:
        record() noexcept = default;
        record(std::uint64_t of, ticks when, std::uint32_t stamp) noexcept
            : hash(of), word_(when << stamp_bits | (stamp & stamp_mask)) {}
        ticks tick() const noexcept { return word_ >> stamp_bits; }
        std::uint32_t stamp() const noexcept { return static_cast<std::uint32_t>(word_) & stamp_mask; }
        std::uint64_t hash = 0;

    private:
        static constexpr int stamp_bits = 64 - static_cast<int>(levels) * level_log2;
        static constexpr std::uint32_t stamp_mask = (1U << stamp_bits) - 1;
        std::uint64_t word_ = 0;
    };

    struct block {
        block* next = nullptr;
        std::size_t used = 0;
        std::array<record, 7> records{};
    };

    struct alignas(detail::cache_line_bytes) wheel {
        typename Sync::mutex mutex{};
        bool is_new = true;
        ticks position = 0; ///< all ticks before are over
        std::size_t records = 0;
        std::size_t blocks = 0; ///< also free ones
        bool has_lost = false; ///< a record, for want of memory
        block* free = nullptr;
        std::array<std::array<block*, buckets>, levels> filed{};
        std::array<std::uint64_t, levels> occupied{};
        // ---- the purge of void records: a bucket that was taken out, and where the next one is ----
        block* purged = nullptr;
        ticks purged_from = none;
        std::size_t next_purged = end_of_purge;
        std::size_t purge_at = 64;
        static constexpr std::size_t end_of_purge = levels * buckets;

        /// False: there is no memory.
        bool file(const record& r) noexcept {
            const ticks when = (std::max)(r.tick(), position);
            const std::size_t level = level_of(when ^ position);
            const auto index = static_cast<std::size_t>(when >> (level * level_log2)) % buckets;
            block*& first = filed[level][index];
            if (first == nullptr || first->used == first->records.size()) {
                block* const fresh = take_block();
                if (fresh == nullptr) {
                    has_lost = true;
                    return false;
                }
                fresh->next = first;
                first = fresh;
            }
            first->records[first->used++] = r;
            occupied[level] |= std::uint64_t{1} << index;
            ++records;
            return true;
        }
        static std::size_t level_of(ticks difference) noexcept {
            return difference == 0 ? 0 : (static_cast<std::size_t>(std::bit_width(difference)) - 1) / level_log2;
        }

        /// When the next bucket is to be looked at; `none`: there is none.
        ticks next_event() const noexcept { return (std::min)(next_bucket().when, purged == nullptr ? none : purged_from); }

        /// Looks through the ticks before `target`.
        template <class Look>
        void advance(ticks target, std::size_t& most, Look& look) {
            while (most != 0) {
                if (purged != nullptr && purged_from < target) {
                    file_again(purged, most);
                    continue;
                }
                const place next = next_bucket();
                if (next.when > target || (next.when == target && next.level == 0)) {
                    position = (std::max)(position, target);
                    return;
                }
                position = next.when;
                block*& first = filed[next.level][next.index];
                if (next.level != 0) {
                    file_again(first, most);
                } else {
                    while (first != nullptr && most != 0) take_one(first, most, look);
                }
                if (first == nullptr) occupied[next.level] &= ~(std::uint64_t{1} << next.index);
            }
        }
        /// The records of the tick that runs, those of a purge too. Those that are not due stay.
        template <class Look>
        void take_current(Look& look) {
            std::size_t most = (std::numeric_limits<std::size_t>::max)();
            while (purged != nullptr) file_again(purged, most);
            const auto index = static_cast<std::size_t>(position) % buckets;
            block* due = std::exchange(filed[0][index], nullptr);
            occupied[0] &= ~(std::uint64_t{1} << index);
            const restoring kept{*this, due, index};
            while (due != nullptr) take_one(due, most, look);
        }
        /// A call of the user's that throws leaves the rest where it was.
        struct restoring {
            wheel& of;
            block*& rest;
            std::size_t index;
            ~restoring() {
                while (rest != nullptr) {
                    block* const each = std::exchange(rest, rest->next);
                    each->next = of.filed[0][index];
                    of.filed[0][index] = each;
                }
                if (of.filed[0][index] != nullptr) of.occupied[0] |= std::uint64_t{1} << index;
            }
        };

        /// After a record was filed: looks up seven others, if there are too many.
        template <class Look>
        void purge_some(Look& look) noexcept {
            if (purged == nullptr) {
                if (next_purged == end_of_purge) {
                    if (records < purge_at) [[likely]]
                        return;
                    next_purged = 0;
                }
                while (next_purged != end_of_purge && !take_out_for_purge(next_purged)) ++next_purged;
                if (next_purged == end_of_purge) {
                    purge_at = (std::max)(std::size_t{64}, 2 * records);
                    return;
                }
                ++next_purged;
            }
            block* const each = std::exchange(purged, purged->next);
            records -= each->used;
            for (std::size_t i = 0; i < each->used; ++i) {
                const record& r = each->records[i];
                if (const nanoseconds_t ends = look(r.hash, r.stamp()); ends != never)
                    static_cast<void>(file(record(r.hash, tick_of(ends), r.stamp())));
            }
            give_block(each);
        }

        void free_all() noexcept {
            for (auto& level : filed) {
                for (block*& first : level) free_list(first);
            }
            free_list(purged);
            free_list(free);
        }

    private:
        struct place {
            ticks when;
            std::size_t level;
            std::size_t index;
        };
        /// The bucket whose time comes first; of several, that of the highest level: its records may belong into the others.
        place next_bucket() const noexcept {
            place first{none, 0, 0};
            for (std::size_t level = 0; level < levels; ++level) {
                const std::size_t shift = level * level_log2;
                const std::size_t now = static_cast<std::size_t>(position >> shift) % buckets;
                const std::uint64_t later = occupied[level] >> now;
                if (later == 0) continue;
                const std::size_t index = now + static_cast<std::size_t>(std::countr_zero(later));
                const ticks begin = (position >> (shift + level_log2) << level_log2 | index) << shift;
                if (const ticks when = (std::max)(begin, position); when <= first.when) first = {when, level, index};
            }
            return first;
        }

        /// The first block's records go to where they belong now.
        void file_again(block*& list, std::size_t& most) noexcept {
            block* const each = std::exchange(list, list->next);
            records -= each->used;
            for (std::size_t i = 0; i < each->used; ++i) static_cast<void>(file(each->records[i]));
            most -= (std::min)(most, each->used);
            give_block(each);
        }
        template <class Look>
        void take_one(block*& list, std::size_t& most, Look& look) {
            block& first = *list;
            if (first.used != 0) {
                const record r = first.records[first.used - 1];
                const nanoseconds_t ends = look(r.hash, r.stamp());
                --first.used;
                --records;
                --most;
                if (ends != never) static_cast<void>(file(record(r.hash, tick_of(ends), r.stamp())));
            }
            if (first.used == 0) {
                list = first.next;
                give_block(&first);
            }
        }
        bool take_out_for_purge(std::size_t at) noexcept {
            const std::size_t level = at / buckets;
            const std::size_t index = at % buckets;
            purged = std::exchange(filed[level][index], nullptr);
            occupied[level] &= ~(std::uint64_t{1} << index);
            const std::size_t shift = level * level_log2;
            purged_from = (std::max)(position, (position >> (shift + level_log2) << level_log2 | index) << shift);
            return purged != nullptr;
        }

        block* take_block() noexcept {
            if (free != nullptr) {
                block* const kept = std::exchange(free, free->next);
                kept->used = 0;
                return kept;
            }
            block* const fresh = new (std::nothrow) block;
            blocks += fresh != nullptr ? 1 : 0;
            return fresh;
        }
        void give_block(block* b) noexcept {
            b->next = free;
            free = b;
            if (blocks_needed() < blocks / 4) {
                block* const unused = std::exchange(free, free->next);
                --blocks;
                delete unused;
            }
        }
        /// About.
        std::size_t blocks_needed() const noexcept { return records / 4 + 16; }
        static void free_list(block*& list) noexcept {
            while (list != nullptr) delete std::exchange(list, list->next);
        }
    };

    static std::unique_lock<typename Sync::mutex> patient_turn(wheel& w) {
        std::unique_lock<typename Sync::mutex> turn(w.mutex, std::try_to_lock);
        for (unsigned attempt = 0; !turn.owns_lock() && attempt < most_attempts; ++attempt) {
            Sync::back_off(attempt);
            static_cast<void>(turn.try_lock());
        }
        return turn;
    }
    static constexpr unsigned most_attempts = 1'000;

    void lower_to(ticks when) noexcept {
        ticks seen = next_.load(std::memory_order_relaxed);
        while (when < seen && !next_.compare_exchange_weak(seen, when, std::memory_order_relaxed, std::memory_order_relaxed)) {}
    }
    /// However the look ends: the next write looks on.
    struct lowering {
        expiry_log& of;
        const ticks& soonest;
        const ticks target;
        mutable bool is_known = false;
        ~lowering() { of.lower_to(is_known ? soonest : target - 1); }
    };

    atomic<ticks> next_{none}; ///< no record is due before
    atomic<bool> has_lost_{false};
    std::array<wheel, wheels> wheels_{};
};

} // namespace syncmap::cache_detail
