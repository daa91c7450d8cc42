// The loads of a compact cache: the steps LO1 to LO5 of docs/cache.md, for values that are words.
//
// [CO3] A load shares with no thread that comes once others may find its value in the cache: a write that finds the entry
//       overtakes no load. The threads that wait for it by then get its value.
#pragma once

#include <syncmap/detail/language.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>

#include <syncmap/cache/compact/compact_operations.hpp>
#include <syncmap/cache/counting.hpp>
#include <syncmap/cache/loaders.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/marked_map.hpp>

namespace syncmap::cache_detail {

/// A base of a compact cache `Cache` on the table `Engine`.
template <class Cache, class Engine, class T>
class compact_loading {
    friend Cache;
    compact_loading() = default;

    using Key = typename Engine::key_type;
    using Sync = typename Engine::sync_type;
    using visitor = acting_thread<Engine>;
    using word = engine::word;
    using maybe_word = engine::maybe_word;

    Cache& self() noexcept { return static_cast<Cache&>(*this); }

    template <bool MayFindNothing, class F>
    [[gnu::noinline]] maybe_word load_absent(const Key& key, F& f) {
        visitor by(self().engine_);
        const std::uint64_t hash = self().engine_.hash_of_key(key);
        for (;;) {
            typename Engine::load_outcome brought;
            bool is_own = false;
            {
                typename Engine::template load_flight<Key> flight(self().engine_, by, hash, key, brought);
                is_own = flight.enter_or_share(nullptr) == std::remove_reference_t<decltype(flight)>::part::owns;
                if (is_own) load_alone(by, hash, key, f, flight, brought);
            }
            // Another thread's loader may have found nothing where this one must not.
            if (brought.settled && (is_own || brought.entry || MayFindNothing))
                return brought.entry ? maybe_word(brought.entry.value()) : maybe_word();
        }
    }
    template <class F, class Flight>
    void load_alone(visitor& by, std::uint64_t hash, const Key& key, F& f, Flight& flight,
                    typename Engine::load_outcome& brought) {
        using held = typename Engine::held_entry;
        const std::uint64_t generation = self().engine_.pass_writers(by, hash, key);
        try {
            if (self().engine_.word_of(key, hash)) {
                flight.share_no_more();
                Sync::fence(); // pairs with the one of a write: that thread does not share, or its write is seen here
                const maybe_word present = self().engine_.word_of(key, hash);
                if (!present) return; // it has left meanwhile
                brought.entry = held(*present);
            } else if (const std::optional<T> value = counted_load(self().eviction_.counters(), self().load_times_, by.slot(),
                                                                   [&] { return load_by<T>(f, key); })) {
                const word w = engine::to_word(*value);
                brought.entry = held(w);
                store_loaded(by, hash, key, w, flight, generation);
            }
            brought.settled = true;
        } catch (const recursive_load&) {
            throw; // an error of this thread, not of the waiting threads
        } catch (const recursive_update&) {
            throw;
        } catch (...) {
            flight.fail(std::current_exception());
            throw;
        }
    }
    template <class Flight>
    void store_loaded(visitor& by, std::uint64_t hash, const Key& key, word value, const Flight& flight,
                      std::uint64_t generation) {
        if (self().eviction_.is_closed()) return;
        compact_load<Flight> op{flight, generation, value};
        if (!flight.is_overtaken()) {
            typename Cache::admitted mine(self().eviction_, by, hash);
            if (!mine.admit()) return;
            op.mark = mine.mark();
            op.write(self().engine_, by, hash, key);
            if (op.has_inserted) mine.has_inserted();
        }
        if (op.has_inserted) {
            self().count(by.slot(), counted::insert);
        } else if (!op.was_present) {
            self().count(by.slot(), counted::stale_dropped);
        }
        self().take_apart(by);
    }
};

} // namespace syncmap::cache_detail
