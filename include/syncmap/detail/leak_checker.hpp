// What a map that is never destroyed tells LeakSanitizer, which looks for plain pointers. The engine keeps bits of a hash or
// a count in the upper sixteen bits of its pointers. Large tables lie in pages that the sanitizer does not search.
//
// Our own tests define SYNCMAP_LEAK_CHECKER_SEES_ALL: they destroy their maps, and the sanitizer then finds lost nodes.
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

/// Reports heap memory to which only a marked pointer leads. Neither it nor what it points to is a leak.
inline void reachable_by_marked_pointer([[maybe_unused]] const void* memory) noexcept {
#if defined(SYNCMAP_HAS_LEAK_CHECKER)
    __lsan_ignore_object(memory);
#endif
}

/// Reports pages of the system that may hold pointers. The caller takes the report back before it unmaps them.
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
