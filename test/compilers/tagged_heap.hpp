// A heap that tags its addresses, as Android's does on AArch64, and ends the program when a tag does not come back. As there,
// the kernel is told that system calls may get such addresses: a mutex that lies in the heap waits by a system call.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

#include <sys/prctl.h>

namespace {

constexpr std::uintptr_t tag = std::uintptr_t{0xB4} << 56;

/// Each thread inherits the setting from the thread that starts it; so the main thread sets it, before it allocates.
void allow_tags_in_system_calls() {
    constexpr int set_tagged_address_control = 55; // PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE: older headers lack them
    constexpr unsigned long enable = 1;
    if (::prctl(set_tagged_address_control, enable, 0UL, 0UL, 0UL) != 0) std::abort();
}

void* tagged(void* p) {
    static const bool once = (allow_tags_in_system_calls(), true);
    static_cast<void>(once);
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
