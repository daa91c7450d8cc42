// Entries that leave the small queue: each becomes main, in the place of a main one, or goes itself.
//
// A hash that a thread has taken out of the ring is in its hand until it knows what becomes of the entry.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/hand.hpp>
#include <syncmap/cache/policy/history.hpp>

namespace syncmap::cache_detail {

template <class Engine, class Sync, class Lifetimes>
class small_exits : public hand_for<Engine, Sync, Lifetimes> {
    using base = hand_for<Engine, Sync, Lifetimes>;

public:
    using base::base;
    using typename base::admission;
    using typename base::entry;
    using typename base::lane_type;
    using typename base::queue_type;
    using typename base::sighting;
    using typename base::visitor;

protected:
    using base::always;
    using base::engine_;
    using base::erase_expired;
    using base::evicted;
    using base::is_weighted_;
    using base::lifetimes_;
    using base::permits_;
    using typename base::allocator;
    using typename base::duel;
    using typename base::removal;

    /// All hashes of a ring that is in use no more become main.
    void empty(visitor& by, queue_type& ring) noexcept {
        Sync::fence(); // as in `inserted`
        for (std::size_t i = 0; i < ring.size(); ++i) {
            if (const std::uint64_t name = ring.take_from(i); name != queue_type::none) promote(by, name);
        }
    }
    /// The next ones that a narrow ring has left over become main.
    [[gnu::noinline]] void promote_left_over(visitor& by, queue_type& ring) noexcept {
        std::uint64_t name = queue_type::none;
        for (unsigned i = 0; i < most_left_at_once && ring.take_left_over(name); ++i) {
            if (name != queue_type::none) promote(by, name);
        }
    }

    /// A hash that was taken out of the small queue. Unless the entry is found to have left small, it becomes main at the end.
    class in_hand {
    public:
        in_hand(small_exits& of, visitor& by, std::uint64_t name) noexcept : of_(of), by_(by), name_(name) {}
        in_hand(const in_hand&) = delete;
        in_hand& operator=(const in_hand&) = delete;
        ~in_hand() {
            if (name_ != queue_type::none) of_.promote(by_, name_, uses_);
        }
        void is_gone() noexcept { name_ = queue_type::none; }
        /// It becomes main now, with so many uses; at the end, where another node has taken the place of this one.
        void becomes_main(entry& e, unsigned uses) noexcept {
            uses_ = uses;
            if (e.mark.promote(uses)) is_gone();
        }

    private:
        small_exits& of_;
        visitor& by_;
        std::uint64_t name_;
        unsigned uses_ = 0;
    };

    /// What the pool has after this put is what the last victims weighed beyond the need. So the cache counts as full, and the
    /// entry that leaves small has to win a duel.
    bool has_only_rest(const admission& mine) const noexcept {
        if (!is_weighted_) return false;
        const std::int64_t rest = permits_.free_now();
        return rest > 0 && rest < static_cast<std::int64_t>(mine.need);
    }
    /// The next of small leave too, each by a duel, until there is room.
    [[gnu::noinline]] void leave_more(visitor& by, lane_type& l, admission& mine) {
        const std::size_t most = (std::min)(mine.in->small_ring.size(), std::size_t{most_left_at_once});
        for (std::size_t i = 1; i < most && mine.held < mine.need; ++i) {
            mine.held += permits_.take_some(mine.need - mine.held);
            const std::uint64_t name = mine.in->small_ring.take_behind_oldest(i);
            if (name == queue_type::none || mine.held == mine.need) continue;
            in_hand kept(*this, by, name);
            leave_small(by, l, mine, name, mine.in->keys.count(name), kept);
        }
    }
    static constexpr std::size_t most_left_at_once = 64;

    /// The entry that a hash names becomes main, if it is small.
    void promote(visitor& by, std::uint64_t name, unsigned uses = 0) noexcept {
        for (sighting seen(by); find(name, seen) && !seen->mark.promote(uses);) engine_.wait_for_writer(by, seen);
    }
    bool find(std::uint64_t name, sighting& seen) const noexcept {
        return engine_.find(name, seen) || (name == queue_type::name_of(queue_type::none) && engine_.find(0, seen));
    }

    /// What an entry that leaves small has in a duel. It wins against a main entry that the history has counted less often.
    /// `count`: of the history, when the entry came. `uses`: since then. Counts may be too high, by those of other keys. So an
    /// entry that came once, as it seems, and was not used has nothing; and where the cache leans to what is in main, each one
    /// that was not used has one less.
    static unsigned strength_of(unsigned count, unsigned uses, lean l) noexcept {
        if (uses >= 2 || l == lean::recency) return always;
        if (uses == 0 && (count <= 1 || l != lean::balanced)) return count - (std::min)(count, 1U);
        return (std::min)(count + uses, history<Sync, allocator>::most);
    }

    /// PU3: the oldest small entry becomes main in the place of a main one, or goes itself.
    [[gnu::always_inline]] void leave_small(visitor& by, lane_type& l, admission& mine, std::uint64_t name, unsigned count,
                                            in_hand& kept) {
        for (sighting seen(by); find(name, seen);) {
            auto& mark = seen->mark;
            const queue where = mark.where();
            if (where == queue::left) { // its value is being overwritten
                engine_.wait_for_writer(by, seen);
                continue;
            }
            if (where != queue::in_small) break;
            if (typename Lifetimes::glance(lifetimes_).is_over(*seen)) {
                const removal done = erase_expired(by, l, mine, seen);
                if (done == removal::gone) continue;
                if (done == removal::erased) kept.is_gone();
                return;
            }
            const unsigned uses = mark.uses();
            if (uses != 0) mine.in->keys.add(seen->hash(), uses);
            const lean leaning = mine.in->leans.now();
            if (this->challenge(by, l, mine, strength_of(count, uses, leaning)) == duel::evicted) {
                kept.becomes_main(*seen, leaning == lean::recency ? 1 : 0);
                return;
            }
            switch (engine_.erase_if_still(by, seen)) {
            case removal::erased:
                kept.is_gone();
                evicted(by, l, mine, *seen);
                return;
            case removal::busy: return; // a thread computes its key
            case removal::gone: continue; // erased, or another node has its place
            }
        }
        kept.is_gone();
    }
};

} // namespace syncmap::cache_detail
