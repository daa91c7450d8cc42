// The programs of tags: loads and puts beside an invalidation of their tag.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <explore/cache_program.hpp>

namespace explore::cache_bodies {

/// Each value has one tag, the number 1.
inline explored_cache::options_type tagged_options(std::size_t capacity) {
    return {.capacity = capacity,
            .tags_of = [](const probe&, const probe&) { return syncmap::entry_tags{1}; },
            .statistics = false};
}

/// What loads ask: 2, and more by one with each change.
class tagged_source {
public:
    /// Returns what it is now, or less.
    std::uint64_t change(explored_cache& c) {
        const std::uint64_t now = value_.fetch_add(1, std::memory_order_seq_cst) + 1;
        c.invalidate_tag(1);
        return now;
    }
    std::uint64_t load(explored_cache& c) {
        return c.pin_or_load(probe(keys::first), [this] { return value(); }).value().number();
    }
    std::uint64_t load_in_bulk(explored_cache& c) {
        return c
            .get_all_or_load({probe(keys::first)},
                             [this](const std::vector<probe>& absent) {
                                 std::vector<std::pair<probe, probe>> loaded;
                                 for (const probe& key : absent) loaded.emplace_back(key, value());
                                 return loaded;
                             })
            .at(0)
            .value()
            .number();
    }

private:
    probe value() const { return probe(value_.load(std::memory_order_seq_cst)); }
    sync_policy::atomic<std::uint64_t> value_{2};
};

template <class F>
void loads_are_beaten_by_an_invalidation_of_their_tag(F f) {
    f("load|invalidate tag, get, load", [] {
        with_cache(tagged_options(2), [&](explored_cache& c) {
            tagged_source from;
            parallel([&] { from.load(c); },
                     [&] {
                         from.change(c);
                         require(c.number(keys::first).value_or(3) == 3, "a get after it does not see a load before");
                         require(from.load(c) == 3, "nor does a load");
                     });
            require(c.number(keys::first) == 3, "what is loaded later stays");
        });
    });
    f("bulk load|invalidate tag, bulk load", [] {
        with_cache(tagged_options(2), [&](explored_cache& c) {
            tagged_source from;
            parallel([&] { from.load_in_bulk(c); },
                     [&] {
                         from.change(c);
                         require(from.load_in_bulk(c) == 3, "no call after it is given what a load before brings");
                     });
        });
    });
    f("load|invalidate tag, get|invalidate tag, get", [] {
        with_cache(tagged_options(2), [&](explored_cache& c) {
            tagged_source from;
            const auto change = [&] {
                const std::uint64_t now = from.change(c);
                require(c.number(keys::first).value_or(now) >= now, "each of two invalidations beats the load");
            };
            parallel([&] { from.load(c); }, change, change);
        });
    });
}
template <class F>
void puts_beside_an_invalidation_of_their_tag(F f) {
    f("invalidate tag, put, get|invalidate tag", [] {
        with_cache(tagged_options(2), [&](explored_cache& c) {
            c.put(probe(keys::first), probe(1));
            parallel(
                [&] {
                    c.invalidate_tag(1);
                    require(!c.number(keys::first), "what was put before is not seen");
                    c.put(probe(keys::first), probe(2));
                    require(c.number(keys::first).value_or(2) == 2, "nor later");
                },
                [&] { c.invalidate_tag(1); });
            c.put(probe(keys::first), probe(3));
            require(c.number(keys::first) == 3, "what is put later is seen");
        });
    });
}
/// The barriers alone, in fewer steps than a cache has.
template <class F>
void barriers_of_tags(F f) {
    f("tagged entry|invalidate tag|invalidate tag", [] {
        syncmap::cache_detail::tag_barriers<sync_policy> tags;
        sync_policy::atomic<std::uint64_t> source{0};
        sync_policy::atomic<bool> is_ready{false};
        syncmap::cache_detail::tagged_entry entry{syncmap::tag(1).number(), 0};
        std::uint64_t loaded = 0;
        const auto change = [&] {
            const std::uint64_t now = source.fetch_add(1, std::memory_order_relaxed) + 1;
            tags.invalidate(1);
            if (is_ready.load(std::memory_order_acquire))
                require(!tags.is_valid(entry) || loaded >= now, "an invalidation beats what was loaded before");
        };
        parallel(
            [&] {
                entry.begun = tags.now();
                loaded = source.load(std::memory_order_relaxed);
                is_ready.store(true, std::memory_order_release);
            },
            change, change);
    });
}
template <class F>
void each_of_tags(F f) {
    barriers_of_tags(f);
    loads_are_beaten_by_an_invalidation_of_their_tag(f);
    puts_beside_an_invalidation_of_their_tag(f);
}

} // namespace explore::cache_bodies
