// The precomputed requests of one thread: measuring loops draw no random number and make no key.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "workload.hpp"

namespace syncmap::bench {

/// A stretch of requests, as a map is given them.
template <class Key>
struct request_view {
    const action* actions;
    const Key* keys;
    std::size_t size;
    unsigned batch = 0; ///< so many of them, all reads, in one call; 0: one by one
};

/// All requests of one thread, in order. Keys are held by value, in the order of use, as a request that
/// has just arrived holds its key.
template <class Key>
struct request_stream {
    std::vector<action> actions;
    std::vector<Key> keys;
    unsigned batch = 0;

    std::size_t size() const noexcept { return actions.size(); }
    request_view<Key> view(std::size_t from, std::size_t count) const noexcept {
        return {actions.data() + from, keys.data() + from, std::min(count, size() - from), batch};
    }
};

/// The stream of thread `thread`. Repeating it from the start is allowed unless the workload is single-pass.
template <class Key>
request_stream<Key> make_requests(const cell& cell, unsigned thread, std::uint64_t seed);

/// The indexes of the keys that `thread` puts into the map before the measurement: first, first + step, ...
struct initial_share {
    std::uint64_t first;
    std::uint64_t end;
    std::uint64_t step;
};
initial_share initial_keys(const cell& cell, unsigned thread);

/// Upper estimate of the bytes that all streams of a cell take.
std::uint64_t request_bytes(const cell& cell);

} // namespace syncmap::bench
