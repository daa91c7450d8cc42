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

/// Knows no alignment but those of fundamental types, as allocators from before C++17: what it gives is aligned as its
/// value type, or as `std::max_align_t`, but to no more. Keeps books.
template <class T>
struct crude {
    using value_type = T;
    template <class U>
    struct rebind {
        using other = crude<U>;
    };

    explicit crude(ledger& of) noexcept : books(&of) {}
    template <class U>
    crude(const crude<U>& other) noexcept : books(other.books) {}

    T* allocate(std::size_t n) {
        auto* const raw = static_cast<std::byte*>(::operator new(n * sizeof(T) + boundary, std::align_val_t(boundary)));
        ++books->live_blocks;
        books->live_bytes += n * sizeof(T);
        return reinterpret_cast<T*>(raw + shift);
    }
    void deallocate(T* block, std::size_t n) noexcept {
        --books->live_blocks;
        books->live_bytes -= n * sizeof(T);
        ::operator delete(reinterpret_cast<std::byte*>(block) - shift, std::align_val_t(boundary));
    }
    friend bool operator==(const crude& a, const crude& b) noexcept { return a.books == b.books; }

    ledger* books;

private:
    static constexpr std::size_t boundary = 256;
    static constexpr std::size_t shift = alignof(T) < alignof(std::max_align_t) ? alignof(T) : alignof(std::max_align_t);
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
