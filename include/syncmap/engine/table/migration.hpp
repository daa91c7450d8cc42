// Moving the buckets of a table to a larger or smaller one.
//
// Buckets are moved in *groups*: growing, one source bucket and the 2^k buckets it becomes; shrinking, the 2^k source
// buckets of one target. All sources of a group are locked; the targets are unreachable until the group is MOVED.
// Which group to move next is only a hint: a group that another helper claimed and did not move is moved by
// the next helper that comes round.
//
// resizer.hpp has when that is done, and which operations do it.
#pragma once

#include <utility>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/locks.hpp>
#include <syncmap/engine/table/preservation.hpp>

namespace syncmap::engine {

template <class Types>
class migration {
    using preservation = engine::preservation<Types>;
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using atomic_control = typename Layout::atomic_control;
    using atomic_word = typename Layout::atomic_word;
    using control = typename Types::control;
    using control_word = typename Layout::control_word;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using pair = sync::word_pair;
    using record_supply = typename preservation::record_supply;
    using section = typename locks::section;
    using thread_record_type = typename control::thread_record_type;
    using vacancy = typename chain::vacancy;

public:
    using map_type = retirement<Types>;

    /// What came of an attempt to move a group.
    enum class moving : unsigned char {
        done,
        busy, ///< a bucket of the group is locked
        needs_line,
        needs_record
    };

    static constexpr unsigned max_spread = 3; ///< log2 of the most targets of one bucket that are filled in order
    static constexpr std::size_t most_targets = std::size_t{1} << max_spread;

    // ---- groups; the sentinel-key bucket is one of its own, the last ----

    static std::size_t groups(const header& t, const header& n) noexcept {
        return detail::lesser(t.buckets(), n.buckets()) + (Layout::has_sentinel_keys ? 1 : 0);
    }
    static std::size_t group_of(const header& t, const header& n, std::size_t bucket) noexcept {
        if (t.is_sentinel_key_bucket(bucket)) return groups(t, n) - 1;
        return n.log2() >= t.log2() ? bucket : bucket >> (t.log2() - n.log2());
    }
    struct range {
        std::size_t first;
        std::size_t count;
    };
    /// The buckets of `t` that belong to a group.
    static range buckets_of_group(const header& t, const header& n, std::size_t group) noexcept {
        if (group == detail::lesser(t.buckets(), n.buckets())) return {t.buckets(), 1};
        const unsigned k = t.log2() > n.log2() ? t.log2() - n.log2() : 0;
        return {group << k, std::size_t{1} << k};
    }

    /// Counts the groups that one mover has moved. The mover is in its section until they are counted, and `clear` waits for
    /// it [D2], so `n` is still the table it was. The mover of the last group of all then makes `n` the root's table.
    class departure {
    public:
        departure(map_type& map, control& c, header& t, header& n, word root) noexcept
            : map_(map), control_(c), t_(t), n_(n), root_(root) {}
        departure(const departure&) = delete;
        departure& operator=(const departure&) = delete;
        ~departure() {
            if (moved_ == 0) return;
            // acq_rel: the thread that moves the last group has seen all others moved.
            if (n_.moving->left.fetch_sub(moved_, std::memory_order_acq_rel) == moved_ && map_.change_root(root_, &n_)) {
                map_.retire_table(control_, &t_); // named by the caller's section for as long as it unlocks
                map_.ask_for_recycling(control_);
            }
            release();
        }

        /// The copies are in `n`, the sources wiped and still locked.
        void moved(range sources) noexcept {
            release();
            locked_ = sources;
            ++moved_;
        }

    private:
        void release() noexcept {
            for (std::size_t i = 0; i < locked_.count; ++i) {
                atomic_control& lock = t_.controls[locked_.first + i];
                locks::unlock(control_, lock, lock.load(std::memory_order_relaxed) | Layout::moved_bit);
            }
            locked_.count = 0;
        }

        map_type& map_;
        control& control_;
        header& t_;
        header& n_;
        word root_;
        range locked_{0, 0};
        std::size_t moved_ = 0;
    };

    static moving move_group(map_type& map, control& c, header& t, header& n, std::size_t group, departure& leaving,
                             record_supply& supply) {
        const bool splits = n.log2() > t.log2() && n.log2() - t.log2() <= max_spread && group < t.buckets();
        if (splits) [[likely]]
            return split_bucket(map, c, t, n, group, leaving, supply);
        return move_buckets(map, c, t, n, group, leaving, supply);
    }

    /// Prefetches what splitting a bucket reads behind its home line: the first overflow line, and the nodes, which know their
    /// hashes. (Home lines and control words lie in a row: the processor fetches them by itself.) Nothing seen here is trusted,
    /// and no node is read.
    static void prefetch_group(const header& t, std::size_t group) noexcept {
        const line_type& home = t.home(group);
        if constexpr (!Layout::inline_key) {
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                __builtin_prefetch(Layout::address(home.slot(i)->load(std::memory_order_relaxed)));
            }
        }
        if (const line_type* const l = home.next_line()) __builtin_prefetch(l->words, 1);
    }

    /// Moves one bucket of a table that grows by two to eight. Nearly all moves are of this kind, so it is kept short: one
    /// lock, and targets that lie side by side and are filled without a search.
    static moving split_bucket(map_type& map, control& c, header& t, header& n, std::size_t bucket, departure& leaving,
                               record_supply& supply) {
        atomic_control& lock = t.controls[bucket];
        const control_word seen = lock.load(std::memory_order_relaxed);
        if ((seen & Layout::moved_bit) != 0) return moving::done;
        if ((seen & Layout::lock_bit) != 0 || !locks::try_lock(lock, seen)) return moving::busy;
        const range from{bucket, 1};
        std::uint32_t stamp = 0;
        static_cast<void>(hand_on_stamps(c, t, n, from, supply, stamp)); // preserves nothing: it lacks nothing
        const unsigned k = n.log2() - t.log2();
        const range to{bucket << k, std::size_t{1} << k};
        stamp_targets(n, to, stamp);
        line_type& home = t.home(bucket);
        word copied[Layout::slots_per_line]; // the values, written before they are read
        if (const std::size_t left_out = split_lines(map, c, home, n, to, copied); left_out != 0) [[unlikely]] {
            give_up_targets(c, n, to, left_out, supply);
            unlock_sources(c, t, from);
            return moving::needs_line;
        }
        // Before the lock is released [I4], [I6].
        leave_bucket(map, c, t, bucket, n, [&](std::size_t i, word) { return copied[i]; });
        leaving.moved(from);
        return moving::done;
    }

    /// Moves a group of any kind: a merge, the sentinel-key bucket, a table that grows by more.
    [[gnu::cold, gnu::noinline]] static moving move_buckets(map_type& map, control& c, header& t, header& n, std::size_t group,
                                                            departure& leaving, record_supply& supply) {
        const range from = buckets_of_group(t, n, group);
        const range to = buckets_of_group(n, t, group);
        for (std::size_t i = 0; i < from.count; ++i) {
            atomic_control& lock = t.controls[from.first + i];
            const control_word seen = lock.load(std::memory_order_relaxed);
            if ((seen & (Layout::moved_bit | Layout::lock_bit)) != 0 || !locks::try_lock(lock, seen)) {
                // No thread waits while it holds a lock: another bucket's writer may be stopped.
                unlock_sources(c, t, {from.first, i});
                return (seen & Layout::moved_bit) != 0 ? moving::done : moving::busy;
            }
        }
        std::uint32_t stamp = 0;
        if (const moving outcome = hand_on_stamps(c, t, n, from, supply, stamp); outcome != moving::done) {
            unlock_sources(c, t, from);
            return outcome;
        }
        stamp_targets(n, to, stamp);
        for (std::size_t i = 0; i < from.count; ++i) {
            if (const std::size_t left_out = copy_bucket(map, c, t, from.first + i, n, to); left_out != 0) {
                give_up_targets(c, n, to, left_out, supply);
                unlock_sources(c, t, from);
                return moving::needs_line;
            }
        }
        // All old copies are gone before any lock is released: no writer can reach a new copy while a reader
        // can still hit the old one [I4], [I6].
        for (std::size_t i = 0; i < from.count; ++i) {
            leave_bucket(map, c, t, from.first + i, n, [&](std::size_t, word slot_word) {
                return chain::value_at(copy_of(map, t, from.first + i, n, slot_word));
            });
        }
        leaving.moved(from);
        return moving::done;
    }

    /// Moves the group of one bucket. Done also when the root has changed: the bucket is not where it was.
    [[gnu::cold]] static moving move_group_of(map_type& map, control& c, thread_record_type& s, word root, header& t, header& n,
                                              std::size_t bucket, record_supply& supply) {
        const section in(map, s, &t, root);
        if (!in) return moving::done;
        departure leaving(map, c, t, n, root);
        return move_group(map, c, t, n, group_of(t, n, bucket), leaving, supply);
    }

private:
    /// The stamp of a group's targets [P3]; where no snapshot lives, stamps mean nothing. A merge while a cut is being
    /// made would be neither before it (the snapshot has seen the finer buckets) nor after it (nothing is preserved yet): it
    /// is left for later.
    static moving hand_on_stamps(control& c, header& t, header& n, range from, record_supply& supply,
                                 std::uint32_t& stamp) noexcept {
        // acquire: pairs with the release that made a snapshot live. This section began before it, or sees it.
        const word gate_word = c.gate_word.load(std::memory_order_acquire);
        const bool merges = n.log2() < t.log2();
        if (merges && (gate_word & gate::cutting) != 0) return moving::busy;
        if (gate::newest_phase(gate_word) == 0) [[likely]]
            return moving::done;
        for (std::size_t i = 0; i < from.count; ++i) {
            control_word held = t.controls[from.first + i].load(std::memory_order_relaxed) & ~Layout::lock_bit;
            if (merges && !gate::is_preserved(Layout::stamp_of(held), gate_word) &&
                !preservation::preserve(c, t, from.first + i, held, gate_word, supply)) {
                return moving::needs_record;
            }
            stamp = detail::greater(stamp, Layout::stamp_of(held));
        }
        return moving::done;
    }

    [[gnu::cold]] static void unlock_sources(control& c, header& t, range sources) noexcept {
        for (std::size_t i = 0; i < sources.count; ++i) {
            atomic_control& lock = t.controls[sources.first + i];
            locks::unlock(c, lock, lock.load(std::memory_order_relaxed));
        }
    }

    static void stamp_targets(header& n, range to, std::uint32_t stamp) noexcept {
        for (std::size_t i = 0; i < to.count; ++i) {
            // Writers see it by way of MOVED. release: a late reader that has seen the same word before the memory became this
            // table's, and sees it again, sees that the root is another one (pairs with the walks' second look).
            n.controls[to.first + i].store(Layout::stamped(0, stamp), std::memory_order_release);
        }
    }

    /// After a copy for which lines were lacking: `left_out` entries had no place.
    [[gnu::cold, gnu::noinline]] static void give_up_targets(control& c, header& n, range to, std::size_t left_out,
                                                             record_supply& supply) noexcept {
        // All that are missing at once: with many equal hashes each attempt copies a long chain in vain.
        supply.lines_lacking = left_out / Layout::last + 1;
        for (std::size_t i = 0; i < to.count; ++i) chain::wipe(c, n, n.home(to.first + i), Layout::empty);
    }

    /// Takes away the entries of a bucket that were all copied to `n`. `copied(i, slot_word)`: the value that the copy of the
    /// home line's slot has. A writer may have overwritten an entry of the home line since. Then the copy, which no thread
    /// reaches while the slot has its key, gets the new value [O5].
    template <class Copied>
    [[gnu::always_inline]] static void leave_bucket(const map_type& map, control& c, header& t, std::size_t bucket, header& n,
                                                    [[maybe_unused]] Copied copied) noexcept {
        if constexpr (Layout::inline_key) {
            line_type& home = t.home(bucket);
            chain::wipe(c, t, home, Layout::moved, [&](atomic_word* slot, word sentinel) {
                const word slot_word = slot->load(std::memory_order_relaxed);
                if (!Layout::is_entry(slot_word)) {
                    slot->store(sentinel, std::memory_order_release);
                    return;
                }
                const auto i = static_cast<std::size_t>(slot - home.words) / Layout::words_per_slot;
                pair seen{slot_word, copied(i, slot_word)};
                while (!Sync::compare_exchange_pair(slot, seen, {sentinel, seen.second})) [[unlikely]] {
                    // relaxed: the compare-exchange releases.
                    copy_of(map, t, bucket, n, slot_word)[1].store(seen.second, std::memory_order_relaxed);
                }
            });
        } else {
            chain::wipe(c, t, t.home(bucket), Layout::moved);
        }
    }
    /// Returns the slot in `n` of an entry that was copied there.
    [[gnu::cold, gnu::noinline]] static atomic_word* copy_of(const map_type& map, header& t, std::size_t bucket, header& n,
                                                             word slot_word) noexcept {
        const std::size_t target = t.is_sentinel_key_bucket(bucket) ? n.buckets() : n.bucket_of(map.hash_of(n.seed, slot_word));
        return chain::slot_of(n.home(target), slot_word);
    }

    /// Copies the entries of a bucket to the EMPTY targets `to`, which no other thread writes to or reads before the bucket is
    /// MOVED. Returns how many entries had no place, because a target is full.
    /// `copied` gets the values of the home line's entries.
    [[gnu::always_inline]] static std::size_t split_lines(const map_type& map, control& c, line_type& home, header& n, range to,
                                                          word* copied) noexcept {
        line_type* const targets = &n.home(to.first);
        atomic_word* vacant[most_targets];
        for (std::size_t i = 0; i < to.count; ++i) vacant[i] = targets[i].slot(0);
        // A home line has no more entries than each target has slots.
        for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
            const word slot_word = home.slot_word(i);
            if (!Layout::is_entry(slot_word)) continue;
            atomic_word*& to_slot = vacant[n.bucket_of(map.hash_of(n.seed, slot_word)) & (to.count - 1)];
            copied[i] = chain::value_at(home.slot(i));
            chain::store_entry(to_slot, slot_word, copied[i]);
            to_slot += Layout::words_per_slot;
        }
        line_type* const rest = home.next_line();
        return rest == nullptr ? 0 : copy_lines(map, c, *rest, n, to, false, vacant);
    }

    /// The same for targets that other sources of the group have been copied to, and for the sentinel-key bucket.
    static std::size_t copy_bucket(const map_type& map, control& c, header& t, std::size_t bucket, header& n,
                                   range to) noexcept {
        return copy_lines(map, c, t.home(bucket), n, to, t.is_sentinel_key_bucket(bucket), nullptr);
    }

    /// Copies the lines from `first` on. `vacant`: the first EMPTY slot of each target's home line, or the end of that line;
    /// null where that is not known.
    [[gnu::noinline]] static std::size_t copy_lines(const map_type& map, control& c, line_type& first, header& n, range to,
                                                    bool sentinel_key, atomic_word** vacant) noexcept {
        // Where the last entry went that did not fit into the home line: all lines before are full.
        line_type* ends[most_targets] = {};
        std::size_t left_out = 0;
        chain::each_entry(first, [&](line_type& l, std::size_t i, word slot_word) {
            if (left_out != 0) {
                ++left_out;
                return false;
            }
            const std::size_t target = sentinel_key ? 0 : n.bucket_of(map.hash_of(n.seed, slot_word)) - to.first;
            line_type* end = &n.home(to.first + target);
            if (vacant != nullptr && vacant[target] != end->slot(Layout::slots_per_line)) {
                chain::store_entry(vacant[target], slot_word, chain::value_at(l.slot(i)));
                vacant[target] += Layout::words_per_slot;
                return false;
            }
            if (to.count <= most_targets) {
                line_type*& known = ends[target];
                if (known != nullptr) end = known;
                while (line_type* const next = end->next_line()) end = next;
                known = end;
            }
            if (const vacancy v = chain::find_vacancy(c, n, *end)) {
                chain::place(v, slot_word, chain::value_at(l.slot(i)));
            } else {
                left_out = 1;
            }
            return false;
        });
        return left_out;
    }
};

} // namespace syncmap::engine
