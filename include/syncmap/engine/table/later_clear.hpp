// Erasing everything in constant time, for extensions of the map: the root loses its table at once, and later writers take that
// table apart, a few buckets each.
//
// [LC1] The tables that were cleared lie in a stack, newest first: a table that was made since is small, and gone soon.
// [LC2] One thread at a time takes buckets apart. It waits for no other thread: where it finds a bucket locked, or another
//       thread at it, it does nothing. So no write stalls.
// [LC3] A writer that has the lock of a bucket when the root changes may still publish there. So a bucket is locked before its
//       entries are taken out, and is MOVED afterwards: a writer that comes later goes away, and finds another root. All of the
//       one table come before the table that it was being moved to: then no thread moves entries any more.
// [LC4] The thread is in a section of the root's table meanwhile, until its caller knows how many entries it has taken. So
//       a fork waits for it, and the child finds no half of it. The root changes, and the table comes into the stack, in one
//       turn of the map, which a fork waits for as well. The allocator is called outside of both.
// [LC5] What was taken out counts in no size: `size` counts one generation. The nodes are retired as any others.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <syncmap/engine/table/entry_sweep.hpp>
#include <syncmap/engine/table/inline_entries.hpp>

namespace syncmap::engine {

/// Looking at single entries, wherever they lie.
template <class Types>
using single_entries = std::conditional_t<Types::layout::inline_key, inline_entries<Types>, entry_sweep<Types>>;

template <class Types>
class later_clear : public single_entries<Types> {
    using base = single_entries<Types>;
    using Sync = typename Types::sync;
    using layout = typename Types::layout;
    using header_type = typename Types::header;
    using control_type = typename Types::control;
    using control_word = typename layout::control_word;
    using lock_functions = locks<Types>;
    using bucket_chain = chain<Types>;

public:
    using base::base;
    using visitor = typename base::visitor;
    using entry_type = typename base::entry_type;

    ~later_clear() {
        control_type* const c = this->control_.load(std::memory_order_acquire);
        if (c == nullptr) return;
        // No lock: in a child of a fork a thread that is not there may have had one. Nodes in spare lines are the base's.
        cleared* now = cleared_.load(std::memory_order_acquire);
        while (now != nullptr) {
            for (header_type* const t : now->tables)
                if (t != nullptr) this->destroy_own_lines(t);
            this->destroy_object(std::exchange(now, now->below));
        }
    }

    /// Erases everything in one step, as `clear`. The entries stay in memory until `take_apart` has got to them.
    /// Complexity: constant. Throws: `bad_alloc`; nothing has happened then.
    void clear_later(visitor& by) {
        Sync::fence(); // between what the caller did before and the look at the root
        if (base::table_of(this->root_.load(std::memory_order_acquire)) == nullptr) return;
        control_type& c = by.control_;
        this->snapshots(c);
        cleared* const fresh = this->template make_object<cleared>();
        const header_type* const left = snapshotter<Types>::exchange_root(*this, c, nullptr, [&](header_type* taken) {
            fresh->tables[0] = taken;
            header_type* const next =
                taken->next.exchange(header_type::closed(), std::memory_order_acq_rel); // no resize begins
            fresh->tables[1] = next == header_type::closed() ? nullptr : next;
            cleared_bytes_.fetch_add(bytes_of(*fresh), std::memory_order_relaxed); // other threads may end it from (1) on
            fresh->below = cleared_.load(std::memory_order_relaxed);
            // (1) release: pairs with the acquires of (2) and (3); without it the record may be read before it is written.
            while (!cleared_.compare_exchange_weak(fresh->below, fresh, std::memory_order_release, std::memory_order_relaxed)) {
            }
        });
        if (left == nullptr) this->destroy_object(fresh);
    }

    /// Whether a table waits to be taken apart. One relaxed load.
    bool has_cleared() const noexcept { return cleared_.load(std::memory_order_relaxed) != nullptr; }

    /// Takes up to `buckets` buckets apart. Calls `taken(entries, labels)`, which does not throw, with their number and the sum
    /// of their `next_label`s, and then `gone(entry)` for each that is a node, which the caller retires. Returns false if it
    /// could not do all of that now. Progress: waits for no thread.
    template <class Taken, class Gone>
    bool take_apart(visitor& by, std::size_t buckets, Taken taken, Gone gone) {
        entry_type* removed = nullptr;
        cleared* ended = nullptr;
        {
            control_type& c = by.control_;
            const word root = this->root_.load(std::memory_order_acquire);
            header_type* const t = base::table_of(root);
            if (t == nullptr || lock_functions::is_cutting(c)) return false;
            const typename lock_functions::section in(*this, by.record_, t, root); // [LC4]
            // (4) acquire: pairs with the release of (5): the thread before has written its progress.
            if (!in || is_busy_.load(std::memory_order_relaxed) || is_busy_.exchange(true, std::memory_order_acquire))
                return false;
            std::uint64_t labels = 0;
            if (const std::size_t entries = take_buckets(c, buckets, removed, labels, ended)) taken(entries, labels);
            is_busy_.store(false, std::memory_order_release); // (5)
        }
        if (ended != nullptr)
            this->recycle_tables(by.control_, resizer<Types>::recycle_budget); // where only this is called, nothing grows
        while (ended != nullptr) this->destroy_object(std::exchange(ended, ended->below));
        if constexpr (base::entries_are_nodes) {
            while (removed != nullptr) {
                entry_type& n = *std::exchange(removed, next_of(*removed));
                gone(n);
            }
        }
        return buckets == 0 || !has_cleared();
    }

    /// Makes a first table, where there is none: `take_apart` then works.
    void ensure_table(visitor& by) {
        const word root = this->root_.load(std::memory_order_acquire);
        if (base::table_of(root) == nullptr) resizer<Types>::make_first_table(*this, by.control_, root, base::min_log2());
    }

protected:
    /// How many bytes the tables take that wait.
    std::size_t cleared_bytes() const noexcept { return cleared_bytes_.load(std::memory_order_relaxed); }

private:
    /// What one clear has left: the table, the one that it was being moved to, and how many of their buckets are done.
    struct cleared {
        header_type* tables[2] = {};
        std::size_t done = 0;
        cleared* below = nullptr;
    };

    static std::size_t bytes_of(const cleared& c) noexcept {
        std::size_t bytes = 0;
        for (const header_type* const t : c.tables) bytes += t == nullptr ? 0 : base::table_bytes(t->log2());
        return bytes;
    }
    static entry_type* next_of(const entry_type& n) noexcept {
        return reinterpret_cast<entry_type*>(static_cast<std::uintptr_t>(n.next_label));
    }

    /// By one thread at a time. Returns how many entries it has put into the list; `buckets`: less those that are done.
    /// `labels`: grows by what their `next_label`s had, which link them now. `ended`: gets the records that are done.
    std::size_t take_buckets(control_type& c, std::size_t& buckets, entry_type*& removed, std::uint64_t& labels,
                             cleared*& ended) noexcept {
        std::size_t entries = 0;
        cleared* now = cleared_.load(std::memory_order_acquire); // (2)
        while (now != nullptr && buckets != 0) {
            header_type* t = now->tables[0];
            std::size_t bucket = now->done;
            if (bucket >= t->all_buckets()) {
                bucket -= t->all_buckets();
                t = now->tables[1];
            }
            if (t == nullptr || bucket >= t->all_buckets()) {
                end(c, *now);
                now->below = std::exchange(ended, now);
                now = cleared_.load(std::memory_order_acquire); // (3)
                continue;
            }
            auto& lock = t->controls[bucket];
            const control_word seen = lock.load(std::memory_order_acquire);
            if ((seen & layout::moved_bit) == 0) { // [LC3]
                if ((seen & layout::lock_bit) != 0 || !lock_functions::try_lock(lock, seen)) return entries; // [LC2]
                bucket_chain::each_entry(t->home(bucket), [&](auto&, std::size_t, word slot_word) {
                    if constexpr (base::entries_are_nodes) {
                        entry_type& n = *base::map_core::node_at(slot_word);
                        labels += n.next_label;
                        n.next_label = reinterpret_cast<std::uintptr_t>(std::exchange(removed, &n));
                    }
                    ++entries;
                    return false;
                });
                bucket_chain::wipe(c, *t, t->home(bucket), layout::empty);
                lock_functions::unlock(c, lock, static_cast<control_word>(seen | layout::moved_bit));
            }
            ++now->done;
            --buckets;
        }
        return entries;
    }

    /// Both tables are empty: their memory is used again.
    void end(control_type& c, cleared& of) noexcept {
        cleared* head = std::addressof(of);
        if (!cleared_.compare_exchange_strong(head, of.below, std::memory_order_acquire, std::memory_order_acquire)) {
            while (head->below != std::addressof(of)) head = head->below;
            head->below = of.below;
        }
        cleared_bytes_.fetch_sub(bytes_of(of), std::memory_order_relaxed);
        for (header_type* const t : of.tables)
            if (t != nullptr) this->retire_table(c, t);
        this->ask_for_recycling(c);
    }

    typename Sync::template atomic<cleared*> cleared_{nullptr}; ///< [LC1]
    typename Sync::template atomic<bool> is_busy_{false};
    typename Sync::template atomic<std::size_t> cleared_bytes_{0}; ///< relaxed: a figure
};

} // namespace syncmap::engine
