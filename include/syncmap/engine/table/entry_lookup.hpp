// Looking at single entries, for extensions of the map: an entry by its hash, an entry by its key together with its mark.
//
// An extension keeps hashes of entries, and no pointers: whatever it remembers, it looks up again. An entry that it finds is a
// `sighting`: held by a hazard, until the sighting ends or finds another entry. The thread that looks is a `visitor`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <syncmap/detail/prefetch.hpp>
#include <syncmap/engine/table/table.hpp>

namespace syncmap::engine {

template <class Types>
using table_of_types =
    table<typename Types::key_type, typename Types::mapped_type, typename Types::hasher, typename Types::key_equal,
          typename Types::allocator_type, typename Types::sync, typename Types::mark>;

/// `Types`: `table_types` with a mark. The entries are nodes.
template <class Types>
class entry_lookup : public table_of_types<Types> {
    using base = table_of_types<Types>;

protected:
    using map_core = core<Types>;
    using map_reader = reader<Types>;
    using sync_policy = typename Types::sync;
    using layout = typename Types::layout;
    using header_type = typename Types::header;
    using control_type = typename Types::control;
    using record_type = typename control_type::thread_record_type;
    using atomic_word = typename layout::atomic_word;

public:
    using base::base;
    using entry_type = typename Types::node;
    using sync_type = typename Types::sync;
    static constexpr bool entries_are_nodes = true;

    /// The calling thread, for several steps in a row. It belongs to that thread.
    /// Throws: `bad_alloc` on the first use of the map, and on the first use by the thread.
    class visitor {
    public:
        explicit visitor(entry_lookup& map)
            : control_(map.shared_for_entry()), me_(control_.home->threads), record_(map.thread_record_of(control_, *me_)) {}
        visitor(const visitor&) = delete;
        visitor& operator=(const visitor&) = delete;

        /// A small number that no other running thread has.
        std::uint32_t slot() const noexcept { return me_->slot; }

    private:
        template <class>
        friend class entry_lookup;
        template <class>
        friend class entry_removal;
        template <class>
        friend class entry_sweep;
        template <class>
        friend class later_clear;
        template <class>
        friend class memory_use;
        template <class>
        friend class load_flights;

        control_type& control_;
        const reclaim::thread_lease<sync_policy> me_;
        record_type& record_;
    };

    /// An entry that the visitor looks at, or none.
    class sighting {
    public:
        explicit sighting(const visitor& by) : held_(*by.me_) {}
        sighting(const sighting&) = delete;
        sighting& operator=(const sighting&) = delete;

        explicit operator bool() const noexcept { return entry_ != nullptr; }
        entry_type& operator*() const noexcept { return *entry_; }
        entry_type* operator->() const noexcept { return entry_; }

    private:
        template <class>
        friend class entry_lookup;
        template <class>
        friend class entry_removal;
        template <class>
        friend class entry_sweep;

        void is_at(word root, header_type& t, atomic_word& slot, word slot_word) noexcept {
            root_ = root;
            table_ = &t;
            slot_ = &slot;
            slot_word_ = slot_word;
            entry_ = map_core::node_at(slot_word);
        }

        reclaim::hazard_guard<sync_policy> held_;
        entry_type* entry_ = nullptr;
        header_type* table_ = nullptr;
        atomic_word* slot_ = nullptr;
        word root_ = 0;
        word slot_word_ = 0;
    };

    /// The hash by which the map knows the key. The map has been written to.
    template <class K>
    std::uint64_t hash_of_key(const K& key) const {
        return syncmap::detail::seeded_hash(this->hash_, key, this->shared_of_table().seed());
    }

    /// Finds an entry with the hash: the one that the caller means, or another one, where two keys have the same hash. Compares
    /// no keys. Progress: as a read.
    bool find(std::uint64_t hash, sighting& seen) const {
        const auto place = map_reader::find_to_read(*this, typename map_reader::any_of_hash{hash}, hash, seen.held_);
        seen.entry_ = nullptr;
        if (place.slot_word == layout::empty) return false;
        seen.is_at(place.root, *place.t, *place.slot, place.slot_word);
        return true;
    }

    /// Calls `f(entry)` on the entry of the key, with its mark, and returns true, or what `f` returns, if that is a bool.
    /// Returns false if the key is absent. `slot`: set to the calling thread's, unless the map was never written to. Progress:
    /// as a read.
    template <class K, class F>
    bool look_at(const K& key, std::uint32_t& slot, F f) const {
        if (base::table_of(this->root_.load(std::memory_order_acquire)) == nullptr) return false;
        const control_type& c = this->shared_of_table();
        const reclaim::thread_lease<sync_policy> me(c.home->threads);
        slot = me->slot;
        reclaim::hazard_guard<sync_policy> held(*me);
        const std::uint64_t hash = syncmap::detail::seeded_hash(this->hash_, key, c.seed());
        const auto place = map_reader::find_to_read(*this, key, hash, held);
        if (place.slot_word == layout::empty) return false;
        if constexpr (std::is_same_v<decltype(f(*map_core::node_at(place.slot_word))), bool>) {
            return f(*map_core::node_at(place.slot_word));
        } else {
            f(*map_core::node_at(place.slot_word));
            return true;
        }
    }

    /// Calls `f(entry)` for the entries until it returns false. Consistency: as `for_each`.
    template <class F>
    void each_entry(F f) const {
        walker<Types>::walk(const_cast<entry_lookup&>(*this),
                            [&](const seen_entry& e) { return f(std::as_const(*map_core::node_at(e.slot_word))); });
    }

    /// Makes each thread that has used the map pass a full fence before this returns. Returns false if the system refuses.
    bool pass_heavy_barrier(const visitor& by) const noexcept { return by.control_.home->threads.barriers().heavy_barrier(); }

    /// Fetches what a write of the hash will touch first.
    void prefetch(std::uint64_t hash) const noexcept {
        const header_type* const t = base::table_of(this->root_.load(std::memory_order_acquire));
        if (t != nullptr) t->fetch_to_write(t->bucket_of(hash));
    }
    /// Fetches what writes will touch: of the one hash what a write touches first, of the other one its node, if that lies in
    /// the home line, which has been fetched.
    [[gnu::always_inline]] void prefetch(std::uint64_t of_write, std::uint64_t of_node) const noexcept {
        const header_type* const t = base::table_of(this->root_.load(std::memory_order_acquire));
        if (t == nullptr) return;
        t->fetch_to_write(t->bucket_of(of_write));
        // The first slot with the tag; without one any slot, so that there is no branch.
        const auto& home = t->home(t->bucket_of(of_node));
        const unsigned hits = home.match_hash(of_node) | 1U << layout::last;
        prefetch_node(home.slot_word(static_cast<std::size_t>(std::countr_zero(hits))));
    }

protected:
    /// Any slot word: where it is no node's, this does nothing.
    static void prefetch_node(word slot_word) noexcept { syncmap::detail::prefetch_to_write(layout::address(slot_word)); }

public:
    /// One write of a key whose hash the visitor knows; as `write`.
    template <class K, class Op>
    [[gnu::always_inline]] void write_at(visitor& by, std::uint64_t hash, K&& key, Op& op) {
        const word root = this->write_node(by.control_, by.record_, *by.me_, hash, std::forward<K>(key), op, false);
        if (const header_type* const t = base::table_of(root); t != nullptr)
            resizer<Types>::help_if_asked(*this, by.control_, by.record_, *t, root);
    }

    // ---- entries that are kept ----

    using held_entry = typename base::held_entry;

    /// Keeps an entry that the caller holds otherwise, or has not published yet.
    void hold(held_entry& held, entry_type& kept) const noexcept { this->keep(held, kept, 0); }
    /// Keeps a node that was made for the map, and will be in no map: the last holder destroys it.
    void hold_unpublished(held_entry& held, entry_type& kept) const noexcept {
        kept.pins.fetch_or(entry_type::handed, std::memory_order_relaxed); // no other thread knows it
        this->keep(held, kept, 0);
    }
};

} // namespace syncmap::engine
