// The engine of `syncmap::map`: what the facade calls. docs/design.md is its protocol;
// the tags [R1], [W3], [I4], … in the comments are that page's.
//
// What a map owns is one class in layers, of which each is on top of the one before. All of a map's state is in core and in the
// control block:
//
//   core, map_memory, map_nodes, table_memory, table_pool, storage, retirement
//
// Parts have no state of their own. Their functions take the map that they work on, and name the parts that they need:
//
//   chain        one bucket as a chain of lines: walking over, placing and taking out entries
//   locks        what a writer does around a change: naming a table, locking a bucket, waiting at the gate
//   reader       finding a key without a lock                                    core, header, layout; locks for writers
//   migration    moving the buckets of a table to another one                    chain, locks, preservation
//   resizer      when a table is left, and which writers move its buckets        migration
//   preservation what writers preserve for snapshots                             chain, snapshot_memory
//   snapshotter  the cut of a snapshot, reading it, its end                      reader, walker, counting, resizer, dismantling
//   walker       walking over all entries                                        chain, locks, bucket_run
//   counting     the exact size                                                  resizer
//   dismantling  the end of a cleared table                                      chain, locks
//   replacing, statistics                                                        snapshotter; resizer
//
// The writer is a class on top of what the map owns, in layers that share the types of a write:
//
//   admission, fast_path, computing, inline_writing, node_writing, writer; with several entries: pinning, multi_update, batches
//
// This file is the front: each primitive of the facade, and the part that does it.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/table/batches.hpp>
#include <syncmap/engine/table/replacing.hpp>
#include <syncmap/engine/table/snapshotter.hpp>
#include <syncmap/engine/table/statistics.hpp>
#include <syncmap/engine/tuning.hpp>

namespace syncmap::engine {

template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Sync = machine, class Mark = no_mark>
class table : public batches<table_types<Key, T, Hash, KeyEqual, Allocator, Sync, Mark>> {
    using types = table_types<Key, T, Hash, KeyEqual, Allocator, Sync, Mark>;
    using base = batches<types>;
    using reader = engine::reader<types>;
    using resizer = engine::resizer<types>;
    using snapshotter = engine::snapshotter<types>;
    using walker = engine::walker<types>;

    static_assert(sizeof(syncmap::detail::key_requirements<Key, Hash, KeyEqual>) != 0);
    static_assert(!syncmap::detail::is_text<Key> || syncmap::detail::takes_views<Hash, KeyEqual>,
                  "syncmap: keys that are syncmap::text are looked up by views: hash and equality must take std::string_view, "
                  "and both need is_transparent");

public:
    using key_type = Key;
    using mapped_type = T;
    using hasher = Hash;
    using key_equal = KeyEqual;
    using allocator_type = Allocator;
    using base::base;
    constexpr table() = default;
    table(table&&) = default;
    ~table() { snapshotter::free_at_end(*this); }

    static constexpr bool exact_size = true;
    static constexpr bool atomic_iteration = false;
    static constexpr bool lock_free_reads = true;

    /// Calls `f(const T&)` on the value of `key`. No lock, no shared write; for inline keys and small values wait-free
    /// between two resizes, else lock-free. The first form is a few dozen instructions: worth having in line.
    template <class K, class F>
    [[gnu::always_inline]] bool visit(const K& key, F&& f) const
        requires(base::Layout::inline_key)
    {
        return reader::show_inline(*this, static_cast<const Key&>(key), [&](word value) {
            const T copy = from_word<T>(value);
            f(copy);
            return true;
        });
    }
    template <class K, class F>
    bool visit(const K& key, F&& f) const
        requires(!base::Layout::inline_key)
    {
        return reader::visit_node(*this, key, [&](const auto& place) { reader::show(place, f); });
    }

    /// The same with the key as the map has it: `f(const Key&, const T&)`.
    template <class K, class F>
    bool visit_entry(const K& key, F&& f) const {
        if constexpr (base::Layout::inline_key) {
            return visit(key, [&](const T& value) { f(static_cast<const Key&>(key), value); });
        } else {
            return reader::visit_node(*this, key, [&](const auto& place) {
                reader::show(place, [&](const T& value) { f(std::as_const(*node_at(place.slot_word)).key(), value); });
            });
        }
    }

    /// The value that `visit` would show, on its way through no memory.
    [[gnu::always_inline]] std::optional<T> copy_of(const Key& key) const noexcept
        requires(base::Layout::inline_key)
    {
        return reader::show_inline(*this, key, [](word value) { return std::optional<T>(from_word<T>(value)); });
    }

    /// Linearizable: an instant during the call at which the map had exactly that many entries.
    std::size_t size() const { return counting<types>::count(*this); }
    /// What the thread records say, read one after the other.
    std::size_t approx_size() const noexcept { return counting<types>::approx_size(*this); }

    /// Calls `f(const Key&, const T&)` for the entries until it returns false; returns the number of calls.
    template <class F>
    std::size_t for_each(F&& f) const {
        std::size_t calls = 0;
        walker::walk(const_cast<table&>(*this), [&](const seen_entry& e) {
            ++calls;
            return f(walker::key_of(e), walker::value_of(e));
        });
        return calls;
    }

    /// Calls `f(const Key&, const T&)` for the entries of the next bucket that has any; returns where to go on.
    template <class F>
    walk_position for_each_from(walk_position from, F&& f) const {
        return walker::walk_from(const_cast<table&>(*this), from,
                                 [&](const seen_entry& e) { f(walker::key_of(e), walker::value_of(e)); });
    }

    /// The same within a range; returns what is left of it.
    template <class F>
    walk_range for_each_from(walk_range rest, F&& f) const {
        typename walker::map_type& map = const_cast<table&>(*this);
        return walker::step_in(
            map, [&map](auto... where) { return walker::copy_bucket_at(map, where...); }, rest,
            [&](const seen_entry& e) { f(walker::key_of(e), walker::value_of(e)); });
    }

    /// `pred` is called once for each entry; an entry that was changed since is left alone.
    template <class F>
    std::size_t erase_if(F&& pred, std::memory_order order) {
        std::size_t erased = 0;
        walker::walk(*this, [&](const seen_entry& e) {
            const Key& key = walker::key_of(e);
            const T& value = walker::value_of(e);
            if (syncmap::detail::invoke(pred, key, value) && erase_seen(e, order)) ++erased;
            return true;
        });
        return erased;
    }

    /// No other thread uses `other`, which is empty afterwards. Strong guarantee for both.
    void replace(table& other) { replacing<types>::replace(*this, other); }

    map_stats stats() const noexcept { return statistics<types>::of(*this); }

    void clear() {
        if (base::table_of(this->root_.load(std::memory_order_acquire)) == nullptr) return;
        // All that can fail comes before the step that cannot be taken back.
        control& c = this->shared_of_table();
        this->snapshots(c);
        const reclaim::thread_lease<Sync> me(c.home->threads);
        thread_record_type& s = this->thread_record_of(c, *me);
        if (header* const taken = snapshotter::exchange_root(*this, c, nullptr)) {
            dismantling<types>::dismantle(*this, c, taken, [&](node* n) { this->retire(c, s, n); });
        }
    }

    void reserve(std::size_t entries) {
        if (entries >= std::size_t{1} << base::max_log2) {
            throw std::length_error("syncmap: reserve: more entries than a map can hold");
        }
        if (entries == 0) return;
        control& c = this->shared();
        const unsigned log2 = resizer::log2_for(entries);
        const reclaim::thread_lease<Sync> me(c.home->threads);
        thread_record_type& s = this->thread_record_of(c, *me);
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header* const t = base::table_of(root);
            if (t == nullptr) {
                resizer::make_first_table(*this, c, root, log2);
            } else if (t->successor() != nullptr) {
                resizer::finish_resize(*this, c, s, root);
            } else if (t->log2() < log2) {
                resizer::start_resize(*this, c, s, root, log2);
            } else {
                resizer::keep_room(*t, log2);
                if (this->is_root(root) && t->successor() == nullptr) return;
            }
        }
    }

    /// The table as small as its entries allow, now, and `flush`.
    void shrink_to_fit() {
        control* const c = this->control_.load(std::memory_order_acquire);
        if (c == nullptr) return;
        {
            const reclaim::thread_lease<Sync> me(c->home->threads);
            resizer::finish_shrinking(*this, *c, this->thread_record_of(*c, *me));
        }
        flush();
    }

    /// Frees what was retired before the call and is not held, and the nodes in the caches of all threads. (A thread in `stats`
    /// holds what it looks at.)
    void flush() noexcept {
        control* const c = this->control_.load(std::memory_order_acquire);
        if (c == nullptr) return; // nothing was ever stored
        while (!this->scan(*c)) Sync::pause(); // a scanning thread holds nothing else, and runs no user code
        c->each_thread_record([this](thread_record_type& s) { this->give_back_cached_nodes(s); });
        snapshotter::free_snapshots(*this, *c);
        this->recycle_tables(*c, (std::numeric_limits<std::size_t>::max)());
    }

    /// One instant of the map; see syncmap/snapshot.hpp.
    class instant {
    public:
        using engine_type = table;

        instant() noexcept = default;
        explicit instant(table& map)
            : state_(snapshotter::take_snapshot(map)), control_(map.control_.load(std::memory_order_acquire)) {}
        instant(instant&& other) noexcept : state_(std::exchange(other.state_, nullptr)), control_(other.control_) {}
        instant& operator=(instant other) noexcept {
            std::swap(state_, other.state_);
            std::swap(control_, other.control_);
            return *this;
        }
        ~instant() {
            if (state_ != nullptr) snapshotter::drop_snapshot(map(), state_);
        }

        template <class K, class F>
        bool visit(const K& key, F&& f) const {
            if (state_ == nullptr) return false;
            const std::uint64_t hash = syncmap::detail::seeded_hash(map().hash_, key, map().shared_of_table().seed());
            return snapshotter::visit_at(map(), *state_, key, hash, base::key_bits(key), f);
        }
        template <class F>
        std::size_t for_each(F&& f) const {
            std::size_t calls = 0;
            if (state_ == nullptr) return calls;
            walker::walk_over(map(), copier(), [&](const seen_entry& e) {
                ++calls;
                return f(walker::key_of(e), walker::value_of(e));
            });
            return calls;
        }
        template <class F>
        walk_position for_each_from(walk_position from, F&& f) const {
            if (state_ == nullptr) return walk_position::end();
            return walker::step_over(map(), copier(), from,
                                     [&](const seen_entry& e) { f(walker::key_of(e), walker::value_of(e)); });
        }
        template <class F>
        walk_range for_each_from(walk_range rest, F&& f) const {
            if (state_ == nullptr) return walk_range::ended();
            return walker::step_in(map(), copier(), rest,
                                   [&](const seen_entry& e) { f(walker::key_of(e), walker::value_of(e)); });
        }
        std::size_t size() const noexcept { return state_ == nullptr ? 0 : state_->entries; }

        /// A walk that stops at each entry: it holds the entries of one bucket. The instant stays where it is meanwhile.
        class cursor {
        public:
            explicit cursor(const instant& of) : of_(of) {
                if (of.state_ == nullptr) return;
                entries_.emplace(static_cast<typename walker::map_type&>(of.map()), Sync::walk_run);
                look_on();
            }
            bool at_end() const noexcept { return !entries_ || entries_->empty(); }
            decltype(auto) key() const noexcept { return walker::key_of(entries_->front()); }
            decltype(auto) value() const noexcept { return walker::value_of(entries_->front()); }
            /// After a throw it stands at no entry, and can be asked again.
            void advance() {
                if (!entries_->empty()) entries_->pop_front();
                look_on();
            }

        private:
            void look_on() {
                auto copy = of_.copier();
                while (entries_->empty() && !at_.at_end()) walker::copy_next_buckets(copy, at_, *entries_);
            }
            const instant& of_;
            walk_position at_{};
            std::optional<typename walker::batch> entries_{};
        };

    private:
        auto copier() const noexcept {
            return [this](auto... where) { return snapshotter::copy_bucket_at_instant(map(), *state_, where...); };
        }
        /// Of a state: the map that has its contents now, which may have been moved since.
        table& map() const noexcept { return static_cast<table&>(*control_->map); }

        typename snapshotter::state* state_ = nullptr;
        typename types::control* control_ = nullptr;
    };
    instant snapshot() const { return instant(const_cast<table&>(*this)); }

    hasher hash_function() const { return this->hash_; }
    key_equal key_eq() const { return this->equal_; }
    allocator_type get_allocator() const noexcept { return this->allocator_; }

private:
    using base::node_at;
    using typename base::control;
    using typename base::header;
    using typename base::Layout;
    using typename base::node;
    using typename base::thread_record_type;

    // ---- erase_if ----

    /// Erases an entry if it is still the one that was seen: the same node, or the same small value.
    struct erase_seen_operation {
        static constexpr bool depends_on_current = false;
        static constexpr bool may_assign = false;
        static constexpr bool runs_user_code = false;
        const seen_entry& seen;
        std::memory_order order;
        bool erased = false;

        decision decide(const T* current) noexcept {
            erased = current != nullptr && is_seen(*current);
            return erased ? decision::erase : decision::keep;
        }
        [[noreturn]] T make() { std::terminate(); }

    private:
        bool is_seen(const T& current) const noexcept {
            if constexpr (Layout::pairs) {
                return to_word(current) == seen.value;
            } else {
                return std::addressof(current) == std::addressof(std::as_const(*node_at(seen.slot_word)).value());
            }
        }
    };

    bool erase_seen(const seen_entry& e, std::memory_order order) {
        erase_seen_operation op{e, order};
        try {
            if constexpr (Layout::inline_key) {
                this->write(walker::key_of(e), op);
            } else {
                this->write_seen(*node_at(e.slot_word), op);
            }
        } catch (const recursive_update&) {
            return false; // a key that this thread is computing stays
        }
        return op.erased;
    }
};

} // namespace syncmap::engine
