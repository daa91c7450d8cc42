// Replacing all contents by those of a map that no other thread uses: docs/design.md, section 5.
//
// A table of this map's seed is filled beside the live one, in memory of this map's pool. One exchange of the root makes
// it visible, and ends the generation of the old table as `clear` does.
//
// Why the other map's table is not taken over as it is: table memory is never unmapped while a map lives, so every
// replacement would leave one more table behind, and tables of a foreign seed besides.
//
// [X1] All that can fail (hashing keys, memory for lines) comes before the first node is placed. A reader that wakes in
//      memory that is now the prepared table may hold a node which it finds there: from then on the node is this map's,
//      and is freed only when no thread holds it.
// [X2] A node's hash is written before the node is placed, and never again while another thread can find it.
// [X3] Entries that came with a table are in no net count: the header counts them, and a resize hands that on.
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>

#include <syncmap/engine/table/snapshotter.hpp>

namespace syncmap::engine {

template <class Types>
class replacing {
    using resizer = engine::resizer<Types>;
    using dismantling = engine::dismantling<Types>;
    using chain = engine::chain<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using atomic_control = typename Layout::atomic_control;
    using control = typename Types::control;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using node = typename Types::node;
    using thread_record_type = typename control::thread_record_type;

public:
    using map_type = retirement<Types>;

    /// No other thread uses `other`, which is empty afterwards. Strong guarantee for both.
    static void replace(map_type& map, map_type& other) {
        if (std::addressof(map) == std::addressof(other)) return;
        if (!(map.allocator_ == other.allocator_)) {
            throw std::invalid_argument("syncmap: replace: the two maps have different allocators");
        }
        control* const theirs = other.control_.load(std::memory_order_acquire);
        if (theirs != nullptr && theirs->snapshots_or_null() != nullptr &&
            theirs->snapshots().live.load(std::memory_order_acquire) != nullptr) {
            throw std::logic_error("syncmap: replace: a snapshot of the other map is alive");
        }
        header* const from = map_type::table_of(other.root_.load(std::memory_order_acquire));
        if (from == nullptr && map_type::table_of(map.root_.load(std::memory_order_acquire)) == nullptr) return;

        control& c = map.shared();
        const reclaim::thread_lease<Sync> me(c.home->threads);
        thread_record_type& s = map.thread_record_of(c, *me);
        map.snapshots(c); // both tables will be retired: all that can fail comes before
        if (from != nullptr) other.more(*theirs);
        preparation fresh(map, c);
        if (from != nullptr) {
            fresh.make(resizer::counted_entries(*theirs, *from));
            fresh.take_all(from);
        }
        header* const taken = snapshotter<Types>::exchange_root(map, c, fresh.release());
        map.ask_for_recycling(c); // what the writers of the old table were asked for, or a clear has left
        if (from != nullptr) forget_entries(other, *theirs, from);
        if (taken != nullptr) dismantling::dismantle(map, c, taken, [&](node* n) { map.retire(c, s, n); });
    }

private:
    /// A table that is not published yet, and what is put into it.
    class preparation {
    public:
        preparation(map_type& map, control& c) noexcept : map_(map), control_(c) {}
        preparation(const preparation&) = delete;
        preparation& operator=(const preparation&) = delete;
        ~preparation() {
            while (line_type* const l = provided_.pop()) control_.more().spare_lines.push(*l);
            if (table_ == nullptr) return;
            header& t = *std::exchange(table_, nullptr);
            for (std::size_t bucket = 0; bucket < t.all_buckets(); ++bucket)
                chain::wipe(control_, t, t.home(bucket), Layout::empty);
            map_.abandon_table(control_, &t);
        }

        void make(std::size_t entries) { table_ = map_.acquire_table(control_, resizer::log2_for(entries), true); }

        /// All entries of `from` and of the table that it was being moved to. A node's is not looked at there any more
        /// when this has returned: it may be erased and freed as soon as the table is published.
        void take_all(header* from) {
            if constexpr (Layout::inline_key) {
                each_batch_of(from, [&](batch_view batch) {
                    std::size_t buckets[batch_size] = {};
                    for (std::size_t i = 0; i < batch.count; ++i) {
                        buckets[i] = batch.entries[i].sentinel_key
                                         ? table_->buckets()
                                         : table_->bucket_of(map_.hash_of(table_->seed, batch.entries[i].slot_word));
                        __builtin_prefetch(table_->home(buckets[i]).words, 1);
                    }
                    for (std::size_t i = 0; i < batch.count; ++i)
                        put(buckets[i], batch.entries[i].slot_word, batch.entries[i].value);
                });
            } else {
                each_batch_of(from, [&](batch_view batch) {
                    for (const seen_entry& e : batch) __builtin_prefetch(map_type::node_at(e.slot_word), 1);
                    for (const seen_entry& e : batch) {
                        node* const n = map_type::node_at(e.slot_word);
                        n->next_label = syncmap::detail::seeded_hash(map_.hash_, std::as_const(*n).key(), control_.seed());
                        __builtin_prefetch(table_->controls + table_->bucket_of(n->next_label), 1);
                    }
                    for (const seen_entry& e : batch) {
                        atomic_control& of_bucket =
                            table_->controls[table_->bucket_of(map_type::node_at(e.slot_word)->next_label)];
                        // The version is the number of inserts; no thread writes here but the one that prepares the table.
                        of_bucket.store(Layout::with_next_version(of_bucket.load(std::memory_order_relaxed)),
                                        std::memory_order_relaxed);
                    }
                });
                provide_lines();
                // Nothing fails from here on [X1].
                each_batch_of(from, [&](batch_view batch) {
                    for (const seen_entry& e : batch) __builtin_prefetch(map_type::node_at(e.slot_word), 1);
                    for (const seen_entry& e : batch) {
                        node* const n = map_type::node_at(e.slot_word);
                        n->label = n->next_label; // [X2]
                        __builtin_prefetch(table_->home(table_->bucket_of(n->hash())).words, 1);
                    }
                    for (const seen_entry& e : batch) {
                        const std::uint64_t hash = map_type::node_at(e.slot_word)->hash();
                        put(table_->bucket_of(hash), Layout::tagged(map_type::node_at(e.slot_word), hash), e.value);
                    }
                });
            }
        }

        /// The table, as the beginning of a new generation of the map; null if nothing is in it.
        header* release() noexcept {
            if (count_ == 0) return nullptr;
            table_->generation.store(control_.generations.fetch_add(1, std::memory_order_relaxed) + 1,
                                     std::memory_order_relaxed);
            table_->brought.store(static_cast<std::int64_t>(count_), std::memory_order_relaxed); // [X3]
            return std::exchange(table_, nullptr);
        }

    private:
        /// So many entries are looked for at once: most of the time goes into waiting for memory.
        static constexpr std::size_t batch_size = 32;

        struct batch_view {
            const seen_entry* entries;
            std::size_t count;

            const seen_entry* begin() const noexcept { return entries; }
            const seen_entry* end() const noexcept { return entries + count; }
        };

        template <class F>
        static void each_batch_of(header* t, F f) {
            seen_entry batch[batch_size];
            std::size_t n = 0;
            for (; t != nullptr; t = t->successor()) {
                for (std::size_t bucket = 0; bucket < t->all_buckets(); ++bucket) {
                    chain::each_entry(t->home(bucket), [&](line_type& l, std::size_t i, word slot_word) {
                        batch[n++] = {slot_word, chain::value_at(l.slot(i)), t->is_sentinel_key_bucket(bucket)};
                        if (n == batch_size) f(batch_view{batch, std::exchange(n, 0)});
                        return false;
                    });
                }
            }
            if (n != 0) f(batch_view{batch, n});
        }

        void put(std::size_t bucket, word slot_word, word value) {
            for (;;) {
                auto v = chain::find_vacancy(control_, *table_, table_->home(bucket));
                if (!v) v.extra = provided_.pop();
                if (v) {
                    chain::place(v, slot_word, value);
                    ++count_;
                    return;
                }
                map_.make_spare_line(control_);
            }
        }

        /// So many lines that every bucket has room for the entries that were counted in its control word.
        void provide_lines() {
            std::size_t needed = 0;
            for (std::size_t bucket = 0; bucket < table_->all_buckets(); ++bucket) {
                const std::size_t entries = Layout::version_of(table_->controls[bucket].load(std::memory_order_relaxed));
                // A line that leads on to the next has one entry less.
                if (entries > Layout::slots_per_line) needed += (entries - 2) / (Layout::slots_per_line - 1);
            }
            for (std::size_t have = table_->overflow_lines(); have < needed; ++have) {
                line_type* const l = map_.more(control_).spare_lines.pop();
                provided_.push(l != nullptr ? *l : map_.new_spare_line(control_));
            }
        }

        map_type& map_;
        control& control_;
        header* table_ = nullptr;
        line_stack<Layout, Sync> provided_{}; ///< beside the table's own share
        std::size_t count_ = 0;
    };

    /// Leaves this map, which no other thread uses, without a table. Its nodes are another map's: they are not looked at.
    static void forget_entries(map_type& map, control& c, header* t) noexcept {
        static_cast<void>(map.change_root(map.root_.load(std::memory_order_relaxed), nullptr)); // no other thread does
        while (t != nullptr) {
            header* const n = t->successor();
            for (std::size_t bucket = 0; bucket < t->all_buckets(); ++bucket)
                chain::wipe(c, *t, t->home(bucket), Layout::empty);
            map.retire_table(c, t);
            t = n;
        }
        dismantling::recycle_now(map, c);
    }
};

} // namespace syncmap::engine
