// The removal of expired entries [T2]: by a hand that writers move on, and all at once by `expire_now`. What has expired is
// shown by no operation before; removal gives its place and its memory back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/cache/time/expiry_log.hpp>
#include <syncmap/cache/time/lifetimes.hpp>
#include <syncmap/cache/time/scrub_hand.hpp>
#include <syncmap/cache/weights.hpp>

namespace syncmap::cache_detail {

/// A base of a cache `Cache` on the table `Engine`.
template <class Cache, class Engine>
class expiring {
    using visitor = acting_thread<Engine>;
    using sighting = typename Engine::sighting;
    using log = expiry_log<typename Engine::sync_type>;
    friend Cache;
    explicit expiring(bool is_prompt) : log_(is_prompt ? std::make_unique<log>() : nullptr) {}

public:
    /// Removes all entries that have expired, or whose tags were invalidated, and returns how many it has removed. One that may
    /// still answer a load that fails stays (`stale_if_error`). Without it writers remove them, a few at each write, so that
    /// each is gone an eighth of the shortest lifetime later, or a second, where enough is written; with `prompt_expiry` a
    /// millisecond. Progress: waits for no other thread's function; an entry that is being updated stays. Complexity: linear in
    /// the table; with `prompt_expiry` in the number of entries that have expired, of those that were overwritten or erased
    /// since, and of those that expire in the same millisecond. Throws: `bad_alloc`.
    std::size_t expire_now() {
        if (self().lifetimes_.shortest() == never) return 0;
        visitor by(self().engine_, self().listener_.get());
        std::size_t removed = 0;
        if (log_ != nullptr) {
            const nanoseconds_t now = self().lifetimes_.now();
            log_->take_all_due(
                now, [&](std::uint64_t hash, std::uint32_t stamp) { return remove_logged(by, hash, stamp, now, removed); });
            if (!log_->forget_lost() && !self().lifetimes_.tags().is_used()) return removed;
        }
        std::uint64_t at = 0;
        do at = remove_expired(by, at, removed);
        while (at != 0);
        return removed;
    }

protected:
    /// What the log of `prompt_expiry` has allocated.
    std::size_t log_bytes() const { return log_ == nullptr ? 0 : log_->bytes_and_records().first; }

    /// After a write: files the end of its entry, and looks through the buckets that are due.
    template <class Op>
    void scrub(visitor& by, const Op& op) noexcept {
        const nanoseconds_t shortest = self().lifetimes_.shortest();
        if (shortest != never) [[unlikely]]
            scrub_due(by, shortest, op.hash(), op.filed());
    }

private:
    Cache& self() noexcept { return static_cast<Cache&>(*this); }

    [[gnu::noinline]] void scrub_due(visitor& by, nanoseconds_t shortest, std::uint64_t hash, const filing& filed) noexcept {
        const nanoseconds_t now = self().lifetimes_.now();
        std::size_t removed = 0;
        if (log_ != nullptr) use_log(by, now, hash, filed, removed);
        const unsigned count = hand_.due(now, shortest, self().engine_.bucket_count());
        if (count == 0) return;
        try {
            hand_.go_on(count, [&](std::uint64_t from) { return remove_expired(by, from, removed); });
        } catch (...) {
            // No memory to preserve an entry for a snapshot: it stays until the hand comes again, and the write has succeeded.
        }
    }

    static constexpr std::size_t most_records_a_write = 64;

    void use_log(visitor& by, nanoseconds_t now, std::uint64_t hash, const filing& filed, std::size_t& removed) noexcept {
        if (filed.ends != never) {
            log_->add(hash, filed, now, [&](std::uint64_t of, std::uint32_t stamp) noexcept {
                try {
                    return end_of_logged(by, of, stamp);
                } catch (...) {
                    return now; // no hazard: it is looked up when its time comes
                }
            });
        }
        if (!log_->may_be_due(now)) return;
        try {
            log_->take_due(now, most_records_a_write,
                           [&](std::uint64_t of, std::uint32_t stamp) { return remove_logged(by, of, stamp, now, removed); });
        } catch (...) {
            // No memory to preserve an entry for a snapshot: its record stays, and the write has succeeded.
        }
    }
    /// When the entry of a record ends; `never`: it has left, or has another value.
    nanoseconds_t end_of_logged(visitor& by, std::uint64_t hash, std::uint32_t stamp) {
        const auto& lifetimes = self().lifetimes_;
        sighting seen(by);
        if (!self().engine_.find(hash, seen) || lifetimes.stamp_of(*seen) != stamp) return never;
        return lifetimes.removal_time(*seen);
    }
    /// Does the same, and removes an entry that has ended. One that a thread updates gets another look a little later.
    nanoseconds_t remove_logged(visitor& by, std::uint64_t hash, std::uint32_t stamp, nanoseconds_t now, std::size_t& removed) {
        constexpr nanoseconds_t a_little = 2'000'000;
        const auto& lifetimes = self().lifetimes_;
        sighting seen(by);
        if (!self().engine_.find(hash, seen) || lifetimes.stamp_of(*seen) != stamp) return never;
        if (const nanoseconds_t ends = lifetimes.removal_time(*seen); ends > now) return ends;
        switch (self().engine_.erase_if_still(by, seen)) {
        case Engine::removal::gone: return never; // erased, or it has another value, whose write has filed that
        case Engine::removal::busy: return later(now, a_little);
        case Engine::removal::erased: break;
        }
        ++removed;
        took_out(by, *seen);
        by.dismiss_later(*seen, removal::expired); // it may run code of the user's, which may use the log
        return never;
    }

    /// An entry was erased: its permits return.
    void took_out(visitor& by, const typename Engine::entry_type& gone) noexcept {
        self().eviction_.pool().give(weight_of(gone));
        self().count(by.slot(), counted::expiration);
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
                    took_out(by, *seen);
                    by.dismiss(self().engine_, *seen, self().lifetimes_.reason_of(*seen));
                }
                return true;
            });
        } while (removed != before);
        return next;
    }

    scrub_hand<typename Engine::sync_type> hand_{};
    const std::unique_ptr<log> log_; ///< null without `prompt_expiry`
};

} // namespace syncmap::cache_detail
