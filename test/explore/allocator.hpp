// The allocator of explored programs: its blocks are watched by the arena.
#pragma once

#include <algorithm>
#include <cstddef>

#include <explore/arena.hpp>
#include <explore/scheduler.hpp>

namespace explore {

template <class T>
struct allocator {
    using value_type = T;

    constexpr allocator() noexcept = default;
    template <class U>
    constexpr allocator(const allocator<U>&) noexcept {}

    T* allocate(std::size_t n) {
        return static_cast<T*>(arena::instance().allocate(n * sizeof(T), std::max(alignof(T), std::size_t{16}), true));
    }
    void deallocate(T* memory, std::size_t n) noexcept {
        if (const char* wrong = arena::instance().free(memory, n * sizeof(T))) scheduler::instance().fail(wrong);
    }

    template <class U>
    friend constexpr bool operator==(const allocator&, const allocator<U>&) noexcept {
        return true;
    }
};

} // namespace explore
