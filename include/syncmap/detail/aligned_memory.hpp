// Memory for types of any alignment, from allocators that may know no other than the fundamental ones.
//
// Since C++17 an allocator has to return memory that is aligned for its value type. Older allocators, on top of `malloc` or
// plain `operator new`, do not, if that type is aligned to more than `std::max_align_t`. So for such a type this asks the
// allocator for more, in units of a fundamental type, and places the object inside.
//
// The engine keeps tags of its own in the upper 16 bits of addresses. On AArch64 a heap may do so too: Android's does. Where
// SYNCMAP_TAGGED_ADDRESSES is defined, as it is there, `allocate` removes the heap's tag, without which the processor finds
// the same memory; `deallocate` gives the address back with its tag. Elsewhere `allocate` refuses a tagged address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

#if defined(__aarch64__) && defined(__ANDROID__) && !defined(SYNCMAP_TAGGED_ADDRESSES)
#define SYNCMAP_TAGGED_ADDRESSES 1
#endif

namespace syncmap {

/// Thrown by any operation that needs memory, on AArch64, if the allocator returns an address with a tag in its upper 16 bits.
class tagged_address : public std::bad_alloc {
public:
    const char* what() const noexcept override {
        return "syncmap: the allocator returned a tagged address: define SYNCMAP_TAGGED_ADDRESSES in all objects";
    }
};

namespace detail {

#if defined(__aarch64__) && defined(SYNCMAP_TAGGED_ADDRESSES)
inline constexpr bool heap_tags_addresses = true;
#else
inline constexpr bool heap_tags_addresses = false;
#endif
#if defined(__aarch64__)
inline constexpr bool may_meet_tags = true;
#else
inline constexpr bool may_meet_tags = false;
#endif
inline constexpr std::uintptr_t address_without_tag = ~(std::uintptr_t{0xFF} << (8 * sizeof(std::uintptr_t) - 8));
inline bool is_tagged(const void* p) noexcept {
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(p)) >> 48 != 0;
}

/// Allocates as a rebound copy of `Allocator` does.
template <class U, class Allocator>
class aligned_memory {
    template <class V>
    using traits_for = typename std::allocator_traits<Allocator>::template rebind_traits<V>;

    struct alignas(std::max_align_t) unit {
        std::byte bytes[alignof(std::max_align_t)];
    };

    static constexpr bool is_trusted = std::is_same_v<typename traits_for<U>::allocator_type, std::allocator<U>>;
    static constexpr bool aligns_itself = heap_tags_addresses || (!is_trusted && alignof(U) > alignof(unit));
    /// How far behind the beginning the object may lie. The distance itself lies before the object, for `deallocate`.
    static constexpr std::size_t slack = alignof(U) + sizeof(std::size_t);

public:
    /// Returns room for `n` objects, and makes none of them. Throws what the allocator throws.
    static U* allocate(const Allocator& from, std::size_t n) {
        if constexpr (!aligns_itself) {
            typename traits_for<U>::allocator_type own(from);
            U* const made = std::to_address(traits_for<U>::allocate(own, n));
            if constexpr (may_meet_tags) {
                if (is_tagged(made)) [[unlikely]] {
                    traits_for<U>::deallocate(own, pointer_to<U>(made), n);
                    throw tagged_address();
                }
            }
            return made;
        } else {
            if (n > ((std::numeric_limits<std::size_t>::max)() - 2 * slack) / sizeof(U)) throw std::bad_array_new_length();
            typename traits_for<unit>::allocator_type own(from);
            auto* const raw = reinterpret_cast<std::byte*>(std::to_address(traits_for<unit>::allocate(own, units_for(n))));
            const auto address = reinterpret_cast<std::uintptr_t>(raw) + sizeof(std::size_t);
            auto object = (address + alignof(U) - 1) / alignof(U) * alignof(U);
            if constexpr (heap_tags_addresses) object &= address_without_tag;
            const std::size_t distance =
                object - reinterpret_cast<std::uintptr_t>(raw); // modulo its range, if a tag was removed
            auto* const made = reinterpret_cast<std::byte*>(object);
            std::memcpy(made - sizeof distance, &distance, sizeof distance);
            return reinterpret_cast<U*>(made);
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
            auto* const raw = reinterpret_cast<unit*>(reinterpret_cast<std::uintptr_t>(bytes) - distance);
            traits_for<unit>::deallocate(own, pointer_to<unit>(raw), units_for(n));
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

} // namespace detail
} // namespace syncmap
