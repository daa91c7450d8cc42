// A heap that tags its addresses, as Android's does on AArch64, and ends the program when a tag does not come back.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr std::uintptr_t tag = std::uintptr_t{0xB4} << 56;

void* tagged(void* p) {
    if (p == nullptr) throw std::bad_alloc();
    return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(p) | tag);
}
void release(void* p) noexcept {
    if (p == nullptr) return;
    if ((reinterpret_cast<std::uintptr_t>(p) & tag) != tag) std::abort(); // Android: "Pointer tag was truncated"
    std::free(reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(p) & ~tag));
}

} // namespace

void* operator new(std::size_t n) { return tagged(std::malloc(n)); }
void* operator new(std::size_t n, std::align_val_t a) {
    const auto alignment = static_cast<std::size_t>(a);
    return tagged(std::aligned_alloc(alignment, (n + alignment - 1) / alignment * alignment));
}
void operator delete(void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { release(p); }
