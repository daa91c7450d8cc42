// Many keys of a cache in one call, and one load for all of them that are absent (docs/cache.md, [LO10]).
//
//   claimed   the flights of all absent keys, each without waiting: a flight of another thread is passed over
//   loaded    one call of the bulk loader, for the keys that this thread has claimed and not found after all
//   awaited   the flights of other threads, when this thread owns none of its own any more
//
// So a thread waits for another one's load of these keys only while it owns none of them. Two threads that load the same keys
// in different order never wait for each other.
#pragma once

#include <syncmap/detail/language.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/cache/coalescing.hpp>
#include <syncmap/cache/loading.hpp>
#include <syncmap/cache/options.hpp>
#include <syncmap/cache/removals.hpp>

namespace syncmap::cache_detail {

/// A base of a cache `Cache` on the table `Engine`.
template <class Cache, class Engine>
class bulk_loading : public loading<Cache, Engine> {
    using base = loading<Cache, Engine>;
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using copied = detail::copied_out_t<T>;
    using given_key = detail::given_t<Key>;
    using asked = asked_key<Key>;
    using entry = typename Engine::entry_type;
    using visitor = acting_thread<Engine>;
    using held_entry = typename Engine::held_entry;
    using base::self;

    template <class Keys>
    using key_in = std::remove_cvref_t<decltype(*std::begin(std::declval<Keys&>()))>;

public:
    // ---- many keys ----

    /// The entries of `keys`, in their order, kept as by `pin`; an empty one where the key is absent. Never loads. `keys`: a
    /// range of what `get` takes. Each key is looked up by itself: together they are no instant of the cache.
    template <class Keys = std::initializer_list<given_key>>
    [[nodiscard]] std::vector<pinned<Engine>> get_all(Keys&& keys) const {
        return pins_of(keys);
    }
    template <class K>
    [[nodiscard]] std::vector<pinned<Engine>> get_all(std::initializer_list<K> keys) const {
        return pins_of(keys);
    }

    /// The same, where one call of `f` loads the absent keys: `f(const std::vector<Key>&)` returns pairs of a key and its
    /// value. It is asked for each key once, and not for those that other threads load; their outcome is waited for after that
    /// call. A key that `f` does not name gets an empty entry; with `negative_ttl` that is remembered. What was not asked for
    /// is ignored.
    ///
    /// Progress, Consistency, Throws: as `get_or_load`, for each key. A loader that throws, of this call or of another thread,
    /// ends the call, unless old entries answer for all keys that it has not brought (`stale_if_error`). What was stored
    /// before stays. Complexity: copies each absent key twice.
    template <class Keys = std::initializer_list<given_key>, class F>
    [[nodiscard]] std::vector<pinned<Engine>> get_all_or_load(Keys&& keys, F&& f) {
        return load_all_by(keys, f);
    }
    template <class K, class F>
    [[nodiscard]] std::vector<pinned<Engine>> get_all_or_load(std::initializer_list<K> keys, F&& f) {
        return load_all_by(keys, f);
    }

    /// The same with a loader of the options: `.load_many`, or else `.load` for each absent key. Throws: `no_loader`, where a
    /// key is absent and the options have none.
    template <class Keys = std::initializer_list<given_key>>
    [[nodiscard]] std::vector<pinned<Engine>> get_all_or_load(Keys&& keys) {
        return load_all_by_own(keys);
    }
    template <class K>
    [[nodiscard]] std::vector<pinned<Engine>> get_all_or_load(std::initializer_list<K> keys) {
        return load_all_by_own(keys);
    }

protected:
    template <class Options>
    explicit bulk_loading(const Options& options) : base(options), coalescing_(coalescing_in(options)) {}

private:
    friend base;
    using outcome = typename Engine::load_outcome;
    using coalescing_type = coalescing<typename Engine::sync_type, asked, outcome>;

    // ---- coalesced misses ----

    template <class Options>
    static std::unique_ptr<coalescing_type> coalescing_in(const Options& options) {
        const miss_coalescing& wanted = options.coalesce;
        if (wanted.window.count() == 0) return nullptr;
        if (wanted.window.count() < 0) throw std::invalid_argument("syncmap: cache: coalesce.window is negative");
        if (wanted.most == 0) throw std::invalid_argument("syncmap: cache: coalesce.most is 0");
        if (!options.load_many) throw std::invalid_argument("syncmap: cache: coalesce needs load_many");
        return std::make_unique<coalescing_type>(base::microseconds_in(wanted.window), wanted.most);
    }
    /// A thread that owns keys does not wait for others: they may wait for it.
    bool coalesces(visitor& by) const { return coalescing_ != nullptr && !Engine::owns_any(by); }

    /// The outcome of a load that this thread or another one makes for several. Not settled: the caller loads its key.
    /// Throws: what that load threw.
    template <class K>
    outcome load_with_others(visitor& by, const K& key, const typename base::waiting_limit& limit) {
        using wish = typename coalescing_type::wish;
        if constexpr (!std::is_copy_constructible_v<asked>) {
            return {};
        } else {
            const auto mine = std::make_shared<wish>(key);
            const auto& forks = Engine::forks(by);
            coalescing_->join(mine, limit.get(), forks, [&](auto& batch) { load_batch(batch); });
            return coalescing_->outcome_of(*mine, forks);
        }
    }
    /// An exception of the loader goes to all whose keys it was to load. What concerns this thread alone, it throws.
    template <class Batch>
    void load_batch(Batch& batch) {
        absent_keys keys(*this);
        std::size_t count = 0;
        batch.each_key([&](const asked& key) { keys.add(count++, Cache::lookup(key)); });
        own_loaders function(*this);
        std::exception_ptr failure;
        try {
            keys.load_free(function);
        } catch (const recursive_load&) {
            throw;
        } catch (const recursive_update&) {
            throw;
        } catch (...) {
            failure = std::current_exception();
        }
        keys.each_in_order([&](outcome each, bool was_claimed, const std::exception_ptr& own_failure) {
            const bool settled = each.settled;
            batch.tell(std::move(each), own_failure != nullptr || settled || !was_claimed ? own_failure : failure);
        });
    }

    const std::unique_ptr<coalescing_type> coalescing_;

    class absent_keys;

    /// What loads for one call.
    class bulk_function {
    public:
        bulk_function(const bulk_function&) = delete;
        bulk_function& operator=(const bulk_function&) = delete;
        virtual void load(const std::vector<asked>& absent, absent_keys& taken, std::uint32_t slot) = 0;

    protected:
        bulk_function() = default;
        ~bulk_function() = default;
    };
    struct own_loaders final : bulk_function {
        bulk_loading& of;
        explicit own_loaders(bulk_loading& cache) : of(cache) {}
        void load(const std::vector<asked>& absent, absent_keys& taken, std::uint32_t slot) override {
            if (of.load_many_) return of.counted_load(slot, [&] { of.load_many_(absent, taken); });
            for (const asked& key : absent) {
                taken.load_begins();
                taken.take(key, of.counted_load(slot, [&] { return of.load_(key); }));
            }
        }
    };

    template <class Keys>
    static void reserve_for(std::vector<pinned<Engine>>& all, const Keys& keys) {
        if constexpr (requires { std::size(keys); }) all.reserve(static_cast<std::size_t>(std::size(keys)));
    }
    template <class K>
    held_entry look_for(const K& key) const {
        held_entry held;
        self().look(key, [&](entry& e) { self().engine_.hold(held, e); });
        return held;
    }

    /// The absent keys of one call.
    class absent_keys final : public loaded_values<Key, T> {
        using flight = typename Engine::template load_flight<asked>;

        struct absent_key {
            template <class K>
            absent_key(std::size_t position, std::uint64_t key_hash, const K& given)
                : index(position), hashed(key_hash), key(given) {}
            const std::size_t index;
            const std::uint64_t hashed;
            const asked key;
            const absent_key* first = nullptr; ///< of the same key, if this is not it
            std::uint64_t generation = 0;
            bool was_claimed = false; ///< at once, since no other thread loaded the key
            typename Engine::load_outcome outcome{};
            std::exception_ptr failure{}; ///< what is remembered of an earlier load
            typename base::old_entry old{};
            std::optional<flight> own{}; ///< while this thread loads the key
        };

    public:
        explicit absent_keys(bulk_loading& of) : of_(of), by_(of.self().engine_, of.self().listener_.get()) {}

        template <class K>
        void add(std::size_t index, const K& key) {
            keys_.emplace_back(index, of_.self().engine_.hash_of_key(key), key);
        }
        bool empty() const noexcept { return keys_.empty(); }

        void load(bulk_function& f) {
            load_free(f);
            const typename base::waiting_limit limit(of_);
            for (absent_key* const each : sorted_) wait_for(*each, f, limit);
        }

        /// Loads the keys that no other thread loads.
        void load_free(bulk_function& f) {
            find_equal_keys();
            std::vector<absent_key*> mine;
            for (absent_key* const each : sorted_) {
                claim(*each);
                if (each->own->try_enter()) {
                    each->was_claimed = true;
                    mine.push_back(each);
                } else {
                    each->own.reset();
                }
            }
            load_claimed(mine, f);
        }

        /// What is taken from now on comes from a load that begins now.
        void load_begins() {
            begun_ = now();
            is_storing_ = false;
        }
        void take(loader_key<Key> key, std::optional<copied>&& value) override {
            const std::uint64_t hash = of_.self().engine_.hash_of_key(key);
            auto at = std::lower_bound(sorted_.begin(), sorted_.end(), hash,
                                       [](const absent_key* each, std::uint64_t h) { return each->hashed < h; });
            while (at != sorted_.end() && (*at)->hashed == hash && !are_equal(key, (*at)->key)) ++at;
            if (at == sorted_.end() || (*at)->hashed != hash) return;
            absent_key& one = **at;
            if (!one.own) return; // not asked for, or named before
            if (!value) return settle_as_absent(one);
            is_storing_ = true;
            of_.store_loaded(by_, hash, one.key, *one.own, one.generation, *value, one.outcome.entry, now() - begun_);
            is_storing_ = false;
            settle(one);
        }

        /// Calls `f(index, entry)` for each.
        template <class F>
        void each_outcome(F f) {
            for (absent_key& each : keys_) {
                if (each.first != nullptr) f(each.index, each.first->outcome.entry.share());
            }
            for (absent_key& each : keys_) {
                if (each.first == nullptr) f(each.index, std::move(each.outcome.entry));
            }
        }

        /// Calls `f(outcome, was_claimed, failure)` for each, in the order in which they were added.
        template <class F>
        void each_in_order(F f) {
            for (absent_key& each : keys_) {
                const absent_key& one = each.first != nullptr ? *each.first : each;
                typename Engine::load_outcome shared;
                shared.entry = one.outcome.entry.share();
                shared.settled = one.outcome.settled;
                f(std::move(shared), one.was_claimed, one.failure);
            }
        }

    private:
        /// In the order of hashes, so that a loaded key is found by halving.
        void find_equal_keys() {
            sorted_.reserve(keys_.size());
            for (absent_key& each : keys_) sorted_.push_back(&each);
            std::sort(sorted_.begin(), sorted_.end(), [](const absent_key* a, const absent_key* b) {
                return a->hashed != b->hashed ? a->hashed < b->hashed : a->index < b->index;
            });
            auto kept = sorted_.begin();
            for (absent_key* const each : sorted_) {
                auto same = kept;
                while (same != sorted_.begin() && (*std::prev(same))->hashed == each->hashed) {
                    --same;
                    if (are_equal((*same)->key, each->key)) {
                        each->first = *same;
                        break;
                    }
                }
                if (each->first == nullptr) *kept++ = each;
            }
            sorted_.erase(kept, sorted_.end());
        }
        template <class A>
        bool are_equal(const A& a, const asked& b) const {
            return static_cast<bool>(of_.self().engine_.key_eq()(a, b));
        }

        void claim(absent_key& one) { one.own.emplace(of_.self().engine_, by_, one.hashed, one.key, one.outcome); }
        static void settle(absent_key& one) {
            one.outcome.settled = true;
            one.own.reset(); // the threads that wait for the key go on
        }
        void settle_as_absent(absent_key& one) {
            const bool had_entry = std::exchange(one.old.node, nullptr) != nullptr;
            const bool is_known = of_.remember(by_, one.hashed, one.key, *one.own, one.generation, nullptr, false);
            if (had_entry && !is_known) of_.forget(by_, one.hashed, one.key, *one.own, one.generation);
            settle(one);
        }
        /// Only where entries need to know how long their loads took.
        nanoseconds_t now() const { return of_.self().lifetimes_.may_renew() ? of_.self().lifetimes_.now() : 0; }

        /// LO2 to LO5, for keys that this thread alone loads.
        void load_claimed(const std::vector<absent_key*>& mine, bulk_function& f) {
            Cache& cache = of_.self();
            std::exception_ptr known_failure;
            bool is_loading = false;
            try {
                load_begins();
                std::vector<asked> wanted;
                wanted.reserve(mine.size());
                for (absent_key* const each : mine) {
                    each->generation = cache.engine_.pass_writers(by_, each->hashed, each->key);
                    each->own->noted = cache.lifetimes_.tags().now();
                    std::uint32_t slot = 0;
                    if (cache.engine_.look_at(each->key, slot, [&](entry& e) {
                            if (!e.has_value()) {
                                const auto last = of_.recollection_of(e);
                                each->failure = last.error;
                                return last.is_there;
                            }
                            const bool answers = cache.lifetimes_.is_live(e) || cache.lifetimes_.answers_at_once(e);
                            if (answers) {
                                cache.engine_.hold(each->outcome.entry, e);
                            } else if (cache.lifetimes_.may_renew()) {
                                of_.keep_old(each->old, e);
                            }
                            return answers;
                        })) {
                        if (!each->outcome.entry) of_.count_recalled(by_.slot());
                        each->outcome.was_there = true;
                        if (each->failure == nullptr) {
                            settle(*each);
                        } else {
                            known_failure = each->failure;
                            each->own.reset();
                        }
                    } else {
                        wanted.push_back(each->key);
                    }
                }
                is_loading = true;
                if (!wanted.empty()) f.load(wanted, *this, by_.slot());
                is_loading = false;
                for (absent_key* const each : mine) {
                    if (each->own) settle_as_absent(*each);
                }
            } catch (const recursive_load&) {
                throw; // an error of this thread, not of the waiting threads
            } catch (const recursive_update&) {
                throw;
            } catch (...) {
                if (!old_entries_answer(mine, is_loading && !is_storing_)) throw;
            }
            if (known_failure != nullptr) std::rethrow_exception(known_failure);
        }
        /// For the keys that a load which has failed has not brought. False: for one of them there is none.
        bool old_entries_answer(const std::vector<absent_key*>& mine, bool loader_has_thrown) {
            const nanoseconds_t took = now() - begun_;
            bool all_answer = true;
            for (absent_key* const each : mine) {
                if (!each->own) continue;
                if (of_.old_answers(each->old, took, false, each->outcome.entry)) {
                    settle(*each);
                } else {
                    all_answer = false;
                    if (loader_has_thrown)
                        of_.remember(by_, each->hashed, each->key, *each->own, each->generation, std::current_exception(),
                                     false);
                    each->own->fail(std::current_exception());
                }
            }
            return all_answer;
        }

        /// The outcome of another thread's load, or of an own one where that thread had none.
        void wait_for(absent_key& one, bulk_function& f, const typename base::waiting_limit& limit) {
            while (!one.outcome.settled) {
                claim(one);
                if (of_.owns_or_shares(*one.own, limit)) {
                    load_claimed({&one}, f);
                } else {
                    one.own.reset();
                    if (one.outcome.entry && of_.self().lifetimes_.is_invalidated(Engine::node_in(one.outcome.entry)))
                        one.outcome = {}; // as in loading::answers
                }
            }
        }

        bulk_loading& of_;
        visitor by_;
        std::deque<absent_key> keys_{};
        std::vector<absent_key*> sorted_{}; ///< the first of each key
        nanoseconds_t begun_ = 0;
        bool is_storing_ = false; ///< a value that the loader has brought
    };

    template <class Keys>
    std::vector<pinned<Engine>> pins_of(Keys& keys) const {
        std::vector<pinned<Engine>> all;
        reserve_for(all, keys);
        for (auto&& key : keys) all.push_back(Cache::pinned_of(look_for(Cache::lookup(key))));
        return all;
    }
    template <class Keys, class F>
    std::vector<pinned<Engine>> load_all_by(Keys& keys, F& f) {
        static_assert(called_with_keys<F, Key>,
                      "syncmap: get_all_or_load(keys, f) calls f(keys), where keys is a const std::vector<Key>&");
        struct given final : bulk_function {
            F& f;
            bulk_loading& of;
            given(F& function, bulk_loading& cache) : f(function), of(cache) {}
            void load(const std::vector<asked>& absent, absent_keys& taken, std::uint32_t slot) override {
                of.counted_load(slot, [&] { load_many_by<Key, T>(f, absent, taken); });
            }
        } function(f, *this);
        return load_all(keys, function, [] {});
    }
    template <class Keys>
    std::vector<pinned<Engine>> load_all_by_own(Keys& keys) {
        own_loaders function(*this);
        return load_all(keys, function, [this] { base::require_loader(); });
    }
    /// `check_loader()` throws before other threads can share that.
    template <class Keys, class Check>
    std::vector<pinned<Engine>> load_all(Keys& keys, bulk_function& f, Check check_loader) {
        static_assert(std::is_copy_constructible_v<asked>,
                      "syncmap: get_all_or_load copies keys, and this key type cannot be copied: use pin_or_load for each");
        std::vector<pinned<Engine>> all;
        reserve_for(all, keys);
        std::optional<absent_keys> absent;
        for (auto&& key : keys) {
            Cache::template check_stored_key<key_in<Keys>>();
            auto&& own = Cache::lookup(key);
            held_entry held = look_for(own);
            if (!held && this->remembers()) {
                const auto last = this->recall(own, true);
                last.rethrow();
                if (last.is_there) {
                    all.push_back(Cache::pinned_of({}));
                    continue;
                }
            }
            if (!held) {
                if (!absent) {
                    check_loader();
                    absent.emplace(*this);
                }
                absent->add(all.size(), own);
            }
            all.push_back(Cache::pinned_of(std::move(held)));
        }
        if (absent) {
            absent->load(f);
            absent->each_outcome([&](std::size_t index, held_entry held) { all[index] = Cache::pinned_of(std::move(held)); });
        }
        return all;
    }
};

} // namespace syncmap::cache_detail
