// Stateful allocators that keep books.
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>

namespace test {

/// The books of one family of allocators.
struct ledger {
    std::atomic<std::size_t> allocations{0};
    std::atomic<std::size_t> live_blocks{0};
    std::atomic<std::size_t> live_bytes{0};
    /// Allocations that succeed before one fails.
    std::atomic<std::size_t> budget{std::numeric_limits<std::size_t>::max()};
};

/// Allocates from the heap and writes it into a ledger; equal only to allocators of the same ledger. Has no
/// default constructor, so that a container cannot make one up.
template <class T>
class booked {
public:
    using value_type = T;

    explicit booked(ledger& books) noexcept : books_(&books) {}
    template <class U>
    booked(const booked<U>& other) noexcept : books_(&other.books()) {}

    T* allocate(std::size_t n) {
        if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
        if (books_->budget.load() == 0) throw std::bad_alloc();
        if (books_->budget.load() != std::numeric_limits<std::size_t>::max()) --books_->budget;
        T* const block = std::allocator<T>().allocate(n);
        ++books_->allocations;
        ++books_->live_blocks;
        books_->live_bytes += n * sizeof(T);
        return block;
    }
    void deallocate(T* block, std::size_t n) noexcept {
        --books_->live_blocks;
        books_->live_bytes -= n * sizeof(T);
        std::allocator<T>().deallocate(block, n);
    }

    ledger& books() const noexcept { return *books_; }
    friend bool operator==(const booked& a, const booked& b) noexcept { return a.books_ == b.books_; }

private:
    ledger* books_;
};

/// Allocates from the heap until it is told to throw; equal only to allocators that are told by the same word.
template <class T, class Thrown>
struct refusing {
    using value_type = T;
    template <class U>
    struct rebind {
        using other = refusing<U, Thrown>;
    };

    explicit refusing(bool& r) noexcept : refuses(&r) {}
    template <class U>
    refusing(const refusing<U, Thrown>& other) noexcept : refuses(other.refuses) {}

    T* allocate(std::size_t n) {
        if (*refuses) throw Thrown();
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* block, std::size_t n) noexcept { std::allocator<T>().deallocate(block, n); }
    friend bool operator==(const refusing& a, const refusing& b) noexcept { return a.refuses == b.refuses; }

    bool* refuses;
};

} // namespace test
