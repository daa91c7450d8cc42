// The writes of a compact cache: operations on the word of an entry.
//
// A permit is in hand before an entry is inserted [E1]; without one the key stays absent. A put or an erase that finds its key
// absent overtakes the loads of the key that run: it has the lock of the bucket then, if there is a table. One that finds it
// present need not: the insert of that entry has overtaken them, or it is a load's own, which shares no more [CO3].
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>

#include <syncmap/cache/compact/compact_state.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/operation/write_hooks.hpp>

namespace syncmap::cache_detail {

/// What a write asks of the entry that is there.
struct compact_condition {
    enum class kind : unsigned char { none, absent, present, same } of = kind::none;
    std::uint64_t value = 0; ///< same: this one

    bool lets_insert() const noexcept { return of == kind::none || of == kind::absent; }
    bool lets_overwrite(std::uint64_t current) const noexcept {
        return of == kind::none || of == kind::present || (of == kind::same && compact_state::has_value(current, value));
    }
};

/// `Loads`: the loads of the table, `engine::load_registry`.
template <class Loads>
struct compact_store {
    static constexpr bool depends_on_current = true;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = false;
    using word = std::uint64_t;

    Loads& loads;
    const std::uint64_t hash;
    const word value;
    const compact_condition when;
    std::memory_order order = std::memory_order_seq_cst;
    bool has_permit = false;
    word mark = 0; ///< of an entry that it inserts
    bool was_present = false;
    bool stores = false;
    word next = 0;

    decision decide(const word* current) noexcept {
        was_present = current != nullptr;
        if (was_present) {
            stores = when.lets_overwrite(*current);
            if (stores) next = compact_state::with_value(*current, value);
        } else {
            if (when.lets_insert()) loads.overtake(hash);
            stores = has_permit && when.lets_insert();
            if (stores) next = mark | value;
        }
        return stores ? decision::assign : decision::keep;
    }
    word make() const noexcept { return next; }

    bool lacks_permit() const noexcept { return !was_present && !has_permit && when.lets_insert(); }
    bool has_inserted() const noexcept { return stores && !was_present; }
};

template <class Loads>
struct compact_erase {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = false;
    static constexpr bool runs_user_code = false;
    using word = std::uint64_t;

    Loads& loads;
    const std::uint64_t hash;
    const compact_condition when;
    std::memory_order order = std::memory_order_seq_cst;
    std::optional<word> erased{};

    decision decide(const word* current) noexcept {
        erased.reset();
        if (current == nullptr) {
            loads.overtake(hash);
            return decision::keep;
        }
        if (!when.lets_overwrite(*current)) return decision::keep;
        erased = *current;
        return decision::erase;
    }
    [[noreturn]] word make() const noexcept { std::terminate(); }
};

/// The write of what a loader has brought: inserts it, unless the load has been overtaken, the cache was cleared meanwhile, or
/// the key is there.
template <class Flight>
struct compact_load {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = false;
    using word = std::uint64_t;

    const Flight& flight;
    const std::uint64_t generation;
    const word value;
    word mark = 0; ///< of the entry that it inserts
    std::memory_order order = std::memory_order_seq_cst;
    bool was_present = false;
    bool has_inserted = false;

    decision decide(const word* current) noexcept {
        was_present = current != nullptr;
        has_inserted = false;
        return was_present ? decision::keep : decision::assign;
    }
    /// Under the lock. Nothing stops the insert afterwards, but another attempt, which decides again.
    bool admits(std::uint64_t now) noexcept {
        has_inserted = now == generation && !flight.is_overtaken();
        if (has_inserted) flight.share_no_more(); // a write that finds the entry does not overtake its load
        return has_inserted;
    }
    word make() const noexcept { return mark | value; }

    template <class Engine, class Visitor, class Key>
    void write(Engine& engine, Visitor& by, std::uint64_t hash, const Key& key) {
        struct storing {
            const Flight& flight;
            explicit storing(const Flight& of) noexcept : flight(of) { flight.begins_storing(); }
            ~storing() { flight.ends_storing(); }
        } const until_it_ends(flight);
        engine.write_in_steps(by, hash, key, *this);
    }
};

/// Entries of a compact cache do not end.
struct no_lifetimes {
    class glance {
    public:
        explicit glance(const no_lifetimes&) noexcept {}
        template <class Entry>
        static constexpr bool is_over(const Entry&) noexcept {
            return false;
        }
    };
    static constexpr prefix_kind default_prefix() noexcept { return prefix_kind::none; }
    template <class Entry>
    static constexpr removal reason_of(const Entry&) noexcept {
        return removal::expired;
    }
};

} // namespace syncmap::cache_detail
