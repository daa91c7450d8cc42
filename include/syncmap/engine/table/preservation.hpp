// What writers owe to live snapshots: before the first change of a unit since the newest of them, its content is copied
// for every snapshot that has not got it.
//
// [P1] A write is published only if the gate's newest phase is not above the unit's stamp. Both are looked at under the
//      unit's lock, in the section; the stamp is raised, after the records are in their lists, before the write.
// [P2] So a unit whose stamp is below a live snapshot's phase has not changed since that snapshot's instant; else exactly
//      one record of that snapshot covers each of its hashes.
// [P3] A split hands the stamp on; a merge preserves its sources first, so that its target's stamp is true of all.
#pragma once

#include <utility>

#include <syncmap/engine/table/units.hpp>

namespace syncmap::engine {

template <class Types>
class preservation : public units<Types> {
    using base = units<Types>;

public:
    using base::base;

protected:
    using typename base::atomic_control;
    using typename base::control;
    using typename base::control_word;
    using typename base::header;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::node;
    using typename base::Sync;
    using base::node_at;
    using snapshot_type = typename control::snapshot_type;

    /// Records made before a lock is taken, as nothing is allocated under one.
    class record_supply {
    public:
        explicit record_supply(preservation& owner) noexcept : owner_(owner) {}
        record_supply(const record_supply&) = delete;
        record_supply& operator=(const record_supply&) = delete;
        ~record_supply() { owner_.destroy_records(unused_); }

        /// Whether there are so many records of so many entries; if not, `provide` will make them.
        bool has(std::size_t records, std::size_t entries) noexcept {
            if (records == 0 || (records <= records_ && entries <= entries_)) return true;
            lacking_records_ = records;
            lacking_entries_ = entries;
            return false;
        }
        /// Makes what was lacking. Throws what the allocator throws.
        void provide() {
            owner_.destroy_records(std::exchange(unused_, nullptr));
            records_ = 0;
            entries_ = lacking_entries_ + Layout::slots; // by then a few more may be in
            for (; records_ < lacking_records_; ++records_) {
                unit_record* const r = owner_.make_record(entries_);
                r->next = std::exchange(unused_, r);
            }
        }
        unit_record& take() noexcept {
            --records_;
            return *std::exchange(unused_, unused_->next);
        }

        std::size_t lines_lacking = 0; ///< overflow lines that a move was lacking besides

    private:
        preservation& owner_;
        unit_record* unused_ = nullptr;
        std::size_t records_ = 0;
        std::size_t entries_ = 0; ///< that each of them has room for
        std::size_t lacking_records_ = 0;
        std::size_t lacking_entries_ = 0;
    };

    static bool is_preserved(control_word held, word gate_word) noexcept {
        return Layout::stamp_of(held) >= gate::newest_phase(gate_word);
    }

    /// For the holder of a unit's lock, whose control word is `held`, before it changes the unit [P1]. False: `supply`
    /// lacks records, nothing was done.
    [[gnu::noinline]] static bool preserve(control& c, header& t, std::size_t unit, control_word& held, word gate_word,
                                           record_supply& supply) noexcept {
        const std::uint64_t life = t.incarnation.load(std::memory_order_relaxed);
        std::size_t records = 0;
        each_unserved(c, Layout::stamp_of(held), gate_word, life, [&](snapshot_type&) { ++records; });
        std::size_t entries = 0;
        base::each_entry(t.home(unit), [&](line_type&, std::size_t, word) { return ++entries == 0; });
        if (!supply.has(records, entries)) return false;
        each_unserved(c, Layout::stamp_of(held), gate_word, life, [&](snapshot_type& s) {
            if (records-- > 0) s.push(filled(supply.take(), t, unit));
        });
        held = Layout::stamped(held, gate::newest_phase(gate_word));
        // release: who sees what is published next sees this stamp as well [P2].
        t.controls[unit].store(static_cast<control_word>(held | Layout::lock_bit), std::memory_order_release);
        return true;
    }

    /// Under no lock: lets go of nodes, which may run destructors of the user's.
    void destroy_records(unit_record* list) noexcept {
        while (list != nullptr) {
            unit_record* const r = std::exchange(list, list->next);
            if constexpr (!Layout::inline_key) {
                for (std::size_t i = 0; i < r->count; ++i) {
                    node* const n = node_at(r->entries[i].mark);
                    if (n->unpin()) this->destroy_node(n);
                }
            }
            if (r->entries != nullptr) this->destroy_objects(r->entries, r->capacity);
            this->destroy_object(r);
        }
    }

private:
    unit_record* make_record(std::size_t entries) {
        auto* const r = this->template make_object<unit_record>();
        try {
            r->entries = this->template make_objects<seen_entry>(entries);
        } catch (...) {
            this->destroy_object(r);
            throw;
        }
        r->capacity = entries;
        return r;
    }

    /// The live snapshots for which a unit with this stamp is not preserved yet. (Newer ones than the gate tells of are
    /// not live for this writer: their instant comes after its section.)
    template <class F>
    static void each_unserved(control& c, std::uint32_t stamp, word gate_word, std::uint64_t life, F&& f) noexcept {
        // acquire: pairs with the release that made it live. Dropped ones are not freed before all sections of now ended.
        for (snapshot_type* s = c.live.load(std::memory_order_acquire); s != nullptr && s->phase > stamp;
             s = s->older.load(std::memory_order_acquire)) {
            if (s->phase <= gate::newest_phase(gate_word) && s->incarnation == life) f(*s);
        }
    }

    static unit_record& filled(unit_record& r, header& t, std::size_t unit) noexcept {
        r.outlier = base::is_outlier_unit(t, unit);
        r.first = r.outlier ? 0 : static_cast<std::uint64_t>(unit) << t.shift;
        r.last = r.first | ((std::uint64_t{1} << t.shift) - 1);
        base::each_entry(t.home(unit), [&](line_type& l, std::size_t i, word mark) {
            if constexpr (!Layout::inline_key) node_at(mark)->pin(); // held by being in a slot of a locked unit
            r.entries[r.count++] = {mark, base::value_at(l.slot(i)), r.outlier};
            return false;
        });
        return r;
    }
};

} // namespace syncmap::engine
