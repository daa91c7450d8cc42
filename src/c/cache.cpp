// The functions of syncmap/c/cache.h.
#include <syncmap.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <syncmap/cache.hpp>

#include "calls.hpp"
#include "copied_key.hpp"

namespace syncmap::dynamic {

namespace {

using cache_of_values = cache<value, value, key_hash, key_equal>;

using listener = std::function<void(const value&, const value&, removal)>;
static_assert(static_cast<int>(removal::size) == SYNCMAP_REMOVAL_SIZE &&
              static_cast<int>(removal::erased) == SYNCMAP_REMOVAL_ERASED &&
              static_cast<int>(removal::replaced) == SYNCMAP_REMOVAL_REPLACED &&
              static_cast<int>(removal::invalidated) == SYNCMAP_REMOVAL_INVALIDATED &&
              static_cast<int>(removal::expired) == SYNCMAP_REMOVAL_EXPIRED);

/// Members of the options that this version knows, whatever version the caller was compiled with.
syncmap_cache_options read(const syncmap_cache_options* given) {
    require(given != nullptr);
    require(given->size >= offsetof(syncmap_cache_options, without_statistics));
    syncmap_cache_options known{};
    std::memcpy(&known, given, given->size < sizeof known ? given->size : sizeof known);
    for (const std::uint8_t byte : known.unused) require(byte == 0);
    for (const std::uint8_t byte : known.unused_too) require(byte == 0);
    const char* const bytes = reinterpret_cast<const char*>(given);
    for (std::size_t i = sizeof known; i < given->size; ++i) require(bytes[i] == 0);
    return known;
}

} // namespace

} // namespace syncmap::dynamic

struct syncmap_cache {
    explicit syncmap_cache(const syncmap_cache_options& options)
        : entries(std::make_unique<syncmap::dynamic::cache_of_values>(
              syncmap::cache_options<syncmap::dynamic::value, syncmap::dynamic::value>{
                  .capacity = options.capacity,
                  .expire_after_write = lifetime(options.expire_after_write),
                  .negative_ttl = remembered(options.negative_ttl),
                  .error_ttl = remembered(options.error_ttl),
                  .on_removal = options.removals_in_order ? syncmap::dynamic::listener{} : listener_of(options),
                  .on_removal_in_order = options.removals_in_order ? listener_of(options) : syncmap::dynamic::listener{},
                  .statistics = !options.without_statistics})) {}

    /// 0 and what is too long for a duration: without an end.
    static std::chrono::nanoseconds lifetime(std::uint64_t n) noexcept {
        constexpr auto most = static_cast<std::uint64_t>(syncmap::unlimited.count());
        return n == 0 || n > most ? syncmap::unlimited : std::chrono::nanoseconds(static_cast<std::int64_t>(n));
    }

    /// 0: not at all.
    static std::chrono::nanoseconds remembered(std::uint64_t n) noexcept {
        return n == 0 ? std::chrono::nanoseconds(0) : lifetime(n);
    }
    static syncmap::dynamic::listener listener_of(const syncmap_cache_options& options) {
        if (options.on_removal == nullptr) return {};
        return [told = options.on_removal, context = options.on_removal_context](
                   const syncmap::dynamic::value& key, const syncmap::dynamic::value& gone, syncmap::removal why) {
            told(context, key.shown(), gone.shown(), static_cast<syncmap_removal>(why));
        };
    }

    const std::unique_ptr<syncmap::dynamic::cache_of_values> entries;
    static constexpr bool is_late = true;
    std::atomic<bool> has_held_handles{false};
    syncmap::dynamic::late_release releases{};
};

using namespace syncmap::dynamic;

namespace {

/// A write of `desired`; `write` returns whether it was stored.
template <class Write>
syncmap_result store(syncmap_cache* cache, const syncmap_value& key, const syncmap_value& desired, Write write) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(cache));
        require_valid(key, desired);
        argument given(desired);
        key_argument sought(key);
        here.handle_arrived(sought.is_handle() || given.is_handle()); // before any thread can take it out
        here.everything_departed();                                   // what is evicted or replaced
        result.changed = write(*here.operator->(), sought, value(given.view()));
        if (!result.changed) return;
        sought.take_over();
        given.take_over();
    });
}

} // namespace

extern "C" {

syncmap_cache_created syncmap_cache_create(const syncmap_cache_options* options) {
    return guarded<syncmap_cache_created>(
        [&](syncmap_cache_created& result) { result.cache = new syncmap_cache(read(options)); });
}

void syncmap_cache_destroy(syncmap_cache* cache) { delete cache; }

syncmap_result syncmap_cache_get(syncmap_cache* cache, syncmap_value key) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(cache));
        require_valid(key);
        value found;
        result.found = here->visit(key, [&](const value& present) { found = present; });
        result.value = std::move(found).handed_out();
    });
}

syncmap_result syncmap_cache_visit(syncmap_cache* cache, syncmap_value key, syncmap_visit_callback callback, void* context) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(cache));
        require_valid(key);
        require(callback != nullptr);
        result.found = here->visit(key, [&](const value& v) { call_back([&] { callback(context, v.shown()); }); });
    });
}

syncmap_result syncmap_cache_contains(syncmap_cache* cache, syncmap_value key) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(cache));
        require_valid(key);
        result.found = here->contains(key);
    });
}

syncmap_result syncmap_cache_put(syncmap_cache* cache, syncmap_value key, syncmap_value desired) {
    return store(cache, key, desired,
                 [](cache_of_values& into, const key_argument& k, value&& v) { return into.put(k, std::move(v)); });
}

syncmap_result syncmap_cache_put_if_absent(syncmap_cache* cache, syncmap_value key, syncmap_value desired) {
    return store(cache, key, desired,
                 [](cache_of_values& into, const key_argument& k, value&& v) { return into.put_if_absent(k, std::move(v)); });
}

syncmap_result syncmap_cache_get_or_load(syncmap_cache* cache, syncmap_value key, syncmap_compute_callback load,
                                         void* context) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(cache));
        require_valid(key);
        require(load != nullptr);
        key_argument sought(key);
        bool has_loaded = false;
        std::optional<value> now = here->get_or_load(sought, [&]() -> std::optional<value> {
            const syncmap_result loaded = call_back([&] { return load(context, borrowed(key)); });
            if (loaded.status == SYNCMAP_NOTHING) return std::nullopt;
            value made = taken(loaded);
            here.handle_arrived(sought.is_handle() || made.is_handle());
            here.everything_departed(); // what is evicted; what is loaded in vain
            has_loaded = true;
            return made;
        });
        if (!now) return;
        result.found = !has_loaded;
        result.changed = has_loaded;
        if (has_loaded) sought.take_over();
        result.value = std::move(*now).handed_out();
    });
}

syncmap_result syncmap_cache_take(syncmap_cache* cache, syncmap_value key) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(cache));
        require_valid(key);
        std::optional<value> taken_out = here->take(key);
        result.found = result.changed = taken_out.has_value();
        if (!taken_out) return;
        here.everything_departed();
        result.value = std::move(*taken_out).handed_out();
    });
}

syncmap_result syncmap_cache_invalidate(syncmap_cache* cache, syncmap_value key) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(cache));
        require_valid(key);
        result.found = result.changed = here->invalidate(key);
        if (result.changed) here.everything_departed();
    });
}

syncmap_status syncmap_cache_invalidate_all(syncmap_cache* cache) {
    return guarded_status([&] {
        call here(checked(cache));
        here->invalidate_all();
        here.everything_departed();
    });
}

syncmap_count syncmap_cache_size(syncmap_cache* cache) {
    return guarded<syncmap_count>([&](syncmap_count& result) {
        call here(checked(cache));
        result.count = here->size();
    });
}

syncmap_cache_stats syncmap_cache_stats_of(syncmap_cache* cache) {
    return guarded<syncmap_cache_stats>([&](syncmap_cache_stats& result) {
        call here(checked(cache));
        const syncmap::cache_stats all = here->stats();
        result.hits = all.hits;
        result.misses = all.misses;
        result.inserts = all.inserts;
        result.evictions = all.evictions;
        result.loads = all.loads;
        result.failed_loads = all.failed_loads;
        result.erased = all.erased;
        result.replaced = all.replaced;
        result.invalidated = all.invalidated;
        result.expired = all.expirations;
        result.remembered = all.remembered;
        result.stale_loads = all.stale_dropped;
    });
}

syncmap_status syncmap_cache_flush(syncmap_cache* cache) {
    return guarded_status([&] {
        call here(checked(cache));
        here->flush();
    });
}

} // extern "C"
