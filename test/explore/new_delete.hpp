// The operators new and delete that lead explored executions to the arena. For one file of a program.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include <explore/arena.hpp>
#include <explore/scheduler.hpp>

namespace {

void* obtain(std::size_t bytes, std::size_t alignment) {
    if (explore::arena::is_open()) return explore::arena::instance().allocate(bytes, alignment, false);
    void* const block = alignment <= alignof(std::max_align_t)
                            ? std::malloc(bytes == 0 ? 1 : bytes)
                            : std::aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
    if (block == nullptr) throw std::bad_alloc();
    return block;
}

void give_back(void* block) noexcept {
    if (!explore::arena::contains(block)) return std::free(block);
    // When it is closed, the block is of an execution that is over and forgotten.
    if (!explore::arena::is_open()) return;
    if (const char* wrong = explore::arena::instance().free(block, 0)) explore::scheduler::instance().fail(wrong);
}

} // namespace

void* operator new(std::size_t bytes) { return obtain(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return obtain(bytes, std::size_t(alignment)); }
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete(void* block, std::align_val_t) noexcept { give_back(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }
