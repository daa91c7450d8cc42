// Data races on plain memory: the compiler's instrumentation for its thread sanitizer, without that sanitizer.
//
// A program compiled with -fsanitize=thread and linked without it calls __tsan_read8 and the like at every plain access.
// Here they ask what weak memory knows: whatever another thread did to these bytes must happen before. Explored programs
// find so what no event shows: a field of a record, a link of a list of retired nodes, a counter of a thread record.
//
// Include it in one file of the program. Accesses of less than four bytes share one cell with their neighbours.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <new>
#include <string>

#include <explore/arena.hpp>
#include <explore/clock.hpp>
#include <explore/scheduler.hpp>

namespace explore {

class plain_accesses {
public:
    static plain_accesses& instance() {
        static plain_accesses* const object = [] {
            const arena::outside explorer;
            return new plain_accesses();
        }();
        return *object;
    }

    EXPLORE_UNWATCHED void note(const void* address, std::size_t bytes, bool writes) {
        arena& memory = arena::instance();
        if (!memory.is_open()) return; // the explorer's own work
        if (const char* wrong = memory.touch(address)) return fail(std::string(wrong) + " by a plain access");
        std::uint32_t number = 0;
        const arena::block* const owner = memory.find(address, number);
        const arena::viewpoint from = memory.from();
        const std::size_t start = arena::offset_of(address);
        for (std::size_t i = start / granule; i * granule < start + bytes; ++i) {
            cell& c = cells_[i];
            if (c.serial != owner->serial) c = {owner->serial, 0, 0, {}};
            if (!from.known->has(c.writer, c.written)) race(*owner, start, number, writes, "write", c.writer);
            if (writes) {
                for (unsigned other = 0; other != most_fibers; ++other) {
                    if (!from.known->has(other, c.read.of[other])) race(*owner, start, number, true, "read", other);
                }
                c.writer = static_cast<std::uint16_t>(from.fiber);
                c.written = from.known->of[from.fiber];
            } else {
                c.read.of[from.fiber] = from.known->of[from.fiber];
            }
        }
    }

    /// Set while an access is looked at: what is done for that is instrumented, too.
    static inline bool busy = false;

private:
    static constexpr std::size_t granule = 4;

    struct cell {
        std::uint32_t serial; ///< of the block that the rest is about
        std::uint16_t writer;
        std::uint16_t written;
        clock read;
    };

    plain_accesses() {
        void* const memory = ::mmap(nullptr, arena::capacity / granule * sizeof(cell), PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        cells_ = static_cast<cell*>(memory);
    }

    [[noreturn]] static void fail(const std::string& what) {
        busy = false;
        scheduler::instance().fail(what);
    }
    [[noreturn]] static void race(const arena::block& owner, std::size_t at, std::uint32_t number, bool writes,
                                  const char* earlier, unsigned by) {
        const arena::outside explorer;
        fail("data race: a plain " + std::string(writes ? "write" : "read") + " of block " + std::to_string(number) + "+" +
             std::to_string(at - owner.offset) + " and thread " + scheduler::thread_name(by) + "'s " + earlier + " before it");
    }

    cell* cells_;
};

/// Most accesses are not to the arena, or not by a thread of a weak execution. Calls nothing before that is known.
EXPLORE_UNWATCHED inline void note_plain(const void* address, std::size_t bytes, bool writes) {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(address) - arena::begins_at;
    if (offset >= arena::capacity || !scheduler::weak_now || plain_accesses::busy) return;
    plain_accesses::busy = true;
    plain_accesses::instance().note(address, bytes, writes);
    plain_accesses::busy = false;
}

} // namespace explore

extern "C" {
// NOLINTBEGIN: the compiler chooses these names.
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
#define EXPLORE_PLAIN(bytes)                                                                                                   \
    EXPLORE_UNWATCHED void __tsan_read##bytes(void* p) { explore::note_plain(p, bytes, false); }                               \
    EXPLORE_UNWATCHED void __tsan_write##bytes(void* p) { explore::note_plain(p, bytes, true); }                               \
    EXPLORE_UNWATCHED void __tsan_unaligned_read##bytes(void* p) { explore::note_plain(p, bytes, false); }                     \
    EXPLORE_UNWATCHED void __tsan_unaligned_write##bytes(void* p) { explore::note_plain(p, bytes, true); }
EXPLORE_PLAIN(1)
EXPLORE_PLAIN(2)
EXPLORE_PLAIN(4)
EXPLORE_PLAIN(8)
EXPLORE_PLAIN(16)
#undef EXPLORE_PLAIN
// Atomics of the machine, in code that is not explored: all fibers are one thread.
EXPLORE_UNWATCHED unsigned char __tsan_atomic8_load(const volatile unsigned char* at, int) { return *at; }
EXPLORE_UNWATCHED int __tsan_atomic8_compare_exchange_strong(volatile unsigned char* at, unsigned char* expected,
                                                             unsigned char desired, int, int) {
    const bool same = *at == *expected;
    (same ? *at : *expected) = same ? desired : *at;
    return same ? 1 : 0;
}
// Of reference counts (`std::shared_ptr`).
EXPLORE_UNWATCHED int __tsan_atomic32_load(const volatile int* at, int) { return *at; }
EXPLORE_UNWATCHED int __tsan_atomic32_fetch_add(volatile int* at, int operand, int) {
    const int before = *at;
    *at = before + operand;
    return before;
}
EXPLORE_UNWATCHED void __tsan_read_range(void* p, unsigned long n) { explore::note_plain(p, n, false); }
EXPLORE_UNWATCHED void __tsan_write_range(void* p, unsigned long n) { explore::note_plain(p, n, true); }
// NOLINTEND
}
