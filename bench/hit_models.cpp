#include "hit_models.hpp"

#include <limits>
#include <queue>
#include <utility>
#include <vector>

#include "key_list.hpp"

namespace syncmap::bench {
namespace {

/// For each request the index of the next one for the same key, or `never`.
constexpr std::uint32_t never = std::numeric_limits<std::uint32_t>::max();

std::vector<std::uint32_t> next_uses(const trace& trace) {
    std::vector<std::uint32_t> next(trace.requests.size());
    std::vector<std::uint32_t> seen(trace.keys, never);
    for (std::size_t i = trace.requests.size(); i-- > 0;) {
        next[i] = std::exchange(seen[trace.requests[i]], static_cast<std::uint32_t>(i));
    }
    return next;
}

} // namespace

std::uint64_t lru_hits(const trace& trace, std::size_t capacity) {
    key_list order(trace.keys);
    std::vector<bool> is_cached(trace.keys);
    std::size_t size = 0;
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) {
        if (is_cached[key]) {
            ++hits;
            order.remove(key);
        } else if (size < capacity) {
            ++size;
        } else {
            const std::uint32_t victim = order.back();
            order.remove(victim);
            is_cached[victim] = false;
        }
        is_cached[key] = true;
        order.push_front(key);
    }
    return hits;
}

std::uint64_t clock_hits(const trace& trace, std::size_t capacity) {
    std::vector<std::uint32_t> ring;
    std::vector<bool> is_cached(trace.keys);
    std::vector<bool> is_used(trace.keys);
    std::size_t hand = 0;
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) {
        if (is_cached[key]) {
            ++hits;
            is_used[key] = true;
            continue;
        }
        is_cached[key] = true;
        if (ring.size() < capacity) {
            ring.push_back(key);
            continue;
        }
        for (; is_used[ring[hand]]; hand = (hand + 1) % capacity) is_used[ring[hand]] = false;
        is_cached[std::exchange(ring[hand], key)] = false;
        hand = (hand + 1) % capacity;
    }
    return hits;
}

std::uint64_t sieve_hits(const trace& trace, std::size_t capacity) {
    key_list order(trace.keys);
    std::vector<bool> is_cached(trace.keys);
    std::vector<bool> is_used(trace.keys);
    std::uint32_t hand = key_list::none;
    std::size_t size = 0;
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) {
        if (is_cached[key]) {
            ++hits;
            is_used[key] = true;
            continue;
        }
        if (size < capacity) {
            ++size;
        } else {
            const auto or_back = [&](std::uint32_t at) { return at == key_list::none ? order.back() : at; };
            for (hand = or_back(hand); is_used[hand]; hand = or_back(order.newer(hand))) is_used[hand] = false;
            const std::uint32_t victim = std::exchange(hand, order.newer(hand));
            order.remove(victim);
            is_cached[victim] = false;
        }
        is_cached[key] = true;
        order.push_front(key);
    }
    return hits;
}

std::uint64_t optimal_hits(const trace& trace, std::size_t capacity) {
    const std::vector<std::uint32_t> next = next_uses(trace);
    std::vector<std::uint32_t> cached_until(trace.keys, never); ///< the next use of a key that is cached; else `never`
    std::priority_queue<std::pair<std::uint32_t, std::uint32_t>> farthest; ///< next use, key; some are out of date
    std::size_t size = 0;
    std::uint64_t hits = 0;
    for (std::size_t i = 0; i < trace.requests.size(); ++i) {
        const std::uint32_t key = trace.requests[i];
        if (cached_until[key] != never) {
            ++hits;
            --size;
        }
        cached_until[key] = never;
        if (next[i] == never) continue;
        if (size == capacity) {
            while (cached_until[farthest.top().second] != farthest.top().first) farthest.pop();
            if (farthest.top().first < next[i]) continue;
            cached_until[farthest.top().second] = never;
            farthest.pop();
            --size;
        }
        cached_until[key] = next[i];
        farthest.emplace(next[i], key);
        ++size;
    }
    return hits;
}

} // namespace syncmap::bench
