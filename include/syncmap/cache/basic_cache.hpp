// The operations of a cache, on top of a table with marked entries and the eviction of eviction.hpp.
#pragma once

#include <syncmap/detail/language.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/cache/bulk_loading.hpp>
#include <syncmap/cache/counting.hpp>
#include <syncmap/cache/eviction.hpp>
#include <syncmap/cache/load_times.hpp>
#include <syncmap/cache/operations.hpp>
#include <syncmap/cache/options.hpp>
#include <syncmap/cache/other_names.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/cache/restarting.hpp>
#include <syncmap/cache/time/expiring.hpp>
#include <syncmap/cache/time/lifetimes.hpp>
#include <syncmap/cache/whole.hpp>
#include <syncmap/detail/goes_on.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/detail/never_copied.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/pinned.hpp>

namespace syncmap {

/// A cache that any number of threads share. What holds for all its operations is said here once.
///
/// Threads      Any number may call any operation at once and need not register. Only construction and destruction belong to
///              one thread.
/// Bound        At no instant has the cache more entries than its capacity. With `.weigh`: at no instant do the entries weigh
///              more; entries of weight 0 are not bounded. A put of a new key evicts another entry first, never its own. A put
///              is visible when it returns; nothing is dropped silently.
/// Progress     *Read*: takes no lock, waits for no thread. It writes to its entry one byte at most (in `lru_cache` a number),
///              and with `expire_after_access` sometimes its deadline. *Write*: as in `map`; one of a new key evicts in a full
///              cache. An eviction waits for no thread that computes or loads. For room, a put waits only where all of the
///              capacity is in the hands of threads that are inserting. A put looks at a few entries; at some hundreds, where
///              all entries were read often.
/// Consistency  Each operation on one key is linearizable, evictions being erases of their own. A cache that is never full is a
///              map.
/// Throws       As in `map`. After a throw the cache holds what it held before, but perhaps for an entry that was evicted.
/// Callbacks    Loaders, functions given to `visit` and `update`, and destructors of values may call every operation of the
///              same cache. Two things throw instead of waiting for ever: a loader that asks for its own key
///              (`recursive_load`), and a function of `update` that writes its own key (`recursive_update`).
/// Keys, values, conversions   as in `map`; see facade.hpp.
template <class Engine, class Clock = coarse_clock>
class basic_cache : private a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident,
                    public cache_detail::other_names,
                    public cache_detail::bulk_loading<basic_cache<Engine, Clock>, Engine>,
                    public cache_detail::expiring<basic_cache<Engine, Clock>, Engine>,
                    public cache_detail::restarting<basic_cache<Engine, Clock>>,
                    public cache_detail::whole_cache<basic_cache<Engine, Clock>, Engine> {
    friend class cache_detail::loading<basic_cache, Engine>;
    friend class cache_detail::remembering<basic_cache, Engine>;
    friend class cache_detail::bulk_loading<basic_cache, Engine>;
    friend class cache_detail::expiring<basic_cache, Engine>;
    friend class cache_detail::whole_cache<basic_cache, Engine>;
    friend struct cache_detail::restart_access;
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using Sync = typename Engine::sync_type;
    using copied = detail::copied_out_t<T>;
    using given = detail::given_t<T>;
    using given_key = detail::given_t<Key>;
    using shown = detail::shown_t<T>;
    using entry = typename Engine::entry_type;
    using visitor = cache_detail::acting_thread<Engine>;
    using held_entry = typename Engine::held_entry;
    using counted = cache_detail::counted;

    template <class K>
    static constexpr bool is_lookup_key = detail::lookup_key<K, Key, typename Engine::hasher, typename Engine::key_equal>;

public:
    using key_type = Key;
    using mapped_type = T;
    using size_type = std::size_t;
    using hasher = typename Engine::hasher;
    using key_equal = typename Engine::key_equal;
    using allocator_type = typename Engine::allocator_type;
    using clock_type = Clock;
    using options_type = cache_options<Key, T, Clock>;

    /// An empty cache. Allocates what it needs to know of keys for its whole capacity, about nine bytes an entry (twelve below
    /// 65,536 entries, 17 below 4,096); with a weigher that grows with the entries, as the table does. Throws:
    /// `std::bad_alloc`; `std::invalid_argument` for options that contradict themselves.
    explicit basic_cache(const options_type& options, const hasher& hash = hasher(), const key_equal& equal = key_equal(),
                         const allocator_type& alloc = allocator_type())
        : cache_detail::bulk_loading<basic_cache, Engine>(options),
          cache_detail::expiring<basic_cache, Engine>(options.prompt_expiry), counts_(options.statistics), lifetimes_(options),
          listener_(cache_detail::removal_listener<Engine>::made_of(options)), engine_(hash, equal, alloc),
          weigh_(options.weigh),
          eviction_(engine_, options.capacity.value(), weigh_, lifetimes_, listener_ != nullptr, options.statistics, alloc),
          load_times_(options.clock) {}
    basic_cache(const options_type& options, const allocator_type& alloc)
        : basic_cache(options, hasher(), key_equal(), alloc) {}

    // Errors in words.
    template <std::integral... N>
        requires(sizeof...(N) < 2)
    explicit basic_cache(N...) : basic_cache(cache_detail::options_instead_of<options_type, N...>()) {}
    using cache_detail::other_names::end;
    using cache_detail::other_names::put;

    // ---- reads ----

    /// A copy of the value of `key`, or nothing. Never loads. Progress: a read.
    template <class K = given_key>
    [[nodiscard]] std::optional<copied> get(const K& key) const {
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: get copies the value, and this value type cannot be copied: use visit(key, f) or pin(key)");
        std::optional<copied> result;
        look(lookup(key), [&](entry& e) { result.emplace(std::as_const(e).value()); });
        return result;
    }

    /// The same without a trace: neither a use of the entry, nor a hit or a miss.
    template <class K = given_key>
    [[nodiscard]] std::optional<copied> peek(const K& key) const {
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: peek copies the value, and this value type cannot be copied");
        std::optional<copied> result;
        std::uint32_t slot = 0;
        engine_.look_at(lookup(key), slot, [&](entry& e) {
            if (lifetimes_.is_live(e)) result.emplace(std::as_const(e).value());
        });
        return result;
    }

    /// Whether `key` is there, without a trace, as `peek`.
    template <class K = given_key>
    [[nodiscard]] bool contains(const K& key) const {
        std::uint32_t slot = 0;
        return engine_.look_at(lookup(key), slot, [&](entry& e) { return lifetimes_.is_live(e); });
    }

    /// Calls `f(const T&)`, or `f(const Key&, const T&)`, on the entry of `key` and returns true, or returns false when the key
    /// is absent. Progress: a read. Validity: what `f` is shown stays as it is until `f` returns.
    template <class K = given_key, class F>
    bool visit(const K& key, F&& f) const {
        static_assert(std::invocable<F&, shown> || std::invocable<F&, const Key&, shown>,
                      "syncmap: visit(key, f) calls f(const T&) or f(const Key&, const T&)");
        return look(lookup(key), [&](entry& e) {
            const T& value = std::as_const(e).value();
            if constexpr (std::invocable<F&, shown>) {
                std::invoke(f, detail::shown(value));
            } else {
                std::invoke(f, std::as_const(e).key(), detail::shown(value));
            }
        });
    }

    /// The entry of `key`, kept beyond the call and beyond its eviction; empty when the key is absent. See `syncmap::pinned`.
    /// Progress: a read. Validity: it must be dropped before the cache is destroyed.
    template <class K = given_key>
    [[nodiscard]] pinned<Engine> pin(const K& key) const {
        held_entry held;
        look(lookup(key), [&](entry& e) { engine_.hold(held, e); });
        return pinned<Engine>(std::move(held));
    }

    // ---- writes ----

    /// Sets the value of `key`. Returns true; false, if the capacity is 0 or the value weighs more than it: then the old value
    /// is erased too. Beats every load of the key that began before. Progress: a write.
    template <class K = given_key, class U = given>
    bool put(K&& key, U&& value) {
        detail::check_value<T, U&&>();
        detail::store_operation<T, U> op{std::forward<U>(value)};
        return write<answer::stored>(std::forward<K>(key), op);
    }
    /// The same for an entry with a lifetime or tags of its own: `pages.put("a", page, {.ttl = 10s, .tags = {"news"}})`.
    template <class K = given_key, class U = given>
    bool put(K&& key, U&& value, const put_options& with) {
        detail::check_value<T, U&&>();
        detail::store_operation<T, U> op{std::forward<U>(value)};
        return write<answer::stored>(std::forward<K>(key), op, with);
    }

    /// The same if `key` is absent; returns whether it stored.
    template <class K = given_key, class U = given>
    bool put_if_absent(K&& key, U&& value) {
        detail::check_value<T, U&&>();
        detail::insert_operation<T, U> op{std::forward<U>(value)};
        return write<answer::inserted>(std::forward<K>(key), op);
    }

    /// The same if `key` is there; returns whether it was.
    template <class K = given_key, class U = given>
    bool replace(K&& key, U&& value) {
        detail::check_value<T, U&&>();
        cache_detail::replace_operation<T, U> op{std::forward<U>(value)};
        write<answer::stored>(std::forward<K>(key), op);
        return op.existed;
    }

    /// Atomic read-modify-write: `f(const T* current)` (null when absent) runs once, with nothing locked but this key for
    /// writers, and returns what is to be: a value, an empty optional (no entry), or `syncmap::keep`. Returns what was done;
    /// `kept`, where an entry was wanted and the capacity is 0.
    ///
    /// Progress: waits, asleep, for a thread that updates this key. Consistency: atomic for writers of the key. The entry is
    /// evicted meanwhile only where no other one can be: reads may miss it then until the result is stored. An `invalidate_all`
    /// while `f` runs is ordered after: the result counts, and is not stored. Throws: what `f` throws; `recursive_update`.
    template <class K = given_key, class F>
    update_result update(K&& key, F&& f) {
        static_assert(std::is_invocable_v<F&, const T*>,
                      "syncmap: update(key, f) calls f(const T* current), null when the key is absent");
        static_assert(std::is_constructible_v<update_action<T>, std::invoke_result_t<F&, const T*>>,
                      "syncmap: update: f returns the new value, an optional of it (empty: erase), or syncmap::keep");
        detail::update_operation<T, std::remove_reference_t<F>> op{f};
        check_stored_key<K>();
        auto&& own = lookup(std::forward<K>(key));
        visitor by(engine_, listener_.get());
        bounded<decltype(op)> bounded_op(eviction_, engine_, by, engine_.hash_of_key(own), op);
        engine_.exclusive(std::forward<decltype(own)>(own), bounded_op);
        end(by, bounded_op);
        if (!bounded_op.is_refused()) return op.outcome;
        end_refused(bounded_op);
        return bounded_op.erased() ? update_result::erased : update_result::kept;
    }

    /// Removes `key` and returns a copy of the value it had, or nothing when it was absent. Beats the loads as `invalidate`.
    template <class K = given_key>
    [[nodiscard]] std::optional<copied> take(const K& key) {
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: take returns a copy of the value (readers may still hold it), and this value type cannot be "
                      "copied: use pin and invalidate");
        std::optional<copied> previous;
        detail::load_and_erase_operation<T> op{previous};
        erase_entry(key, op);
        return previous;
    }

    /// Removes `key`; returns whether it was there. Beats every load of the key that began before: what that one brings goes to
    /// calls from before, and is not stored. Progress: a write.
    template <class K = given_key>
    bool invalidate(const K& key) {
        detail::erase_operation<T> op{};
        return erase_entry(key, op);
    }

    /// Removes everything, in one step. Beats every load that began before. What was there stays in memory at first: each later
    /// write destroys a few entries, and `flush` all of them. Their places in the capacity return with them: until then fewer
    /// new entries fit. With a listener the caller does all that at once, and calls the listener for each entry. With a
    /// listener in order it erases them one after another: not one step, and an entry that is put meanwhile may stay.
    /// Complexity: constant; with a listener linear in the table. Throws: `std::bad_alloc`; nothing has happened then. Where
    /// memory fails for the listener, later writes call it.
    void invalidate_all() {
        visitor by(engine_, listener_.get());
        if (by.tells_in_order()) return this->remove_each(by);
        if (engine_.has_cleared()) eviction_.take_apart(by, buckets_a_write); // nothing grows, where only this is called
        engine_.clear_later(by);
        engine_.loads().overtake_all();
        if (listener_ != nullptr) take_all_apart_if_possible(by);
    }

    /// Invalidates all entries with this tag, in one step. Beats every load that began before: what that brings goes to calls
    /// from before, and is not shown any more. Entries get tags by a `put` with `.tags`, or by the option `tags_of`. `size`
    /// counts invalidated entries, like expired ones, until later writes or `expire_now` remove them. A listener learns of it
    /// then.
    ///
    /// Beside a put of a value with the tag, either may come first; the value of a put that returns later may count as
    /// invalidated, too. An entry with another tag is invalidated as well, if both have one number of 65,535.
    /// Complexity: constant. Progress: lock-free. Throws: `std::bad_alloc`; nothing has happened then.
    void invalidate_tag(const tag& what) {
        lifetimes_.tags().invalidate(what);
        lifetimes_.wants_scrub();
    }

    // ---- the whole cache ----

    /// Calls `f(const Key&, const T&)` for the entries, without a trace; `f` may return false to stop. Returns the
    /// number of calls. Consistency: weak, as `for_each` of `map`.
    template <class F>
    size_type for_each(F&& f) const {
        static_assert(std::invocable<F&, const Key&, shown>, "syncmap: for_each(f) calls f(const Key&, const T&)");
        size_type calls = 0;
        engine_.each_entry([&](const entry& e) {
            if (!lifetimes_.is_live(e)) return true;
            ++calls;
            return detail::goes_on(f, e.key(), detail::shown(e.value()));
        });
        return calls;
    }

    /// How many entries there were at one instant of the call; without a weigher never more than the capacity. As `size` of
    /// `map`. Entries that have expired count until they are removed, and so does what `negative_ttl` and `error_ttl` remember.
    [[nodiscard]] size_type size() const { return engine_.size(); }
    /// What the entries weigh together: never more than the capacity. Without a weigher, their number. A write that runs may
    /// have reserved some of it already; and what `invalidate_all` has removed counts until it is taken apart.
    [[nodiscard]] size_type weight() const { return weigh_ ? eviction_.weight() : engine_.size(); }
    /// How many entries it has at most, or what they weigh: at no instant of this call are there more, or do they weigh more.
    [[nodiscard]] size_type capacity() const noexcept { return eviction_.capacity(); }

    /// How many bytes the cache has allocated, about: its table, its nodes, what keys and values own (owned_bytes.hpp), its
    /// policy, and what waits to be freed. Where entries have different sizes it looks at some thousands of them. Of this
    /// object itself `sizeof` tells. Complexity: linear in the number of threads. Throws: `std::bad_alloc`.
    [[nodiscard]] size_type bytes_used() const {
        auto& engine = const_cast<Engine&>(engine_);
        visitor by(engine, nullptr);
        // Without weights it is known how many entries are in memory, also of those that `invalidate_all` has left.
        const size_type entries = weigh_ ? engine_.approx_size() : eviction_.weight();
        return engine.bytes_beside_entries(by) + engine.bytes_of_entries(by, entries) + eviction_.policy_bytes() +
               this->log_bytes() + lifetimes_.tags().bytes();
    }

    /// Changes the capacity. Returns when no more than `n` entries are there; a call of another thread meanwhile counts after
    /// this one. Entries leave as by puts; those that were read often stay. Progress: a write for each entry that leaves. It
    /// waits for other threads only where they are about to insert all that is left. Puts go on meanwhile.
    /// Complexity: linear in the number of entries that leave; in the capacity, if it changes by two or more: what the cache
    /// knows of keys is then made anew, and forgotten. Throws: `std::bad_alloc`; nothing has changed then. `std::length_error`.
    void set_capacity(entry_count n) {
        visitor by(engine_, listener_.get());
        eviction_.set_capacity(by, n.value());
    }

    /// What has happened so far; all zero where statistics are off. Sums of what the threads have counted: each number is right
    /// when no other thread uses the cache. Beside other threads it may lack what they count during the call.
    [[nodiscard]] cache_stats stats() const noexcept {
        cache_stats now = cache_detail::sums_of(eviction_.counters(), load_times_);
        now.invalidated = invalidated_.load(std::memory_order_relaxed) + eviction_.cleared();
        now.failed_listeners = listener_ == nullptr ? 0 : listener_->failures.load(std::memory_order_relaxed);
        now.entries = engine_.approx_size();
        now.capacity = capacity();
        return now;
    }

    /// Destroys what was removed before the call and no thread looks at. As `flush` of `map`.
    void flush() noexcept {
        if (engine_.has_cleared()) {
            try {
                visitor by(engine_, listener_.get());
                take_all_apart_if_possible(by);
            } catch (...) {
                // No thread record: later writes, or the destructor, destroy the entries.
            }
        }
        engine_.flush();
    }

    /// Copies of what the cache was made with.
    [[nodiscard]] hasher hash_function() const { return engine_.hash_function(); }
    [[nodiscard]] key_equal key_eq() const { return engine_.key_eq(); }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return engine_.get_allocator(); }

protected:
    using lifetimes_type = cache_detail::lifetimes<Key, T, Clock, Sync>;
    using eviction_type = cache_detail::eviction<Engine, Sync, lifetimes_type>;

    template <class K>
    static decltype(auto) lookup(K&& key) {
        static_assert(
            is_lookup_key<std::remove_cvref_t<K>>,
            "syncmap: this type cannot be looked up in this cache: it neither converts to the key type nor do hash and "
            "equality accept it (both need is_transparent)");
        return detail::as_key<Engine>(std::forward<K>(key));
    }
    template <class K>
    static constexpr void check_stored_key() {
        detail::check_key<Key, K&&, detail::looked_up_as_it_is<std::remove_cvref_t<K>, Key, hasher, key_equal>>();
    }

    static pinned<Engine> pinned_of(held_entry held) noexcept { return pinned<Engine>(std::move(held)); }

    /// One read that leaves its trace: a use of the entry, and a hit or a miss.
    template <class K, class F>
    bool look(const K& key, F&& f) const {
        std::uint32_t slot = no_slot;
        const bool hit = engine_.look_at(key, slot, [&](entry& e) {
            if (!lifetimes_.is_shown(e)) return false;
            eviction_.use(e, slot);
            f(e);
            return true;
        });
        count(slot, hit ? counted::hit : counted::miss);
        return hit;
    }

private:
    template <class Op>
    using bounded = cache_detail::bounded_operation<eviction_type, Engine, Op>;

    static constexpr std::uint32_t no_slot = ~std::uint32_t{0};
    /// What the calling thread has done, for the statistics.
    void count(std::uint32_t slot, counted what) const noexcept { eviction_.counters().count(slot, what); }

    /// What a write returns: whether the value could be stored, the key was absent, an entry was erased.
    enum class answer : unsigned char { stored, inserted, erased };

    /// `with`: nothing, or the `put_options` of the value that `op` brings.
    template <answer Asked, class K, class Op, class... With>
    bool write(K&& key, Op& op, const With&... with) {
        if constexpr (Op::may_assign) check_stored_key<K>();
        auto&& own = lookup(std::forward<K>(key));
        visitor by(engine_, listener_.get());
        const std::uint64_t hash = engine_.hash_of_key(own);
        return write_at<Asked>(by, hash, std::forward<decltype(own)>(own), op, with...);
    }
    template <answer Asked, class K, class Op, class... With>
    [[gnu::noinline]] bool write_at(visitor& by, std::uint64_t hash, K&& key, Op& op, const With&... with) {
        bounded<Op> bounded_op(eviction_, engine_, by, hash, op);
        if constexpr (sizeof...(with) != 0) bounded_op.obey(with...);
        engine_.write_at(by, hash, std::forward<K>(key), bounded_op);
        end(by, bounded_op);
        if constexpr (Op::may_assign) {
            if (bounded_op.is_refused()) [[unlikely]]
                end_refused(bounded_op);
        }
        if constexpr (Asked == answer::inserted) return bounded_op.inserted();
        if constexpr (Asked == answer::erased) return bounded_op.erased();
        return !bounded_op.is_refused();
    }
    /// A write that a cache without room has not stored beats earlier loads all the same: they are of no use to later calls.
    template <class Op>
    void end_refused(const Op& op) {
        Sync::fence(); // as in `erase_entry`
        engine_.loads().overtake(op.hash());
    }
    template <class Op>
    [[gnu::always_inline]] void end(visitor& by, Op& op) {
        op.end();
        if (op.did() != counted::kinds) count(by.slot(), op.did());
        this->scrub(by, op);
        if (engine_.has_cleared()) [[unlikely]]
            eviction_.take_apart(by, buckets_a_write);
    }
    void take_all_apart_if_possible(visitor& by) noexcept {
        try {
            engine_.ensure_table(by);
        } catch (...) {
            return; // there is no memory, or no barrier: later writes, or the destructor, destroy the entries
        }
        for (unsigned attempt = 0; engine_.has_cleared(); ++attempt) {
            if (!eviction_.take_apart(by, buckets_at_a_time)) Sync::back_off(attempt);
        }
    }
    static constexpr size_type buckets_a_write = 8, buckets_at_a_time = 1024;

    /// An erase. Where the key is absent and was loading at the beginning, the loads are overtaken: one that does not see that
    /// when it has the bucket's lock has stored what it brought before, and that is erased as well.
    template <class K, class Op>
    bool erase_entry(const K& key, Op& op) {
        auto&& own = lookup(key);
        visitor by(engine_, listener_.get());
        const std::uint64_t hash = engine_.hash_of_key(own);
        Sync::fence(); // pairs with the one of a load that begins: it begins after what the caller did before, or is seen here
        const bool may_be_loading = engine_.loads().may_run(hash);
        if (write_at<answer::erased>(by, hash, own, op)) return true;
        if (!may_be_loading) return false;
        engine_.loads().overtake(hash);
        engine_.pass_writers(by, hash, own);
        return write_at<answer::erased>(by, hash, own, op);
    }

protected:
    const bool counts_;
    lifetimes_type lifetimes_;
    const std::unique_ptr<const cache_detail::removal_listener<Engine>> listener_; ///< null without one
    Engine engine_;
    const cache_detail::weigher<Key, T> weigh_;
    mutable eviction_type eviction_;
    cache_detail::load_times<Sync, Clock> load_times_;
    typename Sync::template atomic<std::uint64_t> invalidated_{0};
};

} // namespace syncmap
