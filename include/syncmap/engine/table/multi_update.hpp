// Changing several keys in one step: docs/design.md, section 6 [M1] to [M6].
//
// The function runs once, on held entries, while this thread owns all the keys and has nothing locked. The thread then
// publishes what the function decided in one section, under the locks of all buckets that it changes.
//
// A waiting thread holds nothing that another thread could wait for: neither a key of this call, nor a lock.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/detail/distinct_keys.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/pinning.hpp>
#include <syncmap/results.hpp>

namespace syncmap::engine {

template <class Types>
class multi_update : public pinning<Types> {
    using base = pinning<Types>;

protected:
    using atomic_control = typename Types::layout::atomic_control;
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using reader = engine::reader<Types>;
    using typename base::atomic_word;
    using typename base::computing_mark;
    using typename base::control;
    using control_word = typename Types::layout::control_word;
    using found = typename engine::reader<Types>::found;
    using typename base::fresh_node;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::record_supply;
    using section = typename engine::locks<Types>::section;
    using typename base::Sync;
    using typename base::thread_record_type;
    using T = typename base::T;
    using base::node_at;

public:
    using base::base;
    using typename base::held_entry;
    using given_key = syncmap::detail::given_t<Key>;

    /// Calls `f(std::span<update_slot<T>>)` once, on the slots of `keys` in their order, while this thread owns all keys. If
    /// `f` returns true, makes the changes that the slots name, in one step of memory order `order`. Returns what `f` returned.
    template <class F>
    bool update_all(std::span<const given_key> keys, F&& f, std::memory_order order) {
        static_assert(std::is_copy_constructible_v<given_key>, "syncmap: update needs a key type that can be copied");
        control& c = this->shared();
        const auto hash_of_key = [&](const given_key& key) { return syncmap::detail::seeded_hash(this->hash_, key, c.seed()); };
        const auto by_hash = syncmap::detail::ordered_distinct(keys, hash_of_key, this->equal_);
        std::vector<member> members(keys.size());
        for (const auto& [hash, i] : by_hash) {
            members[i].key = std::addressof(keys[i]);
            members[i].hash = hash;
            members[i].bits = base::key_bits(keys[i]);
            members[i].own.emplace(*this, hash, keys[i]);
        }
        own_all(members, by_hash); // [M1]
        for (member& m : members) m.computing.emplace(c, m.hash, m.own->claimed());
        for (member& m : members) base::wait_for_earlier_writers(c, m.hash, *m.key);
        const std::uint64_t generation = read_all(c, members); // [M2]
        std::vector<update_slot<T>> asked;
        asked.reserve(members.size());
        for (const member& m : members) asked.emplace_back(m.held ? std::addressof(m.held.value()) : nullptr);
        if (!f(std::span<update_slot<T>>(asked))) return false; // [M3]
        std::vector<member*> changed;
        const reclaim::thread_lease<Sync> me(c.home->threads);
        thread_record_type& s = this->thread_record_of(c, *me);
        for (std::size_t i = 0; i < asked.size(); ++i) {
            if (asked[i].keeps()) continue;
            prepare(s, members[i], std::move(asked[i]));
            changed.push_back(&members[i]);
        }
        if (!changed.empty()) commit(c, s, changed, generation, order);
        return true;
    }

private:
    /// One key of the call.
    struct member {
        const given_key* key = nullptr;
        std::uint64_t hash = 0;
        word bits = 0; ///< inline keys
        std::optional<typename base::template registration<given_key>> own{};
        std::optional<computing_mark> computing{}; ///< ends before the ownership of the key
        held_entry held{}; ///< the present entry
        word slot_word_before = Layout::empty; ///< of the slot that has it; EMPTY: absent
        bool excludes_overwrites = false; ///< inline keys: no direct overwrite of the key is under way, nor begins

        // The key's new entry.
        bool erases = false;
        std::optional<fresh_node> fresh{};
        word value = 0; ///< pairs

        // Where it lies, in this attempt to commit.
        header* t = nullptr;
        std::size_t bucket = 0;
        atomic_word* slot = nullptr; ///< of a present key

        bool present() const noexcept { return slot_word_before != Layout::empty; }
        bool inserts() const noexcept { return !present(); } // an erased key is present
        atomic_control& lock() const noexcept { return t->controls[bucket]; }
    };

    // ---- owning and reading ----

    /// Owns all keys, in the order of their hashes. While the thread waits for one it owns none of them, so this call is part
    /// of no cycle of waiting threads. (A cycle may go through what the thread computes outside of this call: that throws.)
    /// The thread that owns the last of all wanted keys does not wait, so some thread makes progress.
    template <class Order>
    static void own_all(std::vector<member>& members, const Order& order) {
        if (order.empty()) return;
        const auto own = [&](const auto& at) -> auto& { return *members[at.index].own; };
        for (auto wanted = order.begin();;) {
            own(*wanted).enter();
            // The key stays owned only if it is the first: a thread that owns a key asks only for later ones.
            if (wanted != order.begin()) own(*wanted).leave();
            wanted = wanted == order.begin() ? order.begin() + 1 : order.begin();
            while (wanted != order.end() && own(*wanted).try_enter()) ++wanted;
            if (wanted == order.end()) return;
            for (member& m : members) m.own->leave();
        }
    }

    /// Holds the entries of the keys, all in one generation of the map, and returns that generation. No other thread changes
    /// them meanwhile, so this may read them one after the other.
    std::uint64_t read_all(control& c, std::vector<member>& members) {
        const reclaim::thread_lease<Sync> me(c.home->threads);
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header* const t = base::table_of(root);
            if (t == nullptr) {
                base::resizer::make_first_table(*this, c, root, base::min_log2());
                continue;
            }
            const std::uint64_t generation = t->generation.load(std::memory_order_relaxed);
            if (read_each(*me, members, generation)) return generation;
        }
    }
    /// Returns false if the map was cleared.
    bool read_each(reclaim::hazard_record<Sync>& hazard_record, std::vector<member>& members, std::uint64_t generation) {
        for (member& m : members) {
            if (!read(hazard_record, m, generation)) return false;
        }
        return true;
    }

    /// Holds the entry of one key. Returns false if the map was cleared.
    bool read(reclaim::hazard_record<Sync>& hazard_record, member& m, std::uint64_t generation) {
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            const header* const t = base::table_of(root);
            if (t == nullptr || t->generation.load(std::memory_order_relaxed) != generation) return false;
            m.held.reset();
            m.slot_word_before = Layout::empty;
            if constexpr (Layout::inline_key) {
                const maybe_word value = reader::find_inline(*this, *m.key);
                if (!this->is_root(root)) continue;
                if (value && !std::exchange(m.excludes_overwrites, true)) {
                    base::direct_overwrites::exclude(this->shared_of_table(), m.hash); // [C2]
                    continue;
                }
                if (value) {
                    m.slot_word_before = Layout::inline_slot_word(m.bits);
                    base::keep(m.held, {*m.key, from_word<T>(*value)});
                }
            } else {
                reclaim::hazard_guard<Sync> hazard(hazard_record);
                const found place = reader::find_node(*this, *m.key, m.hash, hazard, reader::following::controls);
                if (place.root != root) continue;
                m.slot_word_before = place.slot_word;
                if (place.slot_word != Layout::empty) base::keep(m.held, place);
            }
            return true;
        }
    }

    /// Makes what the commit will publish. Everything that may throw, and all user code, runs here.
    void prepare(thread_record_type& s, member& m, update_slot<T>&& slot) {
        m.erases = slot.erases();
        if (m.erases) return;
        if constexpr (Layout::pairs) {
            m.value = to_word(static_cast<const T&>(std::move(slot).value()));
            if constexpr (!Layout::inline_key) {
                if (!m.present()) m.fresh.emplace(static_cast<map_nodes<Types>&>(*this), s).emplace(m.hash, *m.key, [] {});
            }
        } else {
            const auto value = [&]() -> decltype(auto) { return std::move(slot).value(); };
            fresh_node& fresh = m.fresh.emplace(static_cast<map_nodes<Types>&>(*this), s);
            if (tells_equal_keys_apart<Key, typename Types::key_equal> && m.present()) {
                fresh.emplace(m.hash, key_of_entry<typename Types::node>{*node_at(m.slot_word_before)}, value);
            } else {
                fresh.emplace(m.hash, *m.key, value);
            }
        }
    }

    // ---- committing ----

    /// A bucket that the commit changes, locked.
    struct locked_bucket {
        header* t;
        std::size_t bucket;
        control_word held; ///< its control word without LOCK
        std::size_t inserts; ///< each needs an EMPTY slot
        bool erases;
        bool moved_entries; ///< within the bucket: a search that found its key absent must look again, as after an insert

        atomic_control& lock() const noexcept { return t->controls[bucket]; }
        line_type& home() const noexcept { return t->home(bucket); }
    };

    /// A commit under way, and the state of its last attempt.
    struct commitment {
        std::vector<member*>& changed;
        const std::uint64_t generation;
        const std::memory_order order;
        const bool changes_size;
        typename base::place_of_write at; ///< this bucket was locked, or had no room
        std::vector<locked_bucket> buckets{};
    };

    /// Publishes what `prepare` made. If the map was cleared after the keys were read, the update is ordered before that
    /// `clear`, and this publishes nothing.
    void commit(control& c, thread_record_type& s, std::vector<member*>& changed, std::uint64_t generation,
                std::memory_order order) {
        bool changes_size = false;
        for (const member* const m : changed) changes_size |= m->erases || m->inserts();
        record_supply supply(*this);
        commitment all{changed, generation, order, changes_size, {supply, true}};
        all.buckets.reserve(changed.size());
        make_room_for_many(c, s, all);
        for (;;) {
            switch (const outcome o = attempt(c, s, all)) {
            case outcome::done: finish(c, s, all); return;
            case outcome::cleared: return;
            default: this->prepare_next(c, s, o, all.at);
            }
        }
    }

    /// Enlarges the table for an update that inserts more entries than the map has. That costs less than long overflow chains
    /// for the new entries.
    void make_room_for_many(control& c, thread_record_type& s, const commitment& all) {
        std::size_t inserts = 0;
        for (const member* const m : all.changed) inserts += m->inserts() ? 1U : 0U;
        if (inserts <= Layout::slots_per_line) return;
        const header* const now = base::table_of(this->root_.load(std::memory_order_acquire));
        if (now == nullptr) return; // cleared
        const std::size_t entries = base::resizer::counted_entries(c, *now);
        if (inserts <= entries) return;
        const unsigned log2 = base::resizer::log2_for(entries + inserts);
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header* const t = base::table_of(root);
            if (t == nullptr) return;
            if (t->successor() != nullptr) {
                base::resizer::finish_resize(*this, c, s, root);
            } else if (t->log2() < log2) {
                base::resizer::start_resize(*this, c, s, root, log2);
            } else {
                return;
            }
        }
    }

    outcome attempt(control& c, thread_record_type& s, commitment& all) {
        all.at.root = this->root_.load(std::memory_order_acquire);
        header* const t = base::table_of(all.at.root);
        if (t == nullptr) return outcome::cleared;
        if (locks::is_cutting(c)) [[unlikely]]
            return outcome::gate_closed;
        section in(*this, s, t, all.at.root);
        if (!in) return outcome::again;
        if (t->generation.load(std::memory_order_relaxed) != all.generation) return outcome::cleared;
        if (!find_buckets(*t, all.changed)) return outcome::again;
        outcome result = lock_buckets(in, *t, all);
        if (result == outcome::admitted) result = make_ready(c, all);
        if (result == outcome::admitted) {
            publish(c, s, all); // [M5]
            result = outcome::done;
        }
        for (const locked_bucket& u : all.buckets) {
            const bool inserted = result == outcome::done && u.inserts != 0;
            // The last unlock makes everything visible that was published before, in the other buckets too.
            const bool is_last = result == outcome::done && &u == &all.buckets.back();
            locks::unlock(c, u.lock(), inserted || u.moved_entries ? Layout::with_next_version(u.held) : u.held,
                          is_last && visible_on_return(all.order));
        }
        return result;
    }

    /// Finds the live bucket of each key, and sorts the members by those: the buckets of the root's table first, each table's
    /// by address. Returns false if the root changed.
    static bool find_buckets(header& t, std::vector<member*>& changed) {
        for (member* const m : changed) {
            m->t = &t;
            m->bucket = t.bucket_of(m->hash, m->bits);
            // acquire: pairs with the release of the unlock that made the bucket MOVED.
            if ((m->lock().load(std::memory_order_acquire) & Layout::moved_bit) == 0) continue;
            m->t = t.successor(); // it does not change while the section names its predecessor
            if (m->t == nullptr) return false;
            m->bucket = m->t->bucket_of(m->hash, m->bits);
        }
        syncmap::detail::sort(changed.data(), changed.size(), [&t](const member* a, const member* b) {
            return a->t != b->t ? a->t == &t : &a->lock() < &b->lock();
        });
        return true;
    }

    /// Locks the buckets, in the order of `find_buckets`, and does not wait while it has one locked. The commit that has
    /// locked the last of all wanted buckets finds no other commit in its way, so some commit makes progress.
    ///
    /// The thread record names one table, and the buckets may lie in two. It names the table whose bucket the thread locks
    /// next. A bucket of the root's table that is locked and not MOVED keeps that table the root's, so a `clear` takes both out
    /// at once, and asks for writers that name either of them [D2]. Hence those buckets are locked first: with a bucket of
    /// `next` locked first, the root could become `next`, and a `clear` would ask for `next` alone [M4].
    outcome lock_buckets(section& in, header& t, commitment& all) {
        all.buckets.clear();
        const header* named = &t;
        for (const member* const m : all.changed) {
            if (all.buckets.empty() || &all.buckets.back().lock() != &m->lock()) {
                if (m->t != named) {
                    in.enter(*this, m->t, all.at.root);
                    if (!in) return outcome::again;
                    named = m->t;
                }
                const control_word seen = m->lock().load(std::memory_order_relaxed);
                if ((seen & Layout::moved_bit) != 0) return outcome::again;
                if ((seen & Layout::lock_bit) != 0 || !locks::try_lock(m->lock(), seen)) {
                    all.at.t = m->t;
                    all.at.bucket = m->bucket;
                    return outcome::locked_by_other;
                }
                all.buckets.push_back({m->t, m->bucket, seen, 0, false, false});
            }
            all.buckets.back().inserts += m->inserts() ? 1U : 0U;
            all.buckets.back().erases |= m->erases;
        }
        return outcome::admitted;
    }

    /// Does all that is still needed before the commit can publish. Called under the locks.
    outcome make_ready(control& c, commitment& all) {
        const outcome o = base::admit_changes(c, all.buckets, all.changes_size, all.at.past_gate, all.at.supply); // [W5] [P1]
        if (o != outcome::admitted) return o;
        for (locked_bucket& u : all.buckets) {
            if (make_vacancies(c, u)) continue;
            all.at.t = u.t;
            all.at.bucket = u.bucket;
            return outcome::full;
        }
        return outcome::admitted;
    }

    /// Adds lines to a bucket until it has an EMPTY slot for each of its inserts. The bucket holds the same entries afterwards.
    /// Returns false if there is no line to add.
    bool make_vacancies(control& c, locked_bucket& u) noexcept {
        while (u.inserts != 0) {
            std::size_t vacant = 0;
            line_type* end = nullptr;
            for (line_type* l = &u.home(); l != nullptr; l = l->next_line()) {
                vacant += static_cast<std::size_t>(std::popcount(l->match(Layout::empty)));
                end = l;
            }
            if (vacant >= u.inserts) break;
            line_type* const extra = chain::another_line(c, *u.t);
            if (extra == nullptr) return false;
            chain::add_line(*end, *extra);
            u.moved_entries = true;
        }
        return true;
    }

    /// Publishes the changes. From its first store on the update takes place. Writers of these keys, snapshots and `size` do
    /// not see it half done: the writers wait for the owner of the keys, a snapshot's cut waits for the end of the section, and
    /// `size` accepts no count meanwhile.
    void publish(control& c, thread_record_type& s, commitment& all) noexcept {
        for (member* const m : all.changed)
            m->slot = m->present() ? chain::slot_of(m->t->home(m->bucket), m->slot_word_before) : nullptr;
        if (all.changes_size) s.announce(nullptr, change::multiple, all.generation);
        std::int64_t more = 0;
        for (member* const m : all.changed) {
            if (m->erases) {
                m->slot->store(Layout::empty, std::memory_order_release);
                --more;
            } else if (m->inserts()) {
                chain::place(chain::find_vacancy(c, *m->t, m->t->home(m->bucket)), new_slot_word(*m), m->value);
                ++more;
            } else if constexpr (Layout::pairs) {
                m->slot[1].store(m->value, std::memory_order_release);
            } else {
                if constexpr (Types::has_marks_in_nodes) m->fresh->get()->mark.inherit(node_at(m->slot_word_before)->mark);
                m->slot->store(new_slot_word(*m), std::memory_order_release);
            }
        }
        if (all.changes_size) s.count(more);
        for (locked_bucket& u : all.buckets) {
            if (u.erases && chain::trim(c, *u.t, u.home())) u.moved_entries = true;
        }
    }

    static word new_slot_word(member& m) noexcept {
        if constexpr (Layout::inline_key) {
            return Layout::inline_slot_word(m.bits);
        } else {
            return Layout::tagged(m.fresh->release(), m.hash);
        }
    }

    /// Retires the old nodes. Called with nothing locked [M6].
    void finish(control& c, thread_record_type& s, commitment& all) {
        for (member* const m : all.changed) {
            m->held.reset(); // the node is not retired yet, so this destroys nothing
            if constexpr (!Layout::inline_key) {
                if (m->erases || (!Layout::pairs && m->present())) this->retire(c, s, node_at(m->slot_word_before));
            }
            if (m->erases) base::resizer::after_erase(*this, c, s, all.at.root);
        }
        base::resizer::help_if_asked(*this, c, s, *base::table_of(all.at.root), all.at.root);
    }
};

} // namespace syncmap::engine
