// The nodes of all maps that one thread has retired: the account that bounds them, and the slots by which they are found.
//
// A retired node waits in a list of its map (retire_list.hpp; `syncmap::map` has one for each thread). The thread that
// retires it charges it to its own account, which is one for all maps. When the account is full the thread *collects*: it
// destroys the nodes of all maps that it has retired and that no thread holds.
//
// The thread notes each list in a *slot* of its hazard record. By the slots it finds the lists again, and so does the
// destructor of a map.
//
// | word of a slot          | written by                                                    | read by                         |
// |-------------------------|---------------------------------------------------------------|---------------------------------|
// | `source`, `waiting`     | its thread, the map's destructor: under the record's mutex    | its thread, destructors of maps |
// | `ready`                 | its thread; the destructor, under the mutex, if `busy` is 0   | the same                        |
// | `busy`                  | its thread, under the mutex                                   | the destructor, under the mutex |
// | `home`                  | its thread; a move, under the mutex, unless `reads_home`      | its thread                      |
// | `reads_home`            | its thread; set under the mutex                               | a move, under the mutex         |
// | all others, the account | its thread                                                    | its thread                      |
//
// Invariants
//
// [G1] A slot names a map only while the map lives: the map's destructor clears it in every hazard record before it frees
// anything.
//
// [G2] A node waits in a list of its map, or in `ready` of a slot that names its map. Or a thread that keeps such a slot busy
// is destroying it. A map's destructor finds it in one of these, and waits for a busy slot of another thread.
//
// [G3] User code runs under no mutex of a hazard record. It may use any map, and may destroy any map in which the thread has no
// operation under way. So after each destruction the slot may name another map or none: `take_ready` checks that.
//
// [G4] A failed look at the hazards frees nothing: the nodes go back to their lists.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/owned_bytes.hpp>
#include <syncmap/reclaim/retire_list.hpp>

namespace syncmap::reclaim {

template <class Sync>
struct garbage_slot;
template <class Sync>
class thread_garbage;

/// The part of a map that its garbage needs: how many slots name the map. One type for all maps and all libraries.
template <class Sync>
class garbage_source {
public:
    /// Destroys the nodes that `take_ready` returns, then frees cached blocks until `most_kept` are left. It is code of the
    /// library that made the map: a library that only used the map may be closed before its garbage is destroyed.
    using destroyer = void (*)(thread_garbage<Sync>&, garbage_slot<Sync>&) noexcept;
    destroyer destroy_ready = nullptr; ///< constant once the map is published

    /// Called by the map's destructor, first of all. relaxed: only the child of a fork reads the flag, in its only thread.
    void is_ending() noexcept { slots_.fetch_or(ending, std::memory_order_relaxed); }
    bool ends() const noexcept { return (slots_.load(std::memory_order_relaxed) & ending) != 0; }

    // relaxed: the map's destructor comes after the operation that the caller is in.
    void add_slot() noexcept { slots_.fetch_add(1, std::memory_order_relaxed); }
    // (1) release: pairs with the acquire of (2). After it the thread does not access the map; without it the map may be
    // destroyed during the thread's last access.
    void remove_slot() noexcept { slots_.fetch_sub(1, std::memory_order_release); }
    // (2) acquire: pairs with the release of (1).
    bool has_slots() const noexcept { return (slots_.load(std::memory_order_acquire) & ~ending) != 0; }

private:
    static constexpr std::uint32_t ending = std::uint32_t{1} << 31;

    typename Sync::template atomic<std::uint32_t> slots_{0};
};

/// What `destroy_ready` of a map learns about a thread's garbage: the map, and the place of the thread in it.
template <class Sync>
struct garbage_home {
    void* map = nullptr;
    void* place = nullptr;
};

template <class Sync>
struct garbage_slot {
    using node = node_base<Sync>;
    using source_type = garbage_source<Sync>;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    atomic<source_type*> source{nullptr};
    atomic<retire_list<Sync>*> waiting{nullptr};
    garbage_home<Sync> home{};
    node* ready = nullptr; ///< retired, and held by no thread
    std::uint16_t busy = 0; ///< how many nested collections use the slot
    atomic<bool> reads_home{false}; ///< a collection has begun, and may not have read `home` yet
    std::uint32_t retired = 0; ///< nodes since the thread last scanned the lists of all threads
    std::uint32_t kept = 0; ///< blocks that the map keeps for this thread, at most
    std::uint32_t most_kept = 0; ///< what `kept` may be

    /// Returns the next node to destroy. Null: there is none, or a destroyed node has destroyed the map [G3]. Called by the
    /// slot's thread, while the slot is busy.
    node* take_ready(const source_type& from) noexcept {
        if (!names(from) || ready == nullptr) return nullptr;
        return std::exchange(ready, ready->next_retired);
    }
    /// Returns whether the thread is to scan the lists of all threads now. By its next collection it may have retired a batch
    /// more.
    bool is_scan_due(std::size_t threads) const noexcept {
        return retired > Sync::retire_batch * (Sync::batches_between_scans(threads) - 1);
    }
    bool names(const source_type& from) const noexcept { return source.load(std::memory_order_relaxed) == &from; }
    /// Called by `destroy_ready` when it has copied what it needs of the map object, before it destroys a node.
    /// (6) release: pairs with the acquire of (7); without it the map object may be moved away, and destroyed, during the copy.
    void has_read_home() noexcept { reads_home.store(false, std::memory_order_release); }
};

/// How much waits, in three measures. Each is a field of one word; an upper bit of the field is set when that measure is full.
///
///   bits 0..19    bytes
///   bits 20..24   nodes of unknown size
///   bits 25..63   nodes
template <class Sync>
class garbage_account {
public:
    static constexpr std::uint32_t most_nodes = Sync::retire_batch;
    static constexpr std::size_t most_bytes = std::size_t{1} << 18;
    static constexpr std::uint32_t most_unknown = 16;

    /// Returns whether the account is full. `owned`: the bytes that the node owns beside its `block`.
    bool charge(std::size_t block, std::size_t owned, std::uint32_t nodes = 1) noexcept {
        if (owned == unknown_bytes) {
            what_ += one_unknown;
            owned = 0;
        }
        // More bytes than the account may have would make it no fuller.
        what_ += detail::lesser(block, most_bytes) + detail::lesser(owned, most_bytes) + nodes * one_node;
        if (!is_full()) [[likely]]
            return false;
        what_ = full; // so that later charges do not overflow the word
        return true;
    }
    bool is_full() const noexcept { return (what_ & full) != 0; }
    bool is_empty() const noexcept { return what_ == none; }

private:
    using fields = std::uint64_t;
    static constexpr fields one_unknown = fields{1} << 20;
    static constexpr fields one_node = fields{1} << 25;
    static constexpr int log2_of_full = std::bit_width(most_nodes - 1);
    /// The count of nodes begins so far above zero that the field is full at a power of two.
    static constexpr fields none = ((fields{1} << log2_of_full) - most_nodes) * one_node;
    static constexpr fields full = 3 * most_bytes | most_unknown * one_unknown | ~((one_node << log2_of_full) - 1);
    static_assert(4 * most_bytes == one_unknown && fields{2} * most_unknown * one_unknown == one_node);

    fields what_ = none;
};

template <class Sync>
class thread_garbage {
public:
    using node = node_base<Sync>;
    using list = retire_list<Sync>;
    using source_type = garbage_source<Sync>;
    using slot = garbage_slot<Sync>;

    thread_garbage() noexcept { last_ = slots_; }
    thread_garbage(const thread_garbage&) = delete;
    thread_garbage& operator=(const thread_garbage&) = delete;

    /// Retires `n`, which is in no table any more: puts it into `waiting`, a list of the map `from`. Returns true if the
    /// account was full and the thread has collected. Called by the hazard record's thread in an operation on `from`. Never
    /// under a lock, since it may run the user's destructors.
    bool retire(domain<Sync>& threads, source_type& from, list& waiting, garbage_home<Sync> home, node& n, std::size_t block,
                std::size_t owned) noexcept {
        retire_later(waiting, n, block, owned);
        return settle(threads, from, waiting, home);
    }
    /// The first of the two steps of `retire`; it may run under a lock. `nodes`: for how many the node counts.
    void retire_later(list& waiting, node& n, std::size_t block, std::size_t owned, std::uint32_t nodes = 1) noexcept {
        waiting.push(n);
        account_.charge(block, owned, nodes);
    }
    /// The second step.
    bool settle(domain<Sync>& threads, source_type& from, list& waiting, garbage_home<Sync> home) noexcept {
        if (!is_last(waiting)) [[unlikely]]
            note(threads, from, waiting, home);
        ++last_->retired;
        if (!account_.is_full()) [[likely]]
            return false;
        collect(threads);
        return true;
    }

    /// Returns the slot of a list, or null.
    slot* slot_of(const list& waiting) noexcept {
        if (!is_last(waiting)) {
            for (slot& s : slots_) {
                if (s.waiting.load(std::memory_order_relaxed) == &waiting) last_ = &s;
            }
        }
        return is_last(waiting) ? last_ : nullptr;
    }

    /// Clears the slots of all threads that name `gone`: afterwards no thread destroys a node of it. Calls `f(list)` for the
    /// nodes that no thread had begun to destroy. Waits while other threads run destructors of its values. Called by the
    /// destructor of `gone`, which no thread uses any more.
    template <class F>
    static void forget(domain<Sync>& threads, source_type& gone, F&& f) noexcept {
        if (!gone.has_slots()) return;
        threads.each_hazard_record([&](hazard_record<Sync>& r) {
            const bool own = r.owner.load(std::memory_order_relaxed) == Sync::this_thread();
            for (slot& s : r.garbage.slots_) {
                // (3) acquire: pairs with the releases of (4) and (5). A thread whose slot names no map any more, or another
                // one, has ended its accesses to `gone`; without it such an access may come after the map's destruction.
                if (s.source.load(std::memory_order_acquire) == &gone) f(r.garbage.take_from(s, gone, own));
            }
        });
    }

    /// `of` is part of another map object from now on, which no other thread uses yet. Waits while other threads copy what they
    /// need of the former object. It does not wait for destructors of values: one of them may be moving another map, and wait
    /// for this thread.
    static void rehome(domain<Sync>& threads, const source_type& of, void* map) noexcept {
        if (!of.has_slots()) return;
        threads.each_hazard_record([&](hazard_record<Sync>& r) {
            for (slot& s : r.garbage.slots_) {
                if (s.source.load(std::memory_order_acquire) != &of) continue; // acquire: as in forget
                // (7) acquire: pairs with the release of (6)
                const auto is_idle = [&] { return !s.reads_home.load(std::memory_order_acquire); };
                r.garbage.when(is_idle, s, of, [&] { s.home.map = map; });
            }
        });
    }

    /// Called in the child of a fork. `lost`: the hazard record's thread does not exist there.
    void renew_in_child(bool lost) noexcept {
        ::new (static_cast<void*>(&mutex_)) typename Sync::mutex;
        if (lost) depth_ = 0;
        for (slot& s : slots_) {
            if (lost) s.busy = 0;
            if (lost) s.has_read_home();
            const source_type* const from = s.source.load(std::memory_order_relaxed);
            // A lost thread was in the middle of taking or freeing the slot, or it was destroying the map and has not come to
            // this slot.
            if (from == nullptr || s.waiting.load(std::memory_order_relaxed) == nullptr || from->ends()) clear(s);
        }
    }

private:
    static constexpr std::uint32_t most_slots = Sync::garbage_slots;
    /// How deep collections nest. A destructor that retires many nodes collects them. A destructor that this runs only adds to
    /// the account.
    static constexpr std::uint32_t most_nested = 2;
    /// How many blocks all threads together keep for their next nodes.
    static constexpr std::size_t all_kept = std::size_t{1} << 13;

    bool is_last(const list& waiting) const noexcept { return last_->waiting.load(std::memory_order_relaxed) == &waiting; }

    // ---- slots ----

    /// Gives the list a slot, if it has none. Without a slot its nodes wait until a thread scans all lists of the map.
    [[gnu::cold, gnu::noinline]] void note(domain<Sync>& threads, source_type& from, list& waiting,
                                           garbage_home<Sync> home) noexcept {
        if (slot_of(waiting) != nullptr || occupy(from, waiting, home)) return;
        if (let_go_next() && occupy(from, waiting, home)) return;
        collect(threads);
        for (std::uint32_t i = 0; i < most_slots; ++i) {
            if (let_go_next() && occupy(from, waiting, home)) return;
        }
    }

    /// Returns false if no slot is free.
    bool occupy(source_type& from, list& waiting, garbage_home<Sync> home) noexcept {
        const std::lock_guard<typename Sync::mutex> guard(mutex_);
        for (slot& s : slots_) {
            if (s.source.load(std::memory_order_relaxed) != nullptr || s.busy != 0) continue;
            s.home = home;
            s.retired = 0;
            s.waiting.store(&waiting, std::memory_order_relaxed);
            from.add_slot();
            // (4) release: pairs with (3). It comes last: in the child of a fork the slot is complete, or free.
            s.source.store(&from, std::memory_order_release);
            last_ = &s;
            return true;
        }
        return false;
    }

    /// Frees the next slot, if its map has no garbage and no blocks of this thread. Returns false if it has.
    bool let_go_next() noexcept {
        slot& s = slots_[oldest_];
        oldest_ = (oldest_ + 1) % most_slots;
        std::unique_lock<typename Sync::mutex> lock(mutex_);
        if (s.kept != 0 && s.ready == nullptr && s.busy == 0) run(lock, s, 0);
        source_type* const from = s.source.load(std::memory_order_relaxed);
        if (from == nullptr) return s.busy == 0;
        if (s.busy != 0 || s.ready != nullptr || s.kept != 0 || !s.waiting.load(std::memory_order_relaxed)->is_empty())
            return false;
        // It tells the child of a fork that the map may be destroyed already.
        s.waiting.store(nullptr, std::memory_order_relaxed);
        // The last access to the map, which may be destroyed from here on. So the slot is cleared after it.
        from->remove_slot();
        clear(s);
        return true;
    }

    static void clear(slot& s) noexcept {
        s.source.store(nullptr, std::memory_order_release); // (5) release: pairs with (3)
        s.waiting.store(nullptr, std::memory_order_relaxed);
        s.ready = nullptr;
        s.kept = 0;
    }

    /// Clears a slot that names `gone`, and returns its ready nodes. Waits while the slot is busy with another thread. Called
    /// by the destructor of `gone`.
    node* take_from(slot& s, const source_type& gone, bool own) noexcept {
        node* left = nullptr;
        when([&] { return own || s.busy == 0; }, s, gone,
             [&] {
                 left = s.ready;
                 clear(s);
             });
        return left;
    }
    /// Calls `f()` under the mutex, when `is_idle()`, if the slot names that map still.
    template <class IsIdle, class F>
    void when(IsIdle is_idle, slot& s, const source_type& of, F f) noexcept {
        for (unsigned attempt = 0;; ++attempt) {
            {
                const std::lock_guard<typename Sync::mutex> guard(mutex_);
                if (!s.names(of)) return; // its thread has freed the slot meanwhile
                if (is_idle()) return f();
            }
            Sync::back_off(attempt);
        }
    }

    // ---- collecting ----

    /// Destroys the nodes that this thread has retired and no thread holds.
    [[gnu::noinline]] void collect(domain<Sync>& threads) noexcept {
        if (depth_ == most_nested) return; // the outer one sees that the account is full
        ++depth_;
        do {
            account_ = {};
            held_nodes<Sync> held;
            const bool has_room = held.prepare(threads);
            std::unique_lock<typename Sync::mutex> lock(mutex_);
            if (has_room) separate(threads, held);
            const std::uint32_t share = share_of_kept(threads);
            for (slot& s : slots_) {
                if (s.ready != nullptr || s.kept > share) run(lock, s, share);
            }
        } while (account_.is_full());
        --depth_;
    }

    /// Moves the nodes that no thread holds from the lists to `ready`. Called under the mutex.
    void separate(domain<Sync>& threads, held_nodes<Sync>& held) noexcept {
        node* found[most_slots] = {};
        for (std::uint32_t i = 0; i < most_slots; ++i) {
            list* const waiting = slots_[i].waiting.load(std::memory_order_relaxed);
            if (waiting != nullptr && !waiting->is_empty()) found[i] = waiting->take_all();
        }
        const bool knows = held.look(threads);
        for (std::uint32_t i = 0; i < most_slots; ++i) {
            if (found[i] == nullptr) continue;
            if (knows) slots_[i].ready = held.take_unheld(found[i], slots_[i].ready);
            slots_[i].waiting.load(std::memory_order_relaxed)->push_all(found[i]); // held ones; all after a failed look [G4]
        }
    }

    /// Calls the map's function for a slot. Called under the mutex, which it unlocks while that function runs [G3].
    void run(std::unique_lock<typename Sync::mutex>& lock, slot& s, std::uint32_t most_kept) noexcept {
        if (s.source.load(std::memory_order_relaxed) == nullptr) return;
        ++s.busy;
        s.reads_home.store(true, std::memory_order_relaxed); // a move looks at it under the mutex
        s.most_kept = most_kept;
        lock.unlock();
        s.source.load(std::memory_order_relaxed)->destroy_ready(*this, s);
        lock.lock();
        --s.busy;
    }

    /// Returns how many blocks each map may keep for this thread, of the maps that keep some.
    std::uint32_t share_of_kept(domain<Sync>& threads) const noexcept {
        if (Sync::most_cached_nodes() == 0) return 0;
        std::size_t maps = 0;
        for (const slot& s : slots_) maps += s.ready != nullptr || s.kept != 0 ? 1 : 0;
        const std::size_t most =
            detail::lesser<std::size_t>(Sync::most_cached_nodes(), all_kept / threads.hazard_record_count());
        return static_cast<std::uint32_t>(most / detail::greater<std::size_t>(maps, 1));
    }

    // ---- used by the hazard record's thread alone ----
    garbage_account<Sync> account_{};
    slot* last_; ///< the slot of the list that the thread retired into last
    std::uint32_t oldest_ = 0; ///< the slot that goes to another map next
    std::uint32_t depth_ = 0; ///< how many nested collections the thread is in

    typename Sync::mutex mutex_{};
    slot slots_[most_slots] = {};
};

} // namespace syncmap::reclaim
