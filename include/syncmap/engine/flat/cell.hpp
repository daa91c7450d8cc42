// Where a flat table keeps one key or one value.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/engine/making.hpp>

namespace syncmap::engine::flat {

/// Room for one `T` that can be moved to another cell without any chance of an exception: in place if
/// moving a `T` cannot throw, else in a block of its own, so that only a pointer moves. That one property
/// gives the table above it the strong guarantee for every type, also for those that can only be moved
/// and may throw then.
///
/// A cell does not know whether it is full; its owner does.
template <class T, class Allocator, bool InPlace = std::is_nothrow_move_constructible_v<T>>
class cell {
    using traits = std::allocator_traits<Allocator>;

public:
    cell() noexcept {}
    cell(const cell&) = delete;
    cell& operator=(const cell&) = delete;
    ~cell() {}

    template <class From>
    void construct(Allocator& allocator, From&& from) {
        traits::construct(allocator, std::addressof(object_), std::forward<From>(from));
    }
    /// Makes the object from what `make` gives, see engine/making.hpp.
    template <class Make>
    void construct_made(Allocator& allocator, Make&& make) {
        engine::construct_made(allocator, std::addressof(object_), make);
    }
    void destroy(Allocator& allocator) noexcept { traits::destroy(allocator, std::addressof(object_)); }

    /// Moves the object of `other` into this cell, which is empty. A plain move: the object keeps the allocator that it has.
    void take(Allocator& allocator, cell& other) noexcept {
        std::construct_at(std::addressof(object_), std::move(other.object_));
        other.destroy(allocator);
    }

    T& get() noexcept { return object_; }
    const T& get() const noexcept { return object_; }

private:
    union {
        T object_;
    };
};

template <class T, class Allocator>
class cell<T, Allocator, false> {
    using allocator_type = typename std::allocator_traits<Allocator>::template rebind_alloc<T>;
    using traits = std::allocator_traits<allocator_type>;
    using memory = syncmap::detail::aligned_memory<T, allocator_type>;

public:
    cell() noexcept = default;
    cell(const cell&) = delete;
    cell& operator=(const cell&) = delete;

    template <class From>
    void construct(Allocator& allocator, From&& from) {
        construct_made(allocator, [&]() -> From&& { return std::forward<From>(from); });
    }
    template <class Make>
    void construct_made(Allocator& allocator, Make&& make) {
        allocator_type own(allocator);
        T* const block = memory::allocate(own, 1);
        try {
            engine::construct_made(own, block, make);
        } catch (...) {
            memory::deallocate(own, block, 1);
            throw;
        }
        object_ = block;
    }
    void destroy(Allocator& allocator) noexcept {
        allocator_type own(allocator);
        traits::destroy(own, object_);
        memory::deallocate(own, object_, 1);
    }

    void take(Allocator&, cell& other) noexcept { object_ = other.object_; }

    T& get() noexcept { return *object_; }
    const T& get() const noexcept { return *object_; }

private:
    T* object_ = nullptr;
};

} // namespace syncmap::engine::flat
