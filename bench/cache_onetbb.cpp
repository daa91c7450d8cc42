// oneTBB's LRU cache, which loads by itself: both operations are its one operation.
#define TBB_PREVIEW_CONCURRENT_LRU_CACHE 1
#include <oneapi/tbb/concurrent_lru_cache.h>

#include "cache_rival.hpp"

namespace syncmap::bench {
namespace {

thread_local std::size_t loads = 0;

std::uint64_t load(std::uint64_t key) {
    ++loads;
    return key;
}

class onetbb_cache : public cache_rival {
public:
    explicit onetbb_cache(std::size_t capacity) : cache_rival("oneTBB LRU"), cache_(load, capacity) {}

    void put_new(keys all) override { get_then_put(all); }
    std::size_t get_then_put(keys all) override {
        const std::size_t before = loads;
        for (const std::uint64_t key : all) wrong_ += cache_[key].value() != key ? 1U : 0U;
        return all.size() - (loads - before);
    }

private:
    tbb::concurrent_lru_cache<std::uint64_t, std::uint64_t> cache_;
    static thread_local std::size_t wrong_; ///< keeps the values from being optimised away
};
thread_local std::size_t onetbb_cache::wrong_ = 0;

} // namespace

std::unique_ptr<cache_rival> make_onetbb_cache(std::size_t capacity) { return std::make_unique<onetbb_cache>(capacity); }

} // namespace syncmap::bench
