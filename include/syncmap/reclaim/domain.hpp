// Hazard pointers for the process: who looks at which node right now.
//
// Source: M. Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects" (2004), with the
// reader's fence moved to the reclaimer (asymmetric barrier), as in folly and P2530.
//
// A *row* belongs to one thread at a time: its hazards and its slot number (which stripe it uses in a map).
// Threads take a row on first use and keep it until they end; rows are never freed. A thread whose end has begun marks
// its row ENDING, and goes on using it, in destructors and signal handlers; another thread takes an ENDING row when the
// system says that its thread has ended. Where the system does not say that, the row is free at once, and a thread
// that is ending already borrows a row per operation.
//
// A program and the libraries that it loads may have a domain each, where their symbols are hidden. A map names the
// domain that it was first written to in, and whoever uses it, from whichever library, takes a row of that one.
//
// | word             | written by                | read by       |
// |------------------|---------------------------|---------------|
// | `first_`, `next` | who adds a row (CAS)      | all           |
// | `state`          | CAS by takers, owner      | takers        |
// | `owner`          | who has taken the row     | the child of a fork |
// | `hazard[]`       | the owner, release stores | reclaimers    |
// | `attached`       | the owner, once           | the layer above |
// | `notes`          | the owner                 | the owner     |
// | `garbage`        | see thread_garbage.hpp    |               |
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/reclaim/thread_garbage.hpp>

namespace syncmap::reclaim {

template <class Sync>
class domain;

template <class Sync>
struct [[gnu::visibility("default")]] alignas(detail::cache_line_bytes) row {
    static constexpr std::size_t hazards = 4;

    /// 0: free. Else TAKEN, perhaps ENDING, and the number by which the system knows the owner, if it does.
    using state_word = std::uint32_t;
    static constexpr state_word taken = state_word{1} << 31;
    static constexpr state_word ending = state_word{1} << 30; ///< ask whether the owner has ended
    static constexpr state_word number_mask = ending - 1;

    typename Sync::template atomic<const void*> hazard[hazards] = {};
    typename Sync::template atomic<state_word> state{0};
    std::uint32_t slot = 0;       ///< dense number of the thread; constant
    row* next = nullptr;          ///< constant once published
    domain<Sync>* home = nullptr; ///< constant once published
    typename Sync::template atomic<const void*> owner{nullptr};
    typename Sync::template atomic<void*> attached{nullptr}; ///< what the layer above keeps for the thread

    /// What the layer above looks up in each operation of the thread: by numbers of its own, none of which is 0. A later one
    /// may take the place of an earlier one.
    struct note {
        std::uint64_t number = 0;
        void* what = nullptr;
    };
    std::array<note, 16> notes{};
    const note& note_of(std::uint64_t number) const noexcept { return notes[static_cast<std::size_t>(number % notes.size())]; }
    void remember(std::uint64_t number, void* what) noexcept {
        notes[static_cast<std::size_t>(number % notes.size())] = {number, what};
    }

    thread_garbage<Sync> garbage{};

    // ---- by Sync::per_thread ----

    /// Marks the row of the calling thread as one to be taken when that thread has ended; false if nothing would show that.
    static bool stays(row* own) noexcept {
        const state_word number = number_of_this_thread();
        if (number == 0) return false;
        // release: the next owner sees what this one has left in its stripes.
        own->state.store(taken | ending | number, std::memory_order_release);
        return true;
    }
    /// By the owner, which keeps the row: should its end not be told, other threads ask the system.
    void note_owner() noexcept { state.store(taken | number_of_this_thread(), std::memory_order_relaxed); }
    static state_word number_of_this_thread() noexcept {
        const state_word number = Sync::number_of_this_thread();
        return number <= number_mask ? number : 0;
    }
    static void thread_exits(row* ended) noexcept { domain<Sync>::give_back(*ended); }
};

template <class Sync>
class [[gnu::visibility("default")]] domain {
public:
    using row_type = row<Sync>;

    domain() = default;
    domain(const domain&) = delete;
    domain& operator=(const domain&) = delete;
    ~domain() {
        for (row_type* r = first_.load(std::memory_order_relaxed); r != nullptr;) {
            row_type* const next = r->next;
            delete r;
            r = next;
        }
    }

    /// A free row, or a new one. Lock-free; allocates only when all rows are taken.
    row_type& take() {
        barriers_.join();
        for (row_type* r = newest(); r != nullptr; r = r->next) {
            const auto seen = r->state.load(std::memory_order_relaxed);
            if (may_be_taken(seen) && try_take(*r, seen)) return *r;
        }
        if constexpr (Sync::knows_ended_threads) {
            if (row_type* const lost = take_lost()) return *lost;
        }
        auto* const fresh = new row_type;
        fresh->state.store(row_type::taken, std::memory_order_relaxed);
        fresh->owner.store(Sync::this_thread(), std::memory_order_relaxed);
        fresh->home = this;
        row_type* head = first_.load(std::memory_order_acquire);
        do {
            fresh->next = head;
            fresh->slot = head == nullptr ? 0 : head->slot + 1;
            // release: a reader of `first_` sees slot and next. The CAS makes slot numbers dense and unique.
        } while (!first_.compare_exchange_weak(head, fresh, std::memory_order_acq_rel, std::memory_order_acquire));
        return *fresh;
    }

    /// By the owner, after an operation; it keeps a row that is marked ENDING.
    static void give_back(row_type& r) noexcept {
        const auto seen = r.state.load(std::memory_order_relaxed);
        r.state.store((seen & row_type::ending) != 0 ? seen : 0, std::memory_order_release);
    }
    /// By the owner, for good.
    static void release(row_type& r) noexcept { r.state.store(0, std::memory_order_release); }

    /// What the threads that have rows do in their light barriers, and what pairs with it.
    typename Sync::barrier_group& barriers() noexcept { return barriers_; }

    /// All addresses that some thread holds. Called after a heavy barrier: a hazard that is not seen here was
    /// published after the barrier, and its reader then finds the node unlinked. False: there is not room enough.
    bool hazards(std::span<const void*> held, std::size_t& count) const noexcept {
        for (const row_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) {
            for (const auto& hazard : r->hazard) {
                // acquire: pairs with the release that cleared it; the reader's last access happened before.
                const void* const p = hazard.load(std::memory_order_acquire);
                if (p == nullptr) continue;
                if (count == held.size()) return false;
                held[count++] = p;
            }
        }
        return true;
    }

    /// Calls `f(row)` for every row there is.
    template <class F>
    void each_row(F&& f) const {
        for (row_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) f(*r);
    }

    /// The most threads that had a row at a time.
    std::size_t row_count() const noexcept {
        // acquire: pairs with the release of `take`, for the slot.
        const row_type* const last = newest();
        return last == nullptr ? 0 : last->slot + std::size_t{1};
    }

    /// In the child of a fork, where the calling thread is the only one: what the others had is free again.
    void free_rows_of_others() noexcept {
        using kept = typename Sync::template per_thread<row_type>;
        const void* const me = Sync::this_thread();
        for (row_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) {
            const auto seen = r->state.load(std::memory_order_relaxed);
            const bool is_ending = (seen & row_type::ending) != 0;
            const bool own = is_ending ? r == kept::get() || r == kept::left() : r->owner.load(std::memory_order_relaxed) == me;
            r->garbage.renew_in_child(!own);
            if (own && is_ending) {
                static_cast<void>(row_type::stays(r)); // by the number that the thread has here
            } else if (own) {
                if ((seen & row_type::number_mask) != 0) r->note_owner();
            } else {
                for (auto& hazard : r->hazard) hazard.store(nullptr, std::memory_order_relaxed);
                release(*r);
            }
        }
    }

private:
    /// acquire: pairs with the release of `take`, for what stands in the row.
    row_type* newest() const noexcept { return first_.load(std::memory_order_acquire); }

    static bool try_take(row_type& r, typename row_type::state_word seen) noexcept {
        // acquire: pairs with the release in give_back; the new owner sees what the old one left in its stripes.
        if (!r.state.compare_exchange_strong(seen, row_type::taken, std::memory_order_acquire)) return false;
        r.owner.store(Sync::this_thread(), std::memory_order_relaxed); // the child of a fork is one thread
        return true;
    }

    static bool may_be_taken(typename row_type::state_word seen) noexcept {
        return seen == 0 || ((seen & row_type::ending) != 0 && Sync::has_ended(seen & row_type::number_mask));
    }

    /// Rows that are asked about each time that there is no free one.
    static constexpr std::size_t asked_at_a_time = 8;

    /// A row whose thread has ended without telling: the library that would have told was closed before. A few rows are
    /// asked about, and the next ones the next time, so that all are found in the end. Null: none of them is one.
    [[gnu::cold]] row_type* take_lost() noexcept {
        row_type* r = newest();
        if (r == nullptr) return nullptr;
        const std::size_t rows = r->slot + std::size_t{1};
        for (std::size_t i = asked_.fetch_add(asked_at_a_time, std::memory_order_relaxed) % rows; i != 0; --i) r = r->next;
        for (std::size_t i = 0; i < asked_at_a_time && r != nullptr; ++i, r = r->next) {
            const auto seen = r->state.load(std::memory_order_relaxed);
            const auto number = seen & row_type::number_mask;
            const bool is_lost = (seen & row_type::ending) == 0 && number != 0 && Sync::has_ended(number);
            if (is_lost && try_take(*r, seen)) return r;
        }
        return nullptr;
    }

    typename Sync::template atomic<row_type*> first_{nullptr};
    typename Sync::template atomic<std::size_t> asked_{0};
    typename Sync::barrier_group barriers_{};
};

/// A row for the calling thread to keep until it ends. Null: it is ending.
template <class Sync>
[[gnu::cold, gnu::noinline]] row<Sync>* take_to_keep(domain<Sync>& of) {
    using kept = typename Sync::template per_thread<row<Sync>>;
    if (kept::left() != nullptr) return nullptr;
    row<Sync>& taken = of.take();
    if constexpr (Sync::knows_ended_threads) taken.note_owner();
    if (kept::set(&taken)) return &taken;
    domain<Sync>::release(taken);
    return kept::get(); // what a signal handler has taken meanwhile, or null
}

/// The row that the calling thread keeps; its first use takes one. Null where it cannot keep one of this domain: it has
/// one of another, or is ending.
template <class Sync>
row<Sync>* kept_row(domain<Sync>& of) {
    row<Sync>* kept = Sync::template per_thread<row<Sync>>::get();
    if (kept == nullptr) [[unlikely]]
        kept = take_to_keep(of);
    return kept != nullptr && kept->home == &of ? kept : nullptr;
}

/// The calling thread's row for the length of one operation: the one that it keeps, or one that it borrows.
template <class Sync>
class thread_lease {
public:
    explicit thread_lease(domain<Sync>& of) : row_(kept_row(of)) {
        if (row_ == nullptr) [[unlikely]]
            borrow(of);
    }
    ~thread_lease() {
        if (borrowed_) [[unlikely]]
            domain<Sync>::give_back(*row_);
    }
    thread_lease(const thread_lease&) = delete;
    thread_lease& operator=(const thread_lease&) = delete;

    row<Sync>& operator*() const noexcept { return *row_; }
    row<Sync>* operator->() const noexcept { return row_; }

private:
    /// A thread that is ending uses the row that it had, and marks it again afterwards.
    [[gnu::cold, gnu::noinline]] void borrow(domain<Sync>& of) {
        row<Sync>* const own = Sync::template per_thread<row<Sync>>::left();
        row_ = own != nullptr && own->home == &of ? own : &of.take();
        borrowed_ = true;
    }

    row<Sync>* row_;
    bool borrowed_ = false;
};

} // namespace syncmap::reclaim
