// The policies that the cache's hits are compared with: each against the same policy written in the plainest way.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hit_models.hpp"
#include "random.hpp"

namespace syncmap::bench {
namespace {

trace random_trace(std::uint32_t keys, std::size_t length, std::uint64_t seed) {
    random_source random(seed);
    trace made{{}, keys};
    // Of two numbers the smaller one: some keys come more often than others.
    while (made.requests.size() < length)
        made.requests.push_back(static_cast<std::uint32_t>(std::min(random.below(keys), random.below(keys))));
    return made;
}

trace loop_trace(std::uint32_t keys, std::size_t length) {
    trace made{{}, keys};
    while (made.requests.size() < length) made.requests.push_back(static_cast<std::uint32_t>(made.requests.size() % keys));
    return made;
}

std::uint64_t plain_lru(const trace& trace, std::size_t capacity) {
    std::deque<std::uint32_t> order;
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) {
        if (const auto at = std::ranges::find(order, key); at != order.end()) {
            ++hits;
            order.erase(at);
        } else if (order.size() == capacity) {
            order.pop_back();
        }
        order.push_front(key);
    }
    return hits;
}

/// Entries from the oldest to the newest. CLOCK moves what it spares to the end, which is what its hand does to the ring.
std::uint64_t plain_clock(const trace& trace, std::size_t capacity) {
    struct entry {
        std::uint32_t key;
        bool used;
    };
    std::deque<entry> ring;
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) {
        if (const auto at = std::ranges::find(ring, key, &entry::key); at != ring.end()) {
            ++hits;
            at->used = true;
            continue;
        }
        if (ring.size() == capacity) {
            for (; ring.front().used; ring.pop_front()) ring.push_back({ring.front().key, false});
            ring.pop_front();
        }
        ring.push_back({key, false});
    }
    return hits;
}

/// The same without moving: the hand goes from the oldest to the newest.
std::uint64_t plain_sieve(const trace& trace, std::size_t capacity) {
    struct entry {
        std::uint32_t key;
        bool used;
    };
    std::vector<entry> line;
    std::size_t hand = 0;
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) {
        if (const auto at = std::ranges::find(line, key, &entry::key); at != line.end()) {
            ++hits;
            at->used = true;
            continue;
        }
        if (line.size() == capacity) {
            if (hand == line.size()) hand = 0;
            for (; line[hand].used; hand = (hand + 1) % line.size()) line[hand].used = false;
            line.erase(line.begin() + static_cast<std::ptrdiff_t>(hand));
            if (hand == line.size()) hand = 0; // at the newest: it begins anew, before the new key is there
        }
        line.push_back({key, false});
    }
    return hits;
}

/// The most hits of all ways to decide, request by request, what is stored in whose place.
std::uint64_t best_of_all_ways(const trace& trace, std::size_t capacity) {
    using contents = std::set<std::uint32_t>;
    std::vector<std::pair<contents, std::uint64_t>> ways{{contents{}, 0}};
    for (const std::uint32_t key : trace.requests) {
        std::vector<std::pair<contents, std::uint64_t>> next;
        const auto add = [&](const contents& kept, std::uint64_t hits) {
            const auto same = std::ranges::find(next, kept, &std::pair<contents, std::uint64_t>::first);
            if (same == next.end()) {
                next.emplace_back(kept, hits);
            } else {
                same->second = std::max(same->second, hits);
            }
        };
        for (const auto& [kept, hits] : ways) {
            if (kept.contains(key)) {
                add(kept, hits + 1);
                continue;
            }
            add(kept, hits);
            contents with_key = kept;
            with_key.insert(key);
            if (with_key.size() <= capacity) add(with_key, hits);
            for (const std::uint32_t victim : kept) {
                contents without = with_key;
                without.erase(victim);
                add(without, hits);
            }
        }
        ways = std::move(next);
    }
    return std::ranges::max_element(ways, {}, &std::pair<contents, std::uint64_t>::second)->second;
}

class hit_models : public testing::TestWithParam<std::size_t> {
protected:
    std::vector<trace> traces() const {
        std::vector<trace> all{loop_trace(9, 300)};
        for (std::uint64_t seed = 1; seed <= 20; ++seed) all.push_back(random_trace(20, 300, seed));
        return all;
    }
};

TEST_P(hit_models, lru_is_the_plain_one) {
    for (const trace& trace : traces()) EXPECT_EQ(lru_hits(trace, GetParam()), plain_lru(trace, GetParam()));
}
TEST_P(hit_models, clock_is_the_plain_one) {
    for (const trace& trace : traces()) EXPECT_EQ(clock_hits(trace, GetParam()), plain_clock(trace, GetParam()));
}
TEST_P(hit_models, sieve_is_the_plain_one) {
    for (const trace& trace : traces()) EXPECT_EQ(sieve_hits(trace, GetParam()), plain_sieve(trace, GetParam()));
}
TEST_P(hit_models, no_policy_is_above_the_optimum) {
    for (const trace& trace : traces()) {
        const std::uint64_t most = optimal_hits(trace, GetParam());
        for (const auto& hits : {lru_hits, clock_hits, sieve_hits}) EXPECT_LE(hits(trace, GetParam()), most);
    }
}
INSTANTIATE_TEST_SUITE_P(capacities, hit_models, testing::Values(1U, 2U, 5U, 8U, 19U, 20U, 100U));

TEST(optimum, is_the_best_of_all_ways) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const trace trace = random_trace(6, 24, seed);
        for (std::size_t capacity = 1; capacity <= 4; ++capacity)
            EXPECT_EQ(optimal_hits(trace, capacity), best_of_all_ways(trace, capacity)) << seed << ", " << capacity;
    }
}

} // namespace
} // namespace syncmap::bench
