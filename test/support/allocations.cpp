#include "support/allocations.hpp"

#include <cstdlib>
#include <new>

#include "support/scale.hpp"

namespace {

constinit thread_local std::size_t count = 0;
constinit thread_local std::size_t taken = 0;

} // namespace

std::size_t test::allocations() noexcept { return count; }
std::size_t test::allocated_bytes() noexcept { return taken; }

#if defined(__clang__) && defined(SYNCMAP_TEST_SANITIZED)

// Clang's sanitizers bring an operator new that cannot be replaced, and tell of every block instead.
#include <sanitizer/allocator_interface.h>

namespace {

[[maybe_unused]] const int installed =
    __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) { ++count; }, [](const volatile void*) {});

} // namespace

#else

namespace {

void* allocate(std::size_t bytes, std::size_t alignment) {
    ++count;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    taken += ((alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ ? bytes : rounded) + 8 + 15) / 16 * 16;
    void* const block = std::aligned_alloc(alignment, rounded != 0 ? rounded : alignment);
    if (block == nullptr) throw std::bad_alloc();
    return block;
}

} // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

#endif
