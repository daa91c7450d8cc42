// A list whose first elements lie in the object itself: for the few entries of one bucket, which then cost no allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace syncmap::detail {

/// The part of `std::vector` that a walk needs. `push_back` needs room: `size() < capacity()`.
template <class T, std::size_t Inline>
class inline_list {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T>);

public:
    inline_list() noexcept = default;
    inline_list(const inline_list&) = delete;
    inline_list& operator=(const inline_list&) = delete;
    ~inline_list() = default;

    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    T* begin() noexcept { return items_; }
    T* end() noexcept { return items_ + size_; }
    const T& operator[](std::size_t i) const noexcept { return items_[i]; }

    /// Throws `bad_alloc`, changing nothing.
    void reserve(std::size_t wanted) {
        if (wanted <= capacity_) return;
        std::unique_ptr<T[]> larger(new T[wanted]);
        for (std::size_t i = 0; i < size_; ++i) larger[i] = items_[i];
        allocated_ = std::move(larger);
        items_ = allocated_.get();
        capacity_ = wanted;
    }
    void push_back(const T& item) noexcept { items_[size_++] = item; }
    /// The elements from `end()` up to `new_end` were written; there was room for them.
    void extend_to(const T* new_end) noexcept { size_ = static_cast<std::size_t>(new_end - items_); }
    void clear() noexcept { size_ = 0; }
    /// Removes the elements from `first` on.
    void cut(const T* first) noexcept { size_ = static_cast<std::size_t>(first - items_); }

private:
    T own_[Inline]; // written before it is read
    T* items_ = own_;
    std::size_t size_ = 0;
    std::size_t capacity_ = Inline;
    std::unique_ptr<T[]> allocated_;
};

} // namespace syncmap::detail
