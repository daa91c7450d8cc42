// The common case of a write of an inline key. It is short and always inlined, so its key and its operation stay in registers.
// An entry of the home line is overwritten without a lock (direct_overwrites.hpp). For anything else the bucket is locked.
// The bucket is live and unlocked, no key of this hash is in flight, and the bucket has the key, a vacant slot or a line to
// add. No whole-map operation needs anything of the writer. This is the protocol of inline_writing.hpp, docs/design.md [W1] to
// [W8], without the branches that wait, retry or allocate. A write that needs one of those changes nothing, unlocks the bucket,
// and begins anew on the general path.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>

#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/table/admission.hpp>
#include <syncmap/engine/table/direct_overwrites.hpp>

namespace syncmap::engine {

template <class Types>
class fast_path : public admission<Types> {
    using base = admission<Types>;

public:
    using base::base;

protected:
    using atomic_control = typename Types::layout::atomic_control;
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using typename base::atomic_word;
    using typename base::control;
    using control_word = typename Types::layout::control_word;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::line_type;
    using section = typename engine::locks<Types>::section;
    using typename base::Sync;
    using typename base::thread_record_type;
    using vacancy = typename engine::chain<Types>::vacancy;
    using T = typename base::T;

    using direct_overwrites = engine::direct_overwrites<Types>;
    using pair = sync::word_pair;
    template <class Op>
    using made_word = typename base::template made_word<Op>;

    enum class direct : unsigned char {
        no,
        kept,
        done,
        erased,
        shown, ///< done, and visible if it is to be
        erased_shown ///< the same
    };

    /// Writes on the fast path. Returns false if it changed nothing; `op` may or may not have decided. `op` decides by built-in
    /// operations alone, so it may do so under the lock.
    template <class Op>
    [[gnu::always_inline]] bool write_directly(control& c, thread_record_type& s, std::uint64_t hash, const Key& key, Op& op) {
        const word root = this->root_.load(std::memory_order_acquire); // [W1]
        header* const t = base::table_of(root);
        const word bits = to_word(key);
        if (t == nullptr || Layout::is_sentinel_key(bits)) [[unlikely]]
            return false;
        switch (write_in_section(c, s, *t, root, hash, bits, op)) {
        case direct::no: return false;
        case direct::kept:
        case direct::done:
        case direct::shown: break;
        case direct::erased:
        case direct::erased_shown: base::resizer::after_erase(*this, c, s, root); break;
        }
        base::resizer::help_if_asked(*this, c, s, *t, root);
        return true;
    }

private:
    template <class Op>
    [[gnu::always_inline]] direct write_in_section(control& c, thread_record_type& s, header& t, word root, std::uint64_t hash,
                                                   word bits, Op& op) {
        const std::size_t bucket = t.bucket_of(hash);
        line_type& home = t.home(bucket);
        // The compare-exchange delays the loads behind it: so this fetches the line at the same time as the control word.
        __builtin_prefetch(home.words, 1);
        atomic_control& lock = t.controls[bucket];
        const word slot_word = Layout::inline_slot_word(bits);
        // A writer that inserts and erases locks first: the look before the lock would find nothing. One that finds direct
        // overwrites barred does not name its section as one: computations would wait for it.
        const bool would_overwrite = Op::may_assign && !s.probably_inserts();
        bool may_overwrite = would_overwrite && c.overwrites.are_direct();
        if (would_overwrite && !may_overwrite && direct_overwrites::counts_down(s)) [[unlikely]]
            return direct::no;
        section in(s, may_overwrite ? thread_record_type::direct_name_of(&t, hash) : thread_record_type::name_of(&t)); // [W2]
        made_word<Op> value{op};
        if (may_overwrite) {
            may_overwrite = c.overwrites.are_direct(); // [O1]
            // acquire: as in admits_at_once.
            may_overwrite = may_overwrite && direct_overwrites::lets_pass(c.gate_word.load(std::memory_order_acquire), lock);
        }
        if (!in.validate(*this, root)) [[unlikely]]
            return direct::no;
        if constexpr (Op::may_assign) {
            if (may_overwrite) {
                const direct result = overwrite(home, slot_word, op, value, root);
                if (result != direct::no) [[likely]]
                    return result;
            }
        }
        const control_word held = lock.load(std::memory_order_relaxed);
        if ((held & (Layout::lock_bit | Layout::moved_bit)) != 0 || !locks::try_lock(lock, held)) [[unlikely]]
            return direct::no; // [W3]
        const direct result = publish(c, s, t, home, hash, slot_word, held, op, value, root);
        const bool is_to_show = result == direct::done || result == direct::erased;
        locks::unlock(c, lock, held, is_to_show && visible_on_return(op.order)); // [W8]
        return result;
    }

    /// Overwrites an entry of the home line without a lock [O3] [O4]. Returns `no` where that cannot be.
    template <class Op>
    [[gnu::always_inline]] direct overwrite(line_type& home, word slot_word, Op& op, made_word<Op>& value, word root) {
        const unsigned hits = home.match(slot_word);
        if (hits == 0) return direct::no;
        atomic_word* const slot = home.slot(static_cast<std::size_t>(std::countr_zero(hits)));
        pair seen = Sync::load_pair(slot);
        while (seen.first == slot_word) {
            switch (base::decide_on_word(maybe_word(seen.second), op)) {
            case decision::keep: return this->is_root(root) ? direct::kept : direct::no; // as a reader [R5]
            case decision::assign:
                if (direct_overwrites::replace(slot, seen, value.get(), visible_on_return(op.order))) [[likely]]
                    return direct::shown;
                break;
            case decision::erase: return direct::no;
            }
        }
        return direct::no;
    }

    /// Does the same as `slot_of` for the lines behind the home line.
    [[gnu::noinline]] static atomic_word* slot_behind(line_type& home, word slot_word) noexcept {
        line_type* const l = home.next_line();
        return l == nullptr ? nullptr : chain::slot_of(*l, slot_word);
    }

    /// Inserts where the home line is full.
    [[gnu::noinline]] static direct insert_behind(control& c, thread_record_type& s, header& t, line_type& home, word slot_word,
                                                  word value) noexcept {
        const vacancy v = chain::find_vacancy(c, t, home);
        if (!v) return direct::no;
        chain::insert(s, t, v, slot_word, value); // [W6] [W7]
        return direct::done;
    }

    template <class Op>
    [[gnu::always_inline]] direct publish(control& c, thread_record_type& s, header& t, line_type& home, std::uint64_t hash,
                                          word slot_word, control_word held, Op& op, made_word<Op>& value, word root) {
        if (!this->admits_at_once(c, root, hash, held)) [[unlikely]]
            return direct::no; // [W4] [W5]
        const unsigned hits = home.match(slot_word);
        const bool is_long = hits == 0 && Layout::is_link(home.slot_word(Layout::last));
        atomic_word* const slot = hits != 0 ? home.slot(static_cast<std::size_t>(std::countr_zero(hits)))
                                  : is_long ? slot_behind(home, slot_word)
                                            : nullptr;
        if (slot != nullptr) {
            for (pair seen{slot_word, chain::value_at(slot)};;) {
                switch (base::decide_on_word(maybe_word(seen.second), op)) {
                case decision::keep: return direct::kept;
                case decision::assign:
                    if constexpr (Op::may_assign) {
                        if (direct_overwrites::replace(slot, seen, value.get(), visible_on_return(op.order))) { // [W6]
                            s.withdraw();
                            return direct::shown;
                        }
                    }
                    break;
                case decision::erase:
                    if constexpr (ignores_value<Op>) {
                        direct_overwrites::erase(s, chain::generation_of(t), slot); // [W6] [W7]
                    } else if (!direct_overwrites::erase(s, chain::generation_of(t), slot, seen, visible_on_return(op.order))) {
                        break;
                    }
                    chain::trim(c, t, home);
                    return ignores_value<Op> ? direct::erased : direct::erased_shown;
                }
            }
        }
        if (op.decide(nullptr) != decision::assign) return direct::kept;
        if constexpr (Op::may_assign) {
            const unsigned vacant = home.match(Layout::empty);
            if (vacant == 0) return insert_behind(c, s, t, home, slot_word, value.get());
            atomic_word* const free = home.slot(static_cast<std::size_t>(std::countr_zero(vacant)));
            s.announce(free, change::insert, chain::generation_of(t));
            chain::store_entry(free, slot_word, value.get()); // [W6]
            s.count(+1); // [W7]
        }
        return direct::done;
    }
};

} // namespace syncmap::engine
