// Writes of a cache: an operation of the map, with what the bound needs around it.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/options.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/cache/time/lifetimes.hpp>
#include <syncmap/cache/weights.hpp>
#include <syncmap/detail/in_place.hpp>
#include <syncmap/detail/value_forms.hpp>
#include <syncmap/operation/built_in.hpp>
#include <syncmap/operation/write_hooks.hpp>

namespace syncmap::cache_detail {

/// Overwrites the value of a key that is there.
template <class T, class U>
struct replace_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    U&& value;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return existed ? decision::assign : decision::keep;
    }
    U&& make() noexcept { return std::forward<U>(value); }
};

/// What each write that may insert has: a permit and a place in a queue, once `admit` has got them, and their end.
template <class Eviction, class Engine>
class admitted_write {
    using entry = typename Engine::entry_type;

public:
    admitted_write(const admitted_write&) = delete;
    admitted_write& operator=(const admitted_write&) = delete;

    /// The key has an entry that it had not before; one that had expired does not count.
    bool inserted() const noexcept { return did_ == counted::insert || replaced_expired_; }
    /// What the statistics count of it: an insert, an erase, an overwrite, an expiration; `kinds`: nothing.
    counted did() const noexcept { return did_; }
    /// An expiration that is an insert as well.
    bool has_replaced_expired() const noexcept { return replaced_expired_; }
    std::uint64_t hash() const noexcept { return hash_; }
    /// When the entry ends that it has made, if the cache has a log of that.
    const filing& filed() const noexcept { return filed_; }

    // ---- hooks: operation/write_hooks.hpp ----

    prefix_kind wants_prefix() const noexcept { return in_front_; }
    /// The weigher runs here, once, with no permit in hand.
    void prepared(entry& fresh, bool is_present) {
        if (in_front_ != prefix_kind::none) [[unlikely]]
            begin_lifetime(fresh);
        weigh_if_weighted(fresh, is_present);
    }
    void publishes(entry& fresh, std::uint64_t) noexcept {
        bound_.begin(by_, fresh, mine_);
        set_weight(fresh, mine_.need);
        mine_.held -= mine_.need;
        did_ = counted::insert;
    }
    /// The weight is that of the value that is replaced. The permits for the difference come before the next attempt.
    bool has_room_for(const entry& present) noexcept {
        if (weigher_ == nullptr) [[likely]]
            return true;
        is_refused_here_ = is_too_heavy(); // the one look at the capacity under the lock
        const std::size_t old = weight_of(present);
        more_ = mine_.need > old ? mine_.need - old : 0;
        present_ = std::addressof(present);
        return is_refused_here_ || mine_.held >= more_;
    }
    template <class Place>
    void erases(const Place&) noexcept {
        by_.leaves(hash_);
    }
    void replaces(const entry& old, entry& fresh) noexcept {
        by_.leaves(hash_);
        bound_.overwrite(by_, fresh);
        set_weight(fresh, mine_.need);
        if (weigher_ == nullptr) [[likely]]
            return;
        mine_.held = mine_.held + weight_of(old) - mine_.need;
        if (mine_.need == 0) {
            fresh.mark.begin_in(queue::outside);
        } else if (fresh.mark.where() == queue::outside) {
            fresh.mark.begin_in(queue::in_main);
        }
    }
    bool keeps_removed(entry& removed, bool erased, removal why = removal::erased) noexcept {
        if (erased) {
            bound_.pool().give(weight_of(removed));
            bound_.give_back(mine_);
        }
        if (found_expired_) [[unlikely]] {
            did_ = removed.has_value() ? counted::expiration : counted::kinds; // or what is remembered of a load
            replaced_expired_ = !erased;
            return by_.keeps(removed, bound_.lifetimes().reason_of(removed));
        }
        if (!erased) did_ = counted::replaced;
        return by_.keeps(removed, erased ? why : removal::replaced);
    }
    void attempt_failed() noexcept {
        inserts_ = false;
        is_refused_here_ = false;
        bound_.give_back(mine_);
        bound_.finish(by_, mine_);
    }

    /// After the write.
    void end() {
        if (did_ == counted::insert) bound_.inserted(by_, hash_, mine_);
        bound_.give_back(mine_);
        bound_.leave(mine_);
    }

protected:
    using weigher_type = weigher<typename Engine::key_type, typename Engine::mapped_type>;

    /// `weigher`: null where each entry weighs one.
    admitted_write(Eviction& bound, Engine& engine, typename Eviction::visitor& by, std::uint64_t hash,
                   const weigher_type* weigher) noexcept
        : bound_(bound), engine_(engine), by_(by), hash_(hash), weigher_(weigher),
          in_front_(bound.lifetimes().default_prefix()) {}
    ~admitted_write() {
        bound_.leave(mine_);
        attempt_failed();
    }

    void admit() {
        inserts_ = true;
        if (!is_too_heavy()) bound_.admit(by_, hash_, mine_);
    }
    [[gnu::noinline]] void begin_lifetime(entry& fresh) {
        bound_.lifetimes().begin(fresh, event_, own_ttl_, load_took_);
        bound_.lifetimes().begin_tags(fresh, own_tags_, begun_);
        filed_ = bound_.lifetimes().filing_of(fresh);
    }
    void weigh_if_weighted(entry& fresh, bool is_present) {
        if (weigher_ != nullptr) [[unlikely]]
            weigh(fresh, is_present);
    }
    /// Whether this attempt may publish what it has made.
    bool has_room() const noexcept { return !inserts_ || is_admitted(); }
    bool is_admitted() const noexcept { return mine_.is_placed && mine_.held >= mine_.need; }
    bool is_too_heavy() const noexcept { return weigher_ != nullptr && bound_.is_too_heavy(mine_.need); }

    Eviction& bound_;
    Engine& engine_;
    typename Eviction::visitor& by_;
    const std::uint64_t hash_;
    const weigher_type* const weigher_;
    prefix_kind in_front_; ///< of the value that this write stores
    typename Eviction::admission mine_{};
    counted did_ = counted::kinds;
    /// What the last look at the key found: an entry that no operation shows any more.
    bool found_expired_ = false;
    expiry_event event_ = expiry_event::inserted;
    nanoseconds_t own_ttl_ = as_usual;
    nanoseconds_t load_took_ = 0;
    entry_tags own_tags_{};
    std::uint64_t begun_ = begins_now; ///< [TG1]
    filing filed_{};
    std::size_t more_ = 0; ///< permits that it needs to replace the present value
    const entry* present_ = nullptr; ///< that one: an address, for comparisons
    bool is_refused_here_ = false; ///< this attempt would replace the present value by one that is too heavy

private:
    [[gnu::noinline]] void weigh(entry& fresh, bool is_present) {
        if (!is_weighed_) mine_.need = (*weigher_)(std::as_const(fresh));
        is_weighed_ = true;
        if (is_present && more_ != 0 && !is_too_heavy()) bound_.admit_more(by_, present_, mine_, more_);
    }

    bool is_weighed_ = false;
    bool inserts_ = false; ///< this attempt does
    bool replaced_expired_ = false;
};

/// Any operation on one key of a cache: an insert takes a permit, an erase gives one back, and both overtake the loads of the
/// key that run.
template <class Eviction, class Engine, class Op>
class bounded_operation : public admitted_write<Eviction, Engine> {
    using base = admitted_write<Eviction, Engine>;
    using T = typename Engine::mapped_type;
    using entry = typename Engine::entry_type;
    using base::bound_;
    using base::engine_;
    using base::hash_;

public:
    static constexpr bool depends_on_current = Op::depends_on_current;
    static constexpr bool may_assign = Op::may_assign;
    static constexpr bool runs_user_code = Op::runs_user_code;
    std::memory_order order;

    bounded_operation(Eviction& bound, Engine& engine, typename Eviction::visitor& by, std::uint64_t hash,
                      const typename base::weigher_type* weigher, Op& op) noexcept
        : base(bound, engine, by, hash, weigher), order(op.order), op_(op) {}
    ~bounded_operation() {
        if (refused_node_ != nullptr) [[unlikely]] {
            typename Engine::held_entry last;
            engine_.hold_unpublished(last, *refused_node_);
        }
    }

    /// The entry's lifetime, instead of what the cache's options say.
    void live_for(nanoseconds_t ttl) noexcept {
        base::own_ttl_ = ttl;
        if (ttl != never && base::in_front_ == prefix_kind::none) base::in_front_ = prefix_kind::plain;
    }
    void obey(const put_options& with) noexcept {
        if (with.ttl) live_for(with.ttl->count());
        if (!with.tags.empty()) tag_with(with.tags);
    }
    /// The entry's tags, instead of what the cache's options say. `begun`: when it was loaded.
    void tag_with(entry_tags tags, std::uint64_t begun = begins_now) noexcept {
        base::own_tags_ = tags;
        base::begun_ = begun;
        if (!tags.empty()) base::in_front_ = prefix_kind::extended;
    }

    /// An entry that was to be seen is erased.
    bool erased() const noexcept { return base::did_ == counted::erased; }
    /// Nothing can be stored, or not this value.
    bool is_refused() const noexcept { return refused_ || base::is_refused_here_; }

    /// An expired entry is absent for the operation, though a node is there. An erase takes that away, too.
    decision decide_on(const entry& present) {
        if (bound_.lifetimes().is_live(present)) return decide(std::addressof(present.value()));
        base::found_expired_ = true;
        base::event_ = expiry_event::inserted;
        const decision wanted = op_.decide(nullptr);
        refused_ = wanted == decision::assign && bound_.is_closed();
        return refused_ || (wanted == decision::keep && asks_for_no_entry()) ? decision::erase : wanted;
    }
    decision decide(const T* current) {
        base::found_expired_ = false;
        base::event_ = current != nullptr ? expiry_event::replaced : expiry_event::inserted;
        const decision wanted = op_.decide(current);
        refused_ = current == nullptr && wanted == decision::assign && bound_.is_closed();
        return refused_ ? decision::keep : wanted;
    }
    decltype(auto) make() { return op_.make(); }
    template <class Place>
        requires requires(Op& o, Place& place) { o.make_in(place); }
    void make_in(Place&& place) {
        op_.make_in(place);
    }

    // ---- hooks: operation/write_hooks.hpp ----

    void before_insert() { base::admit(); }
    /// A value that is too heavy takes the one that it was to replace with it, in the same step.
    bool erases_instead() const noexcept { return base::is_refused_here_; }
    bool admits(std::uint64_t) noexcept {
        engine_.loads().overtake(hash_);
        if (base::has_room()) return true;
        refused_ = true;
        return false;
    }
    void entry_erased() noexcept { base::did_ = counted::erased; }
    bool keeps_removed(entry& removed, bool erased) noexcept { return base::keeps_removed(removed, erased, reason_of_erase()); }
    void refused(entry& made) noexcept { refused_node_ = std::addressof(made); }

private:
    bool asks_for_no_entry() const noexcept {
        if constexpr (requires { op_.answer.erases(); }) {
            return op_.answer.erases();
        } else {
            return !Op::may_assign;
        }
    }
    static constexpr removal reason_of_erase() noexcept {
        if constexpr (requires { Op::reason; }) {
            return Op::reason;
        } else {
            return removal::erased;
        }
    }

    Op& op_;
    entry* refused_node_ = nullptr;
    bool refused_ = false;
};

/// The write of what a loader has brought: inserts it, unless the load has been overtaken, the cache was cleared meanwhile, the
/// key is there, or a thread updates it. A load that renews an entry replaces that one. In each case the caller holds an entry
/// with the value: the one that was inserted, or one beside the table.
template <class Eviction, class Engine, class Flight>
class load_operation : public admitted_write<Eviction, Engine> {
    using base = admitted_write<Eviction, Engine>;
    using T = typename Engine::mapped_type;
    using entry = typename Engine::entry_type;
    using held_entry = typename Engine::held_entry;
    using loaded = detail::copied_out_t<T>;
    using base::bound_;
    using base::engine_;

public:
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    /// An update of the key may wait for this very load. What it decides comes after the load.
    static constexpr bool refused_beside_owner = true;
    std::memory_order order = std::memory_order_seq_cst;

    load_operation(Eviction& bound, Engine& engine, typename Eviction::visitor& by, std::uint64_t hash, const Flight& flight,
                   const typename base::weigher_type* weigher, std::uint64_t generation, loaded& value,
                   held_entry& held) noexcept
        : base(bound, engine, by, hash, weigher), flight_(flight), generation_(generation), value_(value), held_(held) {
        base::event_ = expiry_event::loaded;
        base::begun_ = flight.noted;
    }
    /// `renews`: an entry that is there was there before the load, or the load has been overtaken.
    void loaded_in(nanoseconds_t took, bool renews) noexcept {
        base::load_took_ = took;
        renews_ = renews;
    }

    /// A later write, or a clear, has kept the value from being stored.
    bool is_stale() const noexcept { return was_refused_ && is_stale_; }
    /// The value is too heavy for the cache. An old one of the key is not to stay.
    bool is_refused_by_weight() const noexcept { return is_refused_by_weight_; }

    decision decide_on(const entry& present) {
        base::found_expired_ = !bound_.lifetimes().is_live(present);
        is_present_ = !base::found_expired_ && !renews_;
        replaces_ = !is_present_;
        return decision::assign; // so that the node is made, whatever becomes of it
    }
    decision decide(const T* current) noexcept {
        base::found_expired_ = false;
        is_present_ = current != nullptr;
        replaces_ = false;
        return decision::assign;
    }
    loaded&& make() noexcept { return std::move(value_); }

    void before_insert() {
        if (!bound_.is_closed() && !flight_.is_overtaken()) base::admit();
    }
    bool admits(std::uint64_t generation) noexcept {
        is_stale_ = generation != generation_ || flight_.is_overtaken();
        return !is_present_ && (replaces_ ? !base::is_refused_here_ : base::is_admitted()) && !is_stale_;
    }
    void refused(entry& made) noexcept {
        was_refused_ = true;
        engine_.hold_unpublished(held_, made);
        is_refused_by_weight_ = !is_present_ && base::is_too_heavy();
    }
    bool has_room_for(const entry& present) noexcept { return is_present_ || base::has_room_for(present); }
    void replaces(const entry& old, entry& fresh) noexcept {
        base::replaces(old, fresh);
        engine_.hold(held_, fresh);
    }
    void publishes(entry& fresh, std::uint64_t generation) noexcept {
        base::publishes(fresh, generation);
        engine_.hold(held_, fresh);
    }

private:
    const Flight& flight_;
    const std::uint64_t generation_;
    loaded& value_;
    held_entry& held_;
    bool renews_ = false;
    bool is_present_ = false;
    bool replaces_ = false; ///< this attempt, an old entry
    bool is_refused_by_weight_ = false;
    bool was_refused_ = false;
    bool is_stale_ = true; ///< an update of the key is, if it refuses
};

/// The erase of an entry whose key has no value any more, as its loader says; unless the load has been overtaken, or the cache
/// was cleared meanwhile. A thread that updates the key decides itself.
template <class Eviction, class Engine, class Flight>
class absence_operation : public bounded_operation<Eviction, Engine, detail::erase_operation<typename Engine::mapped_type>> {
    using erasing = detail::erase_operation<typename Engine::mapped_type>;
    using base = bounded_operation<Eviction, Engine, erasing>;

public:
    absence_operation(Eviction& bound, Engine& engine, typename Eviction::visitor& by, std::uint64_t hash, erasing& op,
                      const Flight& flight, std::uint64_t generation) noexcept
        : base(bound, engine, by, hash, nullptr, op), flight_(flight), generation_(generation) {}

    bool admits(std::uint64_t generation) noexcept { return generation == generation_ && !flight_.is_overtaken(); }
    void gives_way() noexcept {}

private:
    const Flight& flight_;
    const std::uint64_t generation_;
};

} // namespace syncmap::cache_detail
