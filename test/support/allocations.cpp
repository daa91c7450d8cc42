#include "support/allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

constinit thread_local std::size_t count = 0;

void* allocate(std::size_t bytes, std::size_t alignment) {
    ++count;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* const block = std::aligned_alloc(alignment, rounded != 0 ? rounded : alignment);
    if (block == nullptr) throw std::bad_alloc();
    return block;
}

} // namespace

std::size_t test::allocations() noexcept { return count; }

void* operator new(std::size_t bytes) { return allocate(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
