// The loads of a cache: how a key that is absent gets its value, once for all threads that ask (docs/cache.md, section 4).
#pragma once

#include <syncmap/detail/language.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/cache/counting.hpp>
#include <syncmap/cache/loaders.hpp>
#include <syncmap/cache/operations.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/remembering.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/cache/time/entry_times.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/detail/value_forms.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/pinned.hpp>
#include <syncmap/results.hpp>

namespace syncmap::cache_detail {

/// A base of a cache `Cache` on the table `Engine`.
template <class Cache, class Engine>
class loading : public remembering<Cache, Engine> {
    using base = remembering<Cache, Engine>;
    using typename base::recollection;
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using copied = detail::copied_out_t<T>;
    using given_key = detail::given_t<Key>;
    using entry = typename Engine::entry_type;
    using visitor = acting_thread<Engine>;
    using held_entry = typename Engine::held_entry;
    using Sync = typename Engine::sync_type;

public:
    // ---- loads ----

    /// The value of `key`. When it is absent, `f(key)`, or `f()`, makes it, once, however many threads ask at the same time:
    /// the others sleep, and share the value, or the exception. `f` returns a value, or an optional of it: an empty one says
    /// that there is nothing. Calls that waited learn that too, if their functions return an optional; the others call their
    /// own. It is remembered with `negative_ttl`: calls whose functions return an optional are told meanwhile, and load
    /// nothing. Returns the value; an optional of it if `f` returns one.
    ///
    /// Progress: waits for a thread that loads this key. Other keys, and all other operations, do not wait. Consistency: a
    /// `put`, an `invalidate` or an `invalidate_all` that takes place after `f` was called keeps its result from being stored,
    /// and no later call is given it. Throws: what `f` throws, to all calls that waited for it. Where an entry that was there
    /// may answer (`refresh_after_write`, `stale_if_error`), its value is returned instead; else the exception is remembered
    /// with `error_ttl`, and thrown by each call meanwhile.
    /// `recursive_load`, if `f` asks for its own key, alone or through a circle of threads and caches. What the copy of the
    /// value for the caller throws; a value that was loaded is stored then.
    template <class K = given_key, class F>
    [[nodiscard]] auto get_or_load(K&& key, F&& f) {
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: get_or_load copies the value, and this value type cannot be copied: use pin_or_load");
        using result = std::conditional_t<loader_may_find_nothing<F, K>, std::optional<copied>, copied>;
        Cache::template check_stored_key<K>();
        auto&& own = Cache::lookup(std::forward<K>(key));
        std::optional<copied> hit;
        std::optional<write_history> due;
        const bool found = self().look(own, [&](entry& e) {
            hit.emplace(std::as_const(e).value());
            due = self().lifetimes_.due(e);
        });
        held_entry held;
        if (found && !(due && renew(own, f, held, due))) return result(*std::move(hit));
        if (!found) held = load_absent(own, f);
        if constexpr (loader_may_find_nothing<F, K>) {
            return held ? result(held.value()) : result();
        } else {
            return result(held.value());
        }
    }

    /// The same with the loader of the options: `.load`, or else `.load_many` for this one key. An empty optional: it has found
    /// nothing. Throws: `no_loader`, where the key is absent and the options have none.
    template <class K = given_key>
    [[nodiscard]] std::optional<copied> get_or_load(K&& key) {
        return get_or_load(std::forward<K>(key), own_loader{*this});
    }

    /// The same as an entry that is kept; an empty one where the loader found nothing. For values that cannot be copied, too.
    template <class K = given_key, class F>
    [[nodiscard]] pinned<Engine> pin_or_load(K&& key, F&& f) {
        Cache::template check_stored_key<K>();
        auto&& own = Cache::lookup(std::forward<K>(key));
        held_entry held;
        std::optional<write_history> due;
        const bool found = self().look(own, [&](entry& e) {
            self().engine_.hold(held, e);
            due = self().lifetimes_.due(e);
        });
        if (!found) {
            held = load_absent(own, f);
        } else if (due) {
            renew(own, f, held, due);
        }
        return Cache::pinned_of(std::move(held));
    }
    /// The same with the loader of the options.
    template <class K = given_key>
    [[nodiscard]] pinned<Engine> pin_or_load(K&& key) {
        return pin_or_load(std::forward<K>(key), own_loader{*this});
    }

    /// Loads the value of `key` anew by `f`, whether it is there or not; other threads are shown the old one meanwhile. Where
    /// `f` finds nothing the entry is removed. What is remembered of the key's last load does not count. Returns whether it has
    /// called `f`: false, if another thread loads the key.
    /// Progress: waits for no other load. Consistency: as `get_or_load`. Throws: what `f` throws; the old entry stays then.
    template <class K = given_key, class F>
    bool refresh(K&& key, F&& f) {
        Cache::template check_stored_key<K>();
        auto&& own = Cache::lookup(std::forward<K>(key));
        held_entry held;
        return renew(own, f, held, std::nullopt);
    }
    /// The same with the loader of the options. Throws: `no_loader`.
    template <class K = given_key>
    bool refresh(K&& key) {
        require_loader();
        return refresh(std::forward<K>(key), own_loader{*this});
    }

protected:
    template <class Options>
    explicit loading(const Options& options)
        : load_(options.load), load_many_(options.load_many), patience_(patience_in(options)),
          then_loads_alone_(options.then_load_alone) {}

    Cache& self() noexcept { return static_cast<Cache&>(*this); }
    const Cache& self() const noexcept { return static_cast<const Cache&>(*this); }

    template <class Call>
    auto counted_load(std::uint32_t slot, Call call) {
        return cache_detail::counted_load(self().eviction_.counters(), self().load_times_, slot, std::move(call));
    }

    /// LO4. What was loaded becomes the key's, unless that comes too late. `held` keeps its entry in each case.
    template <class K, class Flight>
    void store_loaded(visitor& by, std::uint64_t hash, const K& key, const Flight& flight, std::uint64_t generation,
                      copied& value, held_entry& held, nanoseconds_t took = 0, bool renews = false) {
        load_operation<typename Cache::eviction_type, Engine, Flight> op(self().eviction_, self().engine_, by, hash, flight,
                                                                         generation, value, held);
        op.loaded_in(took, renews);
        self().engine_.write_at(by, hash, key, op);
        self().end(by, op);
        if (op.is_stale()) self().count(by.slot(), counted::stale_dropped);
        if (op.is_refused_by_weight()) forget(by, hash, key, flight, generation);
    }
    /// The key has no value that the cache may keep: the loader has found nothing, or one that is too heavy.
    template <class K, class Flight>
    void forget(visitor& by, std::uint64_t hash, const K& key, const Flight& flight, std::uint64_t generation) {
        detail::erase_operation<T> erasing{};
        absence_operation<typename Cache::eviction_type, Engine, Flight> op(self().eviction_, self().engine_, by, hash, erasing,
                                                                            flight, generation);
        self().engine_.write_at(by, hash, key, op);
        self().end(by, op);
    }

    /// What a load that fails leaves to answer.
    struct old_entry {
        held_entry held{};
        entry* node = nullptr;
    };
    void keep_old(old_entry& old, entry& e) const {
        self().engine_.hold(old.held, e);
        old.node = std::addressof(e);
    }
    /// A load has failed. The next try waits a while, if there is an old entry. Returns whether that answers; `brought` is it
    /// then.
    bool old_answers(old_entry& old, nanoseconds_t took, bool is_asked, held_entry& brought) {
        if (old.node == nullptr || brought) return false;
        self().lifetimes_.renewal_failed(*old.node, took);
        if (is_asked || !self().lifetimes_.may_answer(*old.node)) return false;
        brought = std::move(old.held);
        return true;
    }

    void require_loader() const {
        if (!load_ && !load_many_) throw no_loader();
    }

    const loader<Key, T> load_;
    const bulk_loader<Key, T> load_many_;

    /// Rounded up, and to a year at most.
    static std::uint64_t microseconds_in(std::chrono::nanoseconds time) noexcept {
        constexpr std::uint64_t year = 365ULL * 24 * 3600 * 1'000'000;
        const auto asked = static_cast<std::uint64_t>(time.count());
        const std::uint64_t microseconds = asked / 1'000 + (asked % 1'000 != 0 ? 1 : 0);
        return microseconds < year ? microseconds : year;
    }

    /// The limit of one call, made before the call waits.
    class waiting_limit {
    public:
        explicit waiting_limit(const loading& of) {
            if (of.patience_) limit_.emplace(*of.patience_);
        }
        const typename Sync::deadline* get() const noexcept { return limit_ ? std::addressof(*limit_) : nullptr; }

    private:
        std::optional<typename Sync::deadline> limit_{};
    };
    /// Enters the flight of a key, or waits for the thread that has it. True: this thread loads. False: the outcome is that
    /// one's. Throws: `load_timeout`; what that thread's loader threw; `recursive_load`.
    template <class Flight>
    bool owns_or_shares(Flight& flight, const waiting_limit& limit) const {
        switch (flight.enter_or_share(limit.get())) {
        case Flight::part::owns: return true;
        case Flight::part::shares: return false;
        default: break;
        }
        if (!then_loads_alone_) throw load_timeout();
        flight.enter_alone();
        return true;
    }

private:
    /// The loaders of the options as a function for one call and one key.
    struct own_loader {
        const loading& of;

        template <class K>
        std::optional<copied> operator()(const K& key) const {
            // A number of another type was checked when it came: whether it fits is known, and no compiler is to warn of it
            // here.
            constexpr bool is_other_number = std::is_arithmetic_v<K> && !std::is_same_v<K, Key>;
            if constexpr (is_other_number || !std::is_convertible_v<const K&, loader_key<Key>>) {
                return (*this)(static_cast<Key>(key));
            } else {
                return of.load_ ? of.load_(key) : of.load_by_many(key);
            }
        }
    };

    /// The value of one key by the bulk loader.
    std::optional<copied> load_by_many(loader_key<Key> key) const {
        struct first_value final : loaded_values<Key, T> {
            std::optional<copied> value{};
            const loading& of;
            loader_key<Key> wanted;
            first_value(const loading& by, loader_key<Key> asked) : of(by), wanted(asked) {}
            void take(loader_key<Key> named, std::optional<copied>&& found) override {
                if (!value && of.self().engine_.key_eq()(named, wanted)) value = std::move(found);
            }
        } taken(*this, key);
        if constexpr (std::is_copy_constructible_v<asked_key<Key>>) {
            load_many_(std::vector<asked_key<Key>>(1, asked_key<Key>(key)), taken);
        }
        return std::move(taken.value);
    }

    template <class F, class K>
    static constexpr bool loader_may_find_nothing = std::is_same_v<loaded_by<F, K>, std::optional<copied>>;

    /// The entry of a key that was absent: the one that the loader of this thread or of another one brings. Empty: there is
    /// nothing.
    template <class K, class F>
    [[gnu::noinline]] held_entry load_absent(const K& key, F& f) {
        if constexpr (std::is_same_v<F, own_loader>) {
            require_loader(); // before other threads can share that
        }
        if (this->remembers()) {
            const recollection last = this->recall(key, loader_may_find_nothing<F, K>);
            last.rethrow();
            if (last.answers(loader_may_find_nothing<F, K>)) return {};
        }
        visitor by(self().engine_, self().listener_.get());
        const std::uint64_t hash = self().engine_.hash_of_key(key);
        const waiting_limit limit(*this);
        if constexpr (std::is_same_v<F, own_loader>) {
            if (self().coalesces(by)) {
                typename Engine::load_outcome outcome = self().load_with_others(by, key, limit);
                if (outcome.settled) return std::move(outcome.entry);
            }
        }
        for (;;) {
            typename Engine::load_outcome outcome;
            bool is_own = false;
            {
                typename Engine::template load_flight<K> flight(self().engine_, by, hash, key, outcome);
                is_own = owns_or_shares(flight, limit);
                if (is_own) load_alone(by, hash, key, f, flight, outcome);
            }
            if (outcome.settled && (is_own || answers<F, K>(outcome, key))) return std::move(outcome.entry);
        }
    }

    /// Whether what another thread's load brought answers this one: its loader may have found nothing where this one must not,
    /// and flights that compare hashes alone may be of another key. A tag may have been invalidated before this call began, and
    /// after that load did [TG1].
    template <class F, class K>
    bool answers(const typename Engine::load_outcome& brought, const K& key) const {
        if (!brought.entry) return loader_may_find_nothing<F, K> && !Engine::loads_compare_hashes_alone;
        if (self().lifetimes_.is_invalidated(Engine::node_in(brought.entry))) return false;
        if constexpr (Engine::loads_compare_hashes_alone) {
            return static_cast<bool>(self().engine_.key_eq()(brought.entry.key(), key));
        } else {
            return true;
        }
    }

    /// Renews an entry that is there, if no other thread loads its key. True: `held` is the new entry, or the old one where
    /// the loader has failed; none, where the loader has found nothing. `due`: what a hit has found; none: the caller asks for
    /// a load, and wants to know of failures.
    template <class K, class F>
    [[gnu::noinline]] bool renew(const K& key, F& f, held_entry& held, std::optional<write_history> due) {
        if constexpr (std::is_same_v<F, own_loader>) {
            if (!load_ && !load_many_) return false;
        }
        visitor by(self().engine_, self().listener_.get());
        const std::uint64_t hash = self().engine_.hash_of_key(key);
        typename Engine::load_outcome outcome;
        {
            typename Engine::template load_flight<K> flight(self().engine_, by, hash, key, outcome);
            try {
                if (!flight.try_enter()) return false;
            } catch (const recursive_load&) {
                if (!due) throw;
                return false; // the loader of this very thread asks for the key: it gets what is there
            }
            try {
                load_alone(by, hash, key, f, flight, outcome, due ? purpose::to_renew : purpose::to_replace, due);
            } catch (const recursive_load&) {
                throw;
            } catch (const recursive_update&) {
                throw;
            } catch (...) {
                if (!due) throw;
                return false; // the caller has a value
            }
        } // waiting threads share the outcome
        held = std::move(outcome.entry);
        return true;
    }

    enum class purpose : unsigned char {
        to_fill, ///< the key was absent
        to_renew, ///< a hit is due
        to_replace ///< whatever is there
    };

    /// LO2 to LO5, by the only thread that loads the key.
    template <class K, class F, class Flight>
    void load_alone(visitor& by, std::uint64_t hash, const K& key, F& f, Flight& flight, typename Engine::load_outcome& outcome,
                    purpose why = purpose::to_fill, std::optional<write_history> due = std::nullopt) {
        auto& lifetimes = self().lifetimes_;
        const std::uint64_t generation = self().engine_.pass_writers(by, hash, key);
        flight.noted = lifetimes.tags().now();
        try {
            old_entry old;
            recollection last;
            std::uint32_t slot = 0;
            self().engine_.look_at(key, slot, [&](entry& e) {
                if (!e.has_value()) {
                    if (why == purpose::to_fill) last = this->recollection_of(e);
                    return;
                }
                const bool is_live = lifetimes.is_live(e);
                if (is_live ? why == purpose::to_fill || (why == purpose::to_renew && !lifetimes.is_still(e, *due))
                            : why == purpose::to_fill && lifetimes.answers_at_once(e)) {
                    self().engine_.hold(outcome.entry, e);
                    outcome.was_there = true;
                } else if (is_live || lifetimes.may_renew()) {
                    keep_old(old, e);
                }
            });
            if (last.answers(loader_may_find_nothing<F, K>)) {
                this->count_recalled(by.slot());
                outcome.was_there = true;
                last.rethrow();
            } else if (!outcome.entry) {
                const nanoseconds_t begun = lifetimes.may_renew() ? lifetimes.now() : 0;
                const auto took = [&] { return lifetimes.may_renew() ? lifetimes.now() - begun : 0; };
                bool has_returned = false;
                bool has_found_nothing = false;
                try {
                    std::optional<copied> value = counted_load(by.slot(), [&] { return load_by<T>(f, key); });
                    has_returned = true;
                    has_found_nothing = !value;
                    if (value) {
                        store_loaded(by, hash, key, flight, generation, *value, outcome.entry, took(), why != purpose::to_fill);
                    }
                } catch (const recursive_load&) {
                    throw;
                } catch (const recursive_update&) {
                    throw;
                } catch (...) {
                    if (!old_answers(old, took(), why == purpose::to_replace, outcome.entry)) {
                        if (!has_returned && (old.node == nullptr || !lifetimes.may_answer(*old.node)))
                            this->remember(by, hash, key, flight, generation, std::current_exception(), false);
                        throw;
                    }
                }
                if (has_found_nothing) {
                    const bool is_known = this->remember(by, hash, key, flight, generation, nullptr, why != purpose::to_fill);
                    if (!is_known && old.node != nullptr) forget(by, hash, key, flight, generation);
                }
            }
            outcome.settled = true;
        } catch (const recursive_load&) {
            throw; // an error of this thread, not of the waiting threads
        } catch (const recursive_update&) {
            throw;
        } catch (...) {
            if (!outcome.was_there) flight.fail(std::current_exception());
            throw;
        }
    }

    template <class Options>
    static std::optional<std::uint64_t> patience_in(const Options& options) {
        if (!options.load_timeout && options.then_load_alone)
            throw std::invalid_argument("syncmap: cache: then_load_alone needs load_timeout");
        if (!options.load_timeout) return std::nullopt;
        if (options.load_timeout->count() < 0) throw std::invalid_argument("syncmap: cache: load_timeout is negative");
        return microseconds_in(*options.load_timeout);
    }

    const std::optional<std::uint64_t> patience_;
    const bool then_loads_alone_;
};

} // namespace syncmap::cache_detail
