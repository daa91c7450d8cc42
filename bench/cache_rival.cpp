#include "cache_rival.hpp"

#include <utility>

#include <syncmap/cache.hpp>
#include <syncmap/compact_cache.hpp>

#include "lru_caches.hpp"

namespace syncmap::bench {
namespace {

/// Its values are numbers, cut to their type.
template <class Cache, class Value = std::uint64_t>
class adapted : public cache_rival {
public:
    template <class... Arguments>
    explicit adapted(std::string_view name, Arguments&&... arguments)
        : cache_rival(name), cache_(std::forward<Arguments>(arguments)...) {}

    void put_new(keys all) override {
        for (const std::uint64_t key : all) cache_.put(key, static_cast<Value>(key));
    }
    std::size_t get_then_put(keys all) override {
        std::size_t hits = 0;
        for (const std::uint64_t key : all) {
            if (cache_.get(key)) {
                ++hits;
            } else {
                cache_.put(key, static_cast<Value>(key));
            }
        }
        return hits;
    }

private:
    Cache cache_;
};

} // namespace

std::vector<std::unique_ptr<cache_rival>> make_cache_rivals(std::size_t capacity) {
    using own = syncmap::cache<std::uint64_t, std::uint64_t>;
    using compact = syncmap::compact_cache<std::uint64_t, std::uint32_t>;
    std::vector<std::unique_ptr<cache_rival>> all;
    all.push_back(std::make_unique<adapted<own>>(syncmap_cache_name, own::options_type{.capacity = capacity}));
    all.push_back(std::make_unique<adapted<compact, std::uint32_t>>(syncmap_compact_cache_name,
                                                                    compact::options_type{.capacity = capacity}));
    all.push_back(std::make_unique<adapted<locked_lru>>("mutex + list LRU", capacity));
    all.push_back(std::make_unique<adapted<sharded_lru>>(sharded_lru_name, capacity));
#ifdef SYNCMAP_BENCH_ONETBB
    all.push_back(make_onetbb_cache(capacity));
#endif
#ifdef SYNCMAP_BENCH_ROCKSDB
    all.push_back(make_rocksdb_cache(capacity));
#endif
    return all;
}

} // namespace syncmap::bench
