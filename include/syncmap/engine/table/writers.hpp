// What the writers of a process share beside engine/process.hpp: the pool of thread records, and what `fork` needs to know.
// There is one for each `process`: a program, or a shared library that hides its symbols.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

#include <syncmap/engine/process.hpp>
#include <syncmap/engine/table/writer_record.hpp>

namespace syncmap::engine {

template <class Sync>
struct [[gnu::visibility("default")]] writers {
    template <class U>
    using atomic = typename Sync::template atomic<U>;
    using hazard_record = reclaim::hazard_record<Sync>;
    using record = writer_record<Sync>;

    thread_record_pool<Sync> thread_records;

    // ---- fork; see map_registry.hpp ----

    typename Sync::mutex fork_mutex; ///< held by the thread that forks, from `before_fork` on
    atomic<bool> forking{false};     ///< no map appears or goes

    [[gnu::cold]] writers() : process_(process<Sync>::instance()) { Sync::tell_of_forks(*this); }
    writers(const writers&) = delete;
    writers& operator=(const writers&) = delete;
    ~writers() {
        process_.threads.each_hazard_record(
            [](hazard_record& r) { delete static_cast<record*>(r.attached.exchange(nullptr, std::memory_order_relaxed)); });
    }

    static writers& instance() { return Sync::template process_wide<writers>(); }

    static record* record_or_null(const hazard_record& r) noexcept {
        record* const own = last_record_of(r);
        return own == nullptr || own->orphaned.load(std::memory_order_relaxed) ? nullptr : own;
    }
    /// Returns the record of the calling thread, which has the hazard record; makes it if there is none. Throws `bad_alloc`.
    record& record_of(hazard_record& r) {
        if (record* const own = record_or_null(r)) return *own;
        return make_record(r);
    }
    /// Calls `f(record)` for the record of every thread that has one.
    template <class F>
    void each_record(F f) const {
        process_.threads.each_hazard_record([&](hazard_record& r) {
            if (record* const one = record_or_null(r)) f(*one);
        });
    }

    /// Called by the system in each child, after `process::note_fork`. If no hook prepared the fork, the maps of before are
    /// orphans. The lists in which they are may be in the middle of a change, and are given up with their records.
    void note_fork() noexcept {
        const std::uint32_t now = process_.unprepared_forks.load(std::memory_order_relaxed);
        if (std::exchange(unprepared_forks_, now) == now) return;
        each_record([](record& w) { w.orphaned.store(true, std::memory_order_relaxed); });
        thread_records.renew();
        ::new (static_cast<void*>(&fork_mutex)) typename Sync::mutex;
        forking.store(false, std::memory_order_relaxed);
    }

private:
    static record* last_record_of(const hazard_record& r) noexcept {
        return static_cast<record*>(r.attached.load(std::memory_order_acquire)); // (1) acquire: pairs with (2)
    }
    [[gnu::cold, gnu::noinline]] record& make_record(hazard_record& r) {
        auto* const fresh = new record(last_record_of(r));
        fresh->garbage = &r.garbage;
        fresh->all = this;
        // (2) release: pairs with the acquire of (1); without it the thread that forks may see a record before its contents.
        r.attached.store(fresh, std::memory_order_release);
        return *fresh;
    }

    process<Sync>& process_;
    std::uint32_t unprepared_forks_ = process_.unprepared_forks.load(std::memory_order_relaxed); ///< that this object knows of
};

} // namespace syncmap::engine
