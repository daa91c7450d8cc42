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

    /// Calls `f(hash, rank)` for the entries: main before small, then by uses, then by what the history has counted. As a
    /// sweep: an entry that moves may be overlooked, or shown twice.
    template <class F>
    void each(F f) const {
        typename Eviction::lifetimes_type::glance time(of_.lifetimes_);
        std::uint64_t at = 0;
        do {
            at = of_.engine_.sweep_bucket(by_, at, [&](sighting& seen, std::size_t) {
                const auto& mark = seen->mark;
                if (const queue where = mark.where(); where != queue::left && !time.is_over(*seen)) {
                    const unsigned state = where == queue::in_main ? 1 : 0;
                    f(seen->hash(), (state << 2 | mark.uses()) << 4 | looking_.in->keys.count(seen->hash()));
                }
                return true;
            });
        } while (at != 0);
    }

private:
    Eviction& of_;
    visitor& by_;
    typename Eviction::admission looking_{};
};

} // namespace syncmap::cache_detail
