// What a cache is told when it is made, and what it tells of itself.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include <syncmap/cache/loaders.hpp>
#include <syncmap/cache/option_types.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/cache/tags.hpp>
#include <syncmap/cache/time/clocks.hpp>
#include <syncmap/cache/weights.hpp>

namespace syncmap {

/// A number of entries. Options without a capacity do not compile.
class entry_count {
public:
    /// Throws `std::length_error` for a number that no cache can hold; a negative one is such a number.
    template <std::integral N>
        requires(!std::is_same_v<N, bool>)
    constexpr entry_count(N n) : value_(static_cast<std::size_t>(n)) {
        if (n < N{} || static_cast<std::uintmax_t>(n) > most)
            throw std::length_error("syncmap: cache: the capacity is negative, or more entries than a cache can hold");
    }
    /// Errors in words.
    template <class Nothing = void>
    entry_count() {
        static_assert(!std::is_void_v<Nothing>, "syncmap: a cache needs a capacity: cache({.capacity = 1000})");
    }
    template <class N>
        requires(!std::integral<N> || std::is_same_v<N, bool>)
    entry_count(const N&) {
        static_assert(std::is_void_v<N>, "syncmap: a capacity is a whole number of entries: .capacity = 1'000'000, not 1e6");
    }

    constexpr std::size_t value() const noexcept { return value_; }

private:
    static constexpr std::uintmax_t most = std::uintmax_t{1} << 40;
    std::size_t value_;
};

/// A lifetime without an end.
inline constexpr std::chrono::nanoseconds unlimited = (std::chrono::nanoseconds::max)();

/// What an entry's value comes from.
enum class expiry_event : unsigned char { inserted, replaced, loaded };

/// What a put may say of its entry.
struct put_options {
    /// How long the entry lives, instead of what the cache's options say; hits do not prolong it. `unlimited`: it does not
    /// expire. Nothing or less: the entry is not shown at all.
    std::optional<cache_detail::option_time> ttl{};
    /// What invalidates it beside its key: see `invalidate_tag`. Instead of what the cache's `tags_of` says; four at most.
    entry_tags tags{};
};

/// Misses that are loaded together: see `cache_options::coalesce`.
struct miss_coalescing {
    cache_detail::option_time window = std::chrono::nanoseconds(0); ///< how long the first one waits for others; 0: not at all
    std::size_t most = 100; ///< with so many the wait ends
};

/// Options of a cache, as designated initializers. C++ requires the order of the members below.
///
///     syncmap::cache<std::string, page> pages({.capacity = 100'000});
///
/// `Key`, `T`, `Clock`: those of the cache.
template <class Key, class T, cache_clock Clock = coarse_clock>
struct cache_options {
    using key_type = Key;
    using mapped_type = T;

    // ---- the bound ----

    /// The most entries that the cache ever has; with a weigher, the most that they weigh. With 0 it stores nothing, and loads
    /// are still made once for all that ask.
    entry_count capacity;

    /// What an entry weighs: `weigh(const Key&, const T&) -> std::size_t`. The capacity is then the most that all entries weigh
    /// together. `syncmap::bytes_of`: the bytes of its node, and what key and value own (owned_bytes.hpp). It is called once
    /// for each value that is to be stored, by the thread that stores it. An entry that weighs nothing is never evicted.
    cache_detail::weigher<Key, T> weigh{};

    // ---- time: see docs/cache.md, section 5 ----

    /// How long an entry lives after it was put or loaded, and after it was used last. With both, the earlier end counts.
    cache_detail::option_time expire_after_write = unlimited;
    cache_detail::option_time expire_after_access = unlimited;
    /// Instead of both: returns how long this entry lives from now on; nothing or less: it is not shown at all. Called before
    /// the entry is stored, with nothing locked; again, where another thread has changed the entry meanwhile.
    cache_detail::option_function<cache_detail::called_to_expire, std::chrono::nanoseconds(const Key&, const T&, expiry_event)>
        expire{};
    /// By what share of it a lifetime may be shorter, by chance: so entries that came together do not end together. 0 to 1.
    double jitter = 0;
    /// How long after its write an entry is renewed: by the next `get_or_load` or `pin_or_load` that finds it. Other threads
    /// are shown the old value meanwhile. Shorter than `expire_after_write`.
    cache_detail::option_time refresh_after_write = unlimited;
    /// How long after its end an entry still answers `get_or_load` and `pin_or_load`, if its loader throws.
    cache_detail::option_time stale_if_error = std::chrono::nanoseconds(0);
    /// XFetch: an entry is renewed by chance before it ends, the likelier the longer its load took. 1 suits most; 0: never.
    double early_refresh = 0;
    /// How long the cache remembers that a load has found nothing, and that a loader has thrown: calls that load the key are
    /// told so meanwhile, without a load. All other operations find the key absent. See docs/cache.md, section 4, [LO12].
    cache_detail::option_time negative_ttl = std::chrono::nanoseconds(0);
    cache_detail::option_time error_ttl = std::chrono::nanoseconds(0);
    /// Whether the cache keeps a log of the ends of entries: 18 to 40 bytes for each entry that has one. Writers then remove an
    /// entry a millisecond after its end, where enough is written, and `expire_now` looks at what has expired alone.
    bool prompt_expiry = false;

    // ---- tags ----

    /// The tags of each value that is put or loaded: `tags_of(const Key&, const T&) -> syncmap::entry_tags`. Called before
    /// the entry is stored, with nothing locked; again, where another thread has changed the entry meanwhile.
    cache_detail::option_function<cache_detail::called_for_tags, entry_tags(const Key&, const T&)> tags_of{};

    // ---- loads ----

    /// Makes the value of an absent key: `load(const Key&)`, or `load()`. It returns a value or an optional of it; an empty one
    /// says that there is nothing. Threads call it at the same time, for different keys. See `get_or_load(key)`.
    cache_detail::loader<Key, T> load{};
    /// Makes the values of many absent keys in one call: `load_many(const std::vector<Key>&)`. It returns pairs of a key and
    /// its value, as a vector or a map. A key that it does not name has none. See `get_all_or_load(keys)`.
    cache_detail::bulk_loader<Key, T> load_many{};
    /// `get_or_load(key)` and `pin_or_load(key)` that miss wait `window` for others. Then one of them loads the keys of all by
    /// `load_many`, in one call. A call from inside of a loader or of an update does not wait.
    miss_coalescing coalesce{};
    /// How long a call waits for another thread that loads its key. Then it throws `syncmap::load_timeout`, or, with
    /// `then_load_alone`, loads by itself. Without it a call waits as long as that load takes. Not for the caller's own loader.
    std::optional<cache_detail::option_time> load_timeout{};
    bool then_load_alone = false;

    // ---- listeners ----

    /// Is called once for each entry that leaves, with the reason, by the thread that has taken it out: after its operation,
    /// with nothing locked. It may use the cache. The destructor of the cache does not call it. See docs/cache.md, Listeners.
    cache_detail::option_function<cache_detail::called_on_removal, void(const Key&, const T&, removal)> on_removal{};
    /// Instead of it: the same, and the removals of one key are told in the order in which they happened, one after another. So
    /// a thread may tell what another one has removed. `invalidate_all` removes entries one by one then.
    cache_detail::option_function<cache_detail::called_on_removal, void(const Key&, const T&, removal)> on_removal_in_order{};
    /// Gets what `on_removal` throws. Such exceptions go no further: the entry has left. `stats()` counts them.
    cache_detail::option_function<cache_detail::called_on_error, void(std::exception_ptr)> on_error{};

    // ---- beside ----

    /// The cache keeps a copy. It reads the time only where an entry has a lifetime, and how long loads take.
    Clock clock{};
    /// Whether hits, misses and evictions are counted: see `stats()`.
    bool statistics = true;
};

/// What has happened to a cache since it was made; see `stats()`.
struct cache_stats {
    std::uint64_t hits = 0; ///< of `get`, `visit`, `pin`, `get_or_load`, `pin_or_load`
    std::uint64_t misses = 0; ///< of the same
    std::uint64_t inserts = 0; ///< entries that came
    std::uint64_t evictions = 0; ///< entries that left for others
    std::uint64_t loads = 0; ///< calls of loaders that returned
    std::uint64_t failed_loads = 0; ///< calls of loaders that threw
    std::uint64_t remembered = 0; ///< misses that what the cache remembers of a load has answered
    std::uint64_t stale_dropped = 0; ///< loaded values that a later write, or a clear, has kept from being stored
    std::uint64_t expirations = 0; ///< entries that were removed, or replaced, after their lifetime or `invalidate_tag`
    std::uint64_t erased = 0; ///< entries that `invalidate`, `take` and `update` removed
    std::uint64_t replaced = 0; ///< values that gave way to new ones of their keys
    std::uint64_t invalidated = 0; ///< entries that `invalidate_if` removed, and `invalidate_all`, when they are destroyed
    /// How long loads took, those that threw as well: element `i` counts loads of less than 2^i microseconds that element
    /// `i - 1` does not count. The last one has all others.
    std::array<std::uint64_t, 32> load_times{};
    std::uint64_t load_nanoseconds = 0; ///< of all loads together
    std::uint64_t failed_listeners = 0; ///< calls of `on_removal` that threw; counted without statistics, too
    std::uint64_t entries = 0; ///< now, about: `size()` is exact
    std::uint64_t capacity = 0; ///< now

    /// Hits of all that was asked for; 0 before the first.
    double hit_ratio() const noexcept {
        const std::uint64_t all = hits + misses;
        return all == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(all);
    }
};

} // namespace syncmap
