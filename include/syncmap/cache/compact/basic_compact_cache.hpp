// The operations of a compact cache, on a table whose entries lie in it, and the eviction of eviction.hpp.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/cache/compact/compact_loading.hpp>
#include <syncmap/cache/compact/compact_operations.hpp>
#include <syncmap/cache/compact/compact_state.hpp>
#include <syncmap/cache/counting.hpp>
#include <syncmap/cache/eviction.hpp>
#include <syncmap/cache/load_times.hpp>
#include <syncmap/cache/loaders.hpp>
#include <syncmap/cache/options.hpp>
#include <syncmap/cache/other_names.hpp>
#include <syncmap/detail/goes_on.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/detail/never_copied.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/operation/built_in.hpp>
#include <syncmap/results.hpp>

namespace syncmap {

/// Options of a compact cache, as designated initializers, in this order.
template <class Key, class T>
struct compact_cache_options {
    using key_type = Key;
    using mapped_type = T;

    /// The most entries that the cache ever has. With 0 it stores nothing, and loads are still made once for all that ask.
    entry_count capacity;
    /// Makes the value of an absent key: see `cache_options::load`.
    cache_detail::loader<Key, T> load{};
    /// Whether hits, misses and evictions are counted: see `stats()`.
    bool statistics = true;
};

/// A cache of integers, whose entries lie in its table. What holds for all its operations is as in `basic_cache`, but:
///
/// Read         takes no lock, waits for no thread. While the entry has fewer than three uses it changes the entry's word, by
///              one compare-exchange, which is not repeated.
/// Values       are copied in and out. An entry has no lifetime, weight, tag or listener.
template <class Engine, class T>
class basic_compact_cache : private a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident,
                            public cache_detail::other_names,
                            private cache_detail::compact_loading<basic_compact_cache<Engine, T>, Engine, T> {
    friend class cache_detail::compact_loading<basic_compact_cache, Engine, T>;
    using Key = typename Engine::key_type;
    using Sync = typename Engine::sync_type;
    using visitor = cache_detail::acting_thread<Engine>;
    using eviction_type = cache_detail::eviction<Engine, Sync, cache_detail::no_lifetimes>;
    using lane_type = typename eviction_type::lane_type;
    using state = cache_detail::compact_state;
    using condition = cache_detail::compact_condition;
    using when = condition::kind;
    using counted = cache_detail::counted;
    using word = engine::word;
    using maybe_word = engine::maybe_word;
    using loads_type = std::remove_reference_t<decltype(std::declval<Engine&>().loads())>;

public:
    using key_type = Key;
    using mapped_type = T;
    using size_type = std::size_t;
    using hasher = typename Engine::hasher;
    using key_equal = typename Engine::key_equal;
    using allocator_type = typename Engine::allocator_type;
    using options_type = compact_cache_options<Key, T>;

    /// An empty cache. Allocates what it needs to know of keys for its whole capacity, about nine bytes an entry. Throws:
    /// `std::bad_alloc`.
    explicit basic_compact_cache(const options_type& options, const hasher& hash = hasher(),
                                 const key_equal& equal = key_equal(), const allocator_type& alloc = allocator_type())
        : load_(options.load), engine_(hash, equal, alloc),
          eviction_(engine_, options.capacity.value(), weigh_, lifetimes_, false, options.statistics, alloc),
          load_times_(coarse_clock()) {}
    basic_compact_cache(const options_type& options, const allocator_type& alloc)
        : basic_compact_cache(options, hasher(), key_equal(), alloc) {}

    // Errors in words.
    template <std::integral... N>
        requires(sizeof...(N) < 2)
    explicit basic_compact_cache(N...) : basic_compact_cache(cache_detail::options_instead_of<options_type, N...>()) {}
    using cache_detail::other_names::end;
    using cache_detail::other_names::put;

    // ---- reads ----

    /// A copy of the value of `key`, or nothing. Never loads. Progress: a read.
    template <class K = Key>
    [[nodiscard, gnu::always_inline]] std::optional<T> get(const K& key) const {
        const Key own = lookup(key);
        // The word stays in a register; an optional of a small value would be written in two parts, and read as one.
        const maybe_word found = engine_.show(own, [&](word w) __attribute__((always_inline)) {
            count(engine_.own_slot(), counted::hit);
            if (state::notes_use(w)) [[unlikely]]
                note_use(own, w);
            return maybe_word(w);
        });
        if (!found) [[unlikely]] {
            count(engine_.own_slot(), counted::miss);
            return std::nullopt;
        }
        return value_in(*found);
    }
    /// The same without a trace: neither a use of the entry, nor a hit or a miss.
    template <class K = Key>
    [[nodiscard]] std::optional<T> peek(const K& key) const {
        const maybe_word found = engine_.word_of(lookup(key));
        return found ? std::optional<T>(value_in(*found)) : std::nullopt;
    }
    /// Whether `key` is there, without a trace, as `peek`.
    template <class K = Key>
    [[nodiscard]] bool contains(const K& key) const {
        return static_cast<bool>(engine_.word_of(lookup(key)));
    }
    /// Calls `f(const T&)`, or `f(const Key&, const T&)`, on a copy of the value of `key`, and returns true; or returns false
    /// when the key is absent. Progress: a read.
    template <class K = Key, class F>
    bool visit(const K& key, F&& f) const {
        static_assert(std::invocable<F&, const T&> || std::invocable<F&, const Key&, const T&>,
                      "syncmap: visit(key, f) calls f(const T&) or f(const Key&, const T&)");
        const Key own = lookup(key);
        const std::optional<T> value = get(own);
        if (!value) return false;
        if constexpr (std::invocable<F&, const T&>) {
            std::invoke(f, *value);
        } else {
            std::invoke(f, own, *value);
        }
        return true;
    }

    // ---- writes ----

    /// Sets the value of `key`. Returns true; false, if the capacity is 0. Beats every load of the key that began before.
    /// Progress: a write.
    template <class K = Key, class U = T>
    bool put(const K& key, U&& value) {
        return store(lookup(key), word_of<U>(value), {when::none}) != outcome::refused;
    }
    /// The same if `key` is absent; returns whether it stored.
    template <class K = Key, class U = T>
    bool put_if_absent(const K& key, U&& value) {
        return store(lookup(key), word_of<U>(value), {when::absent}) == outcome::inserted;
    }
    /// The same if `key` is there; returns whether it was.
    template <class K = Key, class U = T>
    bool replace(const K& key, U&& value) {
        return store(lookup(key), word_of<U>(value), {when::present}) == outcome::overwritten;
    }

    /// Atomic read-modify-write: `f(const T* current)` (null when absent) returns what is to be: a value, an empty optional (no
    /// entry), or `syncmap::keep`. It runs again where another thread has changed the value meanwhile. Returns what was done;
    /// `kept`, where an entry was wanted and the capacity is 0.
    ///
    /// Progress: lock-free but for the writes. Throws: what `f` throws; `std::bad_alloc`.
    template <class K = Key, class F>
    update_result update(const K& key, F&& f) {
        static_assert(std::is_invocable_v<F&, const T*>,
                      "syncmap: update(key, f) calls f(const T* current), null when the key is absent");
        static_assert(std::is_constructible_v<update_action<T>, std::invoke_result_t<F&, const T*>>,
                      "syncmap: update: f returns the new value, an optional of it (empty: erase), or syncmap::keep");
        const Key own = lookup(key);
        for (;;) {
            const maybe_word seen = engine_.word_of(own);
            const std::optional<T> current = seen ? std::optional<T>(value_in(*seen)) : std::nullopt;
            detail::update_operation<T, std::remove_reference_t<F>> op{f};
            const decision wanted = op.decide(current ? std::addressof(*current) : nullptr);
            if (wanted == decision::keep) return update_result::kept;
            const condition same{seen ? when::same : when::absent, seen ? *seen & state::value_mask : 0};
            if (wanted == decision::erase) {
                if (erase(own, same)) return op.outcome;
                continue;
            }
            const T next(op.make());
            switch (store(own, engine::to_word(next), same)) {
            case outcome::refused: return update_result::kept;
            case outcome::unchanged: break;
            default: return op.outcome;
            }
        }
    }

    /// Removes `key` and returns the value it had, or nothing when it was absent. Beats the loads as `invalidate`.
    template <class K = Key>
    [[nodiscard]] std::optional<T> take(const K& key) {
        const std::optional<word> erased = erase(lookup(key), {});
        return erased ? std::optional<T>(value_in(*erased)) : std::nullopt;
    }
    /// Removes `key`; returns whether it was there. Beats every load of the key that began before: what that one brings goes to
    /// calls from before, and is not stored. Progress: a write.
    template <class K = Key>
    bool invalidate(const K& key) {
        return erase(lookup(key), {}).has_value();
    }
    /// Removes everything, in one step. Beats every load that began before. The places in the capacity return with later
    /// writes, a few each: until then fewer new entries fit. Complexity: constant. Throws: `std::bad_alloc`; nothing has
    /// happened then.
    void invalidate_all() {
        visitor by(engine_);
        take_apart(by); // nothing grows, where only this is called
        engine_.clear_later(by);
        engine_.loads().overtake_all();
    }
    /// Removes the entries for which `f(const Key&, const T&)` returns true; returns how many. Beats every load that began
    /// before, of any key. Consistency: `f` is shown each entry that is there throughout once; one whose value has changed
    /// since stays. Throws: what `f` throws; `std::bad_alloc`. What was removed until then stays removed.
    template <class F>
    size_type invalidate_if(F&& f) {
        static_assert(std::predicate<F&, const Key&, const T&>, "syncmap: invalidate_if(f) calls f(const Key&, const T&)");
        Sync::fence(); // pairs with the one of a load that begins: it begins after what the caller did before, or is seen
        engine_.loads().overtake_all();
        Sync::fence(); // pairs with the one of a load that stores
        engine_.loads().wait_for_writes(); // the walk looks at no lock: it might miss what a load is about to store
        size_type removed = 0;
        engine_.for_each([&](const Key& key, const word& w) {
            if (std::invoke(f, key, value_in(w)) && erase(key, {when::same, w & state::value_mask}, counted::kinds)) {
                ++removed;
                if (counts()) invalidated_.fetch_add(1, std::memory_order_relaxed);
            }
            return true;
        });
        return removed;
    }

    // ---- loads ----

    /// The value of `key`. When it is absent, `f(key)`, or `f()`, makes it, once, however many threads ask at the same time:
    /// the others sleep, and share the value, or the exception. As `get_or_load` of `cache`.
    template <class K = Key, class F>
    [[nodiscard]] auto get_or_load(const K& key, F&& f) {
        constexpr bool may_find_nothing = std::is_same_v<cache_detail::loaded_by<F, Key>, std::optional<T>>;
        using result = std::conditional_t<may_find_nothing, std::optional<T>, T>;
        const Key own = lookup(key);
        if (const std::optional<T> hit = get(own)) return result(*hit);
        const maybe_word loaded = this->template load_absent<may_find_nothing>(own, f);
        if constexpr (may_find_nothing) {
            return loaded ? result(value_in(*loaded)) : result();
        } else {
            return value_in(*loaded);
        }
    }
    /// The same with the loader of the options. An empty optional: it has found nothing. Throws: `no_loader`, where the key is
    /// absent and the options have none.
    template <class K = Key>
    [[nodiscard]] std::optional<T> get_or_load(const K& key) {
        const Key own = lookup(key);
        if (const std::optional<T> hit = get(own)) return hit;
        if (!load_) throw no_loader();
        const maybe_word loaded = this->template load_absent<true>(own, load_);
        return loaded ? std::optional<T>(value_in(*loaded)) : std::nullopt;
    }

    // ---- the whole cache ----

    /// Calls `f(const Key&, const T&)` for the entries, without a trace; `f` may return false to stop. Returns the number of
    /// calls. Consistency: weak, as `for_each` of `map`.
    template <class F>
    size_type for_each(F&& f) const {
        static_assert(std::invocable<F&, const Key&, const T&>, "syncmap: for_each(f) calls f(const Key&, const T&)");
        return engine_.for_each([&](const Key& key, const word& w) { return detail::goes_on(f, key, value_in(w)); });
    }

    /// How many entries there were at one instant of the call; never more than the capacity. As `size` of `map`.
    [[nodiscard]] size_type size() const { return engine_.size(); }
    /// How many entries it has at most: at no instant of this call are there more.
    [[nodiscard]] size_type capacity() const noexcept { return eviction_.capacity(); }
    /// How many bytes the cache has allocated: its table, its policy, and what waits to be freed. Of this object itself
    /// `sizeof` tells. Throws: `std::bad_alloc`.
    [[nodiscard]] size_type bytes_used() const {
        auto& engine = const_cast<Engine&>(engine_);
        visitor by(engine);
        return engine.bytes_beside_entries(by) + eviction_.policy_bytes();
    }
    /// Changes the capacity: as `set_capacity` of `cache`.
    void set_capacity(entry_count n) {
        visitor by(engine_);
        eviction_.set_capacity(by, n.value());
    }
    /// What has happened so far: as `stats` of `cache`.
    [[nodiscard]] cache_stats stats() const noexcept {
        cache_stats now = cache_detail::sums_of(eviction_.counters(), load_times_);
        now.invalidated = invalidated_.load(std::memory_order_relaxed) + eviction_.cleared();
        now.entries = engine_.approx_size();
        now.capacity = capacity();
        return now;
    }

    /// Copies of what the cache was made with.
    [[nodiscard]] hasher hash_function() const { return engine_.hash_function(); }
    [[nodiscard]] key_equal key_eq() const { return engine_.key_eq(); }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return engine_.get_allocator(); }

private:
    template <class K>
    static Key lookup(const K& key) {
        static_assert(detail::lookup_key<K, Key, hasher, key_equal>,
                      "syncmap: this type cannot be looked up in this cache: it does not convert to the key type");
        return detail::as_key<Engine>(key);
    }
    template <class U>
    static word word_of(std::remove_reference_t<U>& value) {
        detail::check_value<T, U&&>();
        const T own = static_cast<T>(std::forward<U>(value));
        return engine::to_word(own);
    }
    static T value_in(word w) noexcept { return engine::from_word<T>(w & state::value_mask); }

    bool counts() const noexcept { return eviction_.counters().counts(); }
    void count(std::uint32_t slot, counted what) const noexcept { eviction_.counters().count(slot, what); }
    /// One that fails loses a use, and no more.
    [[gnu::cold, gnu::noinline]] void note_use(const Key& key, word seen) const noexcept {
        if (state::is_in_sample(seen)) eviction_.hear_of_hit(engine_.hash_of_key(key), engine_.own_slot());
        if (!state::counts_use(seen)) return;
        try {
            engine_.note(key, seen, state::after_use(seen));
        } catch (...) {
            return; // there is no memory for a thread that has never written
        }
    }

    /// What a put of a new key has got for it. What it does not use goes back.
    class admitted {
    public:
        admitted(eviction_type& bound, visitor& by, std::uint64_t hash) noexcept
            : bound_(bound), by_(by), lane_(bound.lane_of(by)), hash_(hash) {}
        admitted(const admitted&) = delete;
        admitted& operator=(const admitted&) = delete;
        ~admitted() {
            bound_.give_back(got_);
            bound_.leave(got_);
        }
        /// Evicts, if need be. False: nothing can be stored.
        bool admit() {
            if (!bound_.is_closed()) bound_.admit(by_, lane_, hash_, got_);
            return got_.held >= got_.need;
        }
        /// What the entry begins with.
        word mark() const noexcept { return state::begin_in(got_.where, got_.is_in_sample); }
        void has_inserted() {
            got_.held -= got_.need;
            bound_.inserted(by_, hash_, got_);
        }

    private:
        eviction_type& bound_;
        visitor& by_;
        lane_type& lane_;
        const std::uint64_t hash_;
        typename eviction_type::admission got_{};
    };

    enum class outcome : unsigned char { inserted, overwritten, unchanged, refused };

    [[gnu::noinline]] outcome store(const Key& key, word value, const condition& on) {
        visitor by(engine_);
        const std::uint64_t hash = engine_.hash_of_key(key);
        lane_type& lane = eviction_.lane_of(by);
        eviction_.fetch_for(lane, hash);
        cache_detail::compact_store<loads_type> op{engine_.loads(), hash, value, on};
        outcome done = outcome::unchanged;
        if (engine_.word_of(key, hash)) engine_.write_at(by, hash, key, op);
        if (op.stores) {
            lane.has_inserted(false);
            done = outcome::overwritten;
        } else if (!op.was_present) {
            done = store_absent(by, hash, key, op);
        }
        if (done == outcome::inserted || done == outcome::overwritten)
            count(by.slot(), done == outcome::inserted ? counted::insert : counted::replaced);
        take_apart(by);
        return done;
    }
    [[gnu::always_inline]] outcome store_absent(visitor& by, std::uint64_t hash, const Key& key,
                                                cache_detail::compact_store<loads_type>& op) {
        admitted mine(eviction_, by, hash);
        op.has_permit = op.when.lets_insert() && mine.admit();
        op.mark = mine.mark();
        engine_.write_at(by, hash, key, op);
        if (op.has_inserted()) mine.has_inserted();
        if (op.lacks_permit()) return outcome::refused;
        return op.has_inserted() ? outcome::inserted : op.stores ? outcome::overwritten : outcome::unchanged;
    }

    [[gnu::noinline]] std::optional<word> erase(const Key& key, const condition& on, counted what = counted::erased) {
        visitor by(engine_);
        const std::uint64_t hash = engine_.hash_of_key(key);
        Sync::fence(); // pairs with the one of a load that begins: it begins after what the caller did before, or is seen
        cache_detail::compact_erase<loads_type> op{engine_.loads(), hash, on};
        engine_.write_at(by, hash, key, op);
        if (op.erased) {
            eviction_.pool().give();
            if (what != counted::kinds) count(by.slot(), what);
        }
        take_apart(by);
        return op.erased;
    }
    void take_apart(visitor& by) {
        if (engine_.has_cleared()) [[unlikely]]
            eviction_.take_apart(by, buckets_a_write);
    }
    static constexpr size_type buckets_a_write = 8;

protected: // for the tests, which look at the books
    const cache_detail::loader<Key, T> load_;
    cache_detail::no_lifetimes lifetimes_{};
    const cache_detail::weigher<Key, word> weigh_{};
    mutable Engine engine_;
    mutable eviction_type eviction_;
    cache_detail::load_times<Sync, coarse_clock> load_times_;
    typename Sync::template atomic<std::uint64_t> invalidated_{0};
};

} // namespace syncmap
