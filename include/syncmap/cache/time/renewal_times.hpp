// When a cache renews its entries [T5]: a while after they were written, by chance shortly before they end, and how long an
// entry may answer after its end while its loader fails.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include <syncmap/cache/options.hpp>
#include <syncmap/cache/time/entry_times.hpp>

namespace syncmap::cache_detail {

/// Throws `std::invalid_argument` for options of renewal that contradict the others.
template <class Options>
void check_renewal(const Options& o) {
    constexpr std::chrono::nanoseconds nothing(0);
    if (o.refresh_after_write <= nothing)
        throw std::invalid_argument("syncmap: cache: refresh_after_write has to be longer than nothing");
    if (o.refresh_after_write != unlimited && o.refresh_after_write >= o.expire_after_write)
        throw std::invalid_argument("syncmap: cache: refresh_after_write has to be shorter than expire_after_write");
    if (o.stale_if_error < nothing) throw std::invalid_argument("syncmap: cache: stale_if_error is negative");
    if (!(o.early_refresh >= 0 && o.early_refresh <= 1000))
        throw std::invalid_argument("syncmap: cache: early_refresh is a number from 0 to 1000");
}

template <class Sync>
class renewal_times {
public:
    template <class Options>
    explicit renewal_times(const Options& o)
        : refresh_after_((check_renewal(o), o.refresh_after_write.count())), stale_(o.stale_if_error.count()),
          beta_(o.early_refresh), is_wanted_(refresh_after_ != never || stale_ != 0 || beta_ > 0) {}

    /// Whether entries need to be looked at for it.
    bool is_wanted() const noexcept { return is_wanted_; }
    nanoseconds_t refresh_after() const noexcept { return refresh_after_; }
    nanoseconds_t stale_after() const noexcept { return stale_; }

    /// Whether a hit now should renew the entry. `refresh_after`: of this entry. After a failure the entry rests.
    bool is_due(nanoseconds_t now, nanoseconds_t deadline, write_history history, nanoseconds_t refresh_after) {
        if (history.failures() != 0) return now >= history.when();
        if (refresh_after != never && now >= later(history.when(), refresh_after)) return true;
        return beta_ > 0 && deadline != never && is_early(now, deadline, history.load_took());
    }
    /// Whether a renewal has failed lately, so that the next try is not due yet.
    static bool rests(nanoseconds_t now, write_history history) noexcept {
        return history.failures() != 0 && now < history.when();
    }
    /// The history of an entry whose renewal has failed: the next try is due 2^n load times later, n being the failures in a
    /// row.
    write_history after_failure(nanoseconds_t now, nanoseconds_t took, write_history history) const noexcept {
        const unsigned n = (std::min)(history.failures() + 1, write_history::most_failures);
        const nanoseconds_t base = (std::max)(took, shortest_rest);
        const nanoseconds_t most = refresh_after_ != never ? refresh_after_ : (std::max)(stale_, shortest_rest);
        const nanoseconds_t rest = base > most >> n ? most : base << n;
        return history.with_failure(later(now, rest));
    }

private:
    static constexpr nanoseconds_t shortest_rest = 1'000'000;

    /// XFetch (Vattani et al., 2015): the nearer the end and the longer the load, the likelier.
    bool is_early(nanoseconds_t now, nanoseconds_t deadline, nanoseconds_t took) noexcept {
        constexpr double largest_draw = 37; // of 53 bits
        const double load = static_cast<double>(took) * beta_;
        const auto left = static_cast<double>(deadline - now);
        if (load * largest_draw < left) return false;
        std::uint64_t x = (draws_.fetch_add(1, std::memory_order_relaxed) + 1) * 0x9E3779B97F4A7C15;
        x = (x ^ x >> 32) * 0xD6E8FEB86659FD93;
        x ^= x >> 29;
        const double chance = (static_cast<double>(x >> 11) + 1) * 0x1p-53; // above 0, at most 1
        return load * -std::log(chance) >= left;
    }

    const nanoseconds_t refresh_after_;
    const nanoseconds_t stale_;
    const double beta_;
    const bool is_wanted_;
    typename Sync::template atomic<std::uint64_t> draws_{0};
};

} // namespace syncmap::cache_detail
