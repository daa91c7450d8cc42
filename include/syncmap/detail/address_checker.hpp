// Memory that stays allocated while nobody may look at it: the address sanitizer is told, and finds who does.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define SYNCMAP_HAS_ADDRESS_CHECKER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SYNCMAP_HAS_ADDRESS_CHECKER 1
#endif
#endif

#if defined(SYNCMAP_HAS_ADDRESS_CHECKER)
#include <sanitizer/asan_interface.h>
#endif

namespace syncmap::detail {

inline void forbid_access([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SYNCMAP_HAS_ADDRESS_CHECKER)
    __asan_poison_memory_region(memory, bytes);
#endif
}
inline void allow_access([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SYNCMAP_HAS_ADDRESS_CHECKER)
    __asan_unpoison_memory_region(memory, bytes);
#endif
}

} // namespace syncmap::detail
