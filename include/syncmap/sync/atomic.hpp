// The atomic objects of the real machine: the part of `std::atomic` that the maps use. They stand in for it because a map has
// them of some forty types: `std::atomic` declares each function twice, the second time for volatile objects, and checks each
// order, which takes long to compile.
#pragma once

#include <atomic>
#include <type_traits>

namespace syncmap::sync {

/// For integers, enumerations and pointers. Every order means what it means to `std::atomic`.
template <class T>
class alignas(sizeof(T)) atomic { // NOLINT(bugprone-sizeof-expression): of a pointer the size is meant
    static_assert(std::is_scalar_v<T> && sizeof(T) <= 8); // NOLINT(bugprone-sizeof-expression)

public:
    constexpr atomic() noexcept = default;
    constexpr atomic(T value) noexcept : value_(value) {}
    atomic(const atomic&) = delete;
    atomic& operator=(const atomic&) = delete;

    [[gnu::always_inline]] T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
        T value;
        __atomic_load(&value_, &value, static_cast<int>(order));
        return value;
    }
    [[gnu::always_inline]] void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
        __atomic_store(&value_, &value, static_cast<int>(order));
    }
    [[gnu::always_inline]] T exchange(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
        T before;
        __atomic_exchange(&value_, &value, &before, static_cast<int>(order));
        return before;
    }
    [[gnu::always_inline]] bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                                                        std::memory_order failure) noexcept {
        return __atomic_compare_exchange(&value_, &expected, &desired, false, static_cast<int>(success),
                                         static_cast<int>(failure));
    }
    [[gnu::always_inline]] bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                                                      std::memory_order failure) noexcept {
        return __atomic_compare_exchange(&value_, &expected, &desired, true, static_cast<int>(success),
                                         static_cast<int>(failure));
    }
    [[gnu::always_inline]] bool compare_exchange_strong(T& expected, T desired,
                                                        std::memory_order order = std::memory_order_seq_cst) noexcept {
        return compare_exchange_strong(expected, desired, order, after_failure(order));
    }
    [[gnu::always_inline]] bool compare_exchange_weak(T& expected, T desired,
                                                      std::memory_order order = std::memory_order_seq_cst) noexcept {
        return compare_exchange_weak(expected, desired, order, after_failure(order));
    }

    // ---- of integers ----

    [[gnu::always_inline]] T fetch_add(T operand, std::memory_order order = std::memory_order_seq_cst) noexcept {
        return __atomic_fetch_add(&value_, operand, static_cast<int>(order));
    }
    [[gnu::always_inline]] T fetch_sub(T operand, std::memory_order order = std::memory_order_seq_cst) noexcept {
        return __atomic_fetch_sub(&value_, operand, static_cast<int>(order));
    }
    [[gnu::always_inline]] T fetch_and(T operand, std::memory_order order = std::memory_order_seq_cst) noexcept {
        return __atomic_fetch_and(&value_, operand, static_cast<int>(order));
    }
    [[gnu::always_inline]] T fetch_or(T operand, std::memory_order order = std::memory_order_seq_cst) noexcept {
        return __atomic_fetch_or(&value_, operand, static_cast<int>(order));
    }

private:
    /// A load alone releases nothing.
    static constexpr std::memory_order after_failure(std::memory_order order) noexcept {
        if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
        return order == std::memory_order_release ? std::memory_order_relaxed : order;
    }

    T value_{};
};

} // namespace syncmap::sync
