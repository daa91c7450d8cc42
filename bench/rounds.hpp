// How one map is filled, driven for a while, and timed.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "subject.hpp"
#include "thread_team.hpp"

namespace syncmap::bench {

using seconds = std::chrono::duration<double>;
using monotonic = std::chrono::steady_clock;

/// Requests between two looks at the clock.
inline constexpr std::size_t stretch = 128;

/// Inserts the keys with the indexes first, first + step, ... below end.
template <class Key>
net_count insert_keys(session<Key>& session, const initial_share& share) {
    net_count all;
    request_stream<Key> inserts;
    for (std::uint64_t index = share.first; index < share.end;) {
        inserts.actions.clear();
        inserts.keys.clear();
        for (; index < share.end && inserts.size() < stretch; index += share.step) {
            inserts.actions.push_back(action::insert);
            inserts.keys.push_back(payload<Key>::key(index));
        }
        all += session.execute(inserts.view(0, stretch));
    }
    return all;
}

/// What the threads of one round bring back.
struct round_result {
    net_count counted{};
    double elapsed = 0; ///< seconds
};

/// A map in a contest, and how far each thread is in its requests.
template <class Key>
class contestant {
public:
    contestant(const candidate& map, const cell& cell, const std::vector<request_stream<Key>>& streams, bool pin)
        : map_(map), cell_(cell), streams_(streams), pin_(pin), positions_(cell.threads) {}

    const candidate& map() const noexcept { return map_; }

    /// A new map with the cell's keys. Returns how many inserts failed.
    std::uint64_t fill() {
        const bool many = map_.is_private_in(cell_);
        const bool at_once = many || map_.part != role::limit;
        subjects_.clear();
        const auto begin = monotonic::now();
        for (unsigned copies = many ? cell_.threads : 1; copies > 0; --copies) subjects_.push_back(map_.make<Key>());
        making_ = monotonic::now() - begin;
        std::atomic<std::uint64_t> failed{0};
        run_team(at_once ? cell_.threads : 1, pin_, [&](unsigned thread) {
            const std::uint64_t all = initial_keys(cell_, 0).end;
            const initial_share share = many || !at_once ? initial_share{0, all, 1} : initial_keys(cell_, thread);
            failed += insert_keys(*subject_of(thread).enter(), share).missed;
        });
        if (!cell_.what->starts_empty()) {
            for (auto& subject : subjects_) subject->settle(cell_.keys);
        }
        return failed;
    }

    void drop() { subjects_.clear(); }

    /// Drives the filled map for `duration` after a short warm-up. With `latencies` (one for each thread),
    /// operations are timed one by one.
    round_result run_for(seconds duration, std::vector<histogram>* latencies) {
        enum class phase { warming, measuring, over };
        std::atomic<phase> now{phase::warming};
        std::vector<net_count> net_counts(cell_.threads);
        round_result result;
        const auto work = [&](unsigned thread) {
            const auto session = subject_of(thread).enter();
            const request_stream<Key>& stream = streams_[thread];
            std::size_t& at = positions_[thread];
            histogram unused;
            net_count counted;
            const std::size_t step = cell_.what->counts_entries() ? 1
                                     : cell_.what->walks != 0     ? 8
                                                                  : stretch; // a walk takes long
            for (phase seen; (seen = now.load(std::memory_order_relaxed)) != phase::over;) {
                const request_view<Key> requests = stream.view(at, step);
                at = at + requests.size == stream.size() ? 0 : at + requests.size;
                const bool measuring = seen == phase::measuring;
                const net_count done = latencies == nullptr ? session->execute(requests)
                                                            : session->execute_timed(requests, sampling,
                                                                                     measuring ? (*latencies)[thread] : unused);
                if (measuring) counted += done;
            }
            net_counts[thread] = counted;
        };
        const auto conduct = [&] {
            std::this_thread::sleep_for(duration / 10);
            const auto start = monotonic::now();
            now = phase::measuring;
            std::this_thread::sleep_for(duration);
            now = phase::over;
            result.elapsed = seconds(monotonic::now() - start).count();
        };
        run_team(cell_.threads, pin_, work, conduct);
        for (const net_count& t : net_counts) result.counted += t;
        return result;
    }

    /// Runs all requests once on the filled map, timed from the first thread's start to the last one's end. Where the workload
    /// is the filling, the making of the map counts; where it is the clearing, so does the destruction.
    round_result run_once(std::vector<histogram>* latencies) {
        std::vector<net_count> net_counts(cell_.threads);
        std::vector<monotonic::time_point> starts(cell_.threads);
        std::vector<monotonic::time_point> ends(cell_.threads);
        const auto work = [&](unsigned thread) {
            const auto session = subject_of(thread).enter();
            const request_stream<Key>& stream = streams_[thread];
            net_count counted;
            starts[thread] = monotonic::now();
            for (std::size_t at = 0; at < stream.size(); at += stretch) {
                const request_view<Key> requests = stream.view(at, stretch);
                counted += latencies == nullptr ? session->execute(requests)
                                                : session->execute_timed(requests, 1, (*latencies)[thread]);
            }
            ends[thread] = monotonic::now();
            net_counts[thread] = counted;
        };
        run_team(cell_.threads, pin_, work);
        round_result result;
        for (const net_count& t : net_counts) result.counted += t;
        result.elapsed = seconds(*std::ranges::max_element(ends) - *std::ranges::min_element(starts)).count();
        if (cell_.what->starts_empty()) result.elapsed += making_.count();
        if (cell_.what->clears) {
            const auto begin = monotonic::now();
            drop();
            result.elapsed += seconds(monotonic::now() - begin).count();
        }
        return result;
    }

private:
    subject<Key>& subject_of(unsigned thread) { return *subjects_[subjects_.size() == 1 ? 0 : thread]; }

    static constexpr unsigned sampling = 13; ///< every 13th operation: odd, so that no pattern of a stream hides

    const candidate& map_;
    const cell& cell_;
    const std::vector<request_stream<Key>>& streams_;
    bool pin_;
    std::vector<std::size_t> positions_;
    std::vector<std::unique_ptr<subject<Key>>> subjects_{}; ///< one, or one for each thread
    seconds making_{}; ///< what it took to make them
};

template <class Key>
std::vector<request_stream<Key>> make_all_requests(const cell& cell, std::uint64_t seed) {
    std::vector<request_stream<Key>> streams;
    streams.reserve(cell.threads);
    for (unsigned thread = 0; thread < cell.threads; ++thread) streams.push_back(make_requests<Key>(cell, thread, seed));
    return streams;
}

} // namespace syncmap::bench
