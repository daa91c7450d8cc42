// Which loads of one cache run now, by the hashes of their keys: so that a writer can tell a load that its result has come too
// late. A load is *overtaken* by a write or an erase of its key that took place after the load had begun.
//
// | word         | written by                             | read by                                      |
// |--------------|----------------------------------------|----------------------------------------------|
// | `running`    | loads, when they begin and end (RMW)   | writers, under the lock of their key's bucket |
// | a record     | its load, before it counts itself      | writers of a key with the hash               |
// | its `name`   | those writers: that it is overtaken    | its load, under the lock of its key's bucket |
// | `storing`    | its load, around its write             | `wait_for_writes`                            |
//
// Records are never freed before the registry: a writer may look at one whose load has ended. The name of a load and whether
// it is overtaken are one word, which the writer changes by a compare-exchange. So it does nothing to a load of another key
// that uses the record next.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap::engine {

template <class Sync>
struct alignas(detail::cache_line_bytes) load_record {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    atomic<bool> taken{false};
    atomic<bool> alone{false}; ///< no other thread comes to share it; so for a load beside another one of the key
    atomic<bool> storing{false}; ///< it may have looked for the last time whether it is overtaken, and has not stored yet
    /// The hash, but for its lowest bit: that tells whether the load is overtaken.
    atomic<std::uint64_t> name{0};
    atomic<const void*> thread{nullptr};
    load_record* next = nullptr; ///< constant once published

    static constexpr std::uint64_t overtaken = 1;

    static bool is_of(std::uint64_t name, std::uint64_t hash) noexcept { return (name | overtaken) == (hash | overtaken); }
    bool is_overtaken(std::memory_order order) const noexcept { return (name.load(order) & overtaken) != 0; }
    /// Overtakes the load that it is of, if that is of a key with the hash.
    void overtake(std::uint64_t hash) noexcept {
        std::uint64_t seen = name.load(std::memory_order_relaxed);
        while ((seen & overtaken) == 0 && is_of(seen, hash) &&
               !name.compare_exchange_weak(seen, seen | overtaken, std::memory_order_release, std::memory_order_relaxed)) {}
    }
};

template <class Sync>
class load_registry {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

public:
    using record = load_record<Sync>;

    load_registry() = default;
    load_registry(const load_registry&) = delete;
    load_registry& operator=(const load_registry&) = delete;
    ~load_registry() {
        for (atomic<record*>& list : lists_) {
            for (record* r = list.load(std::memory_order_relaxed); r != nullptr;) {
                record* const next = r->next;
                delete r;
                r = next;
            }
        }
    }

    /// A record for a load of the calling thread, that does not count yet. Throws `bad_alloc`.
    record& take(std::uint64_t hash) {
        atomic<record*>& list = list_of(hash);
        record* mine = nullptr;
        for (record* r = list.load(std::memory_order_acquire); r != nullptr && mine == nullptr; r = r->next) {
            // acquire: pairs with the release in `give_back`.
            if (!r->taken.load(std::memory_order_relaxed) && !r->taken.exchange(true, std::memory_order_acquire)) mine = r;
        }
        const bool fresh = mine == nullptr;
        if (fresh) mine = new record;
        if (fresh) mine->taken.store(true, std::memory_order_relaxed);
        mine->alone.store(false, std::memory_order_relaxed);
        mine->name.store(hash & ~record::overtaken, std::memory_order_relaxed);
        mine->thread.store(Sync::this_thread(), std::memory_order_relaxed);
        if (fresh) {
            record* first = list.load(std::memory_order_relaxed);
            do mine->next = first;
            while (!list.compare_exchange_weak(first, mine, std::memory_order_release, std::memory_order_relaxed));
        }
        return *mine;
    }
    void give_back(record& r) noexcept { r.taken.store(false, std::memory_order_release); }

    /// The load counts from here on. Its thread then has the lock of the key's bucket once: a writer that has it later sees
    /// the load, and what an earlier one wrote is seen by the load.
    void begin(const record& r) noexcept {
        running_of(r.name.load(std::memory_order_relaxed)).fetch_add(1, std::memory_order_seq_cst);
        Sync::fence_after_rmw();
    }
    void end(const record& r) noexcept {
        running_of(r.name.load(std::memory_order_relaxed)).fetch_sub(1, std::memory_order_release);
    }

    /// Whether a load with such a hash may be running. After a fence, which pairs with the one in `begin`.
    bool may_run(std::uint64_t hash) const noexcept { return running_[place_of(hash)].load(std::memory_order_acquire) != 0; }

    /// Whether a load of a key with this hash runs, or has just ended. As `may_run`.
    bool is_running(std::uint64_t hash) const noexcept {
        if (!may_run(hash)) return false;
        for (const record* r = lists_[place_of(hash)].load(std::memory_order_acquire); r != nullptr; r = r->next) {
            if (record::is_of(r->name.load(std::memory_order_relaxed), hash) && r->taken.load(std::memory_order_relaxed))
                return true;
        }
        return false;
    }

    /// Overtakes the loads with this hash that count. By a writer, with the lock of the key's bucket, before it publishes.
    [[gnu::always_inline]] void overtake(std::uint64_t hash) noexcept {
        if (may_run(hash)) [[unlikely]]
            overtake_running(hash);
    }
    void overtake_all() noexcept {
        each_record([](record& r) { r.name.fetch_or(record::overtaken, std::memory_order_release); });
    }
    /// After `overtake_all` and a fence: waits until no load stores what it has looked at before. Where all loads say that they
    /// are `storing`.
    void wait_for_writes() noexcept {
        each_record([](record& r) {
            // (3) acquire: pairs with (4): what the load has stored is seen.
            for (unsigned looks = 0; r.is_overtaken(std::memory_order_relaxed) && r.storing.load(std::memory_order_acquire);)
                Sync::give_way(looks++);
        });
    }
    /// The load looks whether it is overtaken, and stores, until `ends_storing`. No user code runs meanwhile.
    void begins_storing(record& r) noexcept {
        r.storing.store(true, std::memory_order_relaxed);
        Sync::fence(); // pairs with the one of the thread that overtakes all: it waits for this load, or is seen by it
    }
    void ends_storing(record& r) noexcept { r.storing.store(false, std::memory_order_release); } // (4)

private:
    template <class F>
    void each_record(F f) noexcept {
        for (atomic<record*>& list : lists_) {
            for (record* r = list.load(std::memory_order_acquire); r != nullptr; r = r->next) f(*r);
        }
    }
    [[gnu::noinline]] void overtake_running(std::uint64_t hash) noexcept {
        for (record* r = list_of(hash).load(std::memory_order_acquire); r != nullptr; r = r->next) r->overtake(hash);
    }

    /// Many lists, so that each is short where one thread loads thousands of keys.
    static constexpr std::size_t places = 128;

    static std::size_t place_of(std::uint64_t hash) noexcept { return static_cast<std::size_t>(hash >> 8) % places; }
    atomic<std::uint32_t>& running_of(std::uint64_t hash) noexcept { return running_[place_of(hash)]; }
    atomic<record*>& list_of(std::uint64_t hash) noexcept { return lists_[place_of(hash)]; }

    atomic<std::uint32_t> running_[places] = {};
    atomic<record*> lists_[places] = {};
};

} // namespace syncmap::engine
