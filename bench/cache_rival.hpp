// Caches under one interface: called for a few hundred keys at a time, so that the call costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace syncmap::bench {

class cache_rival {
public:
    using keys = std::span<const std::uint64_t>;

    explicit cache_rival(std::string_view name) : name_(name) {}
    cache_rival(const cache_rival&) = delete;
    cache_rival& operator=(const cache_rival&) = delete;
    virtual ~cache_rival() = default;

    std::string_view name() const noexcept { return name_; }

    /// Puts keys that the cache has never seen.
    virtual void put_new(keys) = 0;
    /// Gets each key, and puts it where it is missing. Returns the hits.
    virtual std::size_t get_then_put(keys) = 0;

private:
    std::string_view name_;
};

inline constexpr std::string_view syncmap_cache_name = "cache";
inline constexpr std::string_view syncmap_compact_cache_name = "compact_cache";
inline constexpr std::size_t syncmap_caches = 2; ///< ours come first
inline constexpr std::string_view sharded_lru_name = "16 LRU shards";
inline constexpr std::string_view hyper_clock_name = "HyperClockCache";

/// `syncmap::cache` first, then `syncmap::compact_cache`, LRUs with mutexes, then other people's caches that were found.
std::vector<std::unique_ptr<cache_rival>> make_cache_rivals(std::size_t capacity);

std::unique_ptr<cache_rival> make_onetbb_cache(std::size_t capacity);
std::unique_ptr<cache_rival> make_rocksdb_cache(std::size_t capacity);

} // namespace syncmap::bench
