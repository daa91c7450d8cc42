// What a full `syncmap::cache` costs beside `map`: hits and puts, of integers and of values that need a node.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/compact_cache.hpp>
#include <syncmap/map.hpp>

#include "cache_rival.hpp"
#include "cache_suite.hpp"
#include "payload.hpp"
#include "random.hpp"
#include "side_by_side.hpp"

namespace syncmap::bench {
namespace {

using key = std::uint64_t;
using integer = std::uint64_t; ///< lies in the table of `map`
using small_integer = std::uint32_t; ///< in that of `compact_cache` as well

/// Needs a node in `map` as well.
struct pair_of_words {
    explicit pair_of_words(key k) : first(k), second(k) {}
    std::uint64_t first;
    std::uint64_t second;
};

std::uint64_t digest(integer value) { return value; }
std::uint64_t digest(small_integer value) { return value; }
std::uint64_t digest(const pair_of_words& value) { return value.second; }

constexpr std::size_t burst = 256; ///< operations between two looks at the clock

std::size_t requests_for(std::uint64_t keys) { return keys >= 1'000'000 ? std::size_t{1} << 20 : std::size_t{1} << 18; }

/// One thread's requests, over and over. A copy has the same requests and a position of its own.
class request_ring {
public:
    explicit request_ring(std::vector<key> keys) : keys_(std::make_shared<const std::vector<key>>(std::move(keys))) {}
    std::span<const key> next() {
        const std::span<const key> found(keys_->data() + at_, burst);
        at_ = at_ + 2 * burst > keys_->size() ? 0 : at_ + burst;
        return found;
    }

private:
    std::shared_ptr<const std::vector<key>> keys_;
    std::size_t at_ = 0;
};

/// One for each thread: `key_at(rank)`, with Zipf ranks below `ranks`.
template <class F>
std::vector<request_ring> zipf_requests(std::uint64_t ranks, unsigned threads, std::uint64_t seed, F&& key_at) {
    std::vector<request_ring> all;
    const zipf_ranks zipf(ranks);
    for (unsigned thread = 0; thread < threads; ++thread) {
        random_source random(seed * 1000 + thread);
        std::vector<key> keys(requests_for(ranks));
        std::ranges::generate(keys, [&] { return key_at(zipf(random)); });
        all.emplace_back(std::move(keys));
    }
    return all;
}

/// Keys that were never used, in bursts; each thread has its own.
class new_keys {
public:
    new_keys(std::uint64_t first, unsigned thread, unsigned threads) : next_(first + thread), step_(threads) {}
    std::span<const key> next() {
        for (key& k : keys_) k = scramble(std::exchange(next_, next_ + step_));
        return keys_;
    }

private:
    std::uint64_t next_;
    std::uint64_t step_;
    std::vector<key> keys_ = std::vector<key>(burst);
};

template <class Map, class F>
stretch_of_work reading(const request_ring& requests, Map& map, F look, std::atomic<std::uint64_t>& misses) {
    return [own = request_ring(requests), &map, look, &misses]() mutable -> std::uint64_t {
        std::uint64_t sum = 0;
        std::uint64_t missed = 0;
        for (const key k : own.next()) {
            if (const auto found = look(map, k)) {
                using value = std::remove_cvref_t<decltype(*found)>;
                sum ^= digest(*found) ^ digest(static_cast<value>(k));
            } else {
                ++missed;
            }
        }
        if (missed != 0 || sum != 0) misses.fetch_add(missed + (sum != 0 ? 1U : 0U), std::memory_order_relaxed);
        return burst;
    };
}

template <class Cache>
void add_reads(const guarantee_plan& plan, std::uint64_t entries, const std::string& kind, std::optional<double> bound,
               std::vector<guarantee_figure>& to) {
    using Value = typename Cache::mapped_type;
    Cache full({.capacity = entries});
    for (std::uint64_t i = 0; i < 2 * entries; ++i) full.put(scramble(i), static_cast<Value>(scramble(i))); // it has evicted
    map<key, Value> same;
    std::vector<key> present;
    full.for_each([&](key k, const Value& value) {
        present.push_back(k);
        same.store(k, value);
    });
    random_source random(plan.seed);
    std::ranges::shuffle(present, random);
    for (const unsigned threads : thread_counts()) {
        const auto requests =
            zipf_requests(present.size(), threads, plan.seed, [&](std::uint64_t rank) { return present[rank]; });
        std::atomic<std::uint64_t> misses{0};
        std::vector<contestant> all{{"cache, " + kind, {}}, {"map, " + kind, {}}};
        for (const auto& own : requests) {
            all[0].work.push_back(reading(own, full, [](const auto& c, key k) { return c.get(k); }, misses));
            all[1].work.push_back(reading(own, same, [](const auto& m, key k) { return m.load(k); }, misses));
        }
        const std::string cell = cell_name(entries, threads);
        const cell_figures figures(cell, all, plan);
        figures.add_rates(to);
        figures.add_ratio(0, 1, bound, to);
        figures.add_processor_ratio(0, 1, to);
        if (misses != 0) to.push_back({cell + kind + ": wrong reads", "reads", {static_cast<double>(misses)}, 0.0});
    }
}

/// Inserts new keys, each in the place of the oldest of its thread.
template <class Value>
stretch_of_work replacing(map<key, Value>& in, std::uint64_t entries, unsigned thread, unsigned threads) {
    const auto newest = std::make_shared<new_keys>(entries - entries % threads, thread, threads);
    const auto oldest = std::make_shared<new_keys>(0, thread, threads);
    return [&in, newest, oldest]() -> std::uint64_t {
        const std::span<const key> leaving = oldest->next();
        std::size_t i = 0;
        for (const key k : newest->next()) {
            in.insert(k, static_cast<Value>(k));
            in.erase(leaving[i++]);
        }
        return burst;
    };
}

/// A full cache of nodes beside a map of nodes.
void add_node_puts(const guarantee_plan& plan, std::uint64_t entries, unsigned threads, std::vector<guarantee_figure>& to) {
    cache<key, pair_of_words> full({.capacity = entries});
    map<key, pair_of_words> pairs;
    const std::uint64_t filled = entries - entries % threads;
    for (std::uint64_t i = 0; i < filled; ++i) pairs.store(scramble(i), pair_of_words(i));
    for (std::uint64_t i = 0; i < entries; ++i) full.put(scramble(i), pair_of_words(i));
    std::vector<contestant> all{{"cache, nodes", {}}, {"map, nodes", {}}};
    for (unsigned thread = 0; thread < threads; ++thread) {
        const auto keys = std::make_shared<new_keys>(entries, thread, threads);
        all[0].work.push_back([&full, keys]() -> std::uint64_t {
            for (const key k : keys->next()) full.put(k, pair_of_words(k));
            return burst;
        });
        all[1].work.push_back(replacing(pairs, entries, thread, threads));
    }
    const cell_figures figures(cell_name(entries, threads), all, plan);
    figures.add_rates(to);
    figures.add_ratio(0, 1, 0.7, to);
    figures.add_processor_ratio(0, 1, to);
}

/// The same with lifetimes: of an hour, so that entries are evicted as without one; of 50 ms, so that most have expired when
/// they leave.
void add_deadline_puts(const guarantee_plan& plan, std::uint64_t entries, unsigned threads, std::vector<guarantee_figure>& to) {
    struct lives {
        std::string name;
        std::chrono::nanoseconds life;
    };
    const std::array<lives, 3> kinds{lives{"cache, an hour", std::chrono::hours(1)},
                                     lives{"cache, 50 ms", std::chrono::milliseconds(50)},
                                     lives{"cache, no lifetime", unlimited}};
    std::vector<std::unique_ptr<cache<key, pair_of_words>>> caches;
    map<key, pair_of_words> pairs;
    for (std::uint64_t i = 0; i < entries - entries % threads; ++i) pairs.store(scramble(i), pair_of_words(i));
    std::vector<contestant> all;
    for (const lives& kind : kinds) {
        using options = cache<key, pair_of_words>::options_type;
        caches.push_back(
            std::make_unique<cache<key, pair_of_words>>(options{.capacity = entries, .expire_after_write = kind.life}));
        for (std::uint64_t i = 0; i < entries; ++i) caches.back()->put(scramble(i), pair_of_words(i));
        all.push_back({kind.name, {}});
        for (unsigned thread = 0; thread < threads; ++thread) {
            const auto keys = std::make_shared<new_keys>(entries, thread, threads);
            all.back().work.push_back([&full = *caches.back(), keys]() -> std::uint64_t {
                for (const key k : keys->next()) full.put(k, pair_of_words(k));
                return burst;
            });
        }
    }
    all.push_back({"map, nodes", {}});
    for (unsigned thread = 0; thread < threads; ++thread) all.back().work.push_back(replacing(pairs, entries, thread, threads));
    const cell_figures figures(cell_name(entries, threads), all, plan);
    figures.add_rates(to);
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        figures.add_ratio(i, kinds.size(), 0.7, to);
        figures.add_processor_ratio(i, kinds.size(), to);
    }
}

/// Of integers: beside a map with its entries in the table, and the other caches.
void add_integer_puts(const guarantee_plan& plan, std::uint64_t entries, unsigned threads, std::vector<guarantee_figure>& to) {
    const auto rivals = make_cache_rivals(entries);
    map<key, small_integer> pairs;
    for (std::uint64_t i = 0; i < entries - entries % threads; ++i) pairs.store(scramble(i), static_cast<small_integer>(i));
    std::vector<contestant> all;
    for (const auto& rival : rivals) {
        new_keys first(0, 0, 1);
        for (std::uint64_t i = 0; i < entries; i += burst) rival->put_new(first.next());
        all.push_back({std::string(rival->name()), {}});
        for (unsigned thread = 0; thread < threads; ++thread) {
            const auto keys = std::make_shared<new_keys>(entries + burst, thread, threads);
            all.back().work.push_back([&into = *rival, keys]() -> std::uint64_t {
                into.put_new(keys->next());
                return burst;
            });
        }
    }
    all.push_back({"map, integers in the table", {}});
    for (unsigned thread = 0; thread < threads; ++thread) {
        all.back().work.push_back(replacing(pairs, entries, thread, threads));
    }
    const cell_figures figures(cell_name(entries, threads), all, plan);
    figures.add_rates(to);
    for (std::size_t own = 0; own < syncmap_caches; ++own) {
        const bool is_compact = rivals[own]->name() == syncmap_compact_cache_name;
        figures.add_ratio(own, all.size() - 1, is_compact ? std::optional<double>(0.7) : std::nullopt, to);
        figures.add_processor_ratio(own, all.size() - 1, to);
        for (std::size_t i = syncmap_caches; i < rivals.size(); ++i) figures.add_ratio(own, i, {}, to);
    }
}

/// How many times as fast as another cache ours is to be, for get and, on a miss, put.
std::optional<double> goal_beside(std::string_view name) {
    if (name == sharded_lru_name) return 2.0;
    if (name == hyper_clock_name) return 1.3;
    return std::nullopt;
}

} // namespace

std::vector<guarantee_figure> measure_cache_reads(const guarantee_plan& plan) {
    std::vector<guarantee_figure> found;
    for (const std::uint64_t entries : cache_sizes(plan)) {
        add_reads<cache<key, pair_of_words>>(plan, entries, "nodes", 0.9, found);
        add_reads<compact_cache<key, small_integer>>(plan, entries, "compact", 0.8, found);
        add_reads<cache<key, integer>>(plan, entries, "integers", {}, found);
    }
    return found;
}

std::vector<guarantee_figure> measure_cache_puts(const guarantee_plan& plan) {
    std::vector<guarantee_figure> found;
    for (const std::uint64_t entries : cache_sizes(plan)) {
        for (const unsigned threads : thread_counts()) {
            add_node_puts(plan, entries, threads, found);
            add_integer_puts(plan, entries, threads, found);
        }
    }
    return found;
}

std::vector<guarantee_figure> measure_cache_deadlines(const guarantee_plan& plan) {
    std::vector<guarantee_figure> found;
    for (const std::uint64_t entries : cache_sizes(plan)) {
        for (const unsigned threads : thread_counts()) add_deadline_puts(plan, entries, threads, found);
    }
    return found;
}

std::vector<guarantee_figure> measure_cache_mix(const guarantee_plan& plan) {
    constexpr std::uint64_t keys_per_entry = 10;
    std::vector<guarantee_figure> found;
    for (const std::uint64_t entries : cache_sizes(plan)) {
        const std::uint64_t keys = keys_per_entry * entries;
        for (const unsigned threads : thread_counts()) {
            const permutation order(keys);
            const auto requests =
                zipf_requests(keys, threads, plan.seed, [&](std::uint64_t rank) { return scramble(order(rank)); });
            const auto rivals = make_cache_rivals(entries);
            std::vector<contestant> all;
            std::vector<std::atomic<std::uint64_t>> hits(rivals.size());
            std::vector<std::atomic<std::uint64_t>> asked(rivals.size());
            for (std::size_t i = 0; i < rivals.size(); ++i) {
                request_ring first = requests[0];
                for (std::size_t n = 0; n < requests_for(keys); n += burst) rivals[i]->get_then_put(first.next());
                all.push_back({std::string(rivals[i]->name()), {}});
                for (const auto& ring : requests) {
                    all.back().work.push_back([&rival = *rivals[i], own = request_ring(ring), &hit = hits[i],
                                               &all_asked = asked[i]]() mutable -> std::uint64_t {
                        hit.fetch_add(rival.get_then_put(own.next()), std::memory_order_relaxed);
                        all_asked.fetch_add(burst, std::memory_order_relaxed);
                        return burst;
                    });
                }
            }
            const std::string cell = cell_name(entries, threads);
            const cell_figures figures(cell, all, plan);
            figures.add_rates(found);
            for (std::size_t own = 0; own < syncmap_caches; ++own) {
                for (std::size_t i = syncmap_caches; i < all.size(); ++i)
                    figures.add_ratio(own, i, goal_beside(rivals[i]->name()), found);
            }
            for (std::size_t i = 0; i < all.size(); ++i) {
                const double share = static_cast<double>(hits[i]) / static_cast<double>(asked[i]);
                found.push_back({cell + all[i].name + ", hits", "%", {100 * share}});
            }
        }
    }
    return found;
}

} // namespace syncmap::bench
