// Single entries that lie in the table, for extensions of the map: an entry by its hash, its mark, its removal, a sweep over
// all. What entry_lookup.hpp, entry_removal.hpp and entry_sweep.hpp are for entries in nodes.
//
// The mark of such an entry is a part of its value word: `Types::mark` says which (marked_node.hpp). A thread changes it as a
// direct overwrite changes a value: by one compare-exchange of the whole slot, in a section, without the bucket's lock.
//
// [IE1] Only the mark differs between the two words. In an overflow line the entry may have been copied before; then the change
//       is lost, and no value is [O6]. So a hit notes its use there as well.
// [IE2] A change that the eviction depends on is not lost: in overflow lines it is made under the lock.
//
// An extension keeps hashes, as for nodes. A bucket has a few entries, whose keys are hashed to find one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>

#include <syncmap/detail/prefetch.hpp>
#include <syncmap/engine/table/entry_removal.hpp>

namespace syncmap::engine {

/// An entry as it was seen: its slot, and the word that its value had. It is no entry where `slot_word` is EMPTY.
template <class Types>
class inline_sighting {
    using layout = typename Types::layout;
    using map_core = core<Types>;
    using lock_functions = locks<Types>;
    using record_type = typename Types::control::thread_record_type;

public:
    /// What an extension knows of the entry. `Mark::view` reads and changes the mark, by way of `place`.
    struct entry_type {
        explicit entry_type(inline_sighting& place) noexcept : mark(place) {}
        /// The hash of the key.
        std::uint64_t hash() const noexcept { return mark.place().hash(); }
        typename Types::mark::template view<inline_sighting> mark;
    };

    inline_sighting(const map_core& map, record_type& record) noexcept : map_(map), record_(record) {}
    inline_sighting(const inline_sighting&) = delete;
    inline_sighting& operator=(const inline_sighting&) = delete;

    explicit operator bool() const noexcept { return pair_.first != layout::empty; }
    entry_type& operator*() noexcept { return entry_; }
    entry_type* operator->() noexcept { return &entry_; }

    /// The value word as it was when it was read last.
    word seen() const noexcept { return pair_.second; }
    /// Changes the word from `seen()` to `now`, which has the same value. False: it is another one by now, which `seen()` then
    /// is, or the entry has left, or the map has another table.
    bool change(word now) noexcept {
        const typename lock_functions::section in(map_, record_, table_, root_);
        if (!in) return false;
        if (!is_in_home_line()) [[unlikely]]
            return change_under_lock(now);
        return exchange(*slot_, now);
    }
    std::uint64_t hash() const noexcept {
        return syncmap::detail::seeded_hash(map_.hash_, layout::key_of(pair_.first, table_->is_sentinel_key_bucket(bucket_)),
                                            table_->seed);
    }

private:
    template <class>
    friend class inline_entries;

    using header_type = typename Types::header;
    using atomic_word = typename layout::atomic_word;

    bool is_in_home_line() const noexcept {
        const auto& home = table_->home(bucket_);
        static_assert(alignof(typename Types::line_type) == sizeof(home));
        return (reinterpret_cast<std::uintptr_t>(slot_) ^ reinterpret_cast<std::uintptr_t>(&home)) < sizeof(home);
    }
    /// One attempt. In a section.
    [[gnu::noinline]] bool change_under_lock(word now) noexcept {
        auto& lock = table_->controls[bucket_];
        const typename layout::control_word held = lock.load(std::memory_order_relaxed);
        if ((held & (layout::lock_bit | layout::moved_bit)) != 0 || !lock_functions::try_lock(lock, held)) return false;
        auto* const slot = chain<Types>::slot_of(table_->home(bucket_), pair_.first);
        const bool done = slot != nullptr && exchange(*slot, now);
        lock_functions::unlock(map_.shared_of_table(), lock, held);
        return done;
    }
    bool exchange(atomic_word& slot, word now) noexcept {
        sync::word_pair expected = pair_;
        const bool done = Types::sync::compare_exchange_pair(&slot, expected, {pair_.first, now});
        if (done || expected.first == pair_.first) pair_.second = done ? now : expected.second;
        return done;
    }
    void is_at(word root, header_type& t, std::size_t bucket, atomic_word& slot, const sync::word_pair& pair) noexcept {
        root_ = root;
        table_ = &t;
        bucket_ = bucket;
        slot_ = &slot;
        pair_ = pair;
    }

    const map_core& map_;
    record_type& record_;
    word root_ = 0;
    header_type* table_ = nullptr;
    std::size_t bucket_ = 0;
    atomic_word* slot_ = nullptr;
    sync::word_pair pair_{layout::empty, 0};
    entry_type entry_{*this};
};

/// `Types`: `table_types` with a mark that lies in the value. The mapped type is a word.
template <class Types>
class inline_entries : public table_of_types<Types> {
    using base = table_of_types<Types>;
    using layout = typename Types::layout;
    using header_type = typename Types::header;
    using control_type = typename Types::control;
    using control_word = typename layout::control_word;
    using record_type = typename control_type::thread_record_type;
    using line_type = typename Types::line_type;
    using lock_functions = locks<Types>;
    using overwrites = direct_overwrites<Types>;
    using pair = sync::word_pair;
    using Key = typename Types::key_type;
    static_assert(layout::inline_key);

public:
    using base::base;
    using sync_type = typename Types::sync;
    using entry_type = typename inline_sighting<Types>::entry_type;
    using removal = removal_result;
    static constexpr bool entries_are_nodes = false;

    /// The calling thread, for several steps in a row, as in entry_lookup.hpp.
    class visitor {
    public:
        explicit visitor(inline_entries& map)
            : map_(map), control_(map.shared_for_entry()), me_(control_.home->threads),
              record_(map.thread_record_of(control_, *me_)) {}
        visitor(const visitor&) = delete;
        visitor& operator=(const visitor&) = delete;

        /// A small number that no other running thread has.
        std::uint32_t slot() const noexcept { return me_->slot; }

    private:
        template <class>
        friend class inline_entries;
        template <class>
        friend class later_clear;
        template <class>
        friend class memory_use;
        template <class>
        friend class load_flights;

        inline_entries& map_;
        control_type& control_;
        const reclaim::thread_lease<sync_type> me_;
        record_type& record_;
    };

    class sighting : public inline_sighting<Types> {
    public:
        explicit sighting(const visitor& by) noexcept : inline_sighting<Types>(by.map_, by.record_) {}
    };

    /// What a load has brought, for all threads that waited.
    class held_entry {
    public:
        held_entry() noexcept = default;
        explicit held_entry(word value) noexcept : value_(value) {}
        explicit operator bool() const noexcept { return static_cast<bool>(value_); }
        word value() const noexcept { return *value_; }
        held_entry share() const noexcept { return *this; }

    private:
        maybe_word value_{};
    };

    // ---- reads ----

    /// The hash by which the map knows the key. The map has been written to.
    std::uint64_t hash_of_key(const Key& key) const noexcept {
        return syncmap::detail::seeded_hash(this->hash_, key, this->shared_of_table().seed());
    }
    /// Returns `f(word)` for the value word of the key, or a default-constructed result. Progress: as `load`.
    template <class F>
    [[gnu::always_inline]] auto show(const Key& key, F f) const noexcept {
        return reader<Types>::show_inline(*this, key, f);
    }
    maybe_word word_of(const Key& key) const noexcept { return reader<Types>::find_inline(*this, key); }
    [[gnu::always_inline]] maybe_word word_of(const Key& key, std::uint64_t hash) const noexcept {
        return reader<Types>::show_inline(*this, to_word(key), hash, [](word value) { return maybe_word(value); });
    }
    /// The calling thread's number, if it has one of its own; else one that no thread has.
    [[gnu::always_inline]] std::uint32_t own_slot() const noexcept {
        const auto* const me = sync_type::template per_thread<reclaim::hazard_record<sync_type>>::get();
        if (me != nullptr && me->home == home_.load(std::memory_order_relaxed)) [[likely]]
            return me->slot;
        return find_own_slot();
    }
    static constexpr std::uint32_t no_slot = ~std::uint32_t{0};

    /// Changes the key's word from `seen` to `now`, which has the same value, if that is possible at once. Progress: waits for
    /// no thread; one attempt. Throws: `bad_alloc` on the first use by the thread.
    [[gnu::noinline]] void note(const Key& key, word seen, word now) {
        control_type& c = this->shared_of_table();
        const reclaim::thread_lease<sync_type> me(c.home->threads);
        record_type& s = this->thread_record_of(c, *me);
        const word root = this->root_.load(std::memory_order_acquire);
        header_type* const t = base::table_of(root);
        if (t == nullptr) return;
        const typename lock_functions::section in(s, record_type::name_of(t));
        if (!this->is_root(root & ~base::forking)) return;
        const word bits = to_word(key);
        const word slot_word = layout::inline_slot_word(bits);
        line_type& home = t->home(t->bucket_of(syncmap::detail::seeded_hash(this->hash_, key, t->seed), bits));
        if (auto* const slot = chain<Types>::slot_of(home, slot_word)) { // without the lock: [IE1]
            pair expected{slot_word, seen};
            static_cast<void>(sync_type::compare_exchange_pair(slot, expected, {slot_word, now}));
        }
    }

    /// Finds an entry with the hash: the one that the caller means, or another one, where two keys have the same hash.
    /// Progress: lock-free.
    bool find(std::uint64_t hash, sighting& seen) const noexcept {
        seen.pair_.first = layout::empty;
        const auto has_other_hash = [&](sighting& entry, std::size_t) { return entry.hash() != hash; };
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header_type* t = base::table_of(root);
            while (t != nullptr) {
                const auto is_absent = [&](std::size_t bucket) {
                    std::size_t place = 0;
                    // The home line once more: one of another line may have moved there meanwhile [R2].
                    return show_entries(root, *t, bucket, 0, place, seen, has_other_hash) &&
                           show_entries(root, *t, bucket, 0, place = 0, seen, has_other_hash, 1);
                };
                const std::size_t bucket = t->bucket_of(hash);
                if (!is_absent(bucket)) return true;
                bool goes_on = is_moved(*t, bucket);
                if constexpr (layout::has_sentinel_keys) { // a bucket that is moved by itself
                    if (!is_absent(t->buckets())) return true;
                    goes_on = goes_on || is_moved(*t, t->buckets());
                }
                if (!goes_on) break;
                t = t->successor();
            }
            seen.pair_.first = layout::empty;
            if (this->is_root(root)) return false;
        }
    }

    /// Calls `f(seen, place)` for the entries of the bucket that has the hash `from`, as in entry_sweep.hpp. The sentinel-key
    /// bucket is shown as the end of the last one.
    template <class F>
    std::uint64_t sweep_bucket(const visitor& by, std::uint64_t from, F f, std::size_t first = 0) const {
        sighting seen(by);
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header_type* const first_table = base::table_of(root);
            if (first_table == nullptr) return 0;
            header_type* t = first_table;
            while (t != nullptr && is_moved(*t, t->bucket_of(from))) t = t->successor();
            if (t == nullptr) continue; // the map was cleared: it has another root
            const std::size_t bucket = t->bucket_of(from);
            const bool is_last = bucket + 1 == t->buckets();
            std::size_t place = 0;
            if (show_entries(root, *t, bucket, first, place, seen, f) && layout::has_sentinel_keys && is_last) {
                t = first_table;
                while (t != nullptr && is_moved(*t, t->buckets())) t = t->successor();
                if (t != nullptr) show_entries(root, *t, t->buckets(), first, place, seen, f);
            }
            return is_last ? 0 : t->first_hash_of(bucket + 1);
        }
    }
    static bool is_moved(const header_type& t, std::size_t bucket) noexcept {
        return t.home(bucket).slot_word(layout::last) == layout::moved;
    }
    /// How many buckets a whole round has.
    std::size_t bucket_count() const noexcept {
        const header_type* const t = base::table_of(this->root_.load(std::memory_order_acquire));
        return t == nullptr ? 0 : t->buckets();
    }

    // ---- prefetches: as in entry_lookup.hpp and entry_sweep.hpp ----

    void prefetch(std::uint64_t hash) const noexcept {
        if (const header_type* const t = base::table_of(this->root_.load(std::memory_order_acquire)); t != nullptr)
            t->fetch_to_write(t->bucket_of(hash));
    }
    void prefetch(std::uint64_t of_write, std::uint64_t) const noexcept { prefetch(of_write); }
    void prefetch_sweep(std::uint64_t from, std::size_t) const noexcept {
        const header_type* const t = base::table_of(this->root_.load(std::memory_order_acquire));
        if (t == nullptr) return;
        const std::size_t bucket = t->bucket_of(from);
        t->fetch_to_write(bucket + 1 < t->buckets() ? bucket + 1 : bucket);
    }

    /// Makes each thread that has used the map pass a full fence before this returns. Returns false if the system refuses.
    bool pass_heavy_barrier(const visitor& by) const noexcept { return by.control_.home->threads.barriers().heavy_barrier(); }

    // ---- writes ----

    /// One write of a key whose hash the visitor knows; as `write`. The operation decides by words alone. It decides under the
    /// bucket's lock where the key is absent.
    template <class Op>
    [[gnu::always_inline]] void write_at(visitor& by, std::uint64_t hash, const Key& key, Op& op) {
        static_assert(!Op::runs_user_code);
        if (!this->write_directly(by.control_, by.record_, hash, key, op)) write_in_steps(by, hash, key, op);
    }
    /// The same, under the bucket's lock in any case: `op.admits(generation)` then has the last word.
    template <class Op>
    [[gnu::noinline]] void write_in_steps(visitor& by, std::uint64_t hash, const Key& key, Op& op) {
        overwrites::readmit_if_due(by.control_, by.record_);
        const word root = this->write_inline(by.control_, by.record_, hash, key, op, false);
        help_if_asked(by, root);
    }

    /// Erases the entry if it is still this one, as its mark tells: `Mark::is_same`. Progress: a write. It waits for no flight:
    /// no key of the map is computed.
    removal_result erase_if_still(visitor& by, const sighting& seen, bool = false) {
        outcome done = erase_at_once(by, seen);
        if (done != outcome::erased && done != outcome::cleared) done = erase_in_attempts(by, seen);
        if (done != outcome::erased) return removal_result::gone;
        help_if_asked(by, this->root_.load(std::memory_order_acquire));
        return removal_result::erased;
    }

    /// Waits until no writer holds the bucket of the entry.
    void wait_for_writer(visitor& by, const sighting& seen) {
        lock_functions::wait_unlocked(by.control_, seen.table_->controls[seen.bucket_]);
    }
    /// There is nothing to free.
    void retire_entry(visitor&, entry_type&) noexcept {}

private:
    [[gnu::noinline]] std::uint32_t find_own_slot() const noexcept {
        const control_type* const c = this->control_.load(std::memory_order_acquire);
        if (c == nullptr) return no_slot;
        home_.store(&c->home->threads, std::memory_order_relaxed);
        const auto* const me = reclaim::kept_hazard_record(c->home->threads);
        return me == nullptr ? no_slot : me->slot;
    }
    void help_if_asked(visitor& by, word root) noexcept {
        if (const header_type* const t = base::table_of(root); t != nullptr)
            resizer<Types>::help_if_asked(*this, by.control_, by.record_, *t, root);
    }

    /// Calls `f(seen, place)` for the entries of one bucket, from the place `first` on, until it returns false. Returns whether
    /// it has come to the end. `place`: that of the first slot; afterwards of the slot behind the last one.
    template <class F>
    [[gnu::always_inline]] static bool show_entries(word root, header_type& t, std::size_t bucket, std::size_t first,
                                                    std::size_t& place, sighting& seen, F& f, std::size_t most = most_lines) {
        auto* line = &t.home(bucket);
        // Under the sweep a line may go to another bucket, and lead on from there: a chain that long is not looked through.
        for (std::size_t seen_lines = 0; line != nullptr && seen_lines < most; line = line->next_line(), ++seen_lines) {
            for (std::size_t i = 0; i < layout::slots_per_line; ++i, ++place) {
                if (place < first || !layout::is_entry(line->slot_word(i))) continue;
                const pair both = sync_type::load_pair(line->slot(i));
                if (!layout::is_entry(both.first)) continue;
                seen.is_at(root, t, bucket, *line->slot(i), both);
                if (!f(seen, place)) return false;
            }
        }
        return true;
    }
    static constexpr std::size_t most_lines = 256;

    static bool is_still(const sighting& seen, const pair& now) noexcept {
        return now.first == seen.pair_.first && Types::mark::is_same(now.second, seen.pair_.second);
    }

    /// One attempt where the entry was seen. `cleared`: it is gone. Other outcomes than that and `erased` say that something
    /// was in the way.
    outcome erase_at_once(visitor& by, const sighting& seen) noexcept {
        control_type& c = by.control_;
        header_type& t = *seen.table_;
        if (lock_functions::is_cutting(c)) return outcome::gate_closed;
        const typename lock_functions::section in(*this, by.record_, &t, seen.root_); // [W2]
        if (!in) return outcome::again;
        const header_type& of_root = *base::table_of(seen.root_);
        const std::size_t bucket_there =
            t.is_sentinel_key_bucket(seen.bucket_) ? of_root.buckets() : of_root.bucket_of(seen.hash());
        if (!lock_functions::writers_follow(of_root, bucket_there, t)) return outcome::locked_by_other;
        auto& lock = t.controls[seen.bucket_];
        const control_word held = lock.load(std::memory_order_relaxed);
        if ((held & (layout::lock_bit | layout::moved_bit)) != 0 || !lock_functions::try_lock(lock, held)) // [W3]
            return outcome::locked_by_other;
        const auto end = [&](outcome o) __attribute__((always_inline)) {
            lock_functions::unlock(c, lock, held);
            return o;
        };
        const outcome o = this->admit_decision(c, seen.root_, seen.hash()); // [W4]
        if (o != outcome::admitted) return end(o);
        const word gate_word = c.gate_word.load(std::memory_order_acquire); // [W5] [P1]
        if (!gate::is_open(gate_word) || !gate::is_preserved(layout::stamp_of(held), gate_word))
            return end(outcome::gate_closed);
        // Under the lock a slot of the bucket is of the bucket; one of a line that has left it since is none.
        auto* const slot = chain<Types>::slot_of(t.home(seen.bucket_), seen.pair_.first);
        if (slot == nullptr) return end(outcome::cleared);
        pair now = sync_type::load_pair(slot);
        do {
            if (!is_still(seen, now)) return end(outcome::cleared);
        } while (!overwrites::erase(by.record_, chain<Types>::generation_of(t), slot, now, false)); // [W6] [W7]
        chain<Types>::trim(c, t, t.home(seen.bucket_));
        return end(outcome::erased);
    }

    struct erase_this_operation {
        static constexpr bool depends_on_current = false;
        static constexpr bool may_assign = false;
        static constexpr bool runs_user_code = false;
        word seen;
        std::memory_order order = std::memory_order_release;
        bool erased = false;

        decision decide(const word* current) noexcept {
            erased = current != nullptr && Types::mark::is_same(*current, seen);
            return erased ? decision::erase : decision::keep;
        }
        [[noreturn]] word make() { std::terminate(); }
    };
    [[gnu::noinline]] outcome erase_in_attempts(visitor& by, const sighting& seen) {
        erase_this_operation op{seen.pair_.second};
        const Key key = layout::key_of(seen.pair_.first, seen.table_->is_sentinel_key_bucket(seen.bucket_));
        write_in_steps(by, hash_of_key(key), key, op);
        return op.erased ? outcome::erased : outcome::cleared;
    }

    /// The domain of the map's threads, for `own_slot`: a copy beside the root, from the first read that has asked for it on.
    mutable typename sync_type::template atomic<const reclaim::domain<sync_type>*> home_{nullptr};
};

} // namespace syncmap::engine
