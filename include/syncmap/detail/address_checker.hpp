// Memory that stays allocated while no thread may access it: the address sanitizer reports every access.
#pragma once

#include <cstddef>

#include <syncmap/detail/sanitizers.hpp>

#if defined(SYNCMAP_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

namespace syncmap::detail {

inline void forbid_access([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SYNCMAP_ADDRESS_SANITIZER)
    __asan_poison_memory_region(memory, bytes);
#endif
}
inline void allow_access([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SYNCMAP_ADDRESS_SANITIZER)
    __asan_unpoison_memory_region(memory, bytes);
#endif
}

} // namespace syncmap::detail
