// Hazard pointers for the process: who looks at which node right now.
//
// Source: M. Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects" (2004), with the
// reader's fence moved to the reclaimer (asymmetric barrier), as in folly and P2530.
//
// A *row* belongs to one thread at a time: its hazards and its slot number (which stripe it uses in a map).
// Threads take a row on first use and give it back when they end; rows are never freed. A thread that is
// ending already (a map used from the destructor of another thread-local) borrows a row per operation.
//
// A program and the libraries that it loads may have a domain each, where their symbols are hidden. A map names the
// domain that it was first written to in, and whoever uses it, from whichever library, takes a row of that one.
//
// | word             | written by                | read by       |
// |------------------|---------------------------|---------------|
// | `first_`, `next` | who adds a row (CAS)      | all           |
// | `taken`          | CAS by takers, owner      | takers        |
// | `owner`          | who has taken the row     | the child of a fork |
// | `hazard[]`       | the owner, release stores | reclaimers    |
// | `attached`       | the owner, once           | the layer above |
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap::reclaim {

template <class Sync>
class domain;

template <class Sync>
struct [[gnu::visibility("default")]] alignas(detail::cache_line_bytes) row {
    static constexpr std::size_t hazards = 4;

    typename Sync::template atomic<const void*> hazard[hazards] = {};
    typename Sync::template atomic<bool> taken{false};
    std::uint32_t slot = 0;       ///< dense number of the thread; constant
    row* next = nullptr;          ///< constant once published
    domain<Sync>* home = nullptr; ///< constant once published
    typename Sync::template atomic<const void*> owner{nullptr};
    typename Sync::template atomic<void*> attached{nullptr}; ///< what the layer above keeps for the thread

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
        for (row_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) {
            bool expected = false;
            // acquire: pairs with the release in give_back; the new owner sees what the old one left in its stripes.
            if (!r->taken.load(std::memory_order_relaxed) &&
                r->taken.compare_exchange_strong(expected, true, std::memory_order_acquire)) {
                r->owner.store(Sync::this_thread(), std::memory_order_relaxed); // the child of a fork is one thread
                return *r;
            }
        }
        auto* const fresh = new row_type;
        fresh->taken.store(true, std::memory_order_relaxed);
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

    static void give_back(row_type& r) noexcept { r.taken.store(false, std::memory_order_release); }

    /// All addresses that some thread holds. Called after a heavy barrier: a hazard that is not seen here was
    /// published after the barrier, and its reader then finds the node unlinked.
    void hazards(std::vector<const void*>& held) const {
        for (const row_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) {
            for (const auto& hazard : r->hazard) {
                // acquire: pairs with the release that cleared it; the reader's last access happened before.
                if (const void* p = hazard.load(std::memory_order_acquire)) held.push_back(p);
            }
        }
    }

    /// Calls `f(row)` for every row there is.
    template <class F>
    void each_row(F&& f) const {
        for (row_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) f(*r);
    }

    /// The most threads that had a row at a time.
    std::size_t row_count() const noexcept {
        // acquire: pairs with the release of `take`, for the slot.
        const row_type* const newest = first_.load(std::memory_order_acquire);
        return newest == nullptr ? 0 : newest->slot + std::size_t{1};
    }

    /// In the child of a fork, where the calling thread is the only one: what the others had is free again.
    void free_rows_of_others() noexcept {
        const void* const me = Sync::this_thread();
        for (row_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) {
            if (r->owner.load(std::memory_order_relaxed) == me) continue;
            for (auto& hazard : r->hazard) hazard.store(nullptr, std::memory_order_relaxed);
            give_back(*r);
        }
    }

private:
    typename Sync::template atomic<row_type*> first_{nullptr};
};

/// A row for the calling thread to keep until it ends. Null: it is ending.
template <class Sync>
[[gnu::cold, gnu::noinline]] row<Sync>* take_to_keep(domain<Sync>& of) {
    row<Sync>& taken = of.take();
    if (Sync::template per_thread<row<Sync>>::set(&taken)) return &taken;
    domain<Sync>::give_back(taken);
    return nullptr;
}

/// The row that the calling thread keeps; its first use takes one. Null where it cannot keep one of this domain: it has
/// one of another, or is ending.
template <class Sync>
row<Sync>* kept_row(domain<Sync>& of) {
    row<Sync>* kept = Sync::template per_thread<row<Sync>>::get();
    if (kept == nullptr) [[unlikely]] kept = take_to_keep(of);
    return kept != nullptr && kept->home == &of ? kept : nullptr;
}

/// The calling thread's row for the length of one operation: the one that it keeps, or one that it borrows.
template <class Sync>
class thread_lease {
public:
    explicit thread_lease(domain<Sync>& of) : row_(kept_row(of)) {
        if (row_ == nullptr) [[unlikely]] borrow(of);
    }
    ~thread_lease() {
        if (borrowed_) [[unlikely]] domain<Sync>::give_back(*row_);
    }
    thread_lease(const thread_lease&) = delete;
    thread_lease& operator=(const thread_lease&) = delete;

    row<Sync>& operator*() const noexcept { return *row_; }
    row<Sync>* operator->() const noexcept { return row_; }

private:
    [[gnu::cold, gnu::noinline]] void borrow(domain<Sync>& of) {
        row_ = &of.take();
        borrowed_ = true;
    }

    row<Sync>* row_;
    bool borrowed_ = false;
};

} // namespace syncmap::reclaim
