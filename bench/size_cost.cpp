#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/engine/table/table.hpp>
#include <syncmap/engine/tuning.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/snapshot.hpp>

#include "candidates/family.hpp"
#include "comparison.hpp"
#include "guarantee_parts.hpp"
#include "rounds.hpp"

namespace syncmap::bench {

/// Tables stay as `reserve` made them: without the accounting the map does not know when to shrink or to grow.
struct counted : engine::machine {
    static constexpr std::uint32_t shrink_check_interval = ~std::uint32_t{0};
};
/// The same without the accounting: `size()` is of no use.
struct uncounted : counted {
    static constexpr bool counts_entries = false;
};

namespace {

using key = std::uint64_t;

template <class Sync>
using map_with =
    basic_map<syncmap::engine::table<key, key, hash<key>, std::equal_to<>, std::allocator<std::pair<const key, key>>, Sync>>;

constexpr workload mixed{"mixed", "80 % reads, 10 % overwrites, 10 % inserts and erases", choice::uniform, 80, 10, 0, 0, 10};
constexpr workload coming_and_going{"pairs", "inserts and erases alone", choice::uniform, 0, 0, 0, 0, 100};

/// A filled map and its threads' requests.
template <class Sync>
class alignas(syncmap::detail::cache_line_bytes) side {
public:
    side(const cell& what, const std::vector<request_stream<key>>& streams) : streams_(streams), positions_(streams.size()) {
        map_.plain().reserve(what.keys + what.keys / 2);
        for (std::size_t i = 0; i < streams.size(); ++i) {
            sessions_.push_back(std::make_unique<detail::adapted_session<family_map<map_with<Sync>>, key>>(map_));
        }
        insert_keys<key>(*sessions_.front(), {0, what.keys, 1});
    }

    stretch_of_work worker(std::size_t thread) {
        return [this, thread] {
            const request_view<key> requests = streams_[thread].view(positions_[thread], stretch);
            std::size_t& at = positions_[thread];
            at = at + requests.size == streams_[thread].size() ? 0 : at + requests.size;
            return sessions_[thread]->execute(requests).done;
        };
    }
    stretch_of_work counter() {
        return [this] {
            std::uint64_t sum = 0;
            for (std::size_t i = 0; i < stretch; ++i) sum += map_.size();
            sum_ += sum;
            return stretch;
        };
    }

private:
    alignas(syncmap::detail::cache_line_bytes) family_map<map_with<Sync>> map_;
    alignas(syncmap::detail::cache_line_bytes) const std::vector<request_stream<key>>& streams_;
    std::vector<std::size_t> positions_;
    std::vector<std::unique_ptr<session<key>>> sessions_{};
    std::uint64_t sum_ = 0;
};

/// As long as `size()` without pause, and touches nothing.
std::uint64_t idle() {
    for (std::size_t i = 0; i < stretch; ++i) engine::machine::pause();
    return stretch;
}

} // namespace

std::vector<guarantee_figure> measure_size_cost(const guarantee_plan& plan) {
    constexpr double kept = 0.95;
    std::vector<guarantee_figure> found;
    const comparison compare(plan);
    for (const std::uint64_t keys : {std::uint64_t{1'000}, std::uint64_t{100'000}}) {
        for (const workload* const what : {&mixed, &coming_and_going}) {
            const cell cell{what, keys, std::min(usable_processors(), 2U)};
            const auto streams = make_all_requests<key>(cell, plan.seed);
            side<counted> with(cell, streams);
            side<uncounted> without(cell, streams);
            std::vector<stretch_of_work> ours;
            std::vector<stretch_of_work> theirs;
            for (std::size_t i = 0; i < streams.size(); ++i) {
                ours.push_back(with.worker(i));
                theirs.push_back(without.worker(i));
            }
            const bool promised = what == &mixed;
            compare.add(ours, theirs, {0, ours.size()},
                        std::string(what->about) + ", " + std::to_string(keys) + " keys, " + std::to_string(cell.threads) +
                            " threads",
                        promised ? std::optional(kept) : std::nullopt, found);
            if (!promised) continue;
            compare.add({with.worker(0), with.counter()}, {with.worker(0), idle}, {0, 1},
                        "the same, " + std::to_string(keys) + " keys, one thread, beside size() without pause", kept, found);
        }
    }
    return found;
}

} // namespace syncmap::bench
