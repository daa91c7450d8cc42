// The global heap fails on order, too: lists that live for one call and the records of threads come from there.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "faults/injector.hpp"
#include "support/scale.hpp"

#if !(defined(__clang__) && defined(SYNCMAP_TEST_SANITIZED)) // Clang's sanitizers bring one that cannot be replaced

namespace {

void* allocate(std::size_t bytes, std::size_t alignment) {
    test::faults::injector::reach(test::faults::site::allocation);
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
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
