// What all writers of a key have in common: how an operation decides, and whether a writer that has a bucket's lock may go on.
//
//   before it decides    the key must not be in flight, or be the writer's own; the root must still be the one of [W1]
//   before it publishes  the gate must let it pass; what live snapshots need of the bucket must be kept
//
// The answer says what the writer has to do first. It lets go of the lock and of the section, does that, and tries again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/table/reader.hpp>
#include <syncmap/engine/table/resizer.hpp>

namespace syncmap::engine {

/// What became of one attempt to write, or of a step of it, and so what to do before the next.
enum class outcome : unsigned char {
    admitted,
    done,
    replaced,        ///< done; the node that was found is to be retired
    erased,          ///< done; so is the node, if there is one
    cleared,         ///< `clear` came first: nothing is published
    again,           ///< the root or the bucket changed
    no_table,
    locked_by_other,
    must_ask,        ///< a key of this hash is in flight
    gate_closed,
    must_preserve,   ///< memory for a record is lacking
    full             ///< so is a slot
};

/// On top of what the map owns. Protected: the parts work on that, and no other code does.
template <class Types>
class admission : protected retirement<Types> {
    using base = retirement<Types>;
    using preservation = engine::preservation<Types>;

public:
    using base::base;

protected:
    using resizer = engine::resizer<Types>;
    using locks = engine::locks<Types>;
    using section = typename locks::section;
    using found = typename engine::reader<Types>::found;
    using record_supply = typename preservation::record_supply;
    using control_word = typename Types::layout::control_word;
    using T = typename Types::mapped_type;
    using typename base::control;
    using typename base::header;
    using typename base::Layout;
    using typename base::Sync;
    using typename base::thread_record_type;

    /// Where an attempt takes place, and what is known of the ones before.
    struct place_of_write {
        record_supply& supply;
        bool owner;             ///< this thread owns the key (single_flight.hpp)
        bool past_gate = false; ///< it has waited for the gate, once
        word root = 0;
        header* t = nullptr;
        std::size_t bucket = 0;
    };

    // ---- what the operation decides, and publishes ----

    /// A decision under the lock may not run user code: it copies, adds or compares scalars.
    template <class Op>
    static constexpr bool decides_under_lock = Layout::pairs && std::is_scalar_v<T> && !Op::runs_user_code;

    template <class Op>
    static decision decide_on_word(maybe_word value, Op& op) {
        if (!value) return op.decide(nullptr);
        const T current = from_word<T>(*value);
        return op.decide(std::addressof(current));
    }
    /// Calls `op.decide` with what was found.
    template <class Op>
    static decision decide(const found& place, Op& op) {
        if (place.slot_word == Layout::empty) return op.decide(nullptr);
        if constexpr (requires { op.decide_on(*base::node_at(place.slot_word)); })
            return op.decide_on(*base::node_at(place.slot_word));
        return engine::reader<Types>::show(place, [&](const T& value) { return op.decide(std::addressof(value)); });
    }

    /// The word that an operation publishes. It is made once, or after each decision where it depends on that.
    template <class Op>
    struct made_word {
        Op& op;
        word bits = 0;
        bool made = false;

        [[gnu::always_inline]] void make() {
            if constexpr (Op::may_assign) {
                if (!made || Op::depends_on_current) bits = to_word(engine::made<T>(value_maker{op}));
                made = true;
            }
        }
        [[gnu::always_inline]] word get() {
            make();
            return bits;
        }
    };

    /// Returns false for an operation that is of another generation of the map than the table, or whose caller forbids it.
    template <class Op>
    static bool may_publish([[maybe_unused]] Op& op, [[maybe_unused]] const header& t) noexcept {
        if constexpr (requires { op.generation; }) {
            if (op.generation != t.generation.load(std::memory_order_relaxed)) return false;
        }
        if constexpr (requires { op.admits(std::uint64_t{}); }) {
            return op.admits(t.generation.load(std::memory_order_relaxed));
        }
        return true;
    }

    // ---- under the bucket's lock ----

    /// Before the writer decides.
    outcome admit_decision(control& c, word root, std::uint64_t hash) const noexcept {
        if (must_ask(c, hash)) return outcome::must_ask; // [W4]
        return this->is_root(root) ? outcome::admitted : outcome::again;
    }

    /// Before the writer publishes. `held`: the bucket's control word; a record that is made here raises its stamp.
    static outcome admit_change(control& c, header& t, std::size_t bucket, control_word& held, bool changes_size,
                                bool past_gate, record_supply& supply) noexcept {
        const word gate_word = c.gate_word.load(std::memory_order_acquire); // [W5]
        if (must_wait(gate_word, changes_size, past_gate)) return outcome::gate_closed;
        return admit_snapshots(c, t, bucket, held, gate_word, supply);
    }
    /// The same of several buckets at once, of which each has `t`, `bucket` and `held`.
    template <class Buckets>
    static outcome admit_changes(control& c, Buckets& buckets, bool changes_size, bool past_gate,
                                 record_supply& supply) noexcept {
        const word gate_word = c.gate_word.load(std::memory_order_acquire); // [W5]
        if (must_wait(gate_word, changes_size, past_gate)) return outcome::gate_closed;
        for (auto& u : buckets) { // a needless record is true as well
            const outcome o = admit_snapshots(c, *u.t, u.bucket, u.held, gate_word, supply);
            if (o != outcome::admitted) return o;
        }
        return outcome::admitted;
    }

    /// Both, for a writer that goes another way where anything stands against it.
    bool admits_at_once(control& c, word root, std::uint64_t hash, control_word held) const noexcept {
        if (must_ask(c, hash) || !this->is_root(root)) [[unlikely]]
            return false; // [W4]
        const word seen = c.gate_word.load(std::memory_order_acquire);            // [W5]
        return gate::is_open(seen) && gate::is_preserved(Layout::stamp_of(held), seen);
    }

    // ---- between two attempts ----

    /// Does what the last attempt was lacking, with nothing held.
    [[gnu::cold, gnu::noinline]] void prepare_next(control& c, thread_record_type& s, outcome last, place_of_write& at) {
        switch (last) {
        case outcome::no_table: resizer::make_first_table(*this, c, at.root, base::min_log2()); break;
        case outcome::locked_by_other: locks::wait_unlocked(c, at.t->controls[at.bucket]); break;
        case outcome::gate_closed:
            locks::wait_for_gate(c);
            at.past_gate = true;
            break;
        case outcome::must_preserve: at.supply.provide(); break;
        case outcome::full: resizer::make_room(*this, c, s, at.root, at.t, at.bucket); break;
        default: break;
        }
    }

    enum class locking : unsigned char { locked, busy, stale };

    /// Locks the bucket that is live for a key, following MOVED control words; the section names the table it ends in.
    /// Busy: another writer has `t->controls[bucket]`. Stale: the root changed.
    template <class BucketIn>
    locking lock_live_bucket(section& in, header*& t, std::size_t& bucket, control_word& held, word root,
                             BucketIn bucket_in) const noexcept {
        for (;;) {
            // The compare-exchange holds back the loads behind it: fetch the line at the same time as the control word.
            __builtin_prefetch(t->home(bucket).words, 1);
            held = t->controls[bucket].load(std::memory_order_acquire);
            if ((held & Layout::moved_bit) != 0) {
                header* const n = t->successor();
                if (n == nullptr) return locking::stale;
                in.enter(*this, n, root);
                if (!in) return locking::stale;
                t = n;
                bucket = bucket_in(*t);
                continue;
            }
            if ((held & Layout::lock_bit) != 0) return locking::busy;
            if (locks::try_lock(t->controls[bucket], held)) return locking::locked; // [W3]
        }
    }

private:
    /// Whether a thread computes a key of this hash, so that its writers must ask for its flight [W4]. Under the lock.
    static bool must_ask(control& c, std::uint64_t hash) noexcept {
        Sync::fence_after_rmw(); // between locking, which follows a look at the root, and the look at the counter
        // acquire: pairs with the end of a computing_mark. If a computation ended because `clear` came first, this
        // writer, which checks the root next, sees that too, and does not write to what the computation did not.
        return c.computing_of(hash).load(std::memory_order_acquire) != 0;
    }

    /// Under the bucket's lock: whether a write has to let others go first. `size` is let go first once, by what changes
    /// it: its result does not depend on that, only its progress does. The cut of a snapshot must not be passed.
    static bool must_wait(word gate_word, bool changes_size, bool has_waited) noexcept {
        if (gate::is_open(gate_word)) [[likely]]
            return false;
        return (gate_word & gate::cutting) != 0 || (changes_size && !has_waited);
    }

    static outcome admit_snapshots(control& c, header& t, std::size_t bucket, control_word& held, word gate_word,
                                   record_supply& supply) noexcept {
        if (gate::is_preserved(Layout::stamp_of(held), gate_word)) [[likely]]
            return outcome::admitted; // [P1]
        return preservation::preserve(c, t, bucket, held, gate_word, supply) ? outcome::admitted : outcome::must_preserve;
    }
};

} // namespace syncmap::engine
