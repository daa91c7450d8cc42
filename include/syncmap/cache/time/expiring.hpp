// The removal of expired entries [T2]: by a hand that writers move on, and all at once by `expire_now`. What has expired is
// shown by no operation before; removal gives its place and its memory back.
#pragma once

#include <cstddef>
#include <cstdint>

#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/cache/time/lifetimes.hpp>
#include <syncmap/cache/time/scrub_hand.hpp>
#include <syncmap/cache/weights.hpp>

namespace syncmap::cache_detail {

/// A base of a cache `Cache` on the table `Engine`.
template <class Cache, class Engine>
class expiring {
    using visitor = acting_thread<Engine>;
    using sighting = typename Engine::sighting;
    friend Cache;
    expiring() = default;

public:
    /// Removes all entries that have expired, and returns how many it has removed. One that may still answer a load that fails
    /// stays (`stale_if_error`). Without it writers remove them, a few at each write, so that each is gone an eighth of the
    /// shortest lifetime later, or a second, where enough is written.
    /// Progress: waits for no other thread's function; an entry that is being updated stays. Complexity: linear in the table.
    /// Throws: `bad_alloc`.
    std::size_t expire_now() {
        if (self().lifetimes_.shortest() == never) return 0;
        visitor by(self().engine_, self().listener_.get());
        std::size_t removed = 0;
        std::uint64_t at = 0;
        do at = remove_expired(by, at, removed);
        while (at != 0);
        return removed;
    }

protected:
    /// After a write: looks through the buckets that are due.
    void scrub(visitor& by) noexcept {
        const nanoseconds_t shortest = self().lifetimes_.shortest();
        if (shortest != never) [[unlikely]]
            scrub_due(by, shortest);
    }

private:
    Cache& self() noexcept { return static_cast<Cache&>(*this); }

    [[gnu::noinline]] void scrub_due(visitor& by, nanoseconds_t shortest) noexcept {
        const unsigned count = hand_.due(self().lifetimes_.now(), shortest, self().engine_.bucket_count());
        if (count == 0) return;
        std::size_t removed = 0;
        try {
            hand_.go_on(count, [&](std::uint64_t from) { return remove_expired(by, from, removed); });
        } catch (...) {
            // No memory to preserve an entry for a snapshot: it stays until the hand comes again, and the write has succeeded.
        }
    }

    /// In the bucket that has the hash; returns where the next one begins.
    std::uint64_t remove_expired(visitor& by, std::uint64_t from, std::size_t& removed) {
        typename Cache::lifetimes_type::glance time(self().lifetimes_);
        std::uint64_t next = 0;
        std::size_t before = 0;
        do { // an erase may move another entry to a place that was looked at
            before = removed;
            next = self().engine_.sweep_bucket(by, from, [&](sighting& seen, std::size_t) {
                if (time.is_over(*seen) && self().engine_.erase_if_still(by, seen) == Engine::removal::erased) {
                    ++removed;
                    self().eviction_.pool().give(weight_of(*seen));
                    if (self().counts_) self().lane_of(by.slot()).count(counted::expiration);
                    by.dismiss(self().engine_, *seen, removal::expired);
                }
                return true;
            });
        } while (removed != before);
        return next;
    }

    scrub_hand<typename Engine::sync_type> hand_{};
};

} // namespace syncmap::cache_detail
