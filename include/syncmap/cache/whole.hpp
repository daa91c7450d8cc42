// Operations that look at all entries of a cache: the removal of those that a function names, and the entries in the order in
// which they are used.
#pragma once

#include <syncmap/detail/language.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <syncmap/cache/operations.hpp>
#include <syncmap/cache/ranking.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/detail/value_forms.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/pinned.hpp>

namespace syncmap::cache_detail {

/// Erases an entry if it still has the value that was seen.
template <class T>
struct erase_seen_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = false;
    static constexpr bool runs_user_code = true; // so that it is shown the entry itself
    static constexpr removal reason = removal::invalidated;
    const T* seen;
    std::memory_order order = std::memory_order_seq_cst;

    decision decide(const T* current) const noexcept { return current == seen ? decision::erase : decision::keep; }
    [[noreturn]] T make() const noexcept { std::terminate(); }
};

/// A base of a cache `Cache` on the table `Engine`.
template <class Cache, class Engine>
class whole_cache {
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using shown = detail::shown_t<T>;
    using entry = typename Engine::entry_type;
    using visitor = acting_thread<Engine>;
    using sighting = typename Engine::sighting;
    using held_entry = typename Engine::held_entry;
    friend Cache;
    whole_cache() = default;

public:
    /// Removes the entries for which `f(const Key&, const T&)` returns true; returns how many. Beats every load that began
    /// before, of any key: what that load brings goes to calls from before, and is not stored. `f` is also shown expired
    /// entries that may still answer a load that fails (`stale_if_error`). They are removed in the same way, and not counted.
    ///
    /// Progress: a read that may wait for a writer of the bucket that it copies, and a write for each entry that goes.
    /// Consistency: `f` is shown each entry that is there throughout once. One that was changed since it was shown stays, and
    /// so does one whose key the calling thread updates. Throws: what `f` throws; `std::bad_alloc`. What was removed until then
    /// stays removed.
    template <class F>
    std::size_t invalidate_if(F&& f) {
        static_assert(std::predicate<F&, const Key&, shown>, "syncmap: invalidate_if(f) calls f(const Key&, const T&)");
        visitor by(self().engine_, self().listener_.get());
        overtake_loads();
        counted_removals removed(self());
        self().engine_.each_entry([&](const entry& e) {
            if (self().lifetimes_.may_answer(e) && std::invoke(f, e.key(), detail::shown(e.value())) &&
                remove_seen(by, e.key(), e.value()))
                ++removed.count;
            return true;
        });
        return removed.count;
    }

    /// Up to `n` entries, the ones that would stay longest first. They are pinned. Entries that weigh nothing come first, then
    /// main ones, then small ones; of those, entries that were used more often lately, then those that the cache has counted
    /// more often before. What has expired is left out, and so is an entry that leaves meanwhile. Consistency: weak, as
    /// `for_each`. Complexity: linear in the table. Throws: `std::bad_alloc`.
    [[nodiscard]] std::vector<pinned<Engine>> hottest(std::size_t n) const {
        return ranked(n, [](std::uint64_t a, std::uint64_t b) { return a > b; });
    }
    /// The same from the other end: the ones that would leave first.
    [[nodiscard]] std::vector<pinned<Engine>> coldest(std::size_t n) const {
        return ranked(n, [](std::uint64_t a, std::uint64_t b) { return a < b; });
    }

private:
    Cache& self() noexcept { return static_cast<Cache&>(*this); }
    const Cache& self() const noexcept { return static_cast<const Cache&>(*this); }

    /// What the statistics learn, however the walk ends.
    struct counted_removals {
        explicit counted_removals(Cache& cache) noexcept : of(cache) {}
        counted_removals(const counted_removals&) = delete;
        counted_removals& operator=(const counted_removals&) = delete;
        ~counted_removals() {
            if (of.counts_) of.invalidated_.fetch_add(count, std::memory_order_relaxed);
        }
        Cache& of;
        std::size_t count = 0;
    };

    /// Before a walk that removes entries.
    void overtake_loads() noexcept {
        Engine::sync_type::fence(); // pairs with the one of a load that begins: it begins after what the caller did before, or
                                    // is seen
        self().engine_.loads().overtake_all();
        // A load that has the lock of its bucket before the walk comes there stores its value before the walk looks; one that
        // gets it later sees that it is overtaken.
        Engine::sync_type::fence();
    }
    /// For `invalidate_all` with a listener in order. Expired entries go, too, and what is remembered of loads.
    void remove_each(visitor& by) {
        overtake_loads();
        counted_removals removed(self());
        self().engine_.each_entry([&](const entry& e) {
            removed.count += remove_seen(by, e.key(), e.value()) ? 1U : 0U;
            return true;
        });
    }

    bool remove_seen(visitor& by, const Key& key, const T& value) {
        erase_seen_operation<T> op{std::addressof(value)};
        typename Cache::template bounded<decltype(op)> bounded_op(self().eviction_, self().engine_, by,
                                                                  self().engine_.hash_of_key(key), op);
        try {
            self().engine_.write_at(by, bounded_op.hash(), key, bounded_op);
        } catch (const recursive_update&) {
            return false;
        }
        bounded_op.end();
        if (bounded_op.did() == counted::expiration) self().count(by.slot(), counted::expiration);
        return bounded_op.erased();
    }

    struct candidate {
        std::uint64_t rank;
        std::uint64_t hash;
    };

    template <class Before>
    std::vector<pinned<Engine>> ranked(std::size_t n, Before before) const {
        std::vector<candidate> best; // a heap: the worst of them first
        auto& engine = const_cast<Engine&>(self().engine_);
        visitor by(engine, nullptr);
        const auto first = [&](const candidate& a, const candidate& b) { return before(a.rank, b.rank); };
        if (n != 0) {
            const ranking all(self().eviction_, by);
            all.each([&](std::uint64_t hash, std::uint64_t rank) {
                if (best.size() == n) {
                    if (!before(rank, best.front().rank)) return;
                    std::pop_heap(best.begin(), best.end(), first);
                    best.pop_back();
                }
                best.push_back({rank, hash});
                std::push_heap(best.begin(), best.end(), first);
            });
        }
        std::sort_heap(best.begin(), best.end(), first);
        std::vector<pinned<Engine>> pins;
        pins.reserve(best.size());
        for (const candidate& each : best) {
            held_entry held;
            if (sighting seen(by); engine.find(each.hash, seen) && self().lifetimes_.is_live(*seen)) engine.hold(held, *seen);
            if (held) pins.push_back(Cache::pinned_of(std::move(held)));
        }
        return pins;
    }
};

} // namespace syncmap::cache_detail
