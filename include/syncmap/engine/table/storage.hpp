// The memory of a map: nodes, tables and the control block, all from the user's allocator, but for large tables of
// maps with the standard allocator, whose pages come from the system so that they can be given back one by one.
//
// Table memory is never freed while the map lives: a reader that was stopped may still look at it. Tables that
// were left are kept by size for the next resize; their pages, if they are the system's, are emptied.
#pragma once

#include <bit>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/detail/deferred.hpp>
#include <syncmap/detail/leak_checker.hpp>
#include <syncmap/engine/table/core.hpp>
#include <syncmap/engine/table/first_block.hpp>
#include <syncmap/engine/table/living_maps.hpp>

namespace syncmap::engine {

template <class Types>
class storage : protected core<Types> {
    using base = core<Types>;

public:
    using typename core<Types>::Key;
    using typename core<Types>::T;
    using typename core<Types>::Sync;
    using typename core<Types>::Layout;
    using typename core<Types>::header;
    using typename core<Types>::line_type;
    using typename core<Types>::control;
    using typename core<Types>::rare_type;
    using typename core<Types>::stripe_type;
    using typename core<Types>::node;
    using typename core<Types>::node_base;
    using typename core<Types>::atomic_word;
    using typename core<Types>::allocator_type;
    using typename core<Types>::row_type;

    static unsigned min_log2() noexcept { return Sync::smallest_log2(); }
    static constexpr unsigned max_log2 = 40;

    using base::base;

    ~storage() {
        control* const c = control_.load(std::memory_order_relaxed);
        if (c == nullptr) return;
        if constexpr (!Layout::inline_key) c->is_ending();
        living_maps<Sync>::remove(*c);
        if constexpr (!Layout::inline_key) {
            if (!living_maps<Sync>::is_orphan(*c)) {
                reclaim::thread_garbage<Sync>::forget(c->home->threads, *c, [this](node_base* list) { destroy_nodes(list); });
            }
        }
        destroy_table_and_nodes(table_of(root_.load(std::memory_order_relaxed)));
        c->each_stripe([&](stripe_type& s) {
            destroy_nodes(s.retired.take_all());
            give_back_spares(s);
        });
        if (auto* const rare = c->rare_or_null()) destroy_rare(rare);
        give_back_first_block(*c);
    }

protected:
    using base::allocator_;
    using base::change_root;
    using base::control_;
    using base::node_at;
    using base::root_;
    using base::shared_of_table;
    using base::table_of;

    // ---- nodes ----

    using node_allocator = typename std::allocator_traits<allocator_type>::template rebind_alloc<typename node::unit>;

    /// A node that is not published yet. Whoever publishes it calls `release`.
    class fresh_node {
    public:
        /// `s`: the calling thread's.
        fresh_node(storage& owner, stripe_type& s) noexcept : fresh_node(owner, s.spares) {}
        fresh_node(const fresh_node&) = delete;
        fresh_node& operator=(const fresh_node&) = delete;
        ~fresh_node() { reset(); }

        explicit operator bool() const noexcept { return node_ != nullptr; }
        node* get() const noexcept { return node_; }
        node* release() noexcept { return std::exchange(node_, nullptr); }
        void reset() noexcept {
            if (node* const n = std::exchange(node_, nullptr)) owner_.destroy_node(n);
        }

        /// Strong guarantee. Throws `barrier_refused` while retired nodes cannot be freed.
        template <class K, class Make>
        void emplace(std::uint64_t hash, K&& key, Make&& make) {
            if constexpr (keeps_given_key) shows_entry_key_ = is_key_of_entry<std::remove_cvref_t<K>>;
            owner_.shared_of_table().home->threads.barriers().require_freeing();
            node_allocator a(owner_.allocator_);
            node_ = node::make(a, spares_, hash, std::forward<K>(key), make);
            detail::reachable_by_marked_pointer(node_);
        }

        /// Gives a node that is made already the key object of a present entry, or, of none, the key that the writer was
        /// given: that is `key`, unless the node has taken it over. For a writer that was slower than another one.
        template <class K>
        [[gnu::cold, gnu::noinline]] void use_key(const node* present, K&& key) {
            node_allocator a(owner_.allocator_);
            if constexpr (node::shares_key) {
                if (present != nullptr) {
                    node_->show_key_of(a, *present, node::giving_back(a));
                } else {
                    node_->show_own_key(a, std::forward<K>(key), node::giving_back(a));
                }
            } else if constexpr (syncmap::detail::is_text<Key>) {
                if (present != nullptr) {
                    make_again(key_of_entry<node>{*present});
                } else {
                    make_again(key);
                }
            } else if constexpr (keeps_given_key) {
                if (present != nullptr) {
                    Key before = node_->exchange_key(a, Key(present->key()));
                    if (!shows_entry_key_) given_key_.emplace(std::move(before));
                } else if (shows_entry_key_) {
                    if (given_key_.get() != nullptr) {
                        static_cast<void>(node_->exchange_key(a, std::move(*given_key_.get())));
                        given_key_.reset();
                    } else {
                        static_cast<void>(node_->exchange_key(a, Key(std::forward<K>(key))));
                    }
                }
                shows_entry_key_ = present != nullptr;
            }
        }

    private:
        static constexpr bool keeps_given_key = tells_equal_keys_apart<Key, typename Types::key_equal> && !Layout::pairs &&
                                                !node::shares_key && !syncmap::detail::is_text<Key>;
        struct nothing {};

        fresh_node(storage& owner, spare_nodes<Sync>& spares) noexcept : owner_(owner), spares_(spares) {}

        /// Another node with the same value, if that can be moved: the length of a text is part of its node.
        template <class K>
        void make_again(const K& key) {
            constexpr bool value_is_text = syncmap::detail::is_text<T>;
            if constexpr (value_is_text || std::is_move_constructible_v<T>) {
                fresh_node other(owner_, spares_);
                other.emplace(node_->hash(), key, [&]() -> decltype(auto) {
                    if constexpr (value_is_text) {
                        return std::as_const(*node_).value();
                    } else {
                        return std::move(node_->value());
                    }
                });
                std::swap(node_, other.node_);
            }
        }

        storage& owner_;
        spare_nodes<Sync>& spares_;
        node* node_ = nullptr;
        [[no_unique_address]] std::conditional_t<keeps_given_key, syncmap::detail::deferred<Key>, nothing> given_key_{};
        bool shows_entry_key_ = false;
    };

    void destroy_node(node* n) noexcept {
        node_allocator a(allocator_);
        destroy_node(a, n);
    }
    /// Touches the map no more: the destructor of the node's content may destroy it.
    static void destroy_node(node_allocator& a, node* n) noexcept {
        const std::size_t units = n->units();
        if (n->destroy_content(a)) n->deallocate(a, units);
    }
    /// The same, but what another node can use of it goes to the pile.
    static void lay_to_rest(node_allocator& a, pile_of_nodes<Sync>& pile, node* n) noexcept {
        const std::size_t units = n->units();
        n->rest(a); // may run destructors of the user's
        pile.add(*n, units);
    }
    static void give_back(node_allocator& a, node_base& at_rest) noexcept {
        static_cast<node&>(at_rest).give_back(a, pile_of_nodes<Sync>::units_of(at_rest));
    }
    void give_back_spares(stripe_type& s) noexcept {
        node_allocator a(allocator_);
        for (auto pile = s.spares.take_all(); pile.top() != nullptr;) give_back(a, *pile.take_top());
    }
    /// See reclaim/thread_garbage.hpp. What is needed after a destructor of the user's has run is copied before.
    static void destroy_ready(reclaim::thread_garbage<Sync>&, reclaim::garbage_slot<Sync>& of) noexcept {
        auto& c = static_cast<control&>(*of.source.load(std::memory_order_relaxed));
        auto& s = *static_cast<stripe_type*>(of.home.place);
        node_allocator a(static_cast<storage*>(of.home.map)->allocator_);
        auto pile = s.spares.take_all();
        while (auto* const n = static_cast<node*>(of.take_ready(c))) {
            if (pile.count() < of.most_kept && n->may_rest()) {
                lay_to_rest(a, pile, n);
            } else {
                destroy_node(a, n);
            }
        }
        if (!of.names(c)) { // one of them destroyed the map
            while (pile.top() != nullptr) give_back(a, *pile.take_top());
            return;
        }
        // What a destructor that used the map has laid down meanwhile. No code of the user's runs from here on.
        for (auto more = s.spares.take_all(); more.top() != nullptr;) {
            node_base& n = *more.take_top();
            pile.add(n, pile.units_of(n));
        }
        while (pile.count() > of.most_kept) give_back(a, *pile.take_top());
        of.kept = static_cast<std::uint32_t>(pile.count());
        s.spares.put(pile);
    }
    void destroy_nodes(node_base* list) noexcept {
        while (list != nullptr) destroy_node(static_cast<node*>(std::exchange(list, list->next_retired)));
    }

    // ---- the control block and its stripes ----

    control& shared() {
        if (control* const c = control_.load(std::memory_order_acquire)) return *c;
        return make_control(false);
    }
    /// For a write that will store an entry: where there is no control block yet, the first table is made with it.
    control& shared_for_entry() {
        if (control* const c = control_.load(std::memory_order_acquire)) [[likely]] return *c;
        return make_control(true);
    }

    /// What only few maps need; see rare_part. Throws `bad_alloc`.
    rare_type& more(control& c) {
        if (auto* const rare = c.rare_or_null()) return *rare;
        return make_rare(c);
    }

    using writer_type = writer_record<Sync>;

    static writer_type* writer_or_null(const row_type& r) noexcept {
        return writers<Sync>::record_or_null(r);
    }
    /// The stripe of the thread that has the row. Throws `bad_alloc`.
    stripe_type& stripe_of(control& c, row_type& r) {
        const auto& known = r.note_of(c.number);
        if (known.number == c.number) [[likely]] return *static_cast<stripe_type*>(known.what);
        return find_stripe(c, r);
    }

    // ---- tables ----

    static std::size_t table_bytes(unsigned log2) noexcept { return shape_of(log2).bytes; }

    /// An empty table of 2^log2 units: one that was used before, or a new one. Of one unit there is only that in the first
    /// block: while it is in use, a table of two units. `filled`: so many entries will be put into it at once that it should
    /// lie on huge pages; else only what is touched takes memory. Throws `bad_alloc`; `barrier_refused` where more memory
    /// waits already, in tables that cannot be used again.
    [[gnu::cold]] header* acquire_table(control& c, unsigned log2, bool filled) {
        if (log2 == 0) {
            // acquire: pairs with the release of put_free.
            const first_table was = c.first_table_is.exchange(first_table::taken, std::memory_order_acquire);
            if (was == first_table::fresh) return first_block_type::table_of(c);
            if (was == first_table::used) return renewed(*first_block_type::table_of(c));
            log2 = 1;
        }
        header* t = nullptr;
        rare_type& rare = more(c);
        if (const only_one tidying(c.tidying); tidying) {
            header** link = &rare.free_tables;
            while (*link != nullptr && (*link)->log2() != log2) link = &(*link)->next_in_list;
            if ((t = *link) != nullptr) {
                *link = t->next_in_list;
            } else if (!c.home->threads.barriers().is_freeing() && waiting_bytes(rare) >= table_bytes(log2)) {
                c.home->threads.barriers().require_freeing();
            }
        }
        if (t == nullptr) return make_table(c, log2, filled);
        if (t->on_small_pages.load(std::memory_order_relaxed) == filled) lay_on_pages(*t, filled);
        return renewed(*t);
    }
    /// Makes an empty table the root's in place of none, with which a new life of the map begins. False: another thread was
    /// first.
    bool begin_life(control& c, word root, header* t) noexcept {
        t->incarnation.store(c.incarnations.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        t->brought.store(0, std::memory_order_relaxed);
        if (table_of(root) == nullptr && change_root(root, t)) return true;
        abandon_table(c, t);
        return false;
    }
    /// Lets a table that was made empty lie on huge pages from now on. What it has on small ones is moved piece by piece.
    static void begin_huge_pages(header& t) noexcept {
        lay_on_pages(t, true);
        t.small_pieces.store(static_cast<std::uint32_t>(table_bytes(t.log2()) / Sync::huge_page_bytes), std::memory_order_relaxed);
    }
    /// Moves one piece, if any is left. Each piece once; the memory is the table's for as long as the map lives.
    static void gather_piece(header& t) noexcept {
        std::uint32_t left = t.small_pieces.load(std::memory_order_relaxed);
        while (left != 0 && !t.small_pieces.compare_exchange_weak(left, left - 1, std::memory_order_relaxed, std::memory_order_relaxed)) {}
        if (left != 0) Sync::gather_huge_page(reinterpret_cast<std::byte*>(&t) + std::size_t{left - 1} * Sync::huge_page_bytes);
    }

    /// Gives back a table that was not published. Its memory may have been another table's before, and be looked at by
    /// late readers of that one: it is kept like any other.
    void abandon_table(control& c, header* t) noexcept {
        if (t->log2() == 0) {
            put_free(c, t); // it is emptied before it is used again
        } else {
            retire_table(c, t);
            ask_for_tidying(c);
        }
    }

    /// A table that is no longer reachable from the root: used again once no writer names it.
    void retire_table(control& c, header* t) noexcept {
        auto& retired = c.more().retired_tables;
        header* head = retired.load(std::memory_order_relaxed);
        do {
            t->next_in_list = head;
        } while (!retired.compare_exchange_weak(head, t, std::memory_order_release, std::memory_order_relaxed));
    }

    /// Brings retired tables closer to being free, `budget` bytes of pages at most; by whoever comes by.
    /// Nobody waits: if another thread is at it, nothing is done.
    [[gnu::cold]] void tidy_tables(control& c, std::size_t budget) noexcept {
        if (is_tidy(c)) return;
        const only_one tidying(c.tidying);
        if (!tidying) return;
        rare_type& rare = c.more();
        for (header* t = rare.retired_tables.exchange(nullptr, std::memory_order_acquire); t != nullptr;) {
            header* const next = t->next_in_list;
            t->next_in_list = std::exchange(rare.leaving_tables, t);
            t = next;
        }
        note_unnamed(c);
        for (header** link = &rare.leaving_tables; *link != nullptr && budget > 0;) {
            header* const t = *link;
            if (t->unnamed && empty_table(t, budget)) {
                *link = t->next_in_list;
                put_free(c, t);
            } else {
                link = &t->next_in_list;
            }
        }
        rare.anything_leaving.store(rare.leaving_tables != nullptr, std::memory_order_relaxed);
        ask_for_tidying(c);
    }

    static bool is_tidy(const control& c) noexcept {
        const rare_type* const rare = c.rare_or_null();
        return rare == nullptr || (rare->retired_tables.load(std::memory_order_relaxed) == nullptr &&
                                   !rare->anything_leaving.load(std::memory_order_relaxed));
    }

    /// Makes the writers of the root's table bring retired tables closer to being free, if there are any. (Their memory
    /// stays a table's, so a root that changes meanwhile does no harm; whoever changed it calls this as well.)
    void ask_for_tidying(const control& c) noexcept {
        // What is to be tidied was stored before, the root is loaded behind. Pairs with itself in the thread that changes
        // the root: without it, each of the two could miss the other's store, and nobody would be asked.
        Sync::fence();
        header* const t = table_of(root_.load(std::memory_order_acquire));
        if (t != nullptr && !is_tidy(c)) t->ask_for_help();
    }

    /// An overflow line beside any table. Throws `bad_alloc`; never called under a unit's lock.
    void make_spare_line(control& c) {
        line_type& l = new_spare_line(c);
        c.more().spare_lines.push(l);
    }
    line_type& new_spare_line(control& c) {
        using spare = typename control::spare_line;
        auto& all = more(c).all_spare_lines;
        spare* const l = make_object<spare>();
        spare* head = all.load(std::memory_order_relaxed);
        do {
            l->next = head;
        } while (!all.compare_exchange_weak(head, l, std::memory_order_release, std::memory_order_relaxed));
        return *l;
    }

    // ---- memory from the user's allocator ----

    template <class U>
    using memory_for = syncmap::detail::aligned_memory<U, allocator_type>;

    template <class U>
    U* make_objects(std::size_t n) {
        U* const p = memory_for<U>::allocate(allocator_, n);
        std::uninitialized_value_construct_n(p, n);
        return p;
    }
    template <class U>
    void destroy_objects(U* p, std::size_t n) noexcept {
        std::destroy_n(p, n);
        memory_for<U>::deallocate(allocator_, p, n);
    }
    template <class U>
    U* make_object() {
        return make_objects<U>(1);
    }
    template <class U>
    void destroy_object(U* p) noexcept {
        destroy_objects(p, 1);
    }

    /// Plain memory, by cache lines.
    struct alignas(detail::cache_line_bytes) block {
        std::byte bytes[detail::cache_line_bytes];
    };
    static constexpr std::size_t blocks_for(std::size_t bytes) noexcept { return (bytes + sizeof(block) - 1) / sizeof(block); }
    static constexpr std::size_t bytes_of(std::size_t blocks) noexcept { return blocks * sizeof(block); }

    void* make_blocks(std::size_t n) { return memory_for<block>::allocate(allocator_, n); }
    void free_blocks(void* p, std::size_t n) noexcept { memory_for<block>::deallocate(allocator_, static_cast<block*>(p), n); }

    static constexpr std::size_t mapped_from = std::size_t{1} << 18; ///< bytes
    static constexpr bool has_standard_allocator =
        std::is_same_v<allocator_type, std::allocator<typename std::allocator_traits<allocator_type>::value_type>>;
    static constexpr bool uses_pages = Sync::has_pages && has_standard_allocator;

private:
    /// A lock that is only ever tried: who fails leaves the work to who has it.
    class only_one {
    public:
        explicit only_one(typename Sync::template atomic<bool>& flag) noexcept
            : flag_(flag), got_(!flag.load(std::memory_order_relaxed) && !flag.exchange(true, std::memory_order_acquire)) {}
        only_one(const only_one&) = delete;
        only_one& operator=(const only_one&) = delete;
        ~only_one() {
            if (got_) flag_.store(false, std::memory_order_release);
        }
        explicit operator bool() const noexcept { return got_; }

    private:
        typename Sync::template atomic<bool>& flag_;
        const bool got_;
    };

    /// Strong guarantee.
    [[gnu::cold, gnu::noinline]] control& make_control(bool with_table) {
        const hash_seed seed{Sync::random_word(), Sync::random_word() | 1};
        process<Sync>& home = process<Sync>::instance();
        writers<Sync>& all = writers<Sync>::instance();
        const reclaim::thread_lease<Sync> me(home.threads);
        writer_type& writer = all.record_of(*me);
        stripe_type& own = writer.take_stripe(all.stripes);
        own.become_that_of(writer);
        own.next = nullptr;
        control* fresh = nullptr;
        try {
            fresh = make_first_block(writer, seed);
        } catch (...) {
            writer.put_stripe(all.stripes, own);
            throw;
        }
        fresh->home = &home;
        fresh->number = writer.number_of_next_map(me->slot);
        fresh->stripes.store(&own, std::memory_order_relaxed);
        const bool makes_table = with_table && min_log2() == 0;
        if (makes_table) fresh->first_table_is.store(first_table::taken, std::memory_order_relaxed);
        living_maps<Sync>::add(*fresh, writer, root_);
        control* expected = nullptr;
        // release: who finds the block sees it whole. acquire: so does the loser of the race.
        if (!control_.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel, std::memory_order_acquire)) {
            living_maps<Sync>::remove(*fresh);
            give_back_first_block(*fresh);
            return *expected;
        }
        me->remember(fresh->number, &own);
        if (makes_table) begin_life(*fresh, root_.load(std::memory_order_acquire), first_block_type::table_of(*fresh));
        return *fresh;
    }

    [[gnu::noinline]] stripe_type& find_stripe(control& c, row_type& r) {
        writer_type& writer = c.made_by->all->record_of(r);
        stripe_type* own = c.stripes.load(std::memory_order_acquire);
        while (own != nullptr && own->writer != &writer) own = own->next;
        if (own == nullptr) {
            own = &writer.take_stripe(c.made_by->all->stripes);
            own->become_that_of(writer);
            c.add(*own);
        }
        r.remember(c.number, own);
        return *own;
    }

    [[gnu::cold, gnu::noinline]] rare_type& make_rare(control& c) {
        rare_type* const fresh = make_object<rare_type>();
        rare_words<Sync>* expected = nullptr;
        // release: who finds it sees it whole. acquire: so does the loser of the race.
        const bool mine = c.rare.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel, std::memory_order_acquire);
        if (mine) return *fresh;
        destroy_object(fresh);
        return static_cast<rare_type&>(*expected);
    }
    void destroy_rare(rare_type* rare) noexcept {
        for (auto* list : {rare->retired_tables.load(std::memory_order_relaxed), rare->leaving_tables, rare->free_tables}) {
            destroy_tables(list);
        }
        for (auto* l = rare->all_spare_lines.load(std::memory_order_relaxed); l != nullptr;) {
            destroy_object(std::exchange(l, l->next));
        }
        destroy_object(rare);
    }

    // ---- the first block ----

    using first_block_type = first_block<Layout, header, control>;
    static constexpr std::size_t first_block_lines =
        (std::max)(blocks_for(first_block_type::bytes), writer_type::fewest_lines);
    static_assert(first_block_lines <= writer_type::most_lines);

    /// With std::allocator the blocks of all maps have few sizes, so that a thread can keep those of destroyed maps.
    control* make_first_block(writer_type& writer, const hash_seed& seed) {
        void* memory = nullptr;
        if constexpr (has_standard_allocator) {
            memory = writer.take_block(first_block_lines);
            if (memory == nullptr) memory = ::operator new(bytes_of(first_block_lines), std::align_val_t(detail::cache_line_bytes));
        } else {
            memory = make_blocks(first_block_lines);
        }
        detail::reachable_by_marked_pointer(memory);
        auto* const bytes = static_cast<std::byte*>(memory);
        auto* const c = ::new (bytes + first_block_type::control_block_at) control;
        c->seed = seed;
        if constexpr (!Layout::inline_key) c->destroy_ready = &storage::destroy_ready;
        construct_table(bytes, shape_of(0), seed, 0, false);
        return c;
    }
    void give_back_first_block(control& c) noexcept {
        const bool orphan = living_maps<Sync>::is_orphan(c);
        writer_type* const writer = orphan ? nullptr : writer_that_is_kept(c);
        stripe_pool<Sync>& pool = c.made_by->all->stripes;
        for (stripe_type* s = orphan ? nullptr : c.stripes.load(std::memory_order_relaxed); s != nullptr;) {
            stripe_type& gone = *std::exchange(s, s->next);
            if (writer != nullptr) {
                writer->put_stripe(pool, gone);
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
        const row_type* const kept = Sync::template per_thread<row_type>::get();
        return kept != nullptr && kept->home == &c.home->threads ? writer_or_null(*kept) : nullptr;
    }

    // ---- tables: [header][lines][control words] ----

    struct shape {
        std::size_t line_count;
        std::size_t controls;
        std::size_t lines_at;
        std::size_t controls_at;
        std::size_t bytes;
    };
    static shape shape_of(unsigned log2) noexcept {
        const std::size_t units = std::size_t{1} << log2;
        const std::size_t all_units = units + (Layout::has_outliers ? 1 : 0);
        shape s{};
        s.line_count = all_units + header::overflow_share(units);
        s.controls = all_units;
        s.lines_at = sizeof(header);
        s.controls_at = s.lines_at + s.line_count * sizeof(line_type);
        const std::size_t end = s.controls_at + s.controls * sizeof(typename header::control_type);
        s.bytes = log2 == 0 ? end : bytes_of(blocks_for(end)); // the control block follows
        return s;
    }

    [[gnu::cold]] header* make_table(control& c, unsigned log2, bool filled) {
        const shape s = shape_of(log2);
        void* memory = uses_pages && s.bytes >= mapped_from ? Sync::map_pages(s.bytes) : nullptr;
        const bool mapped = memory != nullptr;
        if (mapped) {
            detail::may_hold_pointers(memory, s.bytes);
        } else { // also where a process may have no more mappings: the allocator has some
            memory = make_blocks(blocks_for(s.bytes));
            detail::reachable_by_marked_pointer(memory);
        }
        header* const t = construct_table(static_cast<std::byte*>(memory), s, c.seed, log2, mapped);
        lay_on_pages(*t, filled);
        return t;
    }
    static header* construct_table(std::byte* bytes, const shape& s, const hash_seed& seed, unsigned log2, bool mapped) {
        auto* const t = ::new (static_cast<void*>(bytes)) header;
        t->seed = seed;
        t->line_shift = header::line_shift_of(log2);
        t->mapped = mapped;
        t->controls = reinterpret_cast<typename header::control_type*>(bytes + s.controls_at);
        if (!mapped) { // pages of the system are zero already, and zero is EMPTY and unlocked
            std::uninitialized_value_construct_n(t->first_line(), s.line_count);
            std::uninitialized_value_construct_n(t->controls, s.controls);
        }
        return t;
    }

    /// Says on what pages a large table is to lie. (A hint: no order hangs on `on_small_pages`.)
    static void lay_on_pages(header& t, bool huge) noexcept {
        if (!t.mapped || table_bytes(t.log2()) < 2 * Sync::huge_page_bytes) return;
        t.on_small_pages.store(!huge, std::memory_order_relaxed);
        Sync::prefer_huge_pages(&t, table_bytes(t.log2()), huge);
    }

    void destroy_tables(header* list) noexcept {
        while (list != nullptr) {
            header* const t = std::exchange(list, list->next_in_list);
            if (t->log2() == 0) continue; // it goes with the first block
            const shape s = shape_of(t->log2());
            const bool mapped = t->mapped;
            t->~header();
            if (mapped) {
                detail::holds_no_pointers_more(t, s.bytes);
                Sync::unmap_pages(t, s.bytes);
            } else {
                free_blocks(t, blocks_for(s.bytes));
            }
        }
    }

    /// The live table and the one it is being moved to; what was moved already has no entry in the old one.
    void destroy_table_and_nodes(header* t) noexcept {
        while (t != nullptr) {
            header* const next = t->successor();
            if constexpr (!Layout::inline_key) {
                for (std::size_t i = 0; i < t->all_lines(); ++i) destroy_nodes_of(t->first_line()[i]);
            }
            t->next_in_list = nullptr;
            destroy_tables(t);
            t = next;
        }
        if constexpr (!Layout::inline_key) {
            if (const rare_type* const rare = shared_of_table().rare_or_null()) {
                for (auto* l = rare->all_spare_lines.load(std::memory_order_relaxed); l != nullptr; l = l->next) destroy_nodes_of(*l);
            }
        }
    }
    void destroy_nodes_of(const line_type& l) noexcept {
        for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
            if (const word m = l.mark(i); Layout::is_entry(m)) destroy_node(node_at(m));
        }
    }

    /// Marks the leaving tables that no stripe names. They are out of the root's reach, so none will again.
    static void note_unnamed(control& c) noexcept {
        rare_type& rare = c.more();
        bool any = false;
        for (const header* t = rare.leaving_tables; t != nullptr; t = t->next_in_list) any |= !t->unnamed;
        if (!any) return;
        if (rare.looks_to_skip > 0) {
            --rare.looks_to_skip;
            return;
        }
        // Pairs with the light barrier of section::enter [I9].
        if (!c.home->threads.barriers().heavy_barrier_to_free()) return;
        for (header* t = rare.leaving_tables; t != nullptr; t = t->next_in_list) {
            t->unnamed = t->unnamed || !is_named(c, t);
            if (!t->unnamed) rare.looks_to_skip = Sync::looks_between_barriers;
        }
    }

    /// Of tables that were left and are no other's yet. By who has `tidying`: nobody else takes one out of the lists.
    static std::size_t waiting_bytes(const rare_type& rare) noexcept {
        std::size_t bytes = 0;
        for (const header* list : {rare.retired_tables.load(std::memory_order_acquire), rare.leaving_tables}) {
            for (const header* t = list; t != nullptr; t = t->next_in_list) bytes += table_bytes(t->log2());
        }
        return bytes;
    }

    static bool is_named(control& c, const header* t) noexcept {
        bool named = false;
        c.each_stripe([&](stripe_type& s) { named |= s.table.load(std::memory_order_acquire) == t; });
        return named;
    }

    /// Gives the pages of a table back that nobody but late readers can see; one from the allocator is zeroed when it is
    /// used again. False: the budget is used up, go on later.
    static bool empty_table(header* t, std::size_t& budget) noexcept {
        if (!t->mapped) return true;
        const std::size_t size = shape_of(t->log2()).bytes;
        const std::size_t page = Sync::page_bytes(); // the first one holds the header
        const std::size_t from = page + t->emptied;
        const std::size_t bytes = (std::min)(budget, size - from);
        std::size_t whole = (std::min)((bytes + page - 1) / page * page, size - from);
        // Up to the end of a huge page: one that is given back in parts is taken apart first.
        if (const std::size_t end = (from + whole) / Sync::huge_page_bytes * Sync::huge_page_bytes; whole < size - from && end > from) {
            whole = end - from;
        }
        if (!Sync::empty_pages(reinterpret_cast<std::byte*>(t) + from, whole)) {
            zero(t, size); // the system keeps them (locked memory, say)
            return true;
        }
        t->emptied += whole;
        budget -= (std::min)(budget, whole);
        if (from + whole < size) return false;
        zero(t, page);
        return true;
    }

    /// Zeroes the lines in the first `bytes` of the table and, if those are all, the control words: by atomic stores,
    /// for late readers may be looking. release: who reads an EMPTY of these sees that the table was left before [R5].
    /// (Without it a reader could find the unit empty, and the root still what it was.)
    static void zero(header* t, std::size_t bytes) noexcept {
        const shape s = shape_of(t->log2());
        for (std::size_t i = 0; i < s.line_count && s.lines_at + (i + 1) * sizeof(line_type) <= bytes; ++i) {
            for (auto& w : t->first_line()[i].words) w.store(Layout::empty, std::memory_order_release);
        }
        if (bytes == s.bytes) {
            for (std::size_t i = 0; i < s.controls; ++i) t->controls[i].store(0, std::memory_order_release);
        }
    }

    /// A free table, empty again.
    static header* renewed(header& t) noexcept {
        if (!t.mapped) zero(&t, shape_of(t.log2()).bytes); // not when it was retired: most are outgrown and never used again
        t.next_in_list = nullptr;
        t.erased.store(0, std::memory_order_relaxed);
        t.floor_log2.store(0, std::memory_order_relaxed);
        return &t;
    }

    static void put_free(control& c, header* t) noexcept {
        t->next.store(nullptr, std::memory_order_relaxed);
        t->needs_help.store(false, std::memory_order_relaxed);
        t->crowded.store(false, std::memory_order_relaxed);
        t->overflow_used.store(0, std::memory_order_relaxed);
        t->free_lines.forget();
        t->cursor.store(0, std::memory_order_relaxed);
        t->filling.store(false, std::memory_order_relaxed);
        t->small_pieces.store(0, std::memory_order_relaxed);
        t->emptied = 0;
        t->unnamed = false;
        if (t->log2() == 0) {
            // release: pairs with the acquire of who takes it next.
            c.first_table_is.store(first_table::used, std::memory_order_release);
        } else {
            t->next_in_list = std::exchange(c.more().free_tables, t);
        }
    }
};

} // namespace syncmap::engine
