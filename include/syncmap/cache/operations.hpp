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
#include <syncmap/detail/deferred.hpp>
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
///
/// A write reads once which features its cache has. What they ask of it is out of line.
template <class Eviction, class Engine>
class admitted_write {
    using entry = typename Engine::entry_type;
    using admission = typename Eviction::admission;
    using feature = typename Eviction::feature;

public:
    admitted_write(const admitted_write&) = delete;
    admitted_write& operator=(const admitted_write&) = delete;

    /// The key has an entry that it had not before; one that had expired does not count.
    bool inserted() const noexcept { return did_ == counted::insert || replaced_expired_; }
    /// What the statistics count of it: an insert, an erase, an overwrite, an expiration; `kinds`: nothing. An expired entry
    /// that was replaced is an expiration, and an insert, which `end` counts.
    counted did() const noexcept { return did_; }
    std::uint64_t hash() const noexcept { return hash_; }
    /// When the entry ends that it has made, if the cache has a log of that.
    filing filed() const noexcept { return more_.get() == nullptr ? filing{} : more_->filed; }

    // ---- hooks: operation/write_hooks.hpp ----

    prefix_kind wants_prefix() const noexcept {
        if (!has(feature::lifetimes)) return prefix_kind::none;
        return has(feature::tags) ? prefix_kind::extended : prefix_kind::plain;
    }
    void prepared(entry& fresh, bool is_present) {
        if (features_ != feature::none) [[unlikely]]
            prepare(fresh, is_present);
    }
    void publishes(entry& fresh, std::uint64_t) noexcept {
        admission& mine = *mine_;
        bound_.begin(lane_, fresh, mine);
        set_weight(fresh, mine.need);
        mine.held -= mine.need;
        did_ = counted::insert;
    }
    bool has_room_for(const entry& present) noexcept { return !has(feature::weights) || has_weight_for(present); }
    template <class Place>
    void erases(const Place&) noexcept {
        if (has(feature::listener)) by_.leaves(hash_);
    }
    void replaces(const entry& old, entry& fresh) noexcept {
        bound_.overwrite(lane_, fresh);
        if (has(feature::weights | feature::listener)) [[unlikely]]
            replaces_with_features(old, fresh);
    }
    bool keeps_removed(entry& removed, bool erased, removal why = removal::erased) noexcept {
        if (erased) {
            bound_.pool().give(weight_of(removed));
            give_back();
        } else {
            did_ = counted::replaced;
            why = removal::replaced;
        }
        return has(feature::listener | feature::expired) && keeps(removed, erased, why);
    }
    [[gnu::cold, gnu::noinline]] void attempt_failed() noexcept {
        inserts_ = false;
        is_refused_ = false;
        give_back();
        if (mine_.get() != nullptr) bound_.finish(by_, *mine_);
    }

    /// After the write.
    void end() {
        if (admission* const mine = mine_.get(); mine != nullptr) {
            if (did_ == counted::insert) bound_.inserted(by_, hash_, *mine);
            bound_.give_back(*mine);
            bound_.leave(*mine);
        }
        if (replaced_expired_) [[unlikely]]
            bound_.counters().count(by_.slot(), counted::insert);
    }

protected:
    admitted_write(Eviction& bound, Engine& engine, typename Eviction::visitor& by, std::uint64_t hash) noexcept
        : bound_(bound), engine_(engine), by_(by), lane_(bound.lane_of(by)), hash_(hash), features_(bound.features()) {}
    /// However the write ended.
    ~admitted_write() {
        if (more_.get() != nullptr && more_->refused != nullptr) [[unlikely]]
            drop_refused();
        if (admission* const mine = mine_.get(); mine != nullptr) {
            bound_.leave(*mine);
            bound_.give_back(*mine);
            bound_.finish(by_, *mine);
        }
    }

    void admit() {
        inserts_ = true;
        if (!is_too_heavy()) bound_.admit(by_, lane_, hash_, mine());
    }
    bool admit_to_main() {
        inserts_ = true;
        return bound_.admit_to_main(lane_, hash_, mine());
    }
    [[gnu::noinline]] void begin_lifetime(entry& fresh, bool is_present) {
        const bool replaces = is_present && !has(feature::expired) && event_ == expiry_event::inserted;
        particulars& own = more();
        bound_.lifetimes().begin(fresh, replaces ? expiry_event::replaced : event_, own.own_ttl, own.load_took);
        bound_.lifetimes().begin_tags(fresh, own.own_tags, own.begun);
        own.filed = bound_.lifetimes().filing_of(fresh);
    }
    /// The weigher runs here, once, with no permit in hand.
    void weigh_if_weighted(entry& fresh, bool is_present) {
        if (!has(feature::weights)) return;
        particulars& own = more();
        if (!own.is_weighed) mine().need = bound_.weight_by_weigher(fresh);
        own.is_weighed = true;
        if (is_present && own.lacking != 0 && !is_too_heavy()) bound_.admit_more(by_, lane_, own.present, mine(), own.lacking);
    }
    /// Whether this attempt may publish what it has made.
    bool has_room() noexcept { return !inserts_ || is_admitted(); }
    bool is_admitted() noexcept {
        const admission* const mine = mine_.get();
        return mine != nullptr && mine->is_placed && mine->held >= mine->need;
    }
    bool is_too_heavy() noexcept { return has(feature::weights) && bound_.is_too_heavy(mine().need); }
    bool has(feature f) const noexcept { return (features_ & f) != feature::none; }

    void has_found_expired(bool is_expired) noexcept {
        features_ = is_expired ? features_ | feature::expired : features_ & ~feature::expired;
    }

    /// What only some writes need.
    struct particulars {
        nanoseconds_t own_ttl = as_usual;
        nanoseconds_t load_took = 0;
        entry_tags own_tags{};
        std::uint64_t begun = begins_now; ///< [TG1]
        filing filed{};
        std::size_t lacking = 0; ///< permits that it needs to replace the present value
        const entry* present = nullptr; ///< that one: an address, for comparisons
        entry* refused = nullptr; ///< the node of an insert that was refused
        bool is_weighed = false;
    };
    particulars& more() {
        if (more_.get() == nullptr) more_.emplace();
        return *more_;
    }
    /// Of a write that inserts, or whose value has a weight.
    admission& mine() {
        if (mine_.get() == nullptr) mine_.emplace();
        return *mine_;
    }

    Eviction& bound_;
    Engine& engine_;
    typename Eviction::visitor& by_;
    typename Eviction::lane_type& lane_;
    const std::uint64_t hash_;
    /// Of the cache, and of the value that this write stores. `expired`: the last look at the key found an entry that no
    /// operation shows any more.
    feature features_;
    counted did_ = counted::kinds;
    expiry_event event_ = expiry_event::inserted; ///< of an entry that is inserted
    bool is_refused_ = false; ///< nothing can be stored, or this attempt would store a value that is too heavy

private:
    void give_back() noexcept {
        if (mine_.get() != nullptr) bound_.give_back(*mine_);
    }
    [[gnu::noinline]] void drop_refused() noexcept {
        typename Engine::held_entry held;
        engine_.hold_unpublished(held, *more_->refused);
    }

    [[gnu::noinline]] void prepare(entry& fresh, bool is_present) {
        if (has(feature::lifetimes)) begin_lifetime(fresh, is_present);
        weigh_if_weighted(fresh, is_present);
    }
    /// The weight is that of the value that is replaced. The permits for the difference come before the next attempt.
    [[gnu::noinline]] bool has_weight_for(const entry& present) noexcept {
        particulars& own = *more_;
        const admission& mine = *mine_;
        is_refused_ = is_too_heavy(); // the one look at the capacity under the lock
        const std::size_t old = weight_of(present);
        own.lacking = mine.need > old ? mine.need - old : 0;
        own.present = std::addressof(present);
        return is_refused_ || mine.held >= own.lacking;
    }
    [[gnu::noinline]] void replaces_with_features(const entry& old, entry& fresh) noexcept {
        by_.leaves(hash_);
        if (!has(feature::weights)) return;
        admission& mine = *mine_;
        set_weight(fresh, mine.need);
        mine.held = mine.held + weight_of(old) - mine.need;
        if (mine.need == 0) {
            fresh.mark.begin_in(queue::outside);
        } else if (fresh.mark.where() == queue::outside) {
            fresh.mark.begin_in(queue::in_main);
        }
    }
    /// For the listener, if there is one.
    [[gnu::noinline]] bool keeps(entry& removed, bool erased, removal why) noexcept {
        if (has(feature::expired)) {
            did_ = removed.has_value() ? counted::expiration : counted::kinds; // or what is remembered of a load
            replaced_expired_ = !erased;
            why = bound_.lifetimes().reason_of(removed);
        }
        return by_.keeps(removed, why);
    }

    bool inserts_ = false; ///< this attempt does
    bool replaced_expired_ = false;
    syncmap::detail::deferred<admission> mine_{};
    syncmap::detail::deferred<particulars> more_{};
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

    bounded_operation(Eviction& bound, Engine& engine, typename Eviction::visitor& by, std::uint64_t hash, Op& op) noexcept
        : base(bound, engine, by, hash), order(op.order), op_(op) {
        if constexpr (Op::may_assign) bound.fetch_for(base::lane_, hash);
    }

    /// The entry's lifetime, instead of what the cache's options say.
    void live_for(nanoseconds_t ttl) noexcept {
        base::more().own_ttl = ttl;
        if (ttl != never) base::features_ = base::features_ | Eviction::feature::lifetimes;
    }
    void obey(const put_options& with) noexcept {
        if (with.ttl) live_for(with.ttl->count());
        if (!with.tags.empty()) tag_with(with.tags);
    }
    /// The entry's tags, instead of what the cache's options say. `begun`: when it was loaded.
    void tag_with(entry_tags tags, std::uint64_t begun = begins_now) noexcept {
        base::more().own_tags = tags;
        base::more().begun = begun;
        if (!tags.empty()) base::features_ = base::features_ | Eviction::feature::lifetimes | Eviction::feature::tags;
    }

    /// An entry that was to be seen is erased.
    bool erased() const noexcept { return base::did_ == counted::erased; }
    /// Nothing can be stored, or not this value.
    bool is_refused() const noexcept { return base::is_refused_; }

    /// An expired entry is absent for the operation, though a node is there. An erase takes that away, too.
    decision decide_on(const entry& present) {
        if (bound_.lifetimes().is_live(present)) return decide(std::addressof(present.value()));
        base::has_found_expired(true);
        const decision wanted = op_.decide(nullptr);
        base::is_refused_ = wanted == decision::assign && bound_.is_closed();
        return base::is_refused_ || (wanted == decision::keep && asks_for_no_entry()) ? decision::erase : wanted;
    }
    decision decide(const T* current) {
        base::has_found_expired(false);
        const decision wanted = op_.decide(current);
        base::is_refused_ = current == nullptr && wanted == decision::assign && bound_.is_closed();
        return base::is_refused_ ? decision::keep : wanted;
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
    bool erases_instead() const noexcept { return base::has(Eviction::feature::weights) && base::is_refused_; }
    bool admits(std::uint64_t) noexcept {
        engine_.loads().overtake(hash_);
        if (base::has_room()) return true;
        base::is_refused_ = true;
        return false;
    }
    void entry_erased() noexcept { base::did_ = counted::erased; }
    bool keeps_removed(entry& removed, bool erased) noexcept { return base::keeps_removed(removed, erased, reason_of_erase()); }
    void refused(entry& made) noexcept { base::more().refused = std::addressof(made); }

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
                   std::uint64_t generation, loaded& value, held_entry& held) noexcept
        : base(bound, engine, by, hash), flight_(flight), generation_(generation), value_(value), held_(held) {
        bound.fetch_for(base::lane_, hash);
        base::event_ = expiry_event::loaded;
        base::more().begun = flight.noted;
    }
    /// `renews`: an entry that is there was there before the load, or the load has been overtaken.
    void loaded_in(nanoseconds_t took, bool renews) noexcept {
        base::more().load_took = took;
        renews_ = renews;
    }

    /// A later write, or a clear, has kept the value from being stored.
    bool is_stale() const noexcept { return was_refused_ && is_stale_; }
    /// The value is too heavy for the cache. An old one of the key is not to stay.
    bool is_refused_by_weight() const noexcept { return is_refused_by_weight_; }

    decision decide_on(const entry& present) {
        const bool is_live = bound_.lifetimes().is_live(present);
        base::has_found_expired(!is_live);
        is_present_ = is_live && !renews_;
        replaces_ = !is_present_;
        return decision::assign; // so that the node is made, whatever becomes of it
    }
    decision decide(const T* current) noexcept {
        base::has_found_expired(false);
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
        return !is_present_ && (replaces_ ? !base::is_refused_ : base::is_admitted()) && !is_stale_;
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
        flight_.share_no_more();
    }
    void publishes(entry& fresh, std::uint64_t generation) noexcept {
        base::publishes(fresh, generation);
        engine_.hold(held_, fresh);
        flight_.share_no_more();
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
        : base(bound, engine, by, hash, op), flight_(flight), generation_(generation) {}

    bool admits(std::uint64_t generation) noexcept { return generation == generation_ && !flight_.is_overtaken(); }
    void gives_way() noexcept {}

private:
    const Flight& flight_;
    const std::uint64_t generation_;
};

} // namespace syncmap::cache_detail
