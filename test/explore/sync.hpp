// The policy whose every operation is an event of the scheduler. Its members are those of engine::machine.
//
// Two memories (a search says which). Sequentially consistent: memory orders are taken and not used, barriers do
// nothing; what is missing between threads then is missing on every machine. Weak: weak_memory.hpp. There is no time
// either way: a sleeper that no thread wakes sleeps for ever, and is reported; time limits end when the search says so.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <type_traits>

#include <explore/scheduler.hpp>

#include <syncmap/engine/tuning.hpp>

namespace explore {

template <class T>
class atomic {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));

public:
    using value_type = T;
    using difference_type = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;
    static constexpr bool is_always_lock_free = true;

    constexpr atomic() noexcept : atomic(T{}) {}
    constexpr atomic(T value) noexcept : value_(value) {
        if (!std::is_constant_evaluated() && scheduler::weak()) memory().forget(this);
    }
    atomic(const atomic&) = delete;
    atomic& operator=(const atomic&) = delete;

    T load(std::memory_order order = std::memory_order_seq_cst, site where = site::here()) const noexcept {
        before(event::load, where);
        if (!scheduler::weak()) return seen(now(), 0);
        const auto r = memory().load(this, bits(now()), order, choose_store);
        return seen(from_bits(r.value), r.behind);
    }
    void store(T desired, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) noexcept {
        before(event::store, where);
        scheduler::instance().stored();
        const unsigned behind = scheduler::weak() ? memory().store(this, bits(now()), bits(desired), order, choose_store) : 0;
        if (behind != 0) { // overwritten before a thread saw it
            scheduler::instance().did(false, bits(desired), bits(desired), behind);
            return;
        }
        set(desired);
    }
    T exchange(T desired, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) noexcept {
        before(event::exchange, where);
        return change(desired, order);
    }

    bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                                 site where = site::here()) noexcept {
        before(event::compare_exchange, where);
        const T wanted = expected; // a compare-exchange that succeeds releases this read as well
        T found = now();
        unsigned behind = 0;
        if (scheduler::weak()) {
            const auto r =
                memory().compare_exchange(this, bits(found), bits(wanted), bits(desired), success, failure, choose_store);
            found = from_bits(r.value);
            behind = r.behind;
        }
        if (bits(found) == bits(wanted)) {
            scheduler::instance().drained();
            set(desired);
            return true;
        }
        expected = seen(found, behind);
        return false;
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                                 site where = site::here()) noexcept {
        return compare_exchange_strong(expected, desired, order, when_it_fails(order), where);
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               site where = site::here()) noexcept {
        return compare_exchange_strong(expected, desired, success, failure, where);
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                               site where = site::here()) noexcept {
        return compare_exchange_strong(expected, desired, order, when_it_fails(order), where);
    }

    T fetch_add(difference_type operand, std::memory_order order = std::memory_order_seq_cst,
                site where = site::here()) noexcept {
        before(event::fetch_add, where);
        return change(static_cast<T>(now() + operand), order);
    }
    T fetch_sub(difference_type operand, std::memory_order order = std::memory_order_seq_cst,
                site where = site::here()) noexcept {
        before(event::fetch_sub, where);
        return change(static_cast<T>(now() - operand), order);
    }
    T fetch_and(T operand, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) noexcept
        requires std::integral<T>
    {
        before(event::fetch_and, where);
        return change(static_cast<T>(now() & operand), order);
    }
    T fetch_or(T operand, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) noexcept
        requires std::integral<T>
    {
        before(event::fetch_or, where);
        return change(static_cast<T>(now() | operand), order);
    }

private:
    friend struct sync_policy;

    static std::uint64_t bits(const T& value) noexcept {
        std::uint64_t word = 0;
        std::memcpy(&word, &value, sizeof value);
        return word;
    }
    static T from_bits(std::uint64_t word) noexcept {
        T value;
        std::memcpy(&value, &word, sizeof value);
        return value;
    }
    static constexpr std::memory_order when_it_fails(std::memory_order order) noexcept {
        if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
        return order == std::memory_order_release ? std::memory_order_relaxed : order;
    }
    static weak_memory& memory() noexcept { return scheduler::instance().memory(); }
    static unsigned choose_store(unsigned count) { return scheduler::instance().choose_store(count); }

    void before(event what, site where) const noexcept { scheduler::instance().at(what, this, where); }
    T seen(T value, unsigned behind) const noexcept {
        scheduler::instance().did(false, bits(value), bits(value), behind);
        return value;
    }
    T change(T desired, std::memory_order order) noexcept {
        scheduler::instance().drained();
        if (scheduler::weak()) memory().change(this, bits(now()), bits(desired), order);
        return set(desired);
    }
    T set(T desired) noexcept {
        const T previous = now();
        write(desired);
        scheduler::instance().did(bits(previous) != bits(desired), bits(previous), bits(desired));
        return previous;
    }

    // The newest value. What watches plain accesses (plain_access.hpp) does not count these.
    EXPLORE_UNWATCHED_ACCESS T now() const noexcept { return value_; }
    EXPLORE_UNWATCHED_ACCESS void write(T value) noexcept { value_ = value; }

    alignas(sizeof(T)) T value_;
};

class mutex {
public:
    constexpr mutex() noexcept = default;
    mutex(const mutex&) = delete;
    mutex& operator=(const mutex&) = delete;

    EXPLORE_UNWATCHED_ACCESS void lock(site where = site::here()) {
        scheduler& s = scheduler::instance();
        s.at(event::lock, this, where);
        while (locked_) s.sleep(this);
        take();
        s.did(true, 0, 1);
    }
    EXPLORE_UNWATCHED_ACCESS bool try_lock(site where = site::here()) {
        scheduler& s = scheduler::instance();
        s.at(event::lock, this, where);
        const bool free = !locked_;
        if (free) take();
        s.did(free, free ? 0 : 1, 1);
        return free;
    }
    void unlock(site where = site::here()) {
        scheduler& s = scheduler::instance();
        s.at(event::unlock, this, where);
        release();
    }

private:
    friend class condition;

    EXPLORE_UNWATCHED_ACCESS void take() {
        locked_ = true;
        if (scheduler::weak()) scheduler::instance().memory().change(this, 0, 1, std::memory_order_acquire);
    }
    EXPLORE_UNWATCHED_ACCESS void release() {
        if (!locked_) scheduler::instance().fail("a mutex is unlocked that nobody holds");
        locked_ = false;
        if (scheduler::weak()) {
            const auto newest = [](unsigned) { return 0U; };
            scheduler::instance().memory().store(this, 1, 0, std::memory_order_release, newest);
        }
        scheduler::instance().wake(this);
        scheduler::instance().did(true, 1, 0);
    }

    bool locked_ = false;
};

/// Nothing but a place where threads sleep: its address.
class condition {
public:
    void wait(std::unique_lock<mutex>& lock, site where = site::here()) {
        scheduler& s = scheduler::instance();
        s.at(event::wait, this, where);
        lock.mutex()->release();
        s.sleep(this);
        lock.mutex()->lock(where);
    }
    /// The time limit never comes: the wake-up that it makes up for on some machines must not be lost here.
    void wait_briefly(std::unique_lock<mutex>& lock, site where = site::here()) { wait(lock, where); }
    /// The search says whether the limit is over before the thread sleeps, or while it does: then other threads have the lock
    /// meanwhile.
    template <class Deadline>
    bool wait_until(std::unique_lock<mutex>& lock, const Deadline& limit, site where = site::here()) {
        if (limit.was_over()) return false;
        if (limit.over(where)) {
            lock.mutex()->unlock(where);
            lock.mutex()->lock(where);
        } else {
            wait(lock, where);
        }
        return true;
    }
    void notify_all(site where = site::here()) noexcept {
        scheduler& s = scheduler::instance();
        s.at(event::notify, this, where);
        s.wake(this);
    }
};

struct sync_policy : syncmap::engine::tuning {
    template <class T>
    using atomic = explore::atomic<T>;
    using mutex = explore::mutex;
    using condition = explore::condition;
    using word_pair = syncmap::sync::word_pair;

    static constexpr bool has_pair_access = true;

    static word_pair load_pair(const atomic<std::uint64_t>* words, site where = site::here()) noexcept {
        scheduler& s = scheduler::instance();
        s.at(event::load_pair, words, where);
        word_pair pair{words[0].now(), words[1].now()};
        unsigned behind = 0;
        if (scheduler::weak()) {
            const auto r = s.memory().load_pair(words, pair.first, words + 1, pair.second,
                                                [&](unsigned count) { return s.choose_store(count); });
            pair = {r.first, r.second};
            behind = r.behind;
        }
        s.did(false, pair.first, pair.second, behind);
        return pair;
    }
    static void store_pair(atomic<std::uint64_t>* words, word_pair pair, site where = site::here()) noexcept {
        scheduler& s = scheduler::instance();
        s.at(event::store_pair, words, where);
        s.stored();
        if (scheduler::weak()) {
            s.memory().store_pair(words, words[0].now(), pair.first, words + 1, words[1].now(), pair.second);
        }
        words[0].write(pair.first);
        words[1].write(pair.second);
        s.did(true, pair.first, pair.second);
    }

    static bool compare_exchange_pair(atomic<std::uint64_t>* words, word_pair& expected, word_pair desired,
                                      site where = site::here()) noexcept {
        scheduler& s = scheduler::instance();
        s.at(event::change_pair, words, where);
        const word_pair now{words[0].now(), words[1].now()};
        const bool same = now.first == expected.first && now.second == expected.second;
        if (!same) {
            if (scheduler::weak()) {
                static_cast<void>(s.memory().load_pair(words, now.first, words + 1, now.second, [](unsigned) { return 0U; }));
            }
            expected = now;
            s.did(false, now.first, now.second, 0);
            return false;
        }
        s.drained();
        if (scheduler::weak()) {
            s.memory().change_pair(words, now.first, desired.first, words + 1, now.second, desired.second);
        }
        words[0].write(desired.first);
        words[1].write(desired.second);
        s.did(true, desired.first, desired.second);
        return true;
    }

    static void light_barrier() noexcept {
        if (scheduler::weak()) scheduler::instance().memory().light_barrier();
    }
    [[nodiscard]] static bool heavy_barrier(site where = site::here()) noexcept {
        scheduler::instance().at(event::barrier, nullptr, where);
        if (scheduler::weak()) scheduler::instance().memory().heavy_barrier();
        return true;
    }
    /// All threads do the same here, and no system refuses anything.
    struct barrier_group {
        static void join() noexcept {}
        [[nodiscard]] static bool heavy_barrier(site where = site::here()) noexcept {
            return sync_policy::heavy_barrier(where);
        }
        [[nodiscard]] static bool heavy_barrier_to_free(site where = site::here()) noexcept {
            return sync_policy::heavy_barrier(where);
        }
        static void require_freeing() noexcept {}
        static bool is_freeing() noexcept { return true; }
    };
    static void fence() noexcept {
        if (scheduler::weak()) scheduler::instance().memory().full_fence();
    }
    /// On x86-64 it is the read-modify-write that is the fence: no store may come between.
    static void fence_after_rmw() noexcept {
        if (scheduler::instance().has_stored()) {
            scheduler::instance().fail("a fence after a read-modify-write comes after a store");
        }
        fence();
    }

    static void pause(site where = site::here()) noexcept { scheduler::instance().pause(where); }
    static void back_off(unsigned, site where = site::here()) noexcept { scheduler::instance().pause(where); }
    static void give_way(unsigned, site where = site::here()) noexcept { scheduler::instance().pause(where); }
    static constexpr int spins_before_sleep = 1;

    static constexpr std::uint32_t longest_count = 1;
    static constexpr std::uint32_t longest_cut = 1;

    class deadline {
    public:
        /// A limit of an hour or more never comes.
        explicit deadline(std::uint64_t microseconds) noexcept : comes_(microseconds < 3'600'000'000U) {}
        bool over(site where = site::here()) const noexcept {
            if (!over_ && comes_) over_ = scheduler::instance().deadline_over(where);
            return over_;
        }
        bool was_over() const noexcept { return over_; }

    private:
        const bool comes_;
        mutable bool over_ = false; // time does not go back
    };

    template <class T>
    static T& process_wide() {
        static constexpr char key = 0;
        return *static_cast<T*>(scheduler::instance().process_wide(
            &key, []() -> void* { return new T(); }, [](void* object) { delete static_cast<T*>(object); }));
    }

    template <class T>
    struct per_thread {
        static T* get() noexcept { return static_cast<T*>(scheduler::instance().slots().value[slot()]); }
        static T* left() noexcept { return nullptr; }
        static bool set(T* value) {
            auto& own = scheduler::instance().slots();
            if (own.ended) return false;
            own.value[slot()] = value;
            own.at_exit[slot()] = [](void* object) {
                if constexpr (requires(T* mine) { T::stays(mine); }) {
                    if (T::stays(static_cast<T*>(object))) return;
                }
                T::thread_exits(static_cast<T*>(object));
            };
            return true;
        }

    private:
        static unsigned slot() {
            static const unsigned number = scheduler::instance().new_slot();
            return number;
        }
    };

    static const void* this_thread() noexcept { return &scheduler::instance().slots(); }
    /// All threads tell of their end: no other thread has to ask about those that do not.
    static constexpr bool knows_ended_threads = false;
    static std::uint32_t number_of_this_thread() noexcept { return scheduler::instance().running_fiber() + 1; }
    static bool has_ended(std::uint32_t thread) noexcept { return scheduler::instance().has_ended(thread - 1); }

    static std::size_t page_bytes() noexcept { return std::size_t{1} << 12; }
    static constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;
    static constexpr bool has_pages = false;
    static void* map_pages(std::size_t) noexcept { return nullptr; }
    static void prefer_huge_pages(void*, std::size_t, bool) noexcept {}
    static void gather_huge_page(void*) noexcept {}
    static bool empty_pages(void*, std::size_t) noexcept { return false; }
    static void unmap_pages(void*, std::size_t) noexcept {}

    static void forbid_access(void* memory, std::size_t bytes) noexcept {
        if (const char* wrong = arena::instance().forbid(memory, bytes)) scheduler::instance().fail(wrong);
    }
    static void allow_access(const void* memory, std::size_t) noexcept { arena::instance().allow(memory); }

    static void join_freed_blocks() noexcept {}

    static std::uint64_t random_word() noexcept { return 0x9E3779B97F4A7C15U; }

    template <class T>
    static void tell_of_forks(T&) noexcept {}

    // ---- the numbers of engine/tuning.hpp, made small ----

    /// log2 of the buckets that a map begins with: most programs are about tables of two and more.
    static unsigned smallest_log2() noexcept { return scheduler::instance().begins_with_one_bucket() ? 0 : 1; }
    static constexpr std::size_t computing_counters = 32;
    static constexpr std::size_t thread_records_per_slab = 4;
    static constexpr std::uint32_t most_spare_blocks = 0;
    static constexpr std::uint32_t most_snapshots = ~std::uint32_t{0};
    static constexpr std::size_t first_slab_bytes = 256; // a record or two
    static constexpr std::size_t most_slab_bytes = 256;
    static constexpr std::uint32_t retire_batch = 1;
    static constexpr std::uint32_t garbage_slots = 1;
    static constexpr std::size_t batches_between_scans(std::size_t) noexcept { return 1; }
    static std::uint32_t most_cached_nodes() noexcept { return scheduler::instance().keeps_spares() ? 1 : 0; }
    static constexpr std::size_t migration_batch = 1;
    static constexpr std::size_t groups_ahead = 0;
    /// The table of one bucket grows by two; where maps begin with two buckets, that one grows by four: programs meet both.
    static unsigned second_log2() noexcept { return scheduler::instance().begins_with_one_bucket() ? 1 : 3; }
    static constexpr std::size_t dense_buckets = 0; // none: a table of eight with two lines is full with fewer entries
    static unsigned most_log2_by_four() noexcept { return scheduler::instance().begins_with_one_bucket() ? 1 : 15; }
    static constexpr std::uint32_t writes_between_recycling = 1;
    static constexpr std::uint32_t looks_between_barriers = 0;
    static constexpr std::size_t walk_run = 4; // two full buckets
    static constexpr std::size_t walk_lookahead = 0; // what is only asked for says nothing
    static constexpr std::uint32_t shrink_check_interval = 1;
    static constexpr std::uint32_t writes_until_direct = 1;
    static constexpr std::size_t flight_shards = 2;
    static constexpr std::size_t flight_chains = 1;
    static constexpr unsigned most_losses = 1;
    static constexpr std::size_t dead_keys_kept = 0;
};

} // namespace explore
