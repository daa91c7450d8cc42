// What a map that is never destroyed owes to LeakSanitizer, which looks for plain pointers: the engine keeps bits of
// a hash or a count in the upper sixteen of its own, and large tables lie in pages that it does not search.
//
// Our own tests define SYNCMAP_LEAK_CHECKER_SEES_ALL, for they destroy their maps and want lost nodes to be found.
#pragma once

#include <cstddef>

#include <syncmap/detail/sanitizers.hpp>

#if (defined(SYNCMAP_ADDRESS_SANITIZER) || defined(SYNCMAP_LEAK_SANITIZER)) && !defined(SYNCMAP_LEAK_CHECKER_SEES_ALL)
#define SYNCMAP_HAS_LEAK_CHECKER 1
#endif

#if defined(SYNCMAP_HAS_LEAK_CHECKER)
#include <sanitizer/lsan_interface.h>
#endif

namespace syncmap::detail {

/// Heap memory that only a marked pointer leads to: not a leak, and what it points to is none either.
inline void reachable_by_marked_pointer([[maybe_unused]] const void* memory) noexcept {
#if defined(SYNCMAP_HAS_LEAK_CHECKER)
    __lsan_ignore_object(memory);
#endif
}

/// Pages of the system that may hold pointers. To be taken back before they are unmapped.
inline void may_hold_pointers([[maybe_unused]] const void* pages, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SYNCMAP_HAS_LEAK_CHECKER)
    __lsan_register_root_region(pages, bytes);
#endif
}
inline void holds_no_pointers_more([[maybe_unused]] const void* pages, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SYNCMAP_HAS_LEAK_CHECKER)
    __lsan_unregister_root_region(pages, bytes);
#endif
}

} // namespace syncmap::detail
