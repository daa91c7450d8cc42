// Hazard pointers for the process: the nodes that each thread reads at the moment.
//
// Source: M. Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects" (2004), with the
// reader's fence moved to the reclaimer (asymmetric barrier), as in folly and P2530.
//
// A *hazard record* belongs to one thread at a time. It has the thread's hazards and its slot number, which chooses the
// thread's record in each map. A thread takes a hazard record on first use and keeps it until it ends. Hazard records are
// never freed.
//
// A thread whose end has begun marks its hazard record ENDING. It still uses the record, in destructors and signal handlers.
// Another thread takes an ENDING hazard record when the system reports that its owner has ended. Where the system does not
// report that, the hazard record is free at once; an ending thread then borrows a hazard record for each operation.
//
// Where symbols are hidden, a program and each library that it loads may have a domain of their own. A map uses the domain of
// the program or library that first wrote to it. A thread that uses the map, from any library, takes a hazard record of that
// domain.
//
// | word             | written by                              | read by                                  |
// |------------------|-----------------------------------------|------------------------------------------|
// | `first_`, `next` | the thread that adds a record (CAS)     | all                                      |
// | `state`          | a thread that takes it (CAS), the owner | threads that look for a record           |
// | `owner`          | the thread that takes the record        | the child of a fork, destructors of maps |
// | `hazard[]`       | the owner, release stores               | reclaimers                               |
// | `attached`       | the owner, once                         | the layer above                          |
// | `notes`          | the owner                               | the owner                                |
// | `garbage`        | see thread_garbage.hpp                  |                                          |
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/reclaim/thread_garbage.hpp>

namespace syncmap::reclaim {

template <class Sync>
class domain;

template <class Sync>
struct [[gnu::visibility("default")]] alignas(detail::cache_line_bytes) hazard_record {
    static constexpr std::size_t hazards = 4;

    /// 0: free. Else TAKEN, perhaps ENDING, and the number by which the system knows the owner, if it does.
    using state_word = std::uint32_t;
    static constexpr state_word taken = state_word{1} << 31;
    static constexpr state_word ending = state_word{1} << 30; ///< ask whether the owner has ended
    static constexpr state_word number_mask = ending - 1;

    typename Sync::template atomic<const void*> hazard[hazards] = {};
    typename Sync::template atomic<state_word> state{0};
    std::uint32_t slot = 0; ///< dense number of the thread; constant
    hazard_record* next = nullptr; ///< constant once published
    domain<Sync>* home = nullptr; ///< constant once published
    typename Sync::template atomic<const void*> owner{nullptr};
    typename Sync::template atomic<void*> attached{nullptr}; ///< what the layer above keeps for the thread

    /// A cache for the layer above: what it looks up by a number in each operation of the thread. No such number is 0. A later
    /// note may replace an earlier one.
    struct note {
        std::uint64_t number = 0;
        void* what = nullptr;
    };
    static constexpr std::size_t note_count = 16;
    note notes[note_count] = {};
    const note& note_of(std::uint64_t number) const noexcept { return notes[static_cast<std::size_t>(number % note_count)]; }
    void remember(std::uint64_t number, void* what) noexcept {
        notes[static_cast<std::size_t>(number % note_count)] = {number, what};
    }

    thread_garbage<Sync> garbage{};

    // ---- by Sync::per_thread ----

    /// Marks the hazard record of the calling thread ENDING: another thread may take it once the caller has ended. Returns
    /// false if the system does not report ended threads.
    static bool stays(hazard_record* own) noexcept {
        const state_word number = number_of_this_thread();
        if (number == 0) return false;
        // (1) release: pairs with the acquire of (6) in try_take(); without it the next owner may miss what this thread has
        // left in its thread records.
        own->state.store(taken | ending | number, std::memory_order_release);
        return true;
    }
    /// Called by the owner, which keeps the hazard record. If the owner's end is not reported, other threads ask the system by
    /// this number.
    void note_owner() noexcept { state.store(taken | number_of_this_thread(), std::memory_order_relaxed); }
    static state_word number_of_this_thread() noexcept {
        const state_word number = Sync::number_of_this_thread();
        return number <= number_mask ? number : 0;
    }
    static void thread_exits(hazard_record* ended) noexcept { domain<Sync>::give_back(*ended); }
};

template <class Sync>
class [[gnu::visibility("default")]] domain {
public:
    using hazard_record_type = hazard_record<Sync>;

    domain() = default;
    domain(const domain&) = delete;
    domain& operator=(const domain&) = delete;
    ~domain() {
        for (hazard_record_type* r = first_.load(std::memory_order_relaxed); r != nullptr;) {
            hazard_record_type* const next = r->next;
            delete r;
            r = next;
        }
    }

    /// Returns a free hazard record, or a new one. Lock-free; allocates only if all hazard records are taken.
    [[gnu::cold]] hazard_record_type& take() {
        barriers_.join();
        for (hazard_record_type* r = newest(); r != nullptr; r = r->next) {
            const auto seen = r->state.load(std::memory_order_relaxed);
            if (may_be_taken(seen) && try_take(*r, seen)) return *r;
        }
        if constexpr (Sync::knows_ended_threads) {
            if (hazard_record_type* const lost = take_lost()) return *lost;
        }
        auto* const fresh = new hazard_record_type;
        fresh->state.store(hazard_record_type::taken, std::memory_order_relaxed);
        fresh->owner.store(Sync::this_thread(), std::memory_order_relaxed);
        fresh->home = this;
        hazard_record_type* head = first_.load(std::memory_order_acquire);
        do {
            fresh->next = head;
            fresh->slot = head == nullptr ? 0 : head->slot + 1;
            // (2) release: pairs with the acquire loads of `first_`, here and in (5); without it a thread that walks the list
            // may read `slot`, `next` or `home` before they are set. The CAS makes slot numbers dense and unique.
        } while (!first_.compare_exchange_weak(head, fresh, std::memory_order_acq_rel, std::memory_order_acquire));
        return *fresh;
    }

    /// Called by the owner after an operation. A hazard record that is marked ENDING stays the owner's. (3) release: as (1).
    static void give_back(hazard_record_type& r) noexcept {
        const auto seen = r.state.load(std::memory_order_relaxed);
        r.state.store((seen & hazard_record_type::ending) != 0 ? seen : 0, std::memory_order_release);
    }
    /// Called by the owner, which does not use the hazard record again. release: as (1).
    static void release(hazard_record_type& r) noexcept { r.state.store(0, std::memory_order_release); }

    /// Returns the group of the threads that have hazard records, whose light barriers pair with its heavy barriers.
    typename Sync::barrier_group& barriers() noexcept { return barriers_; }

    /// Appends to `held`, which has `count` of them and `room` for more, all addresses that hazards name. Returns false if
    /// there is too little room. Called after a heavy barrier: a hazard that is not seen here was published after it, so the
    /// reader finds the node unlinked.
    bool hazards(const void** held, std::size_t room, std::size_t& count) const noexcept {
        for (const hazard_record_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) {
            for (const auto& hazard : r->hazard) {
                // (4) acquire: pairs with the releases of (4) and (5) in node.hpp; without it a node may be destroyed during
                // a reader's last access.
                const void* const p = hazard.load(std::memory_order_acquire);
                if (p == nullptr) continue;
                if (count == room) return false;
                held[count++] = p;
            }
        }
        return true;
    }

    /// Calls `f(hazard_record)` for every hazard record.
    template <class F>
    void each_hazard_record(F&& f) const {
        for (hazard_record_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) f(*r);
    }

    /// Returns the number of hazard records, taken and free: the most that were in use at a time.
    std::size_t hazard_record_count() const noexcept {
        const hazard_record_type* const last = newest();
        return last == nullptr ? 0 : last->slot + std::size_t{1};
    }

    /// Frees the hazard records of all other threads. Called in the child of a fork, where the caller is the only thread.
    void free_hazard_records_of_others() noexcept {
        using kept = typename Sync::template per_thread<hazard_record_type>;
        const void* const me = Sync::this_thread();
        for (hazard_record_type* r = first_.load(std::memory_order_acquire); r != nullptr; r = r->next) {
            const auto seen = r->state.load(std::memory_order_relaxed);
            const bool is_ending = (seen & hazard_record_type::ending) != 0;
            const bool own = is_ending ? r == kept::get() || r == kept::left() : r->owner.load(std::memory_order_relaxed) == me;
            r->garbage.renew_in_child(!own);
            if (own && is_ending) {
                static_cast<void>(hazard_record_type::stays(r)); // with the number that the thread has in the child
            } else if (own) {
                if ((seen & hazard_record_type::number_mask) != 0) r->note_owner();
            } else {
                for (auto& hazard : r->hazard) hazard.store(nullptr, std::memory_order_relaxed);
                release(*r);
            }
        }
    }

private:
    /// (5) acquire: pairs with the release of (2) in take(), as does every acquire load of `first_`.
    hazard_record_type* newest() const noexcept { return first_.load(std::memory_order_acquire); }

    static bool try_take(hazard_record_type& r, typename hazard_record_type::state_word seen) noexcept {
        // (6) acquire: pairs with the releases of (1) and (3); without it the new owner may miss what the old one has left in
        // its thread records.
        if (!r.state.compare_exchange_strong(seen, hazard_record_type::taken, std::memory_order_acquire)) return false;
        r.owner.store(Sync::this_thread(), std::memory_order_relaxed); // relaxed: a thread looks only for its own address
        return true;
    }

    static bool may_be_taken(typename hazard_record_type::state_word seen) noexcept {
        return seen == 0 ||
               ((seen & hazard_record_type::ending) != 0 && Sync::has_ended(seen & hazard_record_type::number_mask));
    }

    /// About how many hazard records a thread asks the system when it finds no free one.
    static constexpr std::size_t asked_at_a_time = 8;

    /// Returns a hazard record whose owner has ended without giving it back, or null. (The library that would have given it
    /// back was closed before.) Each call asks about the next few hazard records, so later calls find all of them.
    [[gnu::cold]] hazard_record_type* take_lost() noexcept {
        hazard_record_type* r = newest();
        if (r == nullptr) return nullptr;
        const std::size_t hazard_records = r->slot + std::size_t{1};
        for (std::size_t i = asked_.fetch_add(asked_at_a_time, std::memory_order_relaxed) % hazard_records; i != 0; --i)
            r = r->next;
        for (std::size_t i = 0; i < asked_at_a_time && r != nullptr; ++i, r = r->next) {
            const auto seen = r->state.load(std::memory_order_relaxed);
            const auto number = seen & hazard_record_type::number_mask;
            const bool is_lost = (seen & hazard_record_type::ending) == 0 && number != 0 && Sync::has_ended(number);
            if (is_lost && try_take(*r, seen)) return r;
        }
        return nullptr;
    }

    typename Sync::template atomic<hazard_record_type*> first_{nullptr};
    typename Sync::template atomic<std::size_t> asked_{0};
    typename Sync::barrier_group barriers_{};
};

/// Returns a hazard record that the calling thread keeps until it ends, or null if the thread is ending.
template <class Sync>
[[gnu::cold, gnu::noinline]] hazard_record<Sync>* take_to_keep(domain<Sync>& of) {
    using kept = typename Sync::template per_thread<hazard_record<Sync>>;
    if (kept::left() != nullptr) return nullptr;
    hazard_record<Sync>& taken = of.take();
    if constexpr (Sync::knows_ended_threads) taken.note_owner();
    if (kept::set(&taken)) return &taken;
    domain<Sync>::release(taken);
    return kept::get(); // the one that a signal handler has taken meanwhile, or null
}

/// Returns the hazard record that the calling thread keeps; the first call takes one. Returns null if the thread keeps one of
/// another domain, or is ending.
template <class Sync>
[[gnu::always_inline]] inline hazard_record<Sync>* kept_hazard_record(domain<Sync>& of) {
    hazard_record<Sync>* kept = Sync::template per_thread<hazard_record<Sync>>::get();
    if (kept == nullptr) [[unlikely]]
        kept = take_to_keep(of);
    return kept != nullptr && kept->home == &of ? kept : nullptr;
}

/// The calling thread's hazard record for the length of one operation: the one that it keeps, or one that it borrows.
template <class Sync>
class thread_lease {
public:
    [[gnu::always_inline]] explicit thread_lease(domain<Sync>& of) : hazard_record_(kept_hazard_record(of)) {
        if (hazard_record_ == nullptr) [[unlikely]]
            borrow(of);
    }
    ~thread_lease() {
        if (borrowed_) [[unlikely]]
            domain<Sync>::give_back(*hazard_record_);
    }
    thread_lease(const thread_lease&) = delete;
    thread_lease& operator=(const thread_lease&) = delete;

    hazard_record<Sync>& operator*() const noexcept { return *hazard_record_; }
    hazard_record<Sync>* operator->() const noexcept { return hazard_record_; }

private:
    /// An ending thread uses the hazard record that it kept; `give_back` leaves that marked ENDING.
    [[gnu::cold, gnu::noinline]] void borrow(domain<Sync>& of) {
        hazard_record<Sync>* const own = Sync::template per_thread<hazard_record<Sync>>::left();
        hazard_record_ = own != nullptr && own->home == &of ? own : &of.take();
        borrowed_ = true;
    }

    hazard_record<Sync>* hazard_record_;
    bool borrowed_ = false;
};

} // namespace syncmap::reclaim
