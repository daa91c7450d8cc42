// A full fence in every thread of the process, made by one of them (Linux).
//
// `membarrier` does it. A sandbox may refuse that call later, when threads rely on it already. Two other ways work then:
//
// | way                  | why all threads pass a fence                            | where it works                      |
// |----------------------|---------------------------------------------------------|-------------------------------------|
// | unmap a touched page | the kernel interrupts each processor that may know it   | x86-64 without INVLPGB              |
// | visit all processors | the caller displaces the thread that runs there         | /proc is readable, no cpuset hides  |
//
// A thread that does not run has passed a fence when it was displaced, and passes another one before it runs again.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <syncmap/sync/pages.hpp>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace syncmap::sync::barriers {

#if defined(__linux__)

/// Linux `membarrier(2)`: 8 = private expedited, 16 = register for it (values of linux/membarrier.h, which
/// older C libraries do not ship).
#if defined(SYS_membarrier)
inline bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0U, 0) == 0; }
#else
inline bool membarrier(int) noexcept { return false; }
#endif
inline bool register_process() noexcept { return membarrier(16); }
inline bool by_membarrier() noexcept { return membarrier(8); }

#if defined(__x86_64__)
/// A part of CPUID's answer. (Without <cpuid.h>, which takes long to compile.)
struct processor_answer {
    unsigned a, b;
};
inline processor_answer processor_says(unsigned leaf) noexcept {
    processor_answer answer{};
    unsigned c = 0;
    unsigned d = 0;
    asm volatile("cpuid" : "=a"(answer.a), "=b"(answer.b), "=c"(c), "=d"(d) : "a"(leaf), "c"(0U));
    return answer;
}
#endif

/// Returns whether other processors forget a page only when they are interrupted. That is not so where a processor can
/// invalidate their entries itself: by INVLPGB (newer AMD, used by Linux from 6.15), or on other machines.
inline bool unmapping_interrupts() noexcept {
#if defined(__x86_64__)
    constexpr unsigned invlpgb = 1U << 3;
    return processor_says(0x80000000U).a < 0x80000008U || (processor_says(0x80000008U).b & invlpgb) == 0;
#else
    return false;
#endif
}

/// Each call maps a page of its own: two calls at a time would otherwise save each other's interrupts. The call writes to
/// the page: the kernel unmaps a page that no processor can know without an interrupt.
inline bool by_unmapping() noexcept {
    void* const page = pages::map(pages::page_bytes());
    if (page == nullptr) return false;
    *static_cast<volatile unsigned char*>(page) = 1;
    return pages::unmap(page, pages::page_bytes());
}

/// A set of processors, of so many as the kernel can have.
struct processors {
    static constexpr std::size_t bits = 64;
    static constexpr std::size_t words = 128;
    std::uint64_t mask[words] = {};

    /// Reads the processors that a thread may run on; 0 is the calling thread. Returns the error number, or 0.
    int get(long thread) noexcept { return ::syscall(SYS_sched_getaffinity, thread, sizeof mask, mask) < 0 ? errno : 0; }
    bool restrict_caller() const noexcept { return ::syscall(SYS_sched_setaffinity, 0L, sizeof mask, mask) == 0; }
    void add(const processors& more) noexcept {
        for (std::size_t i = 0; i < words; ++i) mask[i] |= more.mask[i];
    }
};

/// Adds the processors of each thread of the process. Returns false if the system does not report them.
[[gnu::cold]] inline bool add_processors_of_all_threads(processors& all) noexcept {
    // Without <fcntl.h>, which takes long to compile: the working directory, for reading, closed by `exec`.
    constexpr long any_directory = -100;
    constexpr long read_only = 02000000;
    const int directory = static_cast<int>(::syscall(SYS_openat, any_directory, "/proc/self/task", read_only));
    if (directory < 0) return false;
    bool told = true;
    alignas(std::uint64_t) char entries[1024]; // struct linux_dirent64: inode 8, offset 8, length 2, type 1, name
    for (long got = 1; told && got != 0;) {
        got = ::syscall(SYS_getdents64, directory, entries, sizeof entries);
        told = got >= 0;
        for (long at = 0; told && at < got;) {
            long thread = 0;
            for (const char* name = entries + at + 19; *name >= '0' && *name <= '9'; ++name)
                thread = thread * 10 + (*name - '0');
            at += static_cast<unsigned char>(entries[at + 16]) | static_cast<unsigned char>(entries[at + 17]) << 8;
            if (thread == 0) continue; // "." and ".."
            processors its;
            const int error = its.get(thread);
            if (error == 0) all.add(its);
            told = error == 0 || error == ESRCH; // the thread has ended
        }
    }
    ::close(directory);
    return told;
}

/// Runs the calling thread once on each processor on which a thread of the process may run. A thread that starts later, or
/// moves to another processor meanwhile, passes a fence by that. Afterwards the caller has its own set of processors again.
[[gnu::cold]] inline bool by_visiting_processors() noexcept {
    processors own;
    processors all;
    if (own.get(0) != 0 || !add_processors_of_all_threads(all)) return false;
    bool visited = true;
    for (std::size_t i = 0; visited && i < processors::words * processors::bits; ++i) {
        const std::uint64_t bit = std::uint64_t{1} << i % processors::bits;
        if ((all.mask[i / processors::bits] & bit) == 0) continue;
        processors one;
        one.mask[i / processors::bits] = bit;
        visited = one.restrict_caller();
    }
    return own.restrict_caller() && visited;
}

/// The barrier where the system refuses `membarrier`. Returns false if the system refuses the other ways too.
[[gnu::cold, gnu::noinline]] inline bool by_other_means() noexcept {
    const int error = errno;
    const bool passed = (unmapping_interrupts() && by_unmapping()) || by_visiting_processors();
    errno = error;
    return passed;
}

#else
inline bool register_process() noexcept { return false; }
inline bool by_membarrier() noexcept { return false; }
inline bool by_other_means() noexcept { return false; }
#endif

/// What the threads of this library do in a light barrier. It is decided once; a thread that does not know the decision yet
/// uses a fence. Where symbols are hidden, each library has a decision of its own: see `barrier_group`.
enum class light_form : unsigned char {
    compiler_only, ///< no fence: a heavy barrier makes every thread pass one
    undecided,     ///< a fence
    fence
};

class [[gnu::visibility("default")]] decision {
public:
    /// relaxed: a thread that reads an old value executes a fence too many.
    [[gnu::always_inline]] static bool skips_fences() noexcept {
        return form_.load(std::memory_order_relaxed) == light_form::compiler_only;
    }
    static light_form make() noexcept {
        light_form now = form_.load(std::memory_order_relaxed);
        if (now == light_form::undecided) {
            const light_form mine = register_process() ? light_form::compiler_only : light_form::fence;
            // seq_cst: a thread that makes a heavy barrier sees, before that barrier, the decision of the threads that do
            // without fences.
            if (form_.compare_exchange_strong(now, mine, std::memory_order_seq_cst)) now = mine;
        }
        return now;
    }

private:
    static inline constinit std::atomic<light_form> form_{light_form::undecided};
    /// Decides when the program, or the library, is loaded. A map that another static object uses earlier decides then.
    static inline const light_form at_start_ = make();
};

} // namespace syncmap::sync::barriers
