// What a map owns: its first block with the control block in it, its tables and nodes, the thread records of its threads. Made
// by the first write, given back by the destructor.
#pragma once

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <syncmap/detail/leak_checker.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/chain.hpp>
#include <syncmap/engine/table/map_registry.hpp>
#include <syncmap/engine/table/table_pool.hpp>

namespace syncmap::engine {

template <class Types>
class storage : public table_pool<Types> {
    using base = table_pool<Types>;

public:
    using base::base;

    constexpr storage() = default;
    /// The contents of a map that no other thread uses, and that is empty afterwards.
    storage(storage&& other) noexcept(std::is_nothrow_move_constructible_v<base>) : base(std::move(other)) {
        take_contents(other);
    }
    ~storage() {
        control* const c = control_.load(std::memory_order_relaxed);
        if (c == nullptr) return;
        if constexpr (!Layout::inline_key) c->is_ending();
        map_registry<Sync>::remove(*c);
        const bool whole = map_registry<Sync>::is_whole(*c);
        if constexpr (!Layout::inline_key) {
            reclaim::thread_garbage<Sync>::forget(c->home->threads, *c,
                                                  [&](node_base* list) { destroy_nodes(whole ? list : nullptr); });
        }
        if (!whole) return; // a node may be in two places, and a table in two lists: all stays where it is, unused
        destroy_table_and_nodes(table_of(root_.load(std::memory_order_relaxed)));
        c->each_thread_record([&](thread_record_type& s) {
            destroy_nodes(s.retired.take_all());
            give_back_cached_nodes(s);
        });
        if (auto* const rare = c->rare_or_null()) destroy_rare(rare);
        give_back_first_block(*c);
    }

public:
    using base::begin_generation;
    using base::blocks_for;
    using base::bytes_of;
    using base::construct_table;
    using base::control_;
    using base::destroy_node;
    using base::destroy_nodes;
    using base::destroy_object;
    using base::destroy_tables;
    using base::free_blocks;
    using base::give_back_cached_nodes;
    using base::has_standard_allocator;
    using base::make_blocks;
    using base::node_at;
    using base::root_;
    using base::shape_of;
    using base::shared_of_table;
    using base::table_of;
    using typename base::control;
    using typename base::hazard_record_type;
    using typename base::header;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::node_base;
    using typename base::rare_type;
    using typename base::Sync;
    using typename base::thread_record_type;

    // ---- the control block and its thread records ----

    control& shared() {
        if (control* const c = control_.load(std::memory_order_acquire)) return *c;
        return make_control(false);
    }
    /// For a write that will store an entry: where there is no control block yet, the first table is made with it.
    control& shared_for_entry() {
        if (control* const c = control_.load(std::memory_order_acquire)) [[likely]]
            return *c;
        return make_control(true);
    }

    using writer_type = writer_record<Sync>;

    static writer_type* writer_or_null(const hazard_record_type& r) noexcept { return writers<Sync>::record_or_null(r); }
    /// The thread record of the thread that has the hazard record. Throws `bad_alloc`.
    thread_record_type& thread_record_of(control& c, hazard_record_type& r) {
        const auto& known = r.note_of(c.number);
        if (known.number == c.number) [[likely]]
            return *static_cast<thread_record_type*>(known.what);
        return find_thread_record(c, r);
    }

private:
    /// What the control block, the tables and the nodes name of the map is the control block, which stays where it is. It
    /// names the map, and so does the garbage of threads.
    [[gnu::cold, gnu::noinline]] void take_contents(storage& other) noexcept {
        control* const c = other.control_.load(std::memory_order_relaxed);
        if (c == nullptr) return;
        map_registry<Sync>::move(*c, [&] { // relaxed: the caller hands both maps on to other threads, if it does
            root_.store(other.root_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
            control_.store(c, std::memory_order_relaxed);
            other.control_.store(nullptr, std::memory_order_relaxed);
            c->map = this;
        });
        if constexpr (!Layout::inline_key) {
            reclaim::thread_garbage<Sync>::rehome(c->home->threads, *c, static_cast<core<Types>*>(this));
        }
    }

    /// Strong guarantee.
    [[gnu::cold, gnu::noinline]] control& make_control(bool with_table) {
        const hash_seed seed{Sync::random_word(), Sync::random_word() | 1};
        process<Sync>& home = process<Sync>::instance();
        writers<Sync>& all = writers<Sync>::instance();
        const reclaim::thread_lease<Sync> me(home.threads);
        writer_type& writer = all.record_of(*me);
        thread_record_type& own = writer.take_thread_record(all.thread_records);
        own.become_that_of(writer);
        own.next = nullptr;
        control* fresh = nullptr;
        try {
            fresh = make_first_block(writer, seed);
        } catch (...) {
            writer.put_thread_record(all.thread_records, own);
            throw;
        }
        fresh->home = &home;
        fresh->number = writer.number_of_next_map(me->slot);
        fresh->thread_records.store(&own, std::memory_order_relaxed);
        const bool makes_table = with_table && base::min_log2() == 0;
        if (makes_table) fresh->first_table_is.store(first_table::taken, std::memory_order_relaxed);
        map_registry<Sync>::add(*fresh, writer, *this);
        control* expected = nullptr;
        // release: a thread that finds the block sees it whole. acquire: so does the loser of the race.
        if (!control_.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel, std::memory_order_acquire)) {
            map_registry<Sync>::remove(*fresh);
            give_back_first_block(*fresh);
            return *expected;
        }
        me->remember(fresh->number, &own);
        if (makes_table) begin_generation(*fresh, root_.load(std::memory_order_acquire), first_block_type::table_of(*fresh));
        return *fresh;
    }

    [[gnu::noinline]] thread_record_type& find_thread_record(control& c, hazard_record_type& r) {
        writer_type& writer = c.made_by->all->record_of(r);
        thread_record_type* own = c.thread_records.load(std::memory_order_acquire);
        while (own != nullptr && own->writer != &writer) own = own->next;
        if (own == nullptr) {
            own = &writer.take_thread_record(c.made_by->all->thread_records);
            own->become_that_of(writer);
            c.add(*own);
        }
        r.remember(c.number, own);
        return *own;
    }

    void destroy_rare(rare_type* rare) noexcept {
        for (auto* list : {rare->retired_tables.load(std::memory_order_relaxed), rare->quiescing_tables, rare->free_tables}) {
            destroy_tables(list);
        }
        for (auto* l = rare->all_spare_lines.load(std::memory_order_relaxed); l != nullptr;) {
            destroy_object(std::exchange(l, l->next));
        }
        if (auto* const made = rare->snapshots.load(std::memory_order_relaxed)) {
            destroy_object(static_cast<typename control::snapshots_type*>(made));
        }
        destroy_object(rare);
    }

    // ---- the first block ----

    using first_block_type = first_block<Layout, header, control>;
    static constexpr std::size_t first_block_lines =
        detail::greater(blocks_for(first_block_type::bytes), writer_type::fewest_lines);
    static_assert(first_block_lines <= writer_type::most_lines);

    /// With std::allocator the blocks of all maps have few sizes, so that a thread can keep those of destroyed maps.
    control* make_first_block(writer_type& writer, const hash_seed& seed) {
        void* memory = nullptr;
        if constexpr (has_standard_allocator) {
            memory = writer.take_block(first_block_lines);
            if (memory == nullptr)
                memory = ::operator new(bytes_of(first_block_lines), std::align_val_t(detail::cache_line_bytes));
        } else {
            memory = make_blocks(first_block_lines);
        }
        detail::reachable_by_marked_pointer(memory);
        auto* const bytes = static_cast<std::byte*>(memory);
        auto* const c = ::new (bytes + first_block_type::control_block_at) control;
        if constexpr (!Layout::inline_key) c->destroy_ready = &storage::destroy_ready;
        construct_table(bytes, shape_of(0), seed, 0, false);
        return c;
    }
    void give_back_first_block(control& c) noexcept {
        writer_type* const writer = writer_that_is_kept(c);
        thread_record_pool<Sync>& pool = c.made_by->all->thread_records;
        for (thread_record_type* s = c.thread_records.load(std::memory_order_relaxed); s != nullptr;) {
            thread_record_type& gone = *std::exchange(s, s->next);
            if (writer != nullptr) {
                writer->put_thread_record(pool, gone);
            } else {
                pool.put(gone);
            }
        }
        header* const t = first_block_type::table_of(c);
        std::destroy_at(std::addressof(c));
        t->~header();
        if constexpr (has_standard_allocator) {
            if (writer != nullptr && writer->put_block(t, first_block_lines)) return;
            ::operator delete(t, std::align_val_t(detail::cache_line_bytes));
        } else {
            free_blocks(t, first_block_lines);
        }
    }
    /// Without making anything: a map is destroyed by a thread that may have no record, and no memory for one.
    static writer_type* writer_that_is_kept(const control& c) noexcept {
        const hazard_record_type* const kept = Sync::template per_thread<hazard_record_type>::get();
        return kept != nullptr && kept->home == &c.home->threads ? writer_or_null(*kept) : nullptr;
    }

    /// The live table and the one it is being moved to; what was moved already has no entry in the old one.
    void destroy_table_and_nodes(header* t) noexcept {
        while (t != nullptr) {
            header* const next = t->successor();
            destroy_own_lines(t);
            t = next;
        }
        if constexpr (!Layout::inline_key) {
            const control& c = shared_of_table();
            base::each_lent_line(c, [this](const line_type& l) { destroy_nodes_of(l); });
            if (const rare_type* const rare = c.rare_or_null()) {
                for (auto* l = rare->all_spare_lines.load(std::memory_order_relaxed); l != nullptr; l = l->next)
                    destroy_nodes_of(*l);
            }
        }
    }

public:
    /// One table, and the nodes that its own lines have: those of spare lines stay.
    void destroy_own_lines(header* t) noexcept {
        if constexpr (!Layout::inline_key) {
            const std::size_t all = t->all_lines();
            for (std::size_t i = 0; i < all; ++i) {
                if (i + Sync::walk_lookahead < all) chain<Types>::fetch_nodes(t->first_line()[i + Sync::walk_lookahead]);
                destroy_nodes_of(t->first_line()[i]);
            }
        }
        t->moving->next_in_list = nullptr;
        destroy_tables(t);
    }

private:
    void destroy_nodes_of(const line_type& l) noexcept {
        for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
            if (const word m = l.slot_word(i); Layout::is_entry(m)) destroy_node(node_at(m));
        }
    }
};

} // namespace syncmap::engine
