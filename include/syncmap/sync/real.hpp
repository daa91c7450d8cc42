// The Sync policy: everything by which the concurrent parts touch the machine, in one place.
//
// The engine is a template over this policy and uses no atomic, lock, wait, fence, thread slot, pause or
// raw memory but through it. `sync::real` is the machine itself at no cost; the tests instantiate the
// same engine with a policy whose every operation is a switch point of a scheduler.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <thread>

#include <syncmap/detail/address_checker.hpp>
#include <syncmap/detail/sanitizers.hpp>
#include <syncmap/sync/random_word.hpp>
#include <syncmap/sync/vector_search.hpp>
#include <syncmap/sync/word_pair.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace syncmap::sync {

namespace detail {

#if defined(__linux__) && defined(SYS_membarrier)
/// Linux `membarrier(2)`: 8 = private expedited, 16 = register for it (values of linux/membarrier.h, which
/// older C libraries do not ship).
inline bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0U, 0) == 0; }
inline bool register_membarrier() noexcept { return membarrier(16); }
inline bool heavy_membarrier() noexcept { return membarrier(8); }
#else
inline bool register_membarrier() noexcept { return false; }
inline bool heavy_membarrier() noexcept { return false; }
#endif

} // namespace detail

/// Visible on purpose also where everything else is hidden: what is process-wide must be one for all libraries.
struct [[gnu::visibility("default")]] real {
    template <class T>
    using atomic = std::atomic<T>;
    using mutex = std::mutex;

    /// Inline keys and values need a 16-byte atomic load; see docs/design.md [I3].
#if defined(__x86_64__)
    static constexpr bool has_pair_access = true;
#else
    static constexpr bool has_pair_access = false;
#endif

    // ---- 16-byte access ----

#if defined(__x86_64__)
    /// One atomic 16-byte load with acquire meaning. Aligned SSE loads are single-copy atomic on every
    /// processor that has AVX (Intel SDM 3A 8.1.1, AMD APM 2 7.3.2); without AVX a locked compare-exchange
    /// does it. It is assembly because the compiler may split an intrinsic.
    static word_pair load_pair(const atomic<std::uint64_t>* words) noexcept {
        for (;;) {
            const word_pair pair = raw_load_pair(words);
#if defined(SYNCMAP_THREAD_SANITIZER)
            // The sanitizer does not see assembly: show it the same acquire through the atomics.
            if (words[0].load(std::memory_order_acquire) != pair.first ||
                words[1].load(std::memory_order_acquire) != pair.second) {
                continue;
            }
#endif
            return pair;
        }
    }

    /// One atomic 16-byte store with release meaning; only the holder of the unit's lock stores.
    static void store_pair(atomic<std::uint64_t>* words, word_pair pair) noexcept {
        if (has_avx()) {
            using vector = long long __attribute__((vector_size(16)));
            const vector value = {static_cast<long long>(pair.first), static_cast<long long>(pair.second)};
            asm volatile("movdqa %1, %0" : "=m"(*reinterpret_cast<vector*>(words)) : "x"(value) : "memory");
        } else {
            locked_store_pair(words, pair);
        }
#if defined(SYNCMAP_THREAD_SANITIZER)
        words[1].store(pair.second, std::memory_order_release);
        words[0].store(pair.first, std::memory_order_release);
#endif
    }
#endif

    // ---- a whole line at once; the thread sanitizer, which does not see assembly, gets the engine's loops ----

#if defined(__x86_64__) && !defined(SYNCMAP_THREAD_SANITIZER)
    static bool find_pair(const atomic<std::uint64_t>* line, std::uint64_t first, std::uint64_t& second) noexcept {
        if (has_avx()) [[likely]] return vector_search::find_pair(line, first, second);
        const found_pair found = find_pair_one_by_one(line, first);
        second = found.second;
        return found.hit;
    }
    static unsigned match_pairs(const atomic<std::uint64_t>* line, std::uint64_t first) noexcept {
        return vector_search::match_pairs(line, first);
    }
    static unsigned match_tags(const atomic<std::uint64_t>* line, std::size_t words_per_slot, std::uint64_t tag) noexcept {
        return words_per_slot == 2 ? vector_search::match_pair_tags(line, tag) : vector_search::match_tags(line, tag);
    }
#endif

    // ---- fences ----

    /// A sequentially consistent fence. Any locked instruction is one on x86-64, and the thread sanitizer understands no
    /// other form.
    static void fence() noexcept {
#if defined(__x86_64__) || defined(SYNCMAP_THREAD_SANITIZER)
        static thread_local constinit atomic<int> own{0};
        own.fetch_add(1, std::memory_order_seq_cst);
#else
        std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
    }

    /// Orders a thread's own earlier stores before its later loads, together with `heavy_barrier` on the other
    /// side: only the compiler is held back here where the system lets the other side do the work.
    [[gnu::always_inline]] static void light_barrier() noexcept {
        if (asymmetric()) {
            std::atomic_signal_fence(std::memory_order_seq_cst);
        } else {
            fence();
        }
    }

    /// Every running thread of the process executes a full fence before this returns. False when the system
    /// refused, which it never does after it accepted the registration: then nothing may be freed.
    [[nodiscard]] static bool heavy_barrier() noexcept {
        if (asymmetric()) return detail::heavy_membarrier();
        fence();
        return true;
    }

    /// Orders a store before a locked read-modify-write against a load after it. On x86-64 that
    /// read-modify-write is itself the fence. No store of the thread may lie between the two.
    static void fence_after_rmw() noexcept {
#if defined(__x86_64__)
        std::atomic_signal_fence(std::memory_order_seq_cst);
#else
        fence();
#endif
    }

    // ---- waiting ----

    static void pause() noexcept {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#else
        std::this_thread::yield();
#endif
    }

    /// Lets others do what the next attempt depends on: longer with every attempt, up to a millisecond.
    static void back_off(unsigned attempt) noexcept {
        std::this_thread::sleep_for(std::chrono::microseconds(10U << (attempt < 7 ? attempt : 7U)));
    }

    /// How often a waiter looks again before it sleeps: about a microsecond.
    static constexpr int spins_before_sleep = 40;

    /// A condition to sleep on under a `mutex`; every caller looks again after waking.
    class condition {
    public:
        void wait(std::unique_lock<mutex>& lock) { signal_.wait(lock); }
        /// At most a millisecond: for waits whose wake-up a system without asymmetric barriers might lose.
        void wait_briefly(std::unique_lock<mutex>& lock) {
            // system_clock: the thread sanitizer of GCC 12 knows the wait that it is made of, and not the other.
            signal_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::milliseconds(1));
        }
        void notify_all() noexcept { signal_.notify_all(); }

    private:
        std::condition_variable signal_;
    };

    /// A limit on how long a writer respects a closed gate.
    class lease {
    public:
        bool over() const noexcept { return std::chrono::steady_clock::now() - start_ > std::chrono::microseconds(100); }

    private:
        std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    };

    // ---- threads ----

    /// The one object of its type for the process: made on first use, never destroyed, so that destructors of
    /// statics and of thread-locals may still use a map. Visible across shared libraries on purpose: a map
    /// made in one library and used in another must meet the same hazards.
    template <class T>
    [[gnu::visibility("default")]] static T& process_wide() {
        static T* const object = new T();
        return *object;
    }

    /// A pointer of the calling thread, null at first. `T::thread_exits(T*)` is called with it when the thread ends.
    template <class T>
    struct [[gnu::visibility("default")]] per_thread {
        static T* get() noexcept { return current; }
        /// Keeps `value` until the thread ends; refuses (false) while the thread is ending.
        static bool set(T* value) {
            if (ended) return false;
            current = value;
            static thread_local at_exit watch;
            watch.armed = true;
            return true;
        }

    private:
        struct at_exit {
            bool armed = false;
            ~at_exit() {
                ended = true;
                if (armed && current != nullptr) T::thread_exits(current);
                current = nullptr;
            }
        };
        static inline thread_local constinit T* current = nullptr;
        static inline thread_local constinit bool ended = false;
    };

    /// Calls `f` in every child of a `fork` from now on. Throws `bad_alloc`.
    static void call_in_forked_child(void (*f)()) {
#if defined(__unix__) || defined(__APPLE__)
        if (::pthread_atfork(nullptr, nullptr, f) != 0) throw std::bad_alloc();
#else
        static_cast<void>(f);
#endif
    }

    /// Tells threads apart, the same in every library of the process; usable for as long as the thread runs.
    static const void* this_thread() noexcept { return __builtin_thread_pointer(); }

    // ---- memory of large tables ----

    static constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;

#if defined(__linux__)
    static constexpr bool has_pages = true;
    /// Zeroed memory from the system, aligned to huge pages and asked to lie on them. Null when refused, as what is
    /// more than all memory of the machine mostly is (hence no MAP_NORESERVE).
    static void* map_pages(std::size_t bytes) noexcept {
        const std::size_t page = page_bytes();
        const std::size_t room = bytes + huge_page_bytes;
        void* const raw = ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (raw == MAP_FAILED) return nullptr;
        const auto start = reinterpret_cast<std::uintptr_t>(raw);
        const std::uintptr_t aligned = (start + huge_page_bytes - 1) & ~(huge_page_bytes - 1);
        const std::uintptr_t end = aligned + ((bytes + page - 1) & ~(page - 1));
        if (aligned > start) ::munmap(raw, aligned - start);
        if (start + room > end) ::munmap(reinterpret_cast<void*>(end), start + room - end);
        if (bytes >= 2 * huge_page_bytes) ::madvise(reinterpret_cast<void*>(aligned), bytes, MADV_HUGEPAGE);
        return reinterpret_cast<void*>(aligned);
    }
    /// The pages read as zero again and cost nothing; the address range stays.
    /// False when the system keeps them as they are, as it does with locked memory.
    static bool empty_pages(void* pages, std::size_t bytes) noexcept { return ::madvise(pages, bytes, MADV_DONTNEED) == 0; }
    static void unmap_pages(void* pages, std::size_t bytes) noexcept {
        ::munmap(pages, (bytes + page_bytes() - 1) & ~(page_bytes() - 1));
    }
    static std::size_t page_bytes() noexcept {
        static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        return bytes;
    }
#else
    static constexpr bool has_pages = false;
    static void* map_pages(std::size_t) noexcept { return nullptr; }
    static bool empty_pages(void*, std::size_t) noexcept { return false; }
    static std::size_t page_bytes() noexcept { return 1; }
    static void unmap_pages(void*, std::size_t) noexcept {}
#endif

    // ---- memory that stays allocated while nobody may look at it ----

    static void forbid_access(void* memory, std::size_t bytes) noexcept { syncmap::detail::forbid_access(memory, bytes); }
    static void allow_access(const void* memory, std::size_t bytes) noexcept { syncmap::detail::allow_access(memory, bytes); }

    // ---- chance, and the sizes a test makes small ----

    static std::uint64_t random_word() { return sync::random_word(); }

    /// Phases that snapshots may use before their numbers begin anew; a layout may have fewer.
    static constexpr std::uint32_t most_snapshots = ~std::uint32_t{0};
    /// What a snapshot keeps is allocated by so much at first and at most.
    static constexpr std::size_t first_slab_bytes = 1024;
    static constexpr std::size_t most_slab_bytes = std::size_t{1} << 16;
    /// Retired nodes that one thread gathers before it looks which can be freed.
    static constexpr std::uint32_t retire_batch = 256;
    /// Batches of a thread between two looks at what all threads have retired, of so many that there are: its own are in
    /// its caches. So a sixteenth of all nodes, for any number of threads, is freed by others.
    static constexpr std::size_t batches_between_scans(std::size_t threads) noexcept { return 8 * threads; }
    /// Nodes that were freed, and whose blocks one thread keeps for its next ones.
    static constexpr std::uint32_t most_spares() noexcept { return 256; }
    /// Units that share a stack of free overflow lines.
    static constexpr std::size_t units_per_district = 256;
    /// Units that one write moves while a table is being left.
    static constexpr std::size_t migration_batch = 16;
    /// Writes of a thread between two looks at whether pages of an earlier table can be given back, when there are any.
    static constexpr std::uint32_t writes_between_tidying = 16;
    /// Calls that pass before a table that a writer still names is looked at again.
    static constexpr std::uint32_t looks_between_barriers = 64;
    /// Counters that running computations share by hash.
    static constexpr std::size_t computing_counters = 1024;
    /// Stripes that are allocated at once: 4 KiB.
    static constexpr std::size_t stripes_per_slab = 63;
    /// First blocks of destroyed maps that a thread keeps for its next ones.
    static constexpr std::uint32_t most_spare_blocks = 8;
    /// log2 of the number of units that a map begins with.
    static constexpr unsigned smallest_log2() noexcept { return 0; }
    /// Erases of one thread between two looks at whether the table has become too large.
    static constexpr std::uint32_t shrink_check_interval = 256;
    /// Erased keys that a `snapshot_map` keeps beside twice as many as it has living ones.
    static constexpr std::size_t dead_keys_kept = 32;

private:
    static bool asymmetric() noexcept { return barrier_registered; }

    /// Decided before the first map of the process is used, and never changed.
    [[gnu::visibility("default")]] static inline const bool barrier_registered = detail::register_membarrier();

#if defined(__x86_64__)
    static bool has_avx() noexcept {
#if defined(__AVX__)
        return true;
#else
        return __builtin_cpu_supports("avx") != 0;
#endif
    }

    static word_pair raw_load_pair(const atomic<std::uint64_t>* words) noexcept {
        if (has_avx()) [[likely]] {
            using vector = long long __attribute__((vector_size(16)));
            vector value;
            asm volatile("movdqa %1, %0" : "=x"(value) : "m"(*reinterpret_cast<const vector*>(words)) : "memory");
            return {static_cast<std::uint64_t>(value[0]), static_cast<std::uint64_t>(value[1])};
        }
        return locked_load_pair(words);
    }

    [[gnu::cold, gnu::noinline]] static word_pair locked_load_pair(const atomic<std::uint64_t>* words) noexcept {
        word_pair seen{0, 0};
        exchange_pair(const_cast<atomic<std::uint64_t>*>(words), seen, seen, &seen);
        return seen;
    }
    [[gnu::cold, gnu::noinline]] static void locked_store_pair(atomic<std::uint64_t>* words, word_pair pair) noexcept {
        exchange_pair(words, locked_load_pair(words), pair);
    }

    /// In registers, so that the common case of find_pair need not keep its value in memory.
    struct found_pair {
        bool hit;
        std::uint64_t second;
    };
    [[gnu::cold, gnu::noinline]] static found_pair find_pair_one_by_one(const atomic<std::uint64_t>* line, std::uint64_t first) noexcept {
        for (int i = 0; i < 8; i += 2) {
            const word_pair pair = load_pair(line + i);
            if (pair.first == first) return {true, pair.second};
        }
        return {false, 0};
    }

    static void exchange_pair(atomic<std::uint64_t>* words, word_pair expected, word_pair desired,
                              word_pair* seen = nullptr) noexcept {
        struct alignas(16) memory {
            std::uint64_t word[2];
        };
        asm volatile("lock cmpxchg16b %0"
                     : "+m"(*reinterpret_cast<memory*>(words)), "+a"(expected.first), "+d"(expected.second)
                     : "b"(desired.first), "c"(desired.second)
                     : "memory", "cc");
        if (seen != nullptr) *seen = expected;
    }
#endif
};

} // namespace syncmap::sync
