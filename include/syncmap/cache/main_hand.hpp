// The hand that sweeps over the main queue, which is the table itself, in the order of hashes [E4] [E6].
//
// It skips small entries, takes one from the uses of a main one, and stops at a main entry without uses: the victim.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <syncmap/cache/bound.hpp>
#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/policy/history.hpp>
#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

template <class Engine, class Sync, class Lifetimes>
class main_hand : public bound<Engine, Sync, Lifetimes> {
    using base = bound<Engine, Sync, Lifetimes>;

public:
    using base::base;
    using typename base::admission;
    using typename base::lane_type;
    using typename base::sighting;
    using typename base::visitor;

protected:
    using base::engine_;
    using base::evicted;
    using typename base::allocator;
    using typename base::removal;

    static constexpr bool is_plain = false;
    enum class duel : unsigned char { evicted, lost, no_main_entry };
    static constexpr unsigned always = history<Sync, allocator>::most + 1; ///< a count that wins each duel

    /// Evicts main's next victim, if the history has counted less of it than `strength`.
    duel challenge(visitor& by, lane_type& l, admission& mine, unsigned strength) {
        // [Q5] What the victim under the hand has is known: most duels are lost without a look at it.
        const std::uint64_t at = hand_.load(std::memory_order_relaxed);
        const auto known = (std::max)(static_cast<unsigned>(at & count_mask), 1U); // what has no strength loses to any
        if (strength < known && l.ticks.load(std::memory_order_relaxed) % ticks_between_looks != 0) return duel::lost;
        return sweep(by, l, mine, strength, false);
    }

    /// The hand: the upper bits of the hash at which its bucket begins, the place in the bucket, and one more than the history
    /// has counted of the entry there, or 0.
    static constexpr int place_shift = 5;
    static constexpr std::uint64_t count_mask = 31;
    static constexpr std::uint64_t place_mask = 0x7FF;
    static constexpr std::uint64_t prefix_mask = ~std::uint64_t{0xFFFF};
    static constexpr std::uint64_t ticks_between_looks = 16;

    static std::uint64_t hand_at(std::uint64_t from, std::size_t place, unsigned known) noexcept {
        return (from & prefix_mask) | (std::min)(std::uint64_t{place}, place_mask) << place_shift | known;
    }

    /// The least used of the main entries that a sweep has looked at.
    struct least_used {
        std::uint64_t hash = 0;
        unsigned uses = entry_uses_end; ///< what is left of them
    };
    static constexpr unsigned entry_uses_end = 4; ///< more than any entry has
    static constexpr unsigned most_looked_at = 256;

    /// Ends at the first main entry without uses. Where it has met none among `most_looked_at` main entries, it takes the least
    /// used of them [E6]. `keeps_hand`: the hand stays where it is unless there is a victim.
    [[gnu::noinline]] duel sweep(visitor& by, lane_type& l, admission& mine, unsigned strength, bool keeps_hand) {
        const std::size_t round = engine_.bucket_count() + 1;
        typename Lifetimes::glance time(this->lifetimes_);
        bool met_main = false;
        unsigned looked_at = 0;
        least_used least;
        std::uint64_t now = hand_.load(std::memory_order_relaxed);
        for (std::size_t buckets = 0; buckets < 6 * round; ++buckets) {
            if (buckets == round && !met_main) break;
            const bool takes_any = buckets >= 4 * round; // threads compute all entries
            const std::uint64_t from = now & prefix_mask;
            const std::size_t first = now >> place_shift & place_mask;
            bool ended = false;
            duel result = duel::lost;
            const auto look = [&](sighting& seen, std::size_t place) __attribute__((always_inline)) {
                auto& mark = seen->mark;
                if (time.is_over(*seen) && this->erase_expired(by, l, mine, seen) == removal::erased) {
                    move_hand(now, hand_at(from, place + 1, 0));
                    result = duel::evicted;
                    ended = true;
                    return false;
                }
                if (const queue where = mark.where(); where != queue::in_main) {
                    if (where == queue::in_small && mark.pass()) mark.promote();
                    return true;
                }
                met_main = true;
                ++looked_at;
                if (const unsigned uses = mark.uses(); uses != 0 && !takes_any) {
                    mark.set_uses(uses - 1);
                    mine.in->keys.add(seen->hash(), 1);
                    if (uses - 1 < least.uses && std::addressof(*seen) != mine.own) least = {seen->hash(), uses - 1};
                    return true;
                }
                if (strength < always && !takes_any) {
                    if (const unsigned count = mine.in->keys.count(seen->hash()); strength <= count) {
                        move_hand(now, hand_at(from, place, count + 1));
                        ended = true;
                        return false;
                    }
                }
                move_hand(now, hand_at(from, place + 1, 0));
                if (std::addressof(*seen) == mine.own) return true;
                if (engine_.erase_if_still(by, seen, takes_any) != removal::erased) return true;
                evicted(by, l, mine, *seen);
                result = duel::evicted;
                ended = true;
                engine_.prefetch_sweep(from, place + 1); // the next duel comes soon
                return false;
            };
            const std::uint64_t next = engine_.sweep_bucket(by, from, look, first);
            if (ended) return result;
            if (keeps_hand) {
                now = hand_at(next, 0, 0);
            } else if (!move_hand(now, hand_at(next, 0, 0))) {
                now = hand_.load(std::memory_order_relaxed);
            }
            if (looked_at >= most_looked_at) {
                if (const duel end = take(by, l, mine, strength, least); end != duel::no_main_entry) return end;
                looked_at = 0; // a thread computes it, or has erased it
                least = {};
            }
        }
        return duel::no_main_entry;
    }
    /// Evicts an entry that a sweep has seen, if the history and its uses count less of it than `strength`.
    duel take(visitor& by, lane_type& l, admission& mine, unsigned strength, const least_used& least) {
        sighting seen(by);
        if (least.uses == entry_uses_end || !engine_.find(least.hash, seen) || seen->mark.where() != queue::in_main ||
            std::addressof(*seen) == mine.own)
            return duel::no_main_entry;
        if (strength < always && strength <= mine.in->keys.count(least.hash) + least.uses) return duel::lost;
        if (engine_.erase_if_still(by, seen) != removal::erased) return duel::no_main_entry;
        evicted(by, l, mine, *seen);
        return duel::evicted;
    }
    /// About how many of so many entries are in a queue, by a look at some of them.
    std::size_t share_in_queues(visitor& by, std::size_t entries) const {
        std::size_t all = 0;
        std::size_t queued = 0;
        std::uint64_t at = hand_.load(std::memory_order_relaxed) & prefix_mask;
        for (unsigned buckets = 0; buckets < 256 && all < 256 && queued < 64; ++buckets) {
            at = engine_.sweep_bucket(by, at, [&](sighting& seen, std::size_t) {
                ++all;
                queued += seen->mark.where() != queue::outside ? 1U : 0U;
                return true;
            });
        }
        return queued == all ? entries : entries * queued / all;
    }
    /// Not repeated: where another thread has moved it, it is right as well [E10].
    bool move_hand(std::uint64_t& from, std::uint64_t to) noexcept {
        if (from == to) return true;
        std::uint64_t seen = from;
        if (!hand_.compare_exchange_strong(seen, to, std::memory_order_relaxed, std::memory_order_relaxed)) return false;
        from = to;
        return true;
    }

    alignas(detail::cache_line_bytes) typename Sync::template atomic<std::uint64_t> hand_{0};
};

} // namespace syncmap::cache_detail
