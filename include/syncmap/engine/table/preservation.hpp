// What writers owe to live snapshots: before the first change of a bucket since the newest of them, its content is copied
// for every snapshot that has not got it.
//
// [P1] A write is published only if the gate's newest phase is not above the bucket's stamp. Both are looked at under the
//      bucket's lock, in the section; the stamp is raised, after the records are in their lists, before the write.
// [P2] So a bucket whose stamp is below a live snapshot's phase has not changed since that snapshot's instant; else a record
//      of that snapshot covers each of its hashes. Where there are two of a bucket, from before its stamp was raised, they
//      are equal.
// [P3] A split hands the stamp on; a merge preserves its sources first, so that its target's stamp is true of all.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/chain.hpp>
#include <syncmap/engine/table/snapshot_memory.hpp>

namespace syncmap::engine {

template <class Types>
class preservation {
    using memory = snapshot_memory<Types>;
    using chain = engine::chain<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using control = typename Types::control;
    using control_word = typename Layout::control_word;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using slab = typename memory::slab;
    using snapshot_type = typename control::snapshot_type;

public:
    using map_type = retirement<Types>;

    /// Memory for records, made before a lock is taken, as nothing is allocated under one.
    class record_supply {
    public:
        explicit record_supply(map_type& map) noexcept : map_(map) {}
        record_supply(const record_supply&) = delete;
        record_supply& operator=(const record_supply&) = delete;
        ~record_supply() { reset(); }

        /// Room in a snapshot's slabs, to which the one at hand is added if need be. Null: `provide` will make one.
        [[gnu::cold]] std::byte* carve(snapshot_type& s, std::size_t bytes) noexcept {
            std::byte* room = s.carve(bytes);
            if (room == nullptr && fresh_ != nullptr) {
                room = fresh_->carve(bytes);
                if (room != nullptr) s.add(*std::exchange(fresh_, nullptr));
            }
            if (room == nullptr) {
                const std::size_t by_then =
                    bytes + bucket_record::bytes_for(Layout::slots_per_line); // a few more entries may be in
                lacking_ = detail::greater(s.next_slab_bytes(), sizeof(slab) + by_then);
            }
            return room;
        }
        /// Makes what was lacking. Throws what the allocator throws.
        [[gnu::cold]] void provide() {
            reset();
            fresh_ = memory::make_slab(map_, lacking_);
        }

        /// Whether an attempt before this one was given up.
        bool has_lacked() const noexcept { return lacking_ != 0; }

        std::size_t lines_lacking = 0; ///< overflow lines that a move was lacking besides
        static constexpr std::size_t no_group = ~std::size_t{0};
        std::size_t lacking_group = no_group; ///< the group of that move: it is tried again first

    private:
        void reset() noexcept {
            if (fresh_ != nullptr) memory::free_slab(map_, std::exchange(fresh_, nullptr));
        }
        map_type& map_;
        slab* fresh_ = nullptr;
        std::size_t lacking_ = 0;
    };

    /// For the holder of a bucket's lock, whose control word is `held`, before it changes the bucket [P1]. False: `supply`
    /// lacks memory. A snapshot that was served by then has its record; another thread may give it a second one, of the
    /// same content [P2].
    [[gnu::cold, gnu::noinline]] static bool preserve(control& c, header& t, std::size_t bucket, control_word& held,
                                                      word gate_word, record_supply& supply) noexcept {
        const std::uint64_t generation = t.generation.load(std::memory_order_relaxed);
        std::size_t entries = 0;
        chain::each_entry(t.home(bucket), [&](line_type&, std::size_t, word) { return ++entries == 0; });
        bool lacks = false;
        // A snapshot that an earlier attempt has served is passed over, so each attempt serves one more at least. Two snapshots
        // whose slabs hold one such record each would else be served in turn for ever.
        each_unserved(c, Layout::stamp_of(held), gate_word, generation, [&](snapshot_type& s) {
            if (supply.has_lacked() && has_record(s, t, bucket)) return;
            std::byte* const room = lacks ? nullptr : supply.carve(s, bucket_record::bytes_for(entries));
            lacks = room == nullptr;
            if (!lacks) s.push(filled(room, t, bucket));
        });
        if (lacks) return false;
        held = Layout::stamped(held, gate::newest_phase(gate_word));
        // release: a thread that sees what is published next sees this stamp as well [P2].
        t.controls[bucket].store(static_cast<control_word>(held | Layout::lock_bit), std::memory_order_release);
        return true;
    }

private:
    /// The live snapshots for which a bucket with this stamp is not preserved yet. (Newer ones than the gate tells of are
    /// not live for this writer: their instant comes after its section.)
    template <class F>
    static void each_unserved(control& c, std::uint32_t stamp, word gate_word, std::uint64_t generation, F&& f) noexcept {
        // acquire: pairs with the release that made it live. Dropped ones are not freed before all sections of now ended.
        for (snapshot_type* s = c.snapshots().live.load(std::memory_order_acquire); s != nullptr && s->phase > stamp;
             s = s->older.load(std::memory_order_acquire)) {
            if (s->phase <= gate::newest_phase(gate_word) && s->generation == generation) f(*s);
        }
    }

    /// A record of a bucket, without its entries.
    static bucket_record head_of(const header& t, std::size_t bucket) noexcept {
        bucket_record r;
        r.sentinel_key = t.is_sentinel_key_bucket(bucket);
        r.first = r.sentinel_key ? 0 : t.first_hash_of(bucket);
        r.last = t.last_hash_of(r.sentinel_key ? 0 : bucket);
        return r;
    }

    /// Whether a record of the snapshot covers all of a bucket. If the stamp is below its phase, the bucket has not changed
    /// since that was made.
    static bool has_record(const snapshot_type& s, const header& t, std::size_t bucket) noexcept {
        const bucket_record all = head_of(t, bucket);
        const bucket_record* const r = s.find(all.first, all.sentinel_key);
        return r != nullptr && r->covers(all.last, all.sentinel_key);
    }

    static bucket_record& filled(std::byte* room, header& t, std::size_t bucket) noexcept {
        bucket_record& r = *::new (room) bucket_record(head_of(t, bucket));
        chain::each_entry(t.home(bucket), [&](line_type& l, std::size_t i, word slot_word) {
            if constexpr (!Layout::inline_key)
                map_type::node_at(slot_word)->pin(); // held by being in a slot of a locked bucket
            r.add(slot_word, chain::value_at(l.slot(i)));
            return false;
        });
        return r;
    }
};

} // namespace syncmap::engine
