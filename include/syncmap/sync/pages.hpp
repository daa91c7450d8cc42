// Pages of memory from the system.
//
// The system may refuse to take a part of a mapping back: the rest would be two mappings, and their number is limited
// (Linux: 65,530). `unmap` then empties the range and keeps it in a list of the process. `map` uses the ranges of the list
// first. When the system takes a range back, `unmap` offers it those of the list again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>

namespace syncmap::sync::pages {

inline constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;

inline std::size_t page_bytes() noexcept {
    static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}
inline std::size_t whole_pages(std::size_t bytes) noexcept { return (bytes + page_bytes() - 1) & ~(page_bytes() - 1); }

/// Makes the pages read as zero and use no memory; the address range stays. Returns false if the system keeps the pages as
/// they are, as it does with locked memory.
inline bool empty(void* first, std::size_t bytes) noexcept { return ::madvise(first, bytes, MADV_DONTNEED) == 0; }

/// Ranges that the system did not take back. A thread takes all of them out, and puts back those that it does not use. So
/// no range is in the list while a thread changes it.
class [[gnu::visibility("default")]] kept_ranges {
public:
    /// Returns zeroed memory of `bytes`, which are whole pages, or null. Takes the smallest range with enough pages. A range of
    /// more than twice that size stays in the list for larger requests.
    [[gnu::cold]] static void* take(std::size_t bytes) noexcept {
        if (first_.load(std::memory_order_relaxed) == nullptr) return nullptr;
        range* best = nullptr;
        for (range* r = take_all(); r != nullptr;) {
            range* const next = r->next;
            if (r->bytes >= bytes && r->bytes <= 2 * bytes && (best == nullptr || r->bytes < best->bytes)) std::swap(r, best);
            if (r != nullptr) put(r, r->bytes);
            r = next;
        }
        if (best == nullptr) return nullptr;
        if (best->bytes > bytes) put(reinterpret_cast<std::byte*>(best) + bytes, best->bytes - bytes);
        return std::memset(static_cast<void*>(best), 0, sizeof(range));
    }

    [[gnu::cold]] static void put(void* memory, std::size_t bytes) noexcept {
        auto* const r = ::new (memory) range{nullptr, bytes};
        r->next = first_.load(std::memory_order_relaxed);
        // (1) release: pairs with the acquire of (2); without it a thread that takes the range may see no size or link in it.
        while (!first_.compare_exchange_weak(r->next, r, std::memory_order_release, std::memory_order_relaxed)) {}
    }

    /// Offers the ranges to the system again, until it refuses one.
    [[gnu::cold]] static void offer() noexcept {
        if (first_.load(std::memory_order_relaxed) == nullptr) return;
        bool taken = true;
        for (range* r = take_all(); r != nullptr;) {
            range* const next = r->next;
            const std::size_t size = r->bytes;
            taken = taken && ::munmap(r, size) == 0;
            if (!taken) put(r, size);
            r = next;
        }
    }

private:
    /// Lies in the first bytes of the range.
    struct range {
        range* next;
        std::size_t bytes;
    };
    static range* take_all() noexcept { return first_.exchange(nullptr, std::memory_order_acquire); } // (2) acquire: see (1)

    static inline constinit std::atomic<range*> first_{nullptr};
};

/// Returns zeroed memory in whole pages, or null if the system refuses. It mostly refuses more than all memory of the machine
/// (hence no MAP_NORESERVE). Neighbouring ranges become one mapping.
[[gnu::cold]] inline void* map(std::size_t bytes) noexcept {
    if (void* const kept = kept_ranges::take(whole_pages(bytes))) return kept;
    void* const made = ::mmap(nullptr, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return made == MAP_FAILED ? nullptr : made;
}

/// Gives the pages back to the system. A range that the system does not take goes to the list. Returns false if the system
/// keeps even the contents of its pages, since they are locked.
[[gnu::cold]] inline bool unmap(void* first, std::size_t bytes) noexcept {
    const std::size_t whole = whole_pages(bytes);
    if (::munmap(first, whole) == 0) {
        kept_ranges::offer();
        return true;
    }
    if (whole >= huge_page_bytes) ::madvise(first, whole, MADV_NOHUGEPAGE); // the list writes to its first bytes
    const bool emptied = empty(first, whole);
    if (!emptied) std::memset(first, 0, whole);
    kept_ranges::put(first, whole);
    return emptied;
}

/// Does the same as `map`, mostly at a multiple of `alignment`, a power of two: asks the system for more, and gives back the
/// rest.
[[gnu::cold]] inline void* map_aligned(std::size_t bytes, std::size_t alignment) noexcept {
    if (void* const kept = kept_ranges::take(whole_pages(bytes))) return kept;
    const std::size_t room = whole_pages(bytes) + alignment;
    void* const raw = ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return map(bytes);
    const auto start = reinterpret_cast<std::uintptr_t>(raw);
    const std::uintptr_t aligned = (start + alignment - 1) & ~(alignment - 1);
    const std::uintptr_t end = aligned + whole_pages(bytes);
    if (aligned > start) unmap(raw, aligned - start);
    if (start + room > end) unmap(reinterpret_cast<void*>(end), start + room - end);
    return reinterpret_cast<void*>(aligned);
}

} // namespace syncmap::sync::pages
#endif
