// RocksDB's HyperClockCache, as RocksDB 7 has it: keys of 16 bytes, values that belong to the caller. Here the value is an
// integer in the place of its address, so neither cache nor caller allocates anything for it.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include <rocksdb/cache.h>

#include "cache_rival.hpp"

namespace syncmap::bench {
namespace {

class rocksdb_cache : public cache_rival {
public:
    explicit rocksdb_cache(std::size_t capacity)
        : cache_rival(hyper_clock_name), cache_(options_for(capacity).MakeSharedCache()) {}

    void put_new(keys all) override {
        for (const std::uint64_t key : all) put(key);
    }
    std::size_t get_then_put(keys all) override {
        std::size_t hits = 0;
        for (const std::uint64_t key : all) {
            const key_bytes own(key);
            if (rocksdb::Cache::Handle* const found = cache_->Lookup(own.slice())) {
                hits += reinterpret_cast<std::uintptr_t>(cache_->Value(found)) == key ? 1U : 0U;
                cache_->Release(found);
            } else {
                put(key);
            }
        }
        return hits;
    }

private:
    class key_bytes {
    public:
        explicit key_bytes(std::uint64_t key) noexcept { std::memcpy(bytes_, &key, sizeof key); }
        rocksdb::Slice slice() const noexcept { return {bytes_, sizeof bytes_}; }

    private:
        char bytes_[16] = {};
    };

    /// Each entry counts for one.
    static rocksdb::HyperClockCacheOptions options_for(std::size_t capacity) {
        return {capacity, 1, -1, false, nullptr, rocksdb::kDontChargeCacheMetadata};
    }
    void put(std::uint64_t key) {
        const auto status = cache_->Insert(key_bytes(key).slice(), reinterpret_cast<void*>(static_cast<std::uintptr_t>(key)), 1,
                                           [](const rocksdb::Slice&, void*) {});
        static_cast<void>(status.ok()); // refused where too many entries are in use: none is here
    }

    std::shared_ptr<rocksdb::Cache> cache_;
};

} // namespace

std::unique_ptr<cache_rival> make_rocksdb_cache(std::size_t capacity) { return std::make_unique<rocksdb_cache>(capacity); }

} // namespace syncmap::bench
