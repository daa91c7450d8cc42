// The Sync policy: everything by which the concurrent parts touch the machine, in one place.
//
// The engine is a template over this policy and uses no atomic, lock, wait, fence, thread slot, pause or
// raw memory but through it. `sync::real` is the machine itself at no cost. The tests instantiate the
// same engine with a policy that may switch threads at every operation.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#include <syncmap/detail/address_checker.hpp>
#include <syncmap/detail/sanitizers.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/sync/atomic.hpp>
#include <syncmap/sync/barriers.hpp>
#include <syncmap/sync/pages.hpp>
#include <syncmap/sync/random_word.hpp>
#include <syncmap/sync/thread_end.hpp>
#include <syncmap/sync/vector_search.hpp>
#include <syncmap/sync/waiting.hpp>
#include <syncmap/sync/word_pair.hpp>

#include <pthread.h>
#include <sched.h>

namespace syncmap::sync {

/// Visible on purpose also where everything else is hidden: all libraries of the process must share one process-wide object.
struct [[gnu::visibility("default")]] real {
    template <class T>
    using atomic = sync::atomic<T>;
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

    /// One atomic 16-byte store with release meaning; only the holder of the bucket's lock stores.
    static void store_pair(atomic<std::uint64_t>* words, word_pair pair) noexcept {
        if (vector_search::has_avx()) {
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

    /// Stores both words as one if they are `expected`. Acquires and releases. Returns false if they were not; `expected` is
    /// then what they were.
    [[gnu::always_inline]] static bool compare_exchange_pair(atomic<std::uint64_t>* words, word_pair& expected,
                                                             word_pair desired) noexcept {
#if defined(SYNCMAP_THREAD_SANITIZER)
        // The sanitizer does not see assembly: show it the same order through the atomics, without a change.
        words[0].fetch_or(0, std::memory_order_acq_rel);
        words[1].fetch_or(0, std::memory_order_acq_rel);
#endif
        return exchange_pair(words, expected, desired);
    }
#endif

    // ---- a whole line at once; the thread sanitizer, which does not see assembly, gets the engine's loops ----

#if defined(__x86_64__) && !defined(SYNCMAP_THREAD_SANITIZER)
    /// Returns whether `find_pair_at_once` may be called. A caller asks once, and has another way where it may not.
    [[gnu::always_inline]] static bool finds_pairs_at_once() noexcept { return vector_search::has_avx(); }
    [[gnu::always_inline]] static bool find_pair_at_once(const atomic<std::uint64_t>* line, std::uint64_t first,
                                                         std::uint64_t& second) noexcept {
        return vector_search::find_pair(line, first, second);
    }
    static bool find_pair(const atomic<std::uint64_t>* line, std::uint64_t first, std::uint64_t& second) noexcept {
        if (vector_search::has_avx()) [[likely]]
            return vector_search::find_pair(line, first, second);
        const found_pair found = find_pair_one_by_one(line, first);
        second = found.second;
        return found.hit;
    }
    static unsigned match_pairs(const atomic<std::uint64_t>* line, std::uint64_t first) noexcept {
        return vector_search::match_pairs(line, first);
    }
    [[gnu::always_inline]] static unsigned match_words(const atomic<std::uint64_t>* line, std::uint64_t wanted) noexcept {
        return vector_search::match_words(line, wanted);
    }
    /// See vector_search::copy_pairs; to be called where `finds_pairs_at_once`.
    [[gnu::always_inline]] static void* copy_pairs_at_once(const atomic<std::uint64_t>* line, std::uint64_t sentinel,
                                                           void* to) noexcept {
        return vector_search::copy_pairs(line, sentinel, to);
    }
    [[gnu::always_inline]] static unsigned match_tags(const atomic<std::uint64_t>* line, std::size_t words_per_slot,
                                                      std::uint64_t tag) noexcept {
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

    /// Orders a thread's own earlier stores before its later loads, together with a heavy barrier on the other side. Where the
    /// system lets the heavy barrier do all the work, this restricts only the compiler.
    [[gnu::always_inline]] static void light_barrier() noexcept {
        if (barriers::decision::skips_fences()) [[likely]] {
            std::atomic_signal_fence(std::memory_order_seq_cst);
        } else {
            fence();
        }
    }

    /// Makes every running thread of the process execute a full fence before this returns. Returns false if the system refuses.
    /// It is for waits that end by themselves; everything else uses `barrier_group`.
    [[nodiscard]] static bool heavy_barrier() noexcept {
        if (barriers::decision::make() == barriers::light_form::compiler_only) return barriers::by_membarrier();
        fence();
        return true;
    }

    /// The threads whose light barriers pair with one heavy barrier. They may run code of several libraries, some of which use
    /// fences and some of which do not. A library that is loaded inside a sandbox may have to use them.
    class [[gnu::visibility("default")]] barrier_group {
    public:
        /// Called by a thread before its first light barrier for the group.
        void join() noexcept {
            if (barriers::decision::make() != barriers::light_form::compiler_only) return;
            if (!unfenced_.load(std::memory_order_relaxed)) unfenced_.store(true, std::memory_order_relaxed);
            fence(); // (1) pairs with (2): either that thread sees the mark, or this one sees the stores before (2)
        }

        /// Makes every thread that has joined the group pass a full fence before this returns. Returns false if the system
        /// refuses every way to do that.
        [[nodiscard]] bool heavy_barrier() const noexcept {
            fence(); // (2) pairs with (1)
            return !unfenced_.load(std::memory_order_relaxed) || barriers::by_membarrier() || barriers::by_other_means();
        }

        /// Does the same for a thread that wants to reuse memory, and remembers a failure.
        [[nodiscard]] bool heavy_barrier_to_free() noexcept {
            const bool passed = heavy_barrier();
            // relaxed: a thread that sees an old value allocates a little more, or asks the system once more.
            if (nothing_is_freed_.load(std::memory_order_relaxed) == passed) {
                nothing_is_freed_.store(!passed, std::memory_order_relaxed);
            }
            return passed;
        }

        /// Called before a thread allocates memory that replaces other memory. Throws `barrier_refused` while the replaced
        /// memory cannot be freed.
        void require_freeing() {
            if (nothing_is_freed_.load(std::memory_order_relaxed) && !heavy_barrier_to_free()) [[unlikely]]
                throw barrier_refused();
        }
        bool is_freeing() const noexcept { return !nothing_is_freed_.load(std::memory_order_relaxed); }

    private:
        std::atomic<bool> unfenced_{false}; ///< a thread of the group does without fences
        std::atomic<bool> nothing_is_freed_{false};
    };

    /// Orders a store before a locked read-modify-write against a load after it. On x86-64 that read-modify-write is itself the
    /// fence. The thread may make no store between it and this call.
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
        ::sched_yield();
#endif
    }

    /// Sleeps so that other threads can do what the next attempt depends on: longer with every attempt, up to a millisecond.
    static void back_off(unsigned attempt) noexcept { sleep_for_microseconds(10U << (attempt < 7 ? attempt : 7U)); }

    /// Waits for other threads to take a few more steps. `looks`: how often the caller has looked. At first this only pauses,
    /// later it sleeps for a short time. (It does not yield: Linux would run every other thread for a whole slice.)
    static void give_way(unsigned looks) noexcept {
        if (looks < 64) {
            pause();
        } else {
            sleep_for_microseconds(20);
        }
    }

    /// How often a waiter looks again before it sleeps: about a microsecond.
    static constexpr int spins_before_sleep = 40;

    using condition = sync::condition;
    using deadline = sync::deadline;

    // ---- threads ----

    /// Returns the one object of its type for the process. It is made on first use and never destroyed, so that destructors of
    /// statics and of thread-locals may still use a map. It is visible across shared libraries on purpose: a map that is made
    /// in one library and used in another must have the same hazards in both.
    template <class T>
    [[gnu::visibility("default")]] static T& process_wide() {
        static T* const object = make_process_wide<T>();
        return *object;
    }
    template <class T>
    [[gnu::cold, gnu::noinline]] static T* make_process_wide() {
        return new T();
    }

    /// A pointer of the calling thread, null at first. Signal handlers that interrupt the thread may use it.
    ///
    /// At the thread's end this calls `T::stays(T*)`. If that returns true, the thread keeps the pointer, as `left`, until the
    /// system has ended the thread. If it returns false, this calls `T::thread_exits(T*)`, and the pointer is no longer the
    /// thread's. Where the thread's end will not be reported, `set` calls `T::stays` at once.
    template <class T>
    struct [[gnu::visibility("default")]] per_thread {
        [[gnu::always_inline]] static T* get() noexcept { return current.load(std::memory_order_relaxed); }
        /// Returns what an ending thread still keeps, or null.
        static T* left() noexcept { return last; }

        /// Keeps `value` until the thread ends. Returns false, and keeps nothing, in three cases: the thread is ending, a
        /// signal handler has set another value, or nothing would show that the thread has ended.
        [[gnu::cold]] static bool set(T* value) noexcept {
            if (ended || (!end.will_be_told() && !T::stays(value))) return false;
            T* none = nullptr; // a compare-exchange only because of signal handlers
            return current.compare_exchange_strong(none, value, std::memory_order_relaxed);
        }

    private:
        [[gnu::cold]] static void thread_ends(void*) noexcept {
            T* const mine = get();
            if (mine != nullptr && T::stays(mine)) last = mine;
            // A signal handler in between finds the pointer, either as the current one or as the last one.
            std::atomic_signal_fence(std::memory_order_seq_cst);
            ended = true;
            current.store(nullptr, std::memory_order_relaxed);
            // Only now may another thread get it.
            std::atomic_signal_fence(std::memory_order_seq_cst);
            if (mine != nullptr && last == nullptr) T::thread_exits(mine);
        }

        static inline thread_local constinit std::atomic<T*> current{nullptr};
        static inline thread_local constinit T* last = nullptr;
        static inline thread_local constinit bool ended = false;
        static inline constinit thread_end end{&thread_ends};
    };

    /// Calls `object.note_fork()` in every child of a `fork` from now on. There is one object of its type, which `process_wide`
    /// makes. (Another thread may fork before it is made: so the child does not ask for it.) Throws `bad_alloc`.
    template <class T>
    static void tell_of_forks([[maybe_unused]] T& object) {
#if defined(__unix__) || defined(__APPLE__)
        static constinit std::atomic<T*> told{nullptr};
        told.store(&object, std::memory_order_relaxed);
        if (::pthread_atfork(nullptr, nullptr, [] { told.load(std::memory_order_relaxed)->note_fork(); }) != 0)
            throw std::bad_alloc();
#endif
    }

    static constexpr bool knows_ended_threads = thread_end::knows_ended_threads;
    /// Returns the calling thread's number for `has_ended`, or 0 if the system does not report ended threads.
    static std::uint32_t number_of_this_thread() noexcept { return thread_end::number_of_this_thread(); }
    static bool has_ended(std::uint32_t thread) noexcept { return thread_end::has_ended(thread); }

    /// Returns an address that identifies the calling thread for as long as it runs, the same in every library of the process.
    static const void* this_thread() noexcept { return __builtin_thread_pointer(); }

    // ---- memory of large tables ----

    static constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;

#if defined(__linux__)
    static constexpr bool has_pages = true;
    /// Returns zeroed memory from the system, or null. Memory with room for a huge page begins at the boundary of one. Smaller
    /// memory does not: each piece would be a mapping of its own, of which a process can have some ten thousand. It shares a
    /// mapping with its neighbours. It takes no huge page, which would make memory resident that no neighbour has touched.
    static void* map_pages(std::size_t bytes) noexcept {
        const bool is_large = bytes >= huge_page_bytes;
        void* const first = is_large ? pages::map_aligned(bytes, huge_page_bytes) : pages::map(bytes);
        if (first != nullptr && !is_large) ::madvise(first, pages::whole_pages(bytes), MADV_NOHUGEPAGE);
        return first;
    }
    /// Asks the system to put memory that is touched from now on onto huge pages, or onto small ones. It may ignore that.
    static void prefer_huge_pages(void* pages, std::size_t bytes, bool wanted) noexcept {
        ::madvise(pages, bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    }
    /// Asks the system to move memory from small pages to a huge one, now. (25 is MADV_COLLAPSE, which the headers of older
    /// systems lack. A system that does not know it moves the memory later, by itself.)
    static void gather_huge_page(void* first) noexcept { ::madvise(first, huge_page_bytes, 25); }
    /// Makes the pages read as zero and use no memory; the address range stays. Returns false if the system keeps the pages as
    /// they are, as it does with locked memory.
    static bool empty_pages(void* first, std::size_t bytes) noexcept { return pages::empty(first, bytes); }
    static void unmap_pages(void* first, std::size_t bytes) noexcept { static_cast<void>(pages::unmap(first, bytes)); }
    static std::size_t page_bytes() noexcept { return pages::page_bytes(); }
#else
    static constexpr bool has_pages = false;
    static void* map_pages(std::size_t) noexcept { return nullptr; }
    static void prefer_huge_pages(void*, std::size_t, bool) noexcept {}
    static void gather_huge_page(void*) noexcept {}
    static bool empty_pages(void*, std::size_t) noexcept { return false; }
    static std::size_t page_bytes() noexcept { return 1; }
    static void unmap_pages(void*, std::size_t) noexcept {}
#endif

    // ---- memory that stays allocated while no thread may access it ----

    static void forbid_access(void* memory, std::size_t bytes) noexcept { syncmap::detail::forbid_access(memory, bytes); }
    static void allow_access(const void* memory, std::size_t bytes) noexcept { syncmap::detail::allow_access(memory, bytes); }

    // ---- the allocator of the language ----

    /// Lets glibc join the small blocks that this thread has freed. Until a larger block is asked for, it keeps such blocks in
    /// lists without a limit. That request then joins all of them, a tenth of a microsecond each.
    static void join_freed_blocks() noexcept {
#if defined(__GLIBC__)
        void* larger = std::malloc(2048); // NOLINT(cppcoreguidelines-no-malloc)
        asm volatile("" : "+r"(larger)); // or the compiler leaves out both calls
        std::free(larger); // NOLINT(cppcoreguidelines-no-malloc)
#endif
    }

    // ---- random numbers ----

    static std::uint64_t random_word() { return sync::random_word(); }

private:
#if defined(__x86_64__)
    static word_pair raw_load_pair(const atomic<std::uint64_t>* words) noexcept {
        if (vector_search::has_avx()) [[likely]] {
            using vector = long long __attribute__((vector_size(16)));
            vector value;
            asm volatile("movdqa %1, %0" : "=x"(value) : "m"(*reinterpret_cast<const vector*>(words)) : "memory");
            return {static_cast<std::uint64_t>(value[0]), static_cast<std::uint64_t>(value[1])};
        }
        return locked_load_pair(words);
    }

    [[gnu::cold, gnu::noinline]] static word_pair locked_load_pair(const atomic<std::uint64_t>* words) noexcept {
        word_pair seen{0, 0};
        static_cast<void>(exchange_pair(const_cast<atomic<std::uint64_t>*>(words), seen, seen));
        return seen;
    }
    [[gnu::cold, gnu::noinline]] static void locked_store_pair(atomic<std::uint64_t>* words, word_pair pair) noexcept {
        word_pair seen = locked_load_pair(words);
        while (!exchange_pair(words, seen, pair)) {}
    }

    /// Returned in registers: so the common case of find_pair does not keep its value in memory.
    struct found_pair {
        bool hit;
        std::uint64_t second;
    };
    [[gnu::cold, gnu::noinline]] static found_pair find_pair_one_by_one(const atomic<std::uint64_t>* line,
                                                                        std::uint64_t first) noexcept {
        for (int i = 0; i < 8; i += 2) {
            const word_pair pair = load_pair(line + i);
            if (pair.first == first) return {true, pair.second};
        }
        return {false, 0};
    }

    [[gnu::always_inline]] static bool exchange_pair(atomic<std::uint64_t>* words, word_pair& expected,
                                                     word_pair desired) noexcept {
        struct alignas(16) memory {
            std::uint64_t word[2];
        };
        bool exchanged = false;
        asm volatile("lock cmpxchg16b %1"
                     : "=@ccz"(exchanged), "+m"(*reinterpret_cast<memory*>(words)), "+a"(expected.first), "+d"(expected.second)
                     : "b"(desired.first), "c"(desired.second)
                     : "memory");
        return exchanged;
    }
#endif
};

} // namespace syncmap::sync
