// Writes of inline keys that the fast path (fast_path.hpp) left undone: docs/design.md [W1] to [W8].
#pragma once

#include <syncmap/detail/deferred.hpp>
#include <syncmap/engine/table/computing.hpp>

namespace syncmap::engine {

template <class Types>
class inline_writing : public computing<Types> {
    using base = computing<Types>;

public:
    using base::base;

protected:
    using atomic_control = typename Types::layout::atomic_control;
    using control_word = typename Types::layout::control_word;
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using reader = engine::reader<Types>;
    using section = typename locks::section;
    using vacancy = typename chain::vacancy;
    using typename base::atomic_word;
    using typename base::control;
    using typename base::direct_overwrites;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::pair;
    using typename base::record_supply;
    using typename base::Sync;
    using typename base::thread_record_type;
    using T = typename base::T;
    using typename base::locking;
    using typename base::place_of_write;
    template <class Op>
    using made_word = typename base::template made_word<Op>;
    template <class Op>
    static constexpr bool decides_under_lock = base::template decides_under_lock<Op>;
    template <class K>
    using ownership = typename base::template ownership<K>;

    /// A write of an inline key under way.
    template <class Op>
    struct inline_write {
        Op& op;
        const Key& key;
        const word bits;
        const std::uint64_t hash;
        place_of_write& at;
        made_word<Op> value{op};
    };

    /// Returns the root at which the write took place. The search for an inline key runs under the lock: it compares a few
    /// words.
    template <class Op>
    word write_inline(control& c, thread_record_type& s, std::uint64_t hash, const Key& key, Op& op, bool owner) {
        syncmap::detail::deferred<ownership<Key>> own;
        record_supply supply(*this);
        place_of_write at{supply, owner};
        inline_write<Op> w{op, key, to_word(key), hash, at};
        for (;;) {
            switch (const outcome o = attempt(c, s, w)) {
            case outcome::done: return at.root;
            case outcome::erased: base::resizer::after_erase(*this, c, s, at.root); return at.root;
            case outcome::must_ask:
                own.emplace(*this, w.hash, w.key);
                at.owner = true;
                break;
            default: this->prepare_next(c, s, o, at);
            }
        }
    }

    template <class Op>
    outcome attempt(control& c, thread_record_type& s, inline_write<Op>& w) {
        w.at.root = this->root_.load(std::memory_order_acquire); // [W1]
        w.at.t = base::table_of(w.at.root);
        if (w.at.t == nullptr) return w.op.decide(nullptr) == decision::assign ? outcome::no_table : outcome::done;

        // A decision that may run user code uses what a reader sees. The writer checks that under the lock.
        [[maybe_unused]] maybe_word seen;
        decision d = decision::keep;
        if constexpr (!decides_under_lock<Op>) {
            seen = reader::find_inline(*this, w.key);
            d = base::decide_on_word(seen, w.op);
            if (d == decision::keep) return outcome::done;
            if (d == decision::assign) w.value.make();
        }

        if (locks::is_cutting(c)) [[unlikely]]
            return outcome::gate_closed;
        section in(*this, s, w.at.t, w.at.root); // [W2]
        if (!in) return outcome::again;
        const auto bucket_in = [&](const header& t) { return t.bucket_of(w.hash, w.bits); };
        w.at.bucket = bucket_in(*w.at.t);
        control_word held = 0;
        switch (this->lock_live_bucket(in, w.at.t, w.at.bucket, held, w.at.root, bucket_in)) {
        case locking::locked: break;
        case locking::busy: return outcome::locked_by_other;
        case locking::stale: return outcome::again;
        }
        atomic_control& lock = w.at.t->controls[w.at.bucket];
        const auto end = [&](outcome o) {
            locks::unlock(c, lock, held); // [W8]
            return o;
        };
        const auto end_published = [&](outcome o) {
            locks::unlock(c, lock, held, visible_on_return(w.op.order)); // [W8]
            return o;
        };
        if (!w.at.owner) {
            const outcome o = this->admit_decision(c, w.at.root, w.hash); // [W4]
            if (o != outcome::admitted) return end(o);
        }

        line_type& home = w.at.t->home(w.at.bucket);
        const word slot_word = Layout::inline_slot_word(w.bits);
        atomic_word* const slot = chain::slot_of(home, slot_word);
        maybe_word current = slot == nullptr ? maybe_word() : maybe_word(chain::value_at(slot));
        for (;;) {
            if constexpr (decides_under_lock<Op>) {
                d = base::decide_on_word(current, w.op);
                if (d == decision::assign) w.value.make();
            } else if (current != seen) {
                return end(outcome::again);
            }
            if (d == decision::keep || !base::may_publish(w.op, *w.at.t)) return end(outcome::done);
            const bool overwrites = d == decision::assign && slot != nullptr;
            // [W5] [P1]
            const outcome o = base::admit_change(c, *w.at.t, w.at.bucket, held, !overwrites, w.at.past_gate, w.at.supply);
            if (o != outcome::admitted) return end(o);
            if (slot == nullptr) break;
            pair was{slot_word, *current};
            const bool visible = visible_on_return(w.op.order);
            if (overwrites) {
                if (direct_overwrites::replace(slot, was, w.value.bits, visible)) return end(outcome::done); // [W6]
            } else if (direct_overwrites::erase(s, chain::generation_of(*w.at.t), slot, was, visible)) { // [W6] [W7]
                chain::trim(c, *w.at.t, home);
                return end(outcome::erased);
            }
            current = maybe_word(was.second); // it was overwritten meanwhile
        }
        const vacancy v = chain::find_vacancy(c, *w.at.t, home);
        if (!v) return end(outcome::full);
        chain::insert(s, *w.at.t, v, slot_word, w.value.bits); // [W6] [W7]
        return end_published(outcome::done);
    }
};

} // namespace syncmap::engine
