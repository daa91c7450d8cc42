// Memory for types of any alignment, from allocators that may know no other than the fundamental ones.
//
// Since C++17 an allocator has to give memory that is aligned for its value type. Those that were written before, on top
// of `malloc` or plain `operator new`, do not, where that type is aligned to more than `std::max_align_t`. So for such a
// type they are asked for more, in units of a fundamental type, and the object lies within.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

namespace syncmap::detail {

/// Allocates as a rebound copy of `Allocator` does.
template <class U, class Allocator>
class aligned_memory {
    template <class V>
    using traits_for = typename std::allocator_traits<Allocator>::template rebind_traits<V>;

    struct alignas(std::max_align_t) unit {
        std::byte bytes[alignof(std::max_align_t)];
    };

    static constexpr bool is_trusted = std::is_same_v<typename traits_for<U>::allocator_type, std::allocator<U>>;
    static constexpr bool aligns_itself = !is_trusted && alignof(U) > alignof(unit);
    /// How far the object may lie behind the beginning, and before it the distance, for `deallocate`.
    static constexpr std::size_t slack = alignof(U) + sizeof(std::size_t);

public:
    /// Room for `n` objects, none of which is made. Throws what the allocator throws.
    static U* allocate(const Allocator& from, std::size_t n) {
        if constexpr (!aligns_itself) {
            typename traits_for<U>::allocator_type own(from);
            return std::to_address(traits_for<U>::allocate(own, n));
        } else {
            if (n > ((std::numeric_limits<std::size_t>::max)() - 2 * slack) / sizeof(U)) throw std::bad_array_new_length();
            typename traits_for<unit>::allocator_type own(from);
            auto* const raw = reinterpret_cast<std::byte*>(std::to_address(traits_for<unit>::allocate(own, units_for(n))));
            const auto address = reinterpret_cast<std::uintptr_t>(raw) + sizeof(std::size_t);
            const std::size_t distance =
                (address + alignof(U) - 1) / alignof(U) * alignof(U) - reinterpret_cast<std::uintptr_t>(raw);
            std::memcpy(raw + distance - sizeof distance, &distance, sizeof distance);
            return reinterpret_cast<U*>(raw + distance);
        }
    }

    static void deallocate(const Allocator& to, U* p, std::size_t n) noexcept {
        if constexpr (!aligns_itself) {
            typename traits_for<U>::allocator_type own(to);
            traits_for<U>::deallocate(own, pointer_to<U>(p), n);
        } else {
            auto* const bytes = reinterpret_cast<std::byte*>(p);
            std::size_t distance = 0;
            std::memcpy(&distance, bytes - sizeof distance, sizeof distance);
            typename traits_for<unit>::allocator_type own(to);
            traits_for<unit>::deallocate(own, pointer_to<unit>(reinterpret_cast<unit*>(bytes - distance)), units_for(n));
        }
    }

private:
    static constexpr std::size_t units_for(std::size_t n) noexcept {
        return (n * sizeof(U) + slack + sizeof(unit) - 1) / sizeof(unit);
    }
    template <class V>
    static auto pointer_to(V* p) noexcept {
        return std::pointer_traits<typename traits_for<V>::pointer>::pointer_to(*p);
    }
};

} // namespace syncmap::detail
