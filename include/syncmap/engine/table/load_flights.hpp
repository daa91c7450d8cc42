// Loads of absent keys, for extensions of the map: one load for each key, whose waiters share what it brings, and which a
// later write of the key overtakes (single_flight/load_registry.hpp).
//
// A load owns a flight of its own kind, not the key: writers of the key do not wait for it. An overtaken flight is no longer
// the key's: the next thread that asks begins another one. Cycles of waiting threads are found as for computations, since all
// flights of the process lie in one registry.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/engine/single_flight/load_registry.hpp>
#include <syncmap/engine/table/memory_use.hpp>
#include <syncmap/errors.hpp>

namespace syncmap::engine {

template <class Types>
class load_flights : public memory_use<Types> {
    using base = memory_use<Types>;
    using Sync = typename Types::sync;
    using Key = typename Types::key_type;
    using record = load_record<Sync>;

    /// What the registry of flights compares: the key, and whether the load still is the key's.
    struct flight_name {
        const void* key;
        /// (1) release, (2) acquire: a waiting thread that takes over a flight gives it its own load, while others compare
        /// names.
        typename Sync::template atomic<const record*> load;
        flight_name(const void* of_key, const record* of_load) noexcept : key(of_key), load(of_load) {}
        flight_name(const flight_name& other) noexcept : key(other.key), load(other.load.load(std::memory_order_relaxed)) {}
        flight_name& operator=(const flight_name&) = delete;
    };
    /// Tells the loads of this map from its computations, in the registry of flights.
    struct load_space {
        const load_flights* map;
    };

public:
    using base::base;
    using visitor = typename base::visitor;
    using held_entry = typename base::held_entry;

    /// Loads of keys that cannot be copied, and are compared by the user's functions, share a flight if they have one hash.
    static constexpr bool loads_compare_hashes_alone = base::compares_hashes_alone;

    /// What a flight ended with, for its owner and for the threads that waited.
    struct load_outcome {
        held_entry entry{}; ///< none: the loader found nothing
        bool settled = false; ///< false: this thread got neither a value nor its absence
        /// The owner has found this in the map; its loader did not run. Waiting threads do not get it: it may have ended before
        /// their calls began.
        bool was_there = false;
    };

    /// Loads that run, for writers: they overtake those of their keys.
    load_registry<Sync>& loads() noexcept { return loads_; }

    /// One thread's part in the load of a key: as the one that loads, or as one that waits. On that thread's stack.
    template <class K>
    class load_flight {
        using named = typename base::template registration<K>;

    public:
        using part = flight_part;

        /// What the extension notes when its load begins, for the write of what that brings.
        std::uint64_t noted = 0;

        load_flight(load_flights& map, visitor& by, std::uint64_t hash, const K& key, load_outcome& outcome)
            : map_(map), flights_(map.flights_of(by)), record_(map.loads_.take(hash)), key_(named::registered(key)),
              name_{address_of_key(), std::addressof(record_)},
              claim_(std::addressof(map.load_space_), hash, std::addressof(name_), kind_of_loads) {
            claim_.result = std::addressof(outcome);
            claim_.give = [](const void* from, void* to) noexcept {
                const auto& brought = *static_cast<const load_outcome*>(from);
                auto& theirs = *static_cast<load_outcome*>(to);
                if (brought.was_there) return;
                theirs.entry = brought.entry.share();
                theirs.settled = brought.settled;
            };
        }
        load_flight(const load_flight&) = delete;
        load_flight& operator=(const load_flight&) = delete;
        ~load_flight() {
            if (claim_.owns()) {
                flights_.leave(claim_);
                map_.loads_.end(record_); // until then other threads may come to share what it has brought
            }
            map_.loads_.give_back(record_);
        }

        /// Owns: this thread loads, and is alone in that. Shares: another thread did, and the outcome is its.
        /// Waits until the limit at most, if there is one. Throws: what that thread's loader threw; `recursive_load`.
        flight_part enter_or_share(const typename Sync::deadline* limit) {
            return enter([&] { return flights_.enter_or_share(claim_, limit); });
        }
        /// Does the same without waiting. False: another thread loads the key. Throws: `recursive_load`.
        bool try_enter() {
            return enter([this] { return flights_.try_enter_to_share(claim_) ? flight_part::owns : flight_part::gave_up; }) ==
                   flight_part::owns;
        }
        /// Begins a load beside that of another thread. No thread shares it; this one may not ask for the key meanwhile.
        /// Throws: `recursive_load`.
        void enter_alone() {
            record_.alone.store(true, std::memory_order_relaxed);
            static_cast<void>(try_enter());
        }
        /// No thread that asks from now on shares what this load brings; those that wait do. Before other threads can see that
        /// in the map: a later write of the key does not overtake this load then.
        void share_no_more() const noexcept { record_.alone.store(true, std::memory_order_release); }
        /// The waiting threads get this exception.
        void fail(std::exception_ptr failure) noexcept { claim_.fail(std::move(failure)); }
        /// The load's write: see load_registry.
        void begins_storing() const noexcept { map_.loads_.begins_storing(record_); }
        void ends_storing() const noexcept { map_.loads_.ends_storing(record_); }
        bool is_overtaken() const noexcept { return record_.is_overtaken(std::memory_order_acquire); }

    private:
        template <class Enter>
        flight_part enter(Enter try_to) {
            flight_part got = flight_part::owns;
            try {
                got = try_to();
            } catch (const recursive_update&) {
                throw recursive_load();
            }
            if (got == flight_part::owns) map_.loads_.begin(record_);
            return got;
        }
        const void* address_of_key() const noexcept { return std::addressof(key_); }

        load_flights& map_;
        single_flight<Sync>& flights_;
        record& record_;
        typename named::kept key_;
        flight_name name_;
        typename single_flight<Sync>::claim claim_;
    };

    /// Returns whether the calling thread computes or loads a key, of any map.
    static bool owns_any(visitor& by) { return by.control_.home->flights.owns_any(); }
    /// How many forks lie behind this process.
    static const auto& forks(visitor& by) noexcept { return by.control_.home->forks; }

    /// By the thread that loads, before it looks for the key: every writer of the key either had the lock of its bucket
    /// before, or sees the load. Returns the generation of the map, for the write of what is loaded.
    template <class K>
    std::uint64_t pass_writers(visitor& by, std::uint64_t hash, const K& key) {
        this->wait_for_earlier_writers(by.control_, hash, key);
        return generation_now(by);
    }
    /// The generation of the map: a thread that erases all from now on finds the table of that generation.
    std::uint64_t generation_now(visitor& by) {
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            if (const auto* const t = base::table_of(root); t != nullptr) {
                Sync::fence(); // pairs with the one in clear_later
                return t->generation.load(std::memory_order_relaxed);
            }
            resizer<Types>::make_first_table(*this, by.control_, root, base::min_log2());
        }
    }

private:
    static bool is_of_key(const flight_name& mine, const flight_name& other) noexcept {
        // The thread's own load stays the key's: to ask for it is a recursion.
        const record& theirs = *other.load.load(std::memory_order_acquire); // (2)
        const record& own = *mine.load.load(std::memory_order_relaxed);
        const bool is_shared = !own.alone.load(std::memory_order_relaxed) && !theirs.alone.load(std::memory_order_relaxed);
        return (is_shared && !theirs.is_overtaken(std::memory_order_acquire)) ||
               theirs.thread.load(std::memory_order_relaxed) == own.thread.load(std::memory_order_relaxed);
    }
    static bool same_loads(const void* space, const void* mine, const void* other) {
        const auto& a = *static_cast<const flight_name*>(mine);
        const auto& b = *static_cast<const flight_name*>(other);
        if (!is_of_key(a, b)) return false;
        if constexpr (base::compares_hashes_alone) {
            return true;
        } else {
            using registered = typename base::registered_key;
            return static_cast<bool>(static_cast<const load_space*>(space)->map->equal_(
                *static_cast<const registered*>(a.key), *static_cast<const registered*>(b.key)));
        }
    }
    /// The name with a key of its own. The room's own copy is of the key; this one lies before it.
    struct owned_name {
        flight_name name;
        key_room copied{};
        owned_name(const void* space, const flight_name& of) : name(of) {
            name.key = base::copy_of_key(static_cast<const load_space*>(space)->map, of.key, copied);
        }
        owned_name(const owned_name&) = delete;
        owned_name& operator=(const owned_name&) = delete;
        ~owned_name() { copied.clear(); }
    };
    static const void* copy_of_name(const void* space, const void* mine, key_room& room) {
        return std::addressof(room.template emplace<owned_name>(space, *static_cast<const flight_name*>(mine))->name);
    }
    static void name_is_taken(void* copy, const void* mine) noexcept {
        const record* const load = static_cast<const flight_name*>(mine)->load.load(std::memory_order_relaxed);
        static_cast<owned_name*>(copy)->name.load.store(load, std::memory_order_release); // (1)
    }
    static constexpr flight_key kind_of_loads = [] {
        if constexpr (base::key_kind.copy == nullptr) {
            return flight_key{&same_loads, nullptr};
        } else {
            return flight_key{&same_loads, &copy_of_name, &name_is_taken};
        }
    }();

    single_flight<Sync>& flights_of(visitor& by) noexcept { return by.control_.home->flights; }

    load_space load_space_{this};
    load_registry<Sync> loads_{};
};

/// The table of `syncmap::map` for extensions, whose entries carry marks.
template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Mark, class Sync = machine>
using marked_table = load_flights<table_types<Key, T, Hash, KeyEqual, Allocator, Sync, Mark>>;

} // namespace syncmap::engine
