// A map under test as the measuring code sees it. One virtual call hands over a whole stretch of
// requests, so the loop over them is compiled for each map and pays nothing for the disguise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "histogram.hpp"
#include "requests.hpp"

namespace syncmap::bench {

/// What came back from a stretch of requests.
struct net_count {
    std::uint64_t done = 0;   ///< operations
    std::uint64_t missed = 0; ///< loads that found nothing, inserts that found the key, erases that did not
    std::uint64_t digest = 0; ///< bits of every value read: nothing read can be optimised away

    net_count& operator+=(const net_count& other) noexcept {
        done += other.done;
        missed += other.missed;
        digest += other.digest;
        return *this;
    }
};

/// One thread's access to a map, for as long as the thread works on it: where a map wants its threads
/// registered, this is the registration.
template <class Key>
class session {
public:
    virtual ~session() = default;
    virtual net_count execute(const request_view<Key>& requests) = 0;
    /// The same, with the time of every `stride`-th operation noted.
    virtual net_count execute_timed(const request_view<Key>& requests, unsigned stride, histogram& latencies) = 0;
};

/// One map. Sessions of several threads may be open at once, unless the candidate is for one thread only.
template <class Key>
class subject {
public:
    virtual ~subject() = default;
    virtual std::unique_ptr<session<Key>> enter() = 0;
    /// Called once, after the map was filled: where a map's documentation asks for a call then.
    virtual void settle(std::uint64_t entries) = 0;
};

enum class role : std::uint8_t {
    family,  ///< syncmap's own maps of given types
    dynamic, ///< syncmap's own map of any type, which its keys and values pay for
    lock,    ///< the standard map behind a standard lock
    peer,    ///< other people's concurrent maps
    limit    ///< not a concurrent map: what the machine gives without synchronisation, one thread only
};

/// What a map without synchronisation can do when several threads take part.
enum class reach : std::uint8_t {
    everything, ///< all operations. With several threads, if it is a limit: each on a copy of its own, unless all only read
    overwrites, ///< reads, and overwrites of keys that stay: its values are atomic, its keys are not
    reads       ///< nothing but reads
};

/// A kind of map that can be measured.
struct candidate {
    std::string_view name;  ///< as typed on the command line
    std::string_view about; ///< the type, as its users write it
    std::string_view caveat; ///< what it does differently from what it is asked, or empty
    role part;
    bool has_length; ///< tells its exact number of entries
    bool has_walk;   ///< can be iterated over as it is at one instant
    bool has_visit;  ///< can be iterated over while no thread writes
    bool has_clear;
    std::unique_ptr<subject<std::uint64_t>> (*integers)();    ///< null: it has string keys alone
    std::unique_ptr<subject<std::string>> (*strings)(); ///< null: it has integer keys alone
    reach can;
    bool is_bare; ///< no map at all: only of use beside others, as their limit

    template <class Key>
    std::unique_ptr<subject<Key>> make() const {
        if constexpr (payload<Key>::kind == key_kind::integer) {
            return integers();
        } else {
            return strings();
        }
    }
    /// Empty, or why it cannot take part in the cell.
    std::string_view unfit_for(const cell& cell) const noexcept {
        if (cell.threads > 1 && part == role::limit && !cell.beside_limits) return "is for one thread";
        if (is_bare && !cell.beside_limits) return "is no map";
        if (cell.kind == key_kind::integer && integers == nullptr) return "is for string keys";
        if (cell.kind == key_kind::string && strings == nullptr) return "is for integer keys";
        if (can == reach::reads && !(cell.what->only_reads() && cell.chosen() != choice::absent))
            return "only reads what is there";
        if (can == reach::overwrites && !cell.what->keeps_keys()) return "cannot erase";
        if (cell.what->lengths != 0 && !has_length) return "does not tell its exact length";
        if (cell.what->walks != 0 && !has_walk) return "cannot be iterated over as it is at one instant";
        if (cell.what->visits != 0 && !has_visit) return "cannot be iterated over";
        if (cell.what->clears && !has_clear) return "cannot be cleared";
        return {};
    }
    /// Each thread of the cell works on a copy of its own.
    bool is_private_in(const cell& cell) const noexcept {
        return part == role::limit && can == reach::everything && cell.threads > 1 && !cell.what->only_reads();
    }
    /// One of syncmap's, whose failures are findings.
    bool is_own() const noexcept { return about.starts_with("syncmap::"); }
};

/// Every candidate that this build found, syncmap's own first.
const std::vector<candidate>& candidates();

} // namespace syncmap::bench
