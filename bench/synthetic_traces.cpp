#include "synthetic_traces.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "random.hpp"

namespace syncmap::bench {
namespace {

constexpr std::size_t length = 300'000; ///< of most traces

/// Requests for keys below `keys`.
class writer {
public:
    explicit writer(std::uint64_t seed) : random(seed) {}

    random_source random;

    void ask(std::uint64_t key) { made_.requests.push_back(static_cast<std::uint32_t>(key)); }
    std::uint32_t again(std::size_t back) const { return made_.requests[made_.requests.size() - back]; }
    bool is_done(std::size_t end = length) const { return made_.requests.size() >= end; }
    std::size_t now() const { return made_.requests.size(); }
    /// A key that was never asked for; all others are below `first`.
    std::uint64_t fresh(std::uint64_t first) { return first + fresh_++; }
    trace end() {
        made_.keys = *std::ranges::max_element(made_.requests) + 1;
        return std::move(made_);
    }

private:
    trace made_;
    std::uint64_t fresh_ = 0;
};

trace zipf(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, of.shape);
    while (!to.is_done()) to.ask(ranks(to.random));
    return to.end();
}

/// One Zipf sequence, over and over: long distances come again exactly.
trace looped_zipf(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, of.shape);
    const std::size_t once = of.keys;
    while (!to.is_done(once)) to.ask(ranks(to.random));
    while (!to.is_done(6 * once)) to.ask(to.again(once));
    return to.end();
}

trace loop(const synthetic_cell& of, std::uint64_t) {
    writer to(0);
    while (!to.is_done()) to.ask(to.now() % of.keys);
    return to.end();
}

/// A loop, beside Zipf requests for `shape` of all.
trace loop_beside_zipf(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, 0.9);
    const std::uint64_t round = 2 * of.capacity;
    std::uint64_t next = 0;
    while (!to.is_done()) {
        if (to.random.unit() < of.shape) {
            to.ask(ranks(to.random));
        } else {
            to.ask(of.keys + next++ % round);
        }
    }
    return to.end();
}

/// Keys that come once are `shape` of all requests; the others are for a hot set, each key as often.
trace hot_set_and_scan(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    while (!to.is_done()) to.ask(to.random.unit() < of.shape ? to.fresh(of.keys) : to.random.below(of.keys));
    return to.end();
}

/// Zipf, and now and then a scan of two capacities in one go.
trace zipf_and_scans(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, of.shape);
    while (!to.is_done()) {
        for (std::size_t i = 0; i < 8 * of.capacity; ++i) to.ask(ranks(to.random));
        for (std::size_t i = 0; i < 2 * of.capacity; ++i) to.ask(to.fresh(of.keys));
    }
    return to.end();
}

/// Zipf over keys that all become others after `shape` capacities of requests.
trace zipf_that_jumps(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, 0.9);
    const auto period = static_cast<std::size_t>(of.shape * static_cast<double>(of.capacity));
    while (!to.is_done()) {
        const std::uint64_t first = to.now() / period * of.keys;
        to.ask(first + ranks(to.random));
    }
    return to.end();
}

/// Zipf over keys of which the hottest is a new one again and again: a feed of news.
trace zipf_that_drifts(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, 0.9);
    const std::uint64_t newest = length; // minus the number of requests, so that ranks count from the newest on
    while (!to.is_done()) {
        const auto passed = static_cast<std::uint64_t>(of.shape * static_cast<double>(to.now()));
        to.ask(newest - passed + ranks(to.random));
    }
    return to.end();
}

/// Each key comes again soon, some times, and then never: `shape` of all requests are for new keys.
trace short_lives(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    while (!to.is_done()) {
        if (to.now() < 2 || to.random.unit() < of.shape) {
            to.ask(to.fresh(0));
        } else { // distances of half a capacity on average, few of more than two
            const double back = -std::log(1 - to.random.unit()) * 0.5 * static_cast<double>(of.capacity);
            to.ask(to.again(std::min(to.now(), 1 + static_cast<std::size_t>(back))));
        }
    }
    return to.end();
}

/// Each key comes twice, `shape` capacities of requests apart, and never again.
trace pairs(const synthetic_cell& of, std::uint64_t) {
    writer to(0);
    const auto apart = static_cast<std::size_t>(of.shape * static_cast<double>(of.capacity));
    std::deque<std::uint64_t> second;
    while (!to.is_done()) {
        second.push_back(to.fresh(0));
        to.ask(second.back());
        if (second.size() <= apart) continue;
        to.ask(second.front());
        second.pop_front();
    }
    return to.end();
}

/// Zipf, a loop, Zipf over other keys, a scan, and all of it again; each for `shape` capacities of requests, the scan for a
/// fifth of that.
trace phases(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, 0.9);
    const auto phase = static_cast<std::size_t>(of.shape * static_cast<double>(of.capacity));
    while (!to.is_done()) {
        for (std::size_t i = 0; i < phase; ++i) to.ask(ranks(to.random));
        for (std::size_t i = 0; i < phase; ++i) to.ask(of.keys + i % (of.capacity * 3 / 2));
        for (std::size_t i = 0; i < phase; ++i) to.ask(2 * std::uint64_t{of.keys} + ranks(to.random));
        for (std::size_t i = 0; i < phase / 5; ++i) to.ask(to.fresh(3 * std::uint64_t{of.keys}));
    }
    return to.end();
}

/// Zipf; each key comes `shape` times on average, all of them within a fiftieth of the capacity.
trace bursts(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, 0.8);
    const std::size_t apart = of.capacity / 50;
    while (!to.is_done()) {
        if (to.now() < apart || to.random.unit() * of.shape < 1) {
            to.ask(ranks(to.random));
        } else {
            to.ask(to.again(1 + to.random.below(apart)));
        }
    }
    return to.end();
}

/// Zipf, beside keys that come once for `shape` of all requests.
trace zipf_and_strangers(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, 0.9);
    while (!to.is_done()) to.ask(to.random.unit() < of.shape ? to.fresh(of.keys) : ranks(to.random));
    return to.end();
}

/// Zipf over keys of which two change places with each `shape` requests.
trace zipf_that_shifts(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const zipf_ranks ranks(of.keys, 0.9);
    std::vector<std::uint32_t> keys(of.keys);
    for (std::uint32_t i = 0; i < of.keys; ++i) keys[i] = i;
    while (!to.is_done(std::max(length, 12 * of.capacity))) {
        if (to.random.unit() * of.shape < 1) std::swap(keys[ranks(to.random)], keys[to.random.below(of.keys)]);
        to.ask(keys[ranks(to.random)]);
    }
    return to.end();
}

/// A loop of `shape` capacities for half of the requests; the others are for keys that came lately.
trace loop_beside_short_lives(const synthetic_cell& of, std::uint64_t seed) {
    writer to(seed);
    const auto round = static_cast<std::uint64_t>(of.shape * static_cast<double>(of.capacity));
    std::uint64_t next = 0;
    std::deque<std::uint64_t> lately;
    while (!to.is_done()) {
        if (to.random.unit() < 0.5) {
            to.ask(next++ % round);
        } else if (lately.empty() || to.random.unit() < 0.3) {
            lately.push_back(to.fresh(round));
            if (lately.size() > of.capacity / 10) lately.pop_front();
            to.ask(lately.back());
        } else {
            to.ask(lately[to.random.below(lately.size())]);
        }
    }
    return to.end();
}

trace long_loop(const synthetic_cell& of, std::uint64_t) {
    writer to(0);
    while (!to.is_done(std::max(length, 12 * of.capacity))) to.ask(to.now() % of.keys);
    return to.end();
}

} // namespace

std::vector<synthetic_cell> synthetic_family() {
    std::vector<synthetic_cell> all;
    for (const std::size_t capacity : {1'000U, 8'000U}) {
        const auto keys = static_cast<std::uint32_t>(10 * capacity);
        const auto share = [&](unsigned tenths) { return static_cast<std::uint32_t>(capacity * tenths / 10); };
        for (const auto& [exponent, text] : {std::pair{0.6, "0.6"}, {0.8, "0.8"}, {0.99, "0.99"}, {1.2, "1.2"}})
            all.push_back({"Zipf", text, capacity, zipf, exponent, keys});
        all.push_back({"looped Zipf", "0.99, six times", capacity, looped_zipf, 0.99, keys});
        all.push_back({"loop", "1.1 capacities", capacity, loop, 0, share(11)});
        all.push_back({"loop", "2 capacities", capacity, loop, 0, share(20)});
        all.push_back({"loop beside Zipf", "half and half", capacity, loop_beside_zipf, 0.5, keys});
        all.push_back({"hot set and scan", "hot 0.8 capacities, half scanned", capacity, hot_set_and_scan, 0.5, share(8)});
        all.push_back({"hot set and scan", "hot 1.5 capacities, a fifth scanned", capacity, hot_set_and_scan, 0.2, share(15)});
        all.push_back({"Zipf and scans", "0.9, two capacities in ten", capacity, zipf_and_scans, 0.9, keys});
        all.push_back({"Zipf that jumps", "each 5 capacities", capacity, zipf_that_jumps, 5, keys});
        all.push_back({"Zipf that jumps", "each 20 capacities", capacity, zipf_that_jumps, 20, keys});
        all.push_back({"Zipf that drifts", "a tenth as fast as requests", capacity, zipf_that_drifts, 0.1, keys});
        all.push_back({"Zipf that drifts", "half as fast as requests", capacity, zipf_that_drifts, 0.5, keys});
        all.push_back({"short lives", "a fifth new", capacity, short_lives, 0.2, 0});
        all.push_back({"short lives", "half new", capacity, short_lives, 0.5, 0});
        all.push_back({"pairs", "0.3 capacities apart", capacity, pairs, 0.3, 0});
        all.push_back({"phases", "Zipf, loop, Zipf, scan", capacity, phases, 10, keys});
    }
    return all;
}

std::vector<synthetic_cell> second_family() {
    std::vector<synthetic_cell> all;
    const auto add = [&](const char* kind, const char* parameters, std::size_t capacity, auto make, double shape,
                         double keys) { // in capacities
        all.push_back(
            {kind, parameters, capacity, make, shape, static_cast<std::uint32_t>(keys * static_cast<double>(capacity))});
    };
    for (const std::size_t capacity : {500U, 2'000U, 8'000U}) {
        add("loop", "1.05 capacities", capacity, loop, 0, 1.05);
        add("loop", "1.3 capacities", capacity, loop, 0, 1.3);
        add("loop", "5 capacities", capacity, loop, 0, 5);
        add("phases", "of 3 capacities", capacity, phases, 3, 10);
        add("phases", "of 30 capacities", capacity, phases, 30, 10);
        add("Zipf", "0.7, 20 capacities", capacity, zipf, 0.7, 20);
        add("Zipf", "1.1, 4 capacities", capacity, zipf, 1.1, 4);
        add("bursts", "of three requests", capacity, bursts, 3, 20);
        add("Zipf and strangers", "0.9, seven tenths come once", capacity, zipf_and_strangers, 0.7, 10);
        add("Zipf that shifts", "0.9, each 20 requests", capacity, zipf_that_shifts, 20, 10);
    }
    add("pairs", "0.6 capacities apart", 2'000, pairs, 0.6, 0);
    add("short lives", "a third new", 2'000, short_lives, 1.0 / 3, 0);
    add("Zipf that jumps", "each 3 capacities", 2'000, zipf_that_jumps, 3, 10);
    add("Zipf that drifts", "a fifth as fast as requests", 2'000, zipf_that_drifts, 0.2, 10);
    add("loop beside short lives", "1.2 capacities, half and half", 2'000, loop_beside_short_lives, 1.2, 0);
    add("hot set and scan", "hot 0.7 capacities, two thirds scanned", 2'000, hot_set_and_scan, 0.667, 0.7);
    add("loop", "1.05 capacities", 50'000, long_loop, 0, 1.05);
    add("Zipf that shifts", "0.9, each 20 requests", 50'000, zipf_that_shifts, 20, 10);
    return all;
}

} // namespace syncmap::bench
