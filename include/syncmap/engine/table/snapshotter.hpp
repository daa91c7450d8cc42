// Snapshots: one instant of the whole map, taken in a few microseconds whatever its size, and read while writers go on.
//
// The *cut*: the gate is closed, so that no write is published any more; every thread record is seen outside of a section once,
// so none is on its way; the state becomes live, and the gate opens with its phase. A writer that comes after that preserves
// what it changes (preservation.hpp). While the gate is closed arriving writers sleep. So a writer that was pre-empted in its
// section gets a processor, and has at most that one section to finish. A writer that is really stopped there voids the
// attempt; the next one is made after a pause. So a cut waits for stopped writers, and no writer waits for a cut longer
// than a deadline.
//
// [S1] A state becomes live only while the gate is closed and no writer is in a section: no record of it is older than
//      its instant.
// [S2] A reader takes what a live bucket holds if the stamp, looked at after the entries, is still below the phase.
// [S3] A state is freed, or used again, when it is not live any more and every thread record was seen outside of a section
//      after that. Each cut that does not fail sees them; so do threads that drop a snapshot.
// [S4] `clear` leaves a table to the snapshots of its generation; the thread that drops the last of them takes it apart.
// [S5] A bucket whose home line says MOVED is read in the next table, whether its control word says so yet or not. The copies
//      are there, with the stamp of their sources, before the home line says it. No writer reaches them before the control
//      words of the sources say it. So a reader waits for no mover; nor for any other writer, as locks mean nothing to it.
#pragma once

#include <limits>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/counting.hpp>
#include <syncmap/engine/table/dismantling.hpp>
#include <syncmap/engine/table/reader.hpp>
#include <syncmap/engine/table/resizer.hpp>
#include <syncmap/engine/table/walker.hpp>

namespace syncmap::engine {

template <class Types>
class snapshotter {
    using memory = snapshot_memory<Types>;
    using dismantling = engine::dismantling<Types>;
    using resizer = engine::resizer<Types>;
    using walker = engine::walker<Types>;
    using locks = engine::locks<Types>;
    using reader = engine::reader<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using T = typename Types::mapped_type;
    using control = typename Types::control;
    using control_word = typename Layout::control_word;
    using header = typename Types::header;
    using snapshots_type = typename control::snapshots_type;
    using thread_record_type = typename control::thread_record_type;
    using batch = typename walker::batch;
    using closing = typename counting<Types>::closing;
    using entry = typename walker::entry;
    using found = typename reader::found;

public:
    using map_type = retirement<Types>;
    using state = typename control::snapshot_type;

    // ---- begin and end ----

    /// Frees the states that no snapshot uses any more: part of the map's end.
    static void free_at_end(map_type& map) noexcept {
        control* const c = map.control_.load(std::memory_order_relaxed);
        if (c == nullptr || c->snapshots_or_null() == nullptr) return;
        auto& all = c->snapshots();
        for (state* first : {all.dropped, all.unreachable}) memory::give_back_states(map, all, first);
        memory::free_spare(map, all);
    }

    /// Null: the map is empty. Throws what the allocator throws, `length_error` when the phases are used up, and
    /// `barrier_refused`.
    static state* take_snapshot(map_type& map) {
        control* const c = map.control_.load(std::memory_order_acquire);
        if (c == nullptr) return nullptr;
        auto& all = map.snapshots(*c);
        fresh_state fresh(map, all);
        const thread_record_type* stopped = nullptr;
        unsigned pauses = 0;
        for (unsigned attempt = 0;; ++attempt) {
            if (attempt != 0) pause_after(stopped, attempt, pauses);
            const header* const t = map_type::table_of(map.root_.load(std::memory_order_acquire));
            if (t == nullptr) return nullptr;
            fresh.make(coarsest(*t));
            const snapshot_turn turn(map, *c);
            if (all.last_phase == most_phases) renumber(map, *c);
            switch (cut(map, *c, *fresh.get(), stopped)) {
            case attempt_result::done: return fresh.release();
            case attempt_result::seen: drop_later(*c, fresh.release()); break; // by writers that opened the gate
            case attempt_result::again: break;
            }
        }
    }

    static void drop_snapshot(map_type& map, state* s) noexcept {
        control& c = map.shared_of_table();
        if (map_registry<Sync>::is_orphan(c)) return; // a lost thread may have the mutex: the map's destructor frees it
        header* orphan = nullptr;
        {
            const snapshot_turn turn(map, c);
            unlink(c, *s);
            header* const kept = s->kept.load(std::memory_order_relaxed);
            if (kept != nullptr && !is_needed(c, s->generation)) orphan = kept; // [S4]
            drop_later(c, s);
        }
        reap_snapshots(map, c);
        if (orphan != nullptr) { // without a record of this thread: it may have none, and no memory for one
            typename map_type::account garbage;
            dismantling::dismantle(map, c, orphan, [&](auto* n) { map.retire(c, garbage, n); });
            map.finish(c, garbage);
        }
    }

    /// Gives back dropped snapshots if no writer can have them in hand; else a later cut or call will.
    static void reap_snapshots(map_type& map, control& c) noexcept {
        if (c.snapshots_or_null() == nullptr) return;
        auto& all = c.snapshots();
        state* unreachable = nullptr;
        {
            const snapshot_turn turn(map, c);
            int patience = 1000;
            if (all.dropped != nullptr && c.home->threads.barriers().heavy_barrier() &&
                inside(c, [&] { return --patience > 0; }) == nullptr) {
                note_unreachable(all); // [S3]
            }
            unreachable = std::exchange(all.unreachable, nullptr);
        }
        memory::give_back_states(map, all, unreachable);
    }

    /// The same, and frees the spare state.
    static void free_snapshots(map_type& map, control& c) noexcept {
        if (c.snapshots_or_null() == nullptr) return;
        reap_snapshots(map, c);
        memory::free_spare(map, c.snapshots());
    }

    /// Makes `instead`, which may be null, the root's table in place of what there is, of which the generation ends. Returns
    /// the old one; null: there is none, or its snapshots keep it [S4]. `left(old)`, which does not throw, is called for one
    /// that is returned, before a fork can be.
    template <class Left>
    static header* exchange_root(map_type& map, control& c, header* instead, Left left) {
        const snapshot_turn turn(map, c);
        word root = map.root_.load(std::memory_order_acquire);
        for (;;) {
            header* const t = map_type::table_of(root);
            if (t == nullptr && instead == nullptr) return nullptr;
            bool kept = false;
            for (state* s = c.snapshots().live.load(std::memory_order_relaxed); t != nullptr && s != nullptr;
                 s = s->older.load(std::memory_order_relaxed)) {
                if (s->generation != t->generation.load(std::memory_order_relaxed)) continue;
                s->kept.store(t, std::memory_order_release); // before the root changes: its readers go there then
                kept = true;
            }
            // The linearization point for all threads [design 5].
            if (map.change_root(root, instead)) {
                Sync::fence_after_rmw(); // visible on return, as behind `unlock`
                if (t == nullptr || kept) return nullptr;
                left(t);
                return t;
            }
            root = map.root_.load(std::memory_order_acquire);
        }
    }
    static header* exchange_root(map_type& map, control& c, header* instead) {
        return exchange_root(map, c, instead, [](const header*) {});
    }

    // ---- reading ----

    /// Calls `f(const T&)` if the snapshot has the key.
    template <class K, class F>
    static bool visit_at(const map_type& map, const state& s, const K& key, std::uint64_t hash, word bits, F&& f) {
        const bool sentinel_key = Layout::has_sentinel_keys && Layout::is_sentinel_key(bits);
        for (;; Sync::pause()) {
            word root = 0;
            for (header* t = table_at(map, s, root); t != nullptr; t = t->successor()) {
                const std::size_t bucket = t->bucket_of(hash, bits);
                const control_word seen = t->controls[bucket].load(std::memory_order_acquire);
                if ((seen & Layout::moved_bit) != 0) continue;
                if (Layout::stamp_of(seen) >= s.phase) {
                    const bucket_record* const r = s.find(hash, sentinel_key);
                    if (r == nullptr) break; // not a table of its generation any more
                    return visit_in(map, *r, key, hash, bits, f);
                }
                if constexpr (Layout::inline_key) {
                    word value = 0;
                    const bool hit = reader::find_pair_in_bucket(t->home(bucket), Layout::inline_slot_word(bits), value);
                    if (is_left(*t, bucket)) continue; // [S5]
                    if (!is_still(map, s, root, *t, bucket)) break;
                    if (hit) {
                        const T copy = from_word<T>(value);
                        f(copy);
                    }
                    return hit;
                } else {
                    const reclaim::thread_lease<Sync> me(map.shared_of_table().home->threads);
                    reclaim::hazard_guard<Sync> held(*me);
                    found place{};
                    const bool searched = reader::find_in_bucket(map, t->home(bucket), key, hash, held, place);
                    if (is_left(*t, bucket)) continue; // [S5]
                    if (!searched || !is_still(map, s, root, *t, bucket)) break;
                    if (place.slot_word == Layout::empty) return false;
                    reader::show(place, f);
                    return true;
                }
            }
        }
    }

    /// As the walker's copy_bucket_at, of the snapshot's instant.
    static bool copy_bucket_at_instant(map_type& map, const state& s, std::uint64_t cursor, bool sentinel_key, batch* entries,
                                       std::uint64_t* end) {
        for (;; Sync::pause()) {
            word root = 0;
            header* const from = table_at(map, s, root);
            if constexpr (Layout::inline_key) {
                const auto is_good = [&](const header& t, std::size_t bucket) { return has_not_changed(s, t, bucket); };
                if (from != nullptr && !sentinel_key && walker::copy_run(map, root, *from, cursor, *entries, *end, is_good))
                    return true;
            }
            for (header* t = from; t != nullptr; t = t->successor()) {
                entries->begin(sentinel_key);
                const std::size_t bucket = sentinel_key ? t->buckets() : t->bucket_of(cursor);
                const control_word seen = t->controls[bucket].load(std::memory_order_acquire);
                if ((seen & Layout::moved_bit) != 0) continue;
                if (Layout::stamp_of(seen) >= s.phase) {
                    const bucket_record* const r = s.find(cursor, sentinel_key);
                    if (r == nullptr) break;
                    copy_record(map, *r, cursor, *entries);
                    *end = sentinel_key ? 0 : r->last + 1;
                    return true;
                }
                if constexpr (Layout::inline_key) {
                    walker::copy_bucket(map, root, *t, bucket, cursor, 0, *entries);
                } else {
                    const reclaim::thread_lease<Sync> me(map.shared_of_table().home->threads);
                    walker::pin_nodes(*me, *t, bucket, cursor, *entries);
                }
                if (is_left(*t, bucket)) continue; // [S5]
                if (!is_still(map, s, root, *t, bucket)) break;
                *end = sentinel_key ? 0 : walker::end_of(*t, bucket);
                return true;
            }
        }
    }

private:
    static constexpr std::uint32_t most_phases = detail::lesser(Layout::last_phase, Sync::most_snapshots);

    enum class attempt_result : unsigned char {
        done,
        again, ///< the state was not made live
        seen ///< it was, but is void
    };

    /// Has the snapshot mutex, and the process is not forking [F2].
    class snapshot_turn {
    public:
        snapshot_turn(const map_type& map, control& c) : guard_(c.snapshots().snapshot_mutex, std::defer_lock) {
            for (unsigned attempt = 0;; ++attempt) {
                if (!map.is_forking()) {
                    guard_.lock();
                    // Orders the look for the mutex before that at the root; pairs with the fence of before_fork [F2].
                    Sync::fence();
                    if (!map.is_forking()) return;
                    guard_.unlock();
                }
                Sync::back_off(attempt);
            }
        }

    private:
        std::unique_lock<typename Sync::mutex> guard_;
    };

    /// So many microseconds an attempt to find the instant of a snapshot may keep the gate closed. It is less time than a
    /// writer waits: a writer opens the gate only if the thread that closed it stopped.
    static constexpr std::uint32_t cut_length = Sync::longest_cut / 5 * 4;
    /// For so many times the length of an attempt the gate stays open after it at most, while the stopped writer does not go
    /// on. So the other writers keep more than nine tenths of their time. The first pauses are shorter: a writer that is only
    /// pre-empted gets a processor sooner where the others sleep.
    static constexpr std::uint32_t pause_factor(unsigned pauses_before) noexcept {
        return 1U << detail::lesser(pauses_before, 4U);
    }

    /// After an attempt that was void. `stopped`: the writer that stayed in its section for all that time; null: a resize or a
    /// count came between.
    static void pause_after(const thread_record_type* stopped, unsigned attempt, unsigned& pauses) noexcept {
        if (stopped == nullptr) {
            Sync::back_off(attempt);
            return;
        }
        const typename Sync::deadline open(pause_factor(pauses++) * cut_length);
        // acquire: as in `inside`. A writer that works on is seen outside soon.
        for (unsigned i = 1; stopped->table.load(std::memory_order_acquire) != 0 && !open.over(); ++i) Sync::back_off(i);
    }

    /// The cut, by the thread that has the snapshot mutex. `stopped`: as above, if it is void.
    static attempt_result cut(map_type& map, control& c, state& s, const thread_record_type*& stopped) {
        stopped = nullptr;
        closing shut(c, gate::cutting);
        if (!shut) {
            locks::wait_for_gate(c);
            return attempt_result::again;
        }
        const typename Sync::deadline deadline(cut_length);
        // Pairs with the light barrier of section::enter: a writer sees the gate closed, or is seen in its section.
        if (!c.home->threads.barriers().heavy_barrier()) throw barrier_refused();
        const thread_record_type* const busy = inside(c, [&] { return shut.lasts() && !deadline.over(); });
        if (busy != nullptr) {
            if (shut.lasts()) stopped = busy;
            return attempt_result::again;
        }
        note_unreachable(c.snapshots()); // [S3]
        // Nothing is published from here until the gate opens.
        const word root = map.root_.load(std::memory_order_acquire);
        const header* const t = map_type::table_of(root);
        if (t == nullptr || coarsest(*t) < s.log2) return attempt_result::again;
        s.generation = t->generation.load(std::memory_order_relaxed);
        s.entries = resizer::counted_entries(c, *t);
        if (!map.is_root(root)) return attempt_result::again; // it may have become another table, of another generation
        auto& all = c.snapshots();
        s.phase = ++all.last_phase;
        s.older.store(all.live.load(std::memory_order_relaxed), std::memory_order_relaxed);
        all.live.store(&s, std::memory_order_release); // [S1]
        const bool opened = shut.open_with_newest(s.phase);
        // `clear` needs the mutex, so the generation of the map cannot have ended meanwhile.
        if (opened) return attempt_result::done;
        unlink(c, s);
        return attempt_result::seen;
    }

    /// Waits until every thread record was seen outside of a section, as long as `goes_on()`. Returns the first one that was
    /// not, or null. It gives way to the threads that it waits for.
    template <class GoesOn>
    static const thread_record_type* inside(control& c, GoesOn goes_on) noexcept {
        const thread_record_type* found = nullptr;
        unsigned looks = 0;
        c.each_thread_record([&](thread_record_type& s) {
            while (found == nullptr && s.table.load(std::memory_order_acquire) != 0) {
                if (!goes_on()) found = &s;
                Sync::give_way(looks++);
            }
        });
        return found;
    }

    /// By the thread that has the mutex: the state is not live any more.
    static void unlink(control& c, state& s) noexcept {
        state* const rest = s.older.load(std::memory_order_relaxed);
        auto& live = c.snapshots().live;
        if (live.load(std::memory_order_relaxed) == &s) {
            live.store(rest, std::memory_order_release);
        } else {
            state* newer = live.load(std::memory_order_relaxed);
            while (newer->older.load(std::memory_order_relaxed) != &s) newer = newer->older.load(std::memory_order_relaxed);
            newer->older.store(rest, std::memory_order_release);
        }
        const state* const newest = live.load(std::memory_order_relaxed);
        word g = c.gate_word.load(std::memory_order_relaxed);
        while (!c.gate_word.compare_exchange_weak(g, gate::with_newest(g, newest == nullptr ? 0 : newest->phase),
                                                  std::memory_order_acq_rel, std::memory_order_relaxed)) {}
    }

    static bool is_needed(control& c, std::uint64_t generation) noexcept {
        for (const state* s = c.snapshots().live.load(std::memory_order_relaxed); s != nullptr;
             s = s->older.load(std::memory_order_relaxed)) {
            if (s->generation == generation) return true;
        }
        return false;
    }

    /// Writers may still follow `older`: the list of the dropped has a link of its own.
    static void drop_later(control& c, state* s) noexcept { s->next_dropped = std::exchange(c.snapshots().dropped, s); }

    /// By the thread that has the mutex, and has seen every thread record outside of a section since it has it.
    static void note_unreachable(snapshots_type& all) noexcept {
        while (state* const s = all.dropped) {
            all.dropped = s->next_dropped;
            s->next_dropped = std::exchange(all.unreachable, s);
        }
    }

    /// Makes all stamps zero, so that phases can begin anew. Once in many millions of snapshots.
    static void renumber(map_type& map, control& c) {
        if (c.snapshots().live.load(std::memory_order_relaxed) != nullptr) {
            throw std::length_error("syncmap: snapshot: too many were taken while one of them lives");
        }
        // No writer has an old phase in hand, and none gets one; so every move from now on makes stamps zero. So does every
        // table that is made over a null root. (The root becomes null only in a turn at the mutex, which this thread has.)
        if (!c.home->threads.barriers().heavy_barrier()) throw barrier_refused();
        static_cast<void>(inside(c, [] { return true; }));
        const reclaim::thread_lease<Sync> me(c.home->threads);
        thread_record_type& mine = map.thread_record_of(c, *me);
        const auto finish = [&] { resizer::finish_resize(map, c, mine, map.root_.load(std::memory_order_acquire)); };
        if (map_type::table_of(map.root_.load(std::memory_order_acquire)) != nullptr) {
            finish();
            const word root = map.root_.load(std::memory_order_acquire);
            resizer::start_resize(map, c, mine, root, map_type::table_of(root)->log2());
            finish();
        }
        c.snapshots().last_phase = 0;
    }

    // ---- reading ----

    /// The table that holds what has not changed since: the root's, or the one that `clear` left. Null: look again.
    static header* table_at(const map_type& map, const state& s, word& root) noexcept {
        root = map.root_.load(std::memory_order_acquire);
        header* const t = map_type::table_of(root);
        if (t != nullptr && t->generation.load(std::memory_order_acquire) == s.generation) return t;
        return s.kept.load(std::memory_order_acquire);
    }

    /// After the entries were looked at: whether they were wiped meanwhile, or soon will be.
    static bool is_left(const header& t, std::size_t bucket) noexcept {
        return t.home(bucket).slot_word(Layout::last) == Layout::moved;
    }

    /// After the entries were looked at: whether they are what they were at the snapshot's instant [S2].
    static bool is_still(const map_type& map, const state& s, word root, const header& t, std::size_t bucket) noexcept {
        return has_not_changed(s, t, bucket) &&
               map.is_root(root); // kept tables are not used again while the snapshot lives, nor is the root theirs
    }

    static bool has_not_changed(const state& s, const header& t, std::size_t bucket) noexcept {
        const control_word seen = t.controls[bucket].load(std::memory_order_acquire);
        return (seen & Layout::moved_bit) == 0 && Layout::stamp_of(seen) < s.phase;
    }

    template <class K, class F>
    static bool visit_in(const map_type& map, const bucket_record& r, const K& key, std::uint64_t hash, word bits, F&& f) {
        for (std::size_t i = 0; i < r.count; ++i) {
            const entry e = r.entry(i);
            bool same = false;
            if constexpr (Layout::inline_key) {
                same = e.slot_word == Layout::inline_slot_word(bits);
            } else {
                same = Layout::tag_matches(e.slot_word, hash) && static_cast<bool>(map.equal_(walker::key_of(e), key));
            }
            if (!same) continue;
            const auto& value = walker::value_of(e);
            f(value);
            return true;
        }
        return false;
    }

    static void copy_record(const map_type& map, const bucket_record& r, std::uint64_t cursor, batch& entries) {
        for (std::size_t i = 0; i < r.count; ++i) {
            const entry e = r.entry(i);
            if (!e.sentinel_key && map.hash_of(map.shared_of_table().seed(), e.slot_word) < cursor) continue;
            entries.make_room();
            if constexpr (!Layout::inline_key) map_type::node_at(e.slot_word)->pin(); // held by the record's own pin
            entries.add(e.slot_word, e.value);
        }
    }

    class fresh_state {
    public:
        fresh_state(map_type& map, snapshots_type& all) noexcept : map_(map), all_(all) {}
        fresh_state(const fresh_state&) = delete;
        fresh_state& operator=(const fresh_state&) = delete;
        ~fresh_state() { reset(); }

        /// With lists for buckets down to 2^log2. Throws what the allocator throws.
        void make(unsigned log2) {
            const unsigned wanted = detail::lesser(log2, memory::lists_log2(log2));
            if (state_ != nullptr && state_->log2 == wanted) return;
            reset();
            state_ = memory::take_state(map_, all_, wanted);
        }
        state* get() const noexcept { return state_; }
        state* release() noexcept { return std::exchange(state_, nullptr); }

    private:
        void reset() noexcept {
            if (state_ != nullptr) memory::give_back_state(map_, all_, std::exchange(state_, nullptr));
        }
        map_type& map_;
        snapshots_type& all_;
        state* state_ = nullptr;
    };

    static unsigned coarsest(const header& t) noexcept {
        const header* const n = t.successor();
        return n == nullptr ? t.log2() : detail::lesser(t.log2(), n->log2());
    }
};

} // namespace syncmap::engine
