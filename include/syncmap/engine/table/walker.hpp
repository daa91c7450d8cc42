// Walking over all entries, weakly: every key that is there throughout exactly once, no key twice.
//
// The cursor is a hash value: a table of any size has its entries in hash order, so the range that a bucket covers
// is passed once, whatever splits or merges meanwhile. Entries are copied (or pinned) first and shown afterwards, with
// nothing held: the callback may do anything. Inline keys: many buckets at one look (bucket_run.hpp), and one by one where
// that look cannot prove what it saw. Nodes: one bucket at a time; where they have strings, the next one is copied before its
// entries are shown.
#pragma once

#include <memory>
#include <utility>

#include <syncmap/detail/inline_list.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/bucket_run.hpp>
#include <syncmap/engine/table/locks.hpp>
#include <syncmap/engine/table/retirement.hpp>
#include <syncmap/walk_position.hpp>

namespace syncmap::engine {

template <class Types>
class walker {
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using Key = typename Types::key_type;
    using T = typename Types::mapped_type;
    using atomic_control = typename Layout::atomic_control;
    using control = typename Types::control;
    using control_word = typename Layout::control_word;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using node = typename Types::node;
    using thread_record_type = typename control::thread_record_type;

public:
    using map_type = retirement<Types>;
    using entry = seen_entry;

    static decltype(auto) key_of(const entry& e) noexcept {
        if constexpr (Layout::inline_key) {
            return Layout::key_of(e.slot_word, e.sentinel_key);
        } else {
            return static_cast<const Key&>(map_type::node_at(e.slot_word)->key());
        }
    }
    static decltype(auto) value_of(const entry& e) noexcept {
        if constexpr (Layout::pairs) {
            return from_word<T>(e.value);
        } else {
            return static_cast<const T&>(map_type::node_at(e.slot_word)->value());
        }
    }

    /// The strings of a bucket are fetched while the bucket before it is shown.
    static constexpr bool shows_one_bucket_later = [] {
        if constexpr (Layout::inline_key) {
            return false;
        } else {
            return node::has_strings;
        }
    }();

    /// Calls `f(entry)` until it returns false.
    template <class F>
    static void walk(map_type& map, F&& f) {
        walk_over(map, [&](auto... where) { return copy_bucket_at(map, where...); }, f);
    }

    /// Calls `f(entry)` for the entries of the next bucket that has any; returns where to go on.
    template <class F>
    static walk_position walk_from(map_type& map, walk_position at, F&& f) {
        return step_over(map, [&](auto... where) { return copy_bucket_at(map, where...); }, at, f);
    }

    /// The same over any source: `copy(cursor, sentinel_key, batch*, end*)` copies the entries of the next bucket from `cursor`
    /// on, and tells where it ends; false when there is nothing to walk over.
    template <class Copy, class F>
    static void walk_over(map_type& map, Copy copy, F&& f) {
        if constexpr (shows_one_bucket_later) {
            batch first(map, 1);
            batch second(map, 1);
            batch* next = &first;
            batch* shown = &second;
            for (walk_position at; !at.at_end(); std::swap(next, shown)) {
                copy_next_buckets(copy, at, *next);
                if (!shown->show(f)) return;
            }
            static_cast<void>(shown->show(f));
        } else {
            batch entries(map, Sync::walk_run);
            for (walk_position at; !at.at_end();) {
                copy_next_buckets(copy, at, entries);
                if (!entries.show(f)) return;
            }
        }
    }
    template <class Copy, class F>
    static walk_position step_over(map_type& map, Copy copy, walk_position at, F&& f) {
        batch entries(map, 1);
        while (!at.at_end() && entries.empty()) copy_next_buckets(copy, at, entries);
        show_all(entries, f);
        return at;
    }

    /// Calls `f(entry)` for the entries of the next bucket of the range that has any there; returns what is left.
    template <class Copy, class F>
    static walk_range step_in(map_type& map, Copy copy, walk_range part, F&& f) {
        batch entries(map, Sync::walk_run);
        while (!part.at_end() && entries.empty()) {
            walk_position& at = walk_access::position(part);
            const std::uint64_t end = walk_access::end(part);
            copy_next_buckets(copy, at, entries);
            const bool last_stage = at.at_end() || walk_access::hash(at) == walk_access::sentinel_keys;
            if (end != 0 && (last_stage || walk_access::hash(at) >= end)) {
                entries.keep_if([&](const entry& e) { return !e.sentinel_key && hash_of_entry(map, e) < end; });
                at = walk_position::end();
            }
        }
        show_all(entries, f);
        return part;
    }

    /// Copied entries that are to be shown; lets go of the nodes that it still has. All of one stage of the walk: entries of
    /// buckets, or of the sentinel-key bucket.
    class batch {
        using kept_entry = bucket_record::kept_entry;

    public:
        /// For so many buckets at one look, at most.
        batch(map_type& map, std::size_t most_buckets) noexcept : map_(map), most_buckets_(most_buckets) {}
        batch(const batch&) = delete;
        batch& operator=(const batch&) = delete;
        ~batch() { clear(); }

        std::size_t most_buckets() const noexcept { return most_buckets_; }
        bool empty() const noexcept { return next_ == entries_.size(); }
        void clear() noexcept {
            while (!empty()) let_go(entries_[next_++]);
            entries_.clear();
            next_ = 0;
        }

        /// Empties it for entries of a bucket, or of the sentinel-key bucket.
        void begin(bool sentinel_key) noexcept {
            clear();
            kept_ = 0;
            sentinel_key_ = sentinel_key;
        }

        /// Calls `f(entry)` for each, which is let go then, until it returns false; returns whether it never did.
        template <class F>
        bool show(F&& f) {
            if constexpr (Layout::inline_key) {
                next_ = entries_.size(); // nothing to let go
                for (const kept_entry& e : entries_) {
                    if (!f(seen(e))) return false;
                }
            } else {
                while (!empty()) {
                    if (!f(seen(entries_[next_]))) return false;
                    let_go(entries_[next_++]);
                }
            }
            return true;
        }
        /// For a walk that stops at each entry.
        entry front() const noexcept { return seen(entries_[next_]); }
        void pop_front() noexcept { let_go(entries_[next_++]); }

        template <class Predicate>
        void keep_if(Predicate wanted) noexcept {
            auto kept = entries_.begin();
            for (const kept_entry& e : entries_) {
                if (wanted(seen(e))) {
                    *kept++ = e;
                } else {
                    let_go(e);
                }
            }
            entries_.cut(kept);
        }
        /// Throws `bad_alloc`, changing nothing.
        void make_room() {
            if (is_full()) grow();
        }
        bool is_full() const noexcept { return entries_.size() == entries_.capacity(); }
        void grow() { entries_.reserve(2 * entries_.capacity() + Layout::slots_per_line); }
        /// The values that it has stand, whatever is seen of their keys in the next table.
        void keep_values() noexcept { kept_ = entries_.size(); }
        bool keeps_values() const noexcept { return kept_ != 0; }
        /// Entries of a trusted key are told apart by their slot words: a later sight of a key replaces the first.
        void add(word slot_word, word value) noexcept {
            if constexpr (Layout::inline_key) {
                for (kept_entry& old : entries_) {
                    if (old.slot_word == slot_word) {
                        if (&old < entries_.begin() + kept_) return;
                        old.value = value;
                        return;
                    }
                }
            }
            entries_.push_back({slot_word, value});
        }

        /// Room for a run, which tells then where the entries end that it has put there.
        kept_entry* room() noexcept { return entries_.end(); }
        const kept_entry* room_end() noexcept { return entries_.begin() + entries_.capacity(); }
        void extend_to(const kept_entry* end) noexcept { entries_.extend_to(end); }

    private:
        entry seen(const kept_entry& e) const noexcept { return {e.slot_word, e.value, sentinel_key_}; }
        void let_go([[maybe_unused]] const kept_entry& e) noexcept {
            if constexpr (!Layout::inline_key) {
                node* const n = map_type::node_at(e.slot_word);
                if (n->unpin()) map_.destroy_node(n);
            }
        }
        map_type& map_;
        const std::size_t most_buckets_;
        std::size_t next_ = 0;
        std::size_t kept_ = 0; ///< so many of the first have values that stand
        bool sentinel_key_ = false;
        /// Most buckets with nodes have one line. A run of inline keys ends where it has two entries a bucket; a bucket of two
        /// lines fits behind these.
        syncmap::detail::inline_list<kept_entry, Layout::inline_key ? (Sync::walk_run + 4) * Layout::slots_per_line / 2
                                                                    : 2 * Layout::slots_per_line>
            entries_;
    };

    template <class F>
    static void show_all(batch& entries, F&& f) {
        const auto show = [&](const entry& e) {
            f(e);
            return true;
        };
        static_cast<void>(entries.show(show));
    }

    /// The entries of the bucket at `at`, and perhaps of some behind it: `at` moves on behind them. A map that is empty or was
    /// cleared ends the walk: no key was there throughout.
    template <class Copy>
    static void copy_next_buckets(Copy& copy, walk_position& at, batch& entries) {
        std::uint64_t& hash = walk_access::hash(at);
        const bool sentinel_key = hash == walk_access::sentinel_keys;
        std::uint64_t end = 0;
        if (!copy(sentinel_key ? 0 : hash, sentinel_key, &entries, &end)) {
            entries.clear();
            hash = walk_access::past_the_end;
        } else if (end != 0) {
            hash = end;
        } else {
            hash = Layout::has_sentinel_keys && !sentinel_key ? walk_access::sentinel_keys : walk_access::past_the_end;
        }
    }

    /// Copies the entries with hashes from `cursor` on out of the bucket that covers it; `end` is the first hash behind
    /// the bucket, 0 for none. False: the map has no table.
    static bool copy_bucket_at(map_type& map, std::uint64_t cursor, bool sentinel_key, batch* entries, std::uint64_t* end) {
        for (int attempt = 0;; ++attempt) {
            const word root = map.root_.load(std::memory_order_acquire);
            header* t = map_type::table_of(root);
            if (t == nullptr) return false;
            if constexpr (Layout::inline_key) {
                if (attempt == 0 && !sentinel_key &&
                    copy_run(map, root, *t, cursor, *entries, *end, [](auto&&...) { return true; }))
                    return true;
            }
            std::uint64_t last_hash = ~std::uint64_t{0};
            entries->begin(sentinel_key);
            for (; t != nullptr; t = t->successor()) {
                const std::size_t bucket = sentinel_key ? t->buckets() : t->bucket_of(cursor);
                // While a bucket of inline keys is being moved, what is still in its home line is newer than its copy. So what
                // was seen there stands, and the walk ends where that bucket does.
                if (!Layout::inline_key) entries->begin(sentinel_key);
                last_hash = Layout::inline_key ? detail::lesser(last_hash, t->last_hash_of(bucket)) : t->last_hash_of(bucket);
                const copied outcome = copy_bucket(map, root, *t, bucket, cursor, attempt, *entries, last_hash);
                if (outcome == copied::moved) {
                    entries->keep_values();
                    continue;
                }
                if (outcome == copied::all && map.is_root(root)) {
                    if constexpr (Layout::inline_key) {
                        // A part of the bucket that is being moved: the rest comes with the next call.
                        if (entries->keeps_values() && !sentinel_key)
                            entries->keep_if([&](const entry& e) { return hash_of_entry(map, e) <= last_hash; });
                    }
                    *end = sentinel_key ? 0 : last_hash + 1;
                    return true;
                }
                break; // the root changed, or the bucket did
            }
        }
    }

    /// Copies as many buckets from `cursor` on as one look can. `is_good(table, bucket)`: see bucket_run. False: not one; the
    /// bucket there takes more care.
    template <class IsGood>
    static bool copy_run(const map_type& map, word root, header& from, std::uint64_t cursor, batch& entries, std::uint64_t& end,
                         IsGood is_good) noexcept {
        using run = engine::bucket_run<Types>;
        header* t = &from;
        std::uint64_t last_hash = ~std::uint64_t{0};
        std::size_t bucket = t->bucket_of(cursor);
        while (t->home(bucket).slot_word(Layout::last) == Layout::moved) {
            // acquire: pairs with the unlock. Before that, a writer may overwrite what is still in the home line.
            if ((t->controls[bucket].load(std::memory_order_acquire) & Layout::moved_bit) == 0) return false;
            // What was moved together is in the next table. What lies behind it may not be there yet.
            last_hash = detail::lesser(last_hash, t->last_hash_of(bucket));
            t = t->successor();
            if (t == nullptr) return false;
            bucket = t->bucket_of(cursor);
        }
        if (t->first_hash_of(bucket) != cursor) return false; // a rest of a bucket: hashes tell
        entries.begin(false);
        const std::size_t behind = detail::lesser(t->bucket_of(last_hash) + 1, bucket + entries.most_buckets());
        const typename run::outcome done = run::copy(map, *t, bucket, behind, entries.room(), entries.room_end(),
                                                     [&](std::size_t b) { return is_good(*t, b); });
        if (done.end == bucket || !map.is_root(root)) return false;
        entries.extend_to(done.entries_end);
        end = end_of(*t, done.end - 1);
        return true;
    }

    static std::uint64_t hash_of_entry(const map_type& map, const entry& e) noexcept {
        return map.hash_of(map.shared_of_table().seed(), e.slot_word);
    }

    /// The first hash behind a bucket, 0 behind the last one.
    static std::uint64_t end_of(const header& t, std::size_t bucket) noexcept {
        return bucket + 1 == t.buckets() ? 0 : t.first_hash_of(bucket + 1);
    }

    enum class copied : unsigned char { all, moved, changed };

    /// An overflow line may be given back and linked into another bucket under the copy: its entries are not this
    /// bucket's. (The sentinel-key bucket has three keys at most, and so no overflow lines.)
    static bool is_wanted(const header& t, std::size_t bucket, std::uint64_t cursor, std::uint64_t hash) noexcept {
        return hash >= cursor && t.bucket_of(hash) == bucket;
    }

    static copied copy_bucket(map_type& map, [[maybe_unused]] word root, header& t, std::size_t bucket, std::uint64_t cursor,
                              [[maybe_unused]] int attempt, batch& entries,
                              [[maybe_unused]] std::uint64_t last_hash = ~std::uint64_t{0}) {
        line_type& home = t.home(bucket);
        if constexpr (Layout::inline_key) {
            const bool sentinel_key = t.is_sentinel_key_bucket(bucket);
            // The last slot first [R2]; returns what it was.
            const auto copy_line = [&](line_type& l) {
                word last = Layout::empty;
                for (std::size_t i = Layout::slots_per_line; i-- != 0;) {
                    const auto p = Sync::load_pair(l.slot(i));
                    if (i == Layout::last) last = p.first;
                    if (!Layout::is_entry(p.first)) continue;
                    if (!sentinel_key) {
                        const auto hash = syncmap::detail::seeded_hash(map.hash_, Layout::key_of(p.first, false), t.seed);
                        if (!is_wanted(t, bucket, cursor, hash) || hash > last_hash) continue;
                    }
                    entries.make_room();
                    entries.add(p.first, p.second);
                }
                return last;
            };
            if (Layout::is_link(copy_line(home))) {
                for (line_type* l = home.next_line(); l != nullptr; l = l->next_line()) copy_line(*l);
                copy_line(home);
            }
            return home.slot_word(Layout::last) == Layout::moved ? copied::moved : copied::all;
        } else {
            return copy_nodes(map, root, t, bucket, cursor, attempt, entries);
        }
    }

private:
    /// Nodes are pinned one by one, each under a hazard. The copy is one state of the bucket if no key was inserted, and no
    /// entry moved, meanwhile (the version says so): no key can then have been seen in two places, or missed between two.
    static copied copy_nodes(map_type& map, word root, header& t, std::size_t bucket, std::uint64_t cursor, int attempt,
                             batch& entries) {
        control& c = map.shared_of_table();
        const reclaim::thread_lease<Sync> me(c.home->threads);
        atomic_control& lock = t.controls[bucket];
        const control_word seen = lock.load(std::memory_order_acquire);
        if ((seen & Layout::moved_bit) != 0) return copied::moved;
        if ((seen & Layout::lock_bit) != 0) {
            locks::wait_unlocked(c, lock);
            return copied::changed;
        }
        if (attempt >= attempts_without_lock) {
            return copy_nodes_locked(map, c, map.thread_record_of(c, *me), root, t, bucket, seen, cursor, entries);
        }
        pin_nodes(*me, t, bucket, cursor, entries);
        return lock.load(std::memory_order_acquire) == seen ? copied::all : copied::changed;
    }

public:
    /// Pins the nodes of a bucket with hashes from `cursor` on, one by one, each under a hazard, whatever thread has the lock.
    static void pin_nodes(reclaim::hazard_record<Sync>& hazard_record, header& t, std::size_t bucket, std::uint64_t cursor,
                          batch& entries) {
        if (Sync::walk_lookahead != 0 && bucket + 2 * Sync::walk_lookahead < t.buckets()) {
            __builtin_prefetch(&t.home(bucket + 2 * Sync::walk_lookahead));
            chain::fetch_nodes(t.home(bucket + Sync::walk_lookahead));
        }
        reclaim::hazard_guard<Sync> held(hazard_record);
        chain::each_entry(t.home(bucket), [&](line_type& l, std::size_t i, word slot_word) {
            while (!held.protect(map_type::node_at(slot_word), [&] { return l.slot_word(i) == slot_word; })) {
                slot_word = l.slot_word(i); // replaced by a node of the same key, or gone
                if (!Layout::is_entry(slot_word)) return false;
            }
            if (!is_wanted(t, bucket, cursor, map_type::node_at(slot_word)->hash())) return false;
            word value = 0;
            if constexpr (Layout::pairs) {
                const auto p = Sync::load_pair(l.slot(i));
                if (p.first != slot_word) return false; // erased; inserted again it would show in the version
                value = p.second;
            }
            entries.make_room();
            map_type::node_at(slot_word)->pin();
            if constexpr (node::has_strings) map_type::node_at(slot_word)->template fetch_strings<false>(); // it is shown soon
            entries.add(slot_word, value);
            return false;
        });
    }

private:
    /// The same under the bucket's lock, for buckets in which others insert all the time. Allocates nothing meanwhile.
    static copied copy_nodes_locked(map_type& map, control& c, thread_record_type& s, word root, header& t, std::size_t bucket,
                                    control_word seen, std::uint64_t cursor, batch& entries) {
        bool complete = true;
        {
            const typename engine::locks<Types>::section in(map, s, &t, root);
            if (!in || !locks::try_lock(t.controls[bucket], seen)) return copied::changed;
            chain::each_entry(t.home(bucket), [&](line_type& l, std::size_t i, word slot_word) {
                if (cursor > map_type::node_at(slot_word)->hash())
                    return false; // all of them are the bucket's, as it is locked
                if (entries.is_full()) return !(complete = false);
                map_type::node_at(slot_word)->pin();
                entries.add(slot_word, chain::value_at(l.slot(i)));
                return false;
            });
            locks::unlock(c, t.controls[bucket], seen);
        }
        if (complete) return copied::all;
        entries.clear();
        entries.grow();
        return copied::changed;
    }

    static constexpr int attempts_without_lock = 4;
};

} // namespace syncmap::engine
