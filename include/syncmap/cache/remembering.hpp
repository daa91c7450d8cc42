// What a cache remembers of loads that brought no value: that there is nothing, and what the loader threw (docs/cache.md,
// [LO12]).
//
// It is an entry without a value: a node in the table, with a deadline, a place in a queue and a permit. So a later put, an
// invalidation, an eviction and a clear end it as they end every entry. A load stores it in the way in which it stores a value
// [LO4]: not where a write has overtaken the load. To all operations but loads such an entry is like one that has expired.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>

#include <syncmap/cache/operations.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/removals.hpp>

namespace syncmap::cache_detail {

/// The write of an entry without a value, by a load; unless the load has been overtaken, the cache was cleared meanwhile, or a
/// thread updates the key. A value that is there stays, unless the load was to renew it.
template <class Eviction, class Engine, class Flight>
class outcome_operation : public admitted_write<Eviction, Engine> {
    using base = admitted_write<Eviction, Engine>;
    using T = typename Engine::mapped_type;
    using entry = typename Engine::entry_type;
    using base::bound_;

public:
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    static constexpr bool refused_beside_owner = true;
    static constexpr bool makes_no_value = true;
    std::memory_order order = std::memory_order_seq_cst;

    /// `error`: what the loader threw; null, if it has found nothing.
    outcome_operation(Eviction& bound, Engine& engine, typename Eviction::visitor& by, std::uint64_t hash, const Flight& flight,
                      std::uint64_t generation, const std::exception_ptr& error, bool renews) noexcept
        : base(bound, engine, by, hash), flight_(flight), generation_(generation), error_(error), renews_(renews) {}

    bool is_stored() const noexcept { return is_stored_; }

    decision decide_on(const entry& present) {
        const bool is_live = bound_.lifetimes().is_live(present);
        base::has_found_expired(!is_live);
        is_present_ = is_live && !renews_;
        replaces_ = !is_present_;
        return decision::assign;
    }
    decision decide(const T* current) noexcept {
        base::has_found_expired(false);
        is_present_ = current != nullptr;
        replaces_ = false;
        return decision::assign;
    }
    [[noreturn]] T make() const noexcept { std::terminate(); }

    // ---- hooks: operation/write_hooks.hpp ----

    static constexpr bool wants_prefix() noexcept { return true; }
    void prepared(entry& fresh, bool is_present) {
        bound_.lifetimes().begin_without_value(fresh, error_);
        base::more().filed = bound_.lifetimes().filing_of(fresh);
        base::weigh_if_weighted(fresh, is_present);
    }
    void before_insert() {
        if (!bound_.is_closed() && !flight_.is_overtaken()) base::admit();
    }
    bool admits(std::uint64_t generation) noexcept {
        return !is_present_ && (replaces_ ? !base::is_refused_ : base::is_admitted()) && generation == generation_ &&
               !flight_.is_overtaken();
    }
    void refused(entry& made) noexcept { base::more().refused = std::addressof(made); }
    bool has_room_for(const entry& present) noexcept { return is_present_ || base::has_room_for(present); }
    void replaces(const entry& old, entry& fresh) noexcept {
        base::replaces(old, fresh);
        is_stored_ = true;
        flight_.share_no_more();
    }
    void publishes(entry& fresh, std::uint64_t generation) noexcept {
        base::publishes(fresh, generation);
        is_stored_ = true;
        flight_.share_no_more();
    }
    /// The value that it replaces is erased: nothing has its place.
    bool keeps_removed(entry& removed, bool) noexcept {
        if (base::has(Eviction::feature::expired)) return base::keeps_removed(removed, false);
        base::did_ = counted::erased;
        return base::by_.keeps(removed, removal::erased);
    }

private:
    const Flight& flight_;
    const std::uint64_t generation_;
    const std::exception_ptr& error_;
    const bool renews_;
    bool is_present_ = false;
    bool replaces_ = false; ///< this attempt, an old entry
    bool is_stored_ = false;
};

template <class Cache, class Engine>
class loading;

/// A base of `loading`, and so of a cache `Cache` on the table `Engine`.
template <class Cache, class Engine>
class remembering {
    using entry = typename Engine::entry_type;
    using visitor = acting_thread<Engine>;
    friend Cache;
    template <class, class>
    friend class loading;
    remembering() = default;

protected:
    /// What the cache remembers of a key's last load.
    struct recollection {
        bool is_there = false;
        std::exception_ptr error{};

        /// Whether it answers a call. `may_find_nothing`: the call's loader may.
        bool answers(bool may_find_nothing) const noexcept { return is_there && (error != nullptr || may_find_nothing); }
        void rethrow() const {
            if (error != nullptr) std::rethrow_exception(error);
        }
    };

    bool remembers() const noexcept { return cache().lifetimes_.remembers_absence() || cache().lifetimes_.remembers_errors(); }
    /// Of an entry that is held. Without a look at the clock for one with a value.
    recollection recollection_of(entry& e) const {
        if (!cache().lifetimes_.is_remembered(e)) return {};
        e.mark.use();
        return {true, e.in_front().error()};
    }
    /// The same of a key. One read.
    template <class K>
    recollection recall(const K& key, bool may_find_nothing) const {
        recollection found;
        std::uint32_t slot = Cache::no_slot;
        cache().engine_.look_at(key, slot, [&](entry& e) { found = recollection_of(e); });
        if (found.answers(may_find_nothing)) count_recalled(slot);
        return found;
    }
    void count_recalled(std::uint32_t slot) const noexcept { cache().count(slot, counted::remembered); }

    /// The outcome of a load that brought no value becomes the key's entry, if the options ask for that. Returns whether it
    /// has. Where that fails, it is not remembered.
    template <class K, class Flight>
    bool remember(visitor& by, std::uint64_t hash, const K& key, const Flight& flight, std::uint64_t generation,
                  const std::exception_ptr& error, bool renews) noexcept {
        const auto& lifetimes = cache().lifetimes_;
        if (!(error == nullptr ? lifetimes.remembers_absence() : lifetimes.remembers_errors())) return false;
        try {
            outcome_operation<typename Cache::eviction_type, Engine, Flight> op(cache().eviction_, cache().engine_, by, hash,
                                                                                flight, generation, error, renews);
            cache().engine_.write_at(by, hash, key, op);
            cache().end(by, op);
            return op.is_stored();
        } catch (...) {
            return false; // no memory, or a function of the user's
        }
    }

private:
    Cache& cache() noexcept { return static_cast<Cache&>(*this); }
    const Cache& cache() const noexcept { return static_cast<const Cache&>(*this); }
};

} // namespace syncmap::cache_detail
