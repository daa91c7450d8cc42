// The few algorithms that the maps need. They stand in for <algorithm>, which takes long to compile.
#pragma once

#include <cstddef>
#include <utility>

namespace syncmap::detail {

/// Returns the lesser of two values.
template <class T>
constexpr T lesser(T a, T b) noexcept {
    return b < a ? b : a;
}

/// Returns the greater of two values.
template <class T>
constexpr T greater(T a, T b) noexcept {
    return a < b ? b : a;
}

/// Sorts in place, by a heap. Complexity: O(n log n) for every input.
template <class T, class Less>
constexpr void sort(T* items, std::size_t count, Less less) {
    std::size_t heads = count / 2; // of subtrees that are no heaps yet
    while (count > 1) {
        // Each step makes a heap of one more subtree, or takes the greatest item out of the heap that all of them are.
        std::size_t at = 0;
        if (heads != 0) {
            at = --heads;
        } else {
            std::swap(items[0], items[--count]);
        }
        for (std::size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
            if (child + 1 < count && less(items[child], items[child + 1])) ++child;
            if (!less(items[at], items[child])) break;
            std::swap(items[at], items[child]);
            at = child;
        }
    }
}

} // namespace syncmap::detail
