// The entries of a cache in the order in which its eviction would let them go.
#pragma once

#include <cstddef>
#include <cstdint>

#include <syncmap/cache/eviction.hpp>

namespace syncmap::cache_detail {

/// One look at all entries by a thread; while it lasts, the history that it reads stays.
template <class Eviction>
class ranking {
    using visitor = typename Eviction::visitor;
    using sighting = typename Eviction::sighting;

public:
    ranking(Eviction& of, visitor& by) : of_(of), by_(by) { of_.enter(of_.lanes_.of_slot(by.slot()), looking_); }
    ranking(const ranking&) = delete;
    ranking& operator=(const ranking&) = delete;
    ~ranking() { of_.leave(looking_); }

    /// The rank of an entry: main before small, then by uses, then by what the history has counted. With a plain policy, which
    /// has no history, by uses.
    unsigned rank_of(const typename Eviction::entry& e) const noexcept {
        const unsigned count = Eviction::is_plain ? 0 : looking_.in->keys.count(e.hash());
        return entry_rank{e.mark.where() == queue::in_main, e.mark.uses(), count}.number();
    }
    /// Fetches what the history has of a key.
    void prefetch(std::uint64_t hash) const noexcept { looking_.in->keys.prefetch(hash); }

    /// Calls `f(hash, place)` for the entries that have not expired: the one with the lowest place would leave first. It is the
    /// rank, or what a plain policy goes by. One that is never evicted has the highest place of all. As a sweep: an entry that
    /// moves may be overlooked, or shown twice.
    template <class F>
    void each(F f) const {
        typename Eviction::lifetimes_type::glance time(of_.lifetimes_);
        std::uint64_t at = 0;
        do {
            at = of_.engine_.sweep_bucket(by_, at, [&](sighting& seen, std::size_t) {
                const queue where = seen->mark.where();
                if (where != queue::left && time.is_live(*seen))
                    f(seen->hash(), where == queue::outside ? last_of_all : place_of(*seen));
                return true;
            });
        } while (at != 0);
    }

private:
    static constexpr std::uint64_t last_of_all = ~std::uint64_t{0};

    std::uint64_t place_of(const typename Eviction::entry& e) const noexcept {
        if constexpr (Eviction::is_plain) {
            return of_.place_of(e);
        } else {
            return rank_of(e);
        }
    }

    Eviction& of_;
    visitor& by_;
    typename Eviction::admission looking_{};
};

} // namespace syncmap::cache_detail
