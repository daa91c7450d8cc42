// What one thread has retired, of all maps: the account that bounds it, and the places where it waits.
//
// A retired node waits in a list of its map (retire_list.hpp; `syncmap::map` has one for each thread). The thread that
// retires it charges it to its own account, which is one for all maps. When the account is full the thread *collects*: it
// destroys what it has retired, of all maps, and no thread holds.
//
// To find the lists, and to be found by a map that is being destroyed, the thread notes each list in a *slot* of its hazard
// record.
//
// | word of a slot          | written by                                                          | read by                               |
// |-------------------------|---------------------------------------------------------------------|---------------------------------------|
// | source, waiting         | its thread or the map's destructor, under the hazard record's mutex | its thread; destructors of all maps   |
// | `ready`                 | its thread; the map's destructor under the mutex while `busy` is 0  | the same                              |
// | `busy`                  | its thread, under the mutex                                         | the map's destructor, under the mutex |
// | all others, the account | its thread                                                          | nobody else                           |
//
// Invariants
// [G1] A slot names a map only while the map lives: its destructor takes the name out of every hazard record before it frees
// anything. [G2] A node waits in a list of its map, in `ready` of a slot that names its map, or it is being destroyed by a
// thread
//      that keeps such a slot busy. A destructor finds it in one of these, and waits for a busy slot of another thread.
// [G3] Code of the user's runs under no mutex of a hazard record. It may use any map, and destroy other maps than those in
// whose
//      operations the thread is. So after each destruction the slot may name another map or none: `take_ready` asks.
// [G4] A failed look at the hazards frees nothing: the nodes go back to their lists.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include <syncmap/owned_bytes.hpp>
#include <syncmap/reclaim/retire_list.hpp>

namespace syncmap::reclaim {

template <class Sync>
struct garbage_slot;
template <class Sync>
class thread_garbage;

/// A map, as its garbage sees it: how many slots name it. One type for all maps and all libraries.
template <class Sync>
class garbage_source {
public:
    /// Destroys the nodes of `take_ready`, and gives memory back that is kept beside until `most_kept` blocks are left. It is
    /// the code of the library that made the map: one that only used it may be closed before its garbage is destroyed.
    using destroyer = void (*)(thread_garbage<Sync>&, garbage_slot<Sync>&) noexcept;
    destroyer destroy_ready = nullptr; ///< constant once the map is published

    /// By the map's destructor, first of all. relaxed: it is read in the child of a fork alone, by its only thread.
    void is_ending() noexcept { slots_.fetch_or(ending, std::memory_order_relaxed); }
    bool ends() const noexcept { return (slots_.load(std::memory_order_relaxed) & ending) != 0; }

    // relaxed: the map's destructor comes after the operation that the caller is in.
    void add_slot() noexcept { slots_.fetch_add(1, std::memory_order_relaxed); }
    // release: pairs with the acquire of has_slots. A thread that has let the map go does not touch it any more.
    void remove_slot() noexcept { slots_.fetch_sub(1, std::memory_order_release); }
    bool has_slots() const noexcept { return (slots_.load(std::memory_order_acquire) & ~ending) != 0; }

private:
    static constexpr std::uint32_t ending = std::uint32_t{1} << 31;

    typename Sync::template atomic<std::uint32_t> slots_{0};
};

/// Where a thread's garbage of a map belongs to: what the map tells its own function.
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
    std::uint32_t busy = 0; ///< how many collections, one inside the other, are at it
    std::uint32_t retired = 0; ///< nodes since the lists of all threads were looked at
    std::uint32_t kept = 0; ///< blocks that the map keeps for this thread, at most
    std::uint32_t most_kept = 0; ///< what `kept` may be

    /// By its thread, while the slot is busy. Null: there are no more, or the map was destroyed by one of them [G3].
    node* take_ready(const source_type& from) noexcept {
        if (!names(from) || ready == nullptr) return nullptr;
        return std::exchange(ready, ready->next_retired);
    }
    bool names(const source_type& from) const noexcept { return source.load(std::memory_order_relaxed) == &from; }
};

/// What waits, in the three measures that bound it: each is a field of one word, and one of the upper bits of a field is
/// set when that measure is full.
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

    /// `owned`: what the node owns beside its `block`. True: the account is full.
    bool charge(std::size_t block, std::size_t owned, std::uint32_t nodes = 1) noexcept {
        if (owned == unknown_bytes) {
            what_ += one_unknown;
            owned = 0;
        }
        // More bytes than the account may have would make it no fuller.
        what_ += (std::min)(block, most_bytes) + (std::min)(owned, most_bytes) + nodes * one_node;
        if (!is_full()) [[likely]]
            return false;
        what_ = full; // what else comes does not run over the end of the word
        return true;
    }
    bool is_full() const noexcept { return (what_ & full) != 0; }
    bool is_empty() const noexcept { return what_ == none; }

private:
    using fields = std::uint64_t;
    static constexpr fields one_unknown = fields{1} << 20;
    static constexpr fields one_node = fields{1} << 25;
    static constexpr int log2_of_full = std::bit_width(most_nodes - 1);
    /// So many nodes are counted in advance that the field is full at a power of two.
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

    thread_garbage() noexcept { last_ = slots_.data(); }
    thread_garbage(const thread_garbage&) = delete;
    thread_garbage& operator=(const thread_garbage&) = delete;

    /// By the hazard record's thread, in an operation on `from`: `n` is in no table any more, and waits in `waiting`, a list of
    /// that map. True: the account was full, and garbage was collected. Runs destructors of the user's, so never under a lock.
    bool retire(domain<Sync>& threads, source_type& from, list& waiting, garbage_home<Sync> home, node& n, std::size_t block,
                std::size_t owned) noexcept {
        retire_later(waiting, n, block, owned);
        return settle(threads, from, waiting, home);
    }
    /// In two steps, the first of which may be taken under a lock. `nodes`: for how many the node counts.
    void retire_later(list& waiting, node& n, std::size_t block, std::size_t owned, std::uint32_t nodes = 1) noexcept {
        waiting.push(n);
        account_.charge(block, owned, nodes);
    }
    bool settle(domain<Sync>& threads, source_type& from, list& waiting, garbage_home<Sync> home) noexcept {
        if (!is_last(waiting)) [[unlikely]]
            note(threads, from, waiting, home);
        ++last_->retired;
        if (!account_.is_full()) [[likely]]
            return false;
        collect(threads);
        return true;
    }

    /// The slot of a list, or null.
    slot* slot_of(const list& waiting) noexcept {
        if (!is_last(waiting)) {
            for (slot& s : slots_) {
                if (s.waiting.load(std::memory_order_relaxed) == &waiting) last_ = &s;
            }
        }
        return is_last(waiting) ? last_ : nullptr;
    }

    /// By the destructor of `gone`, which no thread uses any more: no thread destroys a node of it afterwards. Calls
    /// `f(list)` for those that nobody had begun to destroy. Waits for destructors of values that other threads run.
    template <class F>
    static void forget(domain<Sync>& threads, source_type& gone, F&& f) noexcept {
        if (!gone.has_slots()) return;
        threads.each_hazard_record([&](hazard_record<Sync>& r) {
            const bool own = r.owner.load(std::memory_order_relaxed) == Sync::this_thread();
            for (slot& s : r.garbage.slots_) {
                // acquire: pairs with the releases of occupy and clear. A thread whose slot has come to name no map, or
                // another, has ended its accesses to this one.
                if (s.source.load(std::memory_order_acquire) == &gone) f(r.garbage.take_from(s, gone, own));
            }
        });
    }

    /// In the child of a fork. `lost`: the hazard record's thread is not there.
    void renew_in_child(bool lost) noexcept {
        ::new (static_cast<void*>(&mutex_)) typename Sync::mutex;
        if (lost) depth_ = 0;
        for (slot& s : slots_) {
            if (lost) s.busy = 0;
            const source_type* const from = s.source.load(std::memory_order_relaxed);
            // A lost thread was destroying the map and has not come to this slot, or it was in the middle of taking the slot.
            if (from == nullptr || from->ends()) clear(s);
        }
    }

private:
    static constexpr std::uint32_t most_slots = Sync::garbage_slots;
    /// Collections one inside the other: a destructor that retires much frees it again, but one inside that one only adds.
    static constexpr std::uint32_t most_nested = 2;
    /// Blocks that all threads keep for their next nodes.
    static constexpr std::size_t all_kept = std::size_t{1} << 13;

    bool is_last(const list& waiting) const noexcept { return last_->waiting.load(std::memory_order_relaxed) == &waiting; }

    // ---- slots ----

    /// Gives the list a slot, if it has none. Without one its nodes wait until a thread looks at all lists of the map.
    [[gnu::cold, gnu::noinline]] void note(domain<Sync>& threads, source_type& from, list& waiting,
                                           garbage_home<Sync> home) noexcept {
        if (slot_of(waiting) != nullptr || occupy(from, waiting, home)) return;
        if (let_go_next() && occupy(from, waiting, home)) return;
        collect(threads);
        for (std::uint32_t i = 0; i < most_slots; ++i) {
            if (let_go_next() && occupy(from, waiting, home)) return;
        }
    }

    /// False: no slot is free.
    bool occupy(source_type& from, list& waiting, garbage_home<Sync> home) noexcept {
        const std::lock_guard<typename Sync::mutex> guard(mutex_);
        for (slot& s : slots_) {
            if (s.source.load(std::memory_order_relaxed) != nullptr || s.busy != 0) continue;
            s.home = home;
            s.retired = 0;
            s.waiting.store(&waiting, std::memory_order_relaxed);
            from.add_slot();
            s.source.store(&from, std::memory_order_release); // last: in the child of a fork the slot is whole, or free
            last_ = &s;
            return true;
        }
        return false;
    }

    /// Makes a slot free whose map has nothing of this thread's any more. False: it has.
    bool let_go_next() noexcept {
        slot& s = slots_[oldest_];
        oldest_ = (oldest_ + 1) % most_slots;
        std::unique_lock<typename Sync::mutex> lock(mutex_);
        if (s.kept != 0 && s.ready == nullptr && s.busy == 0) run(lock, s, 0);
        source_type* const from = s.source.load(std::memory_order_relaxed);
        if (from == nullptr) return s.busy == 0;
        if (s.busy != 0 || s.ready != nullptr || s.kept != 0 || !s.waiting.load(std::memory_order_relaxed)->is_empty())
            return false;
        // The map is not touched after this, so the slot is cleared later.
        from->remove_slot();
        clear(s);
        return true;
    }

    static void clear(slot& s) noexcept {
        s.source.store(nullptr, std::memory_order_release);
        s.waiting.store(nullptr, std::memory_order_relaxed);
        s.ready = nullptr;
        s.kept = 0;
    }

    /// By the destructor of `gone`.
    node* take_from(slot& s, const source_type& gone, bool own) noexcept {
        for (unsigned attempt = 0;; ++attempt) {
            {
                const std::lock_guard<typename Sync::mutex> guard(mutex_);
                if (!s.names(gone)) return nullptr; // it was let go meanwhile
                if (own || s.busy == 0) {
                    node* const left = s.ready;
                    clear(s);
                    return left;
                }
            }
            Sync::back_off(attempt);
        }
    }

    // ---- collecting ----

    /// Destroys what this thread has retired and no thread holds.
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

    /// Under the mutex: moves what no thread holds from the lists to `ready`.
    void separate(domain<Sync>& threads, held_nodes<Sync>& held) noexcept {
        std::array<node*, most_slots> found{};
        for (std::uint32_t i = 0; i < most_slots; ++i) {
            list* const waiting = slots_[i].waiting.load(std::memory_order_relaxed);
            if (waiting != nullptr && !waiting->is_empty()) found[i] = waiting->take_all();
        }
        const bool knows = held.look(threads);
        for (std::uint32_t i = 0; i < most_slots; ++i) {
            if (found[i] == nullptr) continue;
            if (knows) slots_[i].ready = held.take_unheld(found[i], slots_[i].ready);
            slots_[i].waiting.load(std::memory_order_relaxed)->push_all(found[i]); // what is held; all if nothing is known [G4]
        }
    }

    /// Under the mutex, which is let go of for as long as the map's function runs [G3].
    void run(std::unique_lock<typename Sync::mutex>& lock, slot& s, std::uint32_t most_kept) noexcept {
        if (s.source.load(std::memory_order_relaxed) == nullptr) return;
        ++s.busy;
        s.most_kept = most_kept;
        lock.unlock();
        s.source.load(std::memory_order_relaxed)->destroy_ready(*this, s);
        lock.lock();
        --s.busy;
    }

    /// What each map may keep of blocks for this thread, of those that do.
    std::uint32_t share_of_kept(domain<Sync>& threads) const noexcept {
        if (Sync::most_cached_nodes() == 0) return 0;
        std::size_t maps = 0;
        for (const slot& s : slots_) maps += s.ready != nullptr || s.kept != 0 ? 1 : 0;
        const std::size_t most = std::min<std::size_t>(Sync::most_cached_nodes(), all_kept / threads.hazard_record_count());
        return static_cast<std::uint32_t>(most / std::max<std::size_t>(maps, 1));
    }

    // ---- the hazard record's thread's alone ----
    garbage_account<Sync> account_{};
    slot* last_; ///< of the list that was retired into last
    std::uint32_t oldest_ = 0; ///< the slot that goes to another map next
    std::uint32_t depth_ = 0; ///< collections that the thread is in, one inside the other

    typename Sync::mutex mutex_{};
    std::array<slot, most_slots> slots_{};
};

} // namespace syncmap::reclaim
