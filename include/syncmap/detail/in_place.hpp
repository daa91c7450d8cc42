// An object that is made later, in its place, from what a function returns: it is not moved.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace syncmap::detail {

/// Room for an object of class or scalar type, or for a reference. Empty at first.
template <class T>
class in_place {
public:
    /// Zeroes the bytes of a small object: otherwise GCC warns in a user's build that the program reads those of an empty one
    /// (GCC's bug 80635).
    in_place() noexcept {
        if constexpr (sizeof(T) <= 64) std::memset(bytes_, 0, sizeof bytes_);
    }
    in_place(const in_place&) = delete;
    in_place& operator=(const in_place&) = delete;
    ~in_place() { reset(); }

    /// Makes the object from what `make()` returns; it replaces a present one.
    template <class Make>
    void emplace_from(Make&& make) {
        reset();
        if constexpr (std::is_same_v<decltype(make()), T>) {
            ::new (static_cast<void*>(bytes_)) T(make());
        } else {
            ::new (static_cast<void*>(bytes_)) T(static_cast<T>(make()));
        }
        full_ = true;
    }
    template <class From>
    void emplace(From&& from) {
        reset();
        ::new (static_cast<void*>(bytes_)) T(std::forward<From>(from));
        full_ = true;
    }
    void reset() noexcept {
        if (std::exchange(full_, false)) std::destroy_at(std::addressof(object()));
    }

    explicit operator bool() const noexcept { return full_; }
    T& operator*() & noexcept { return object(); }
    T&& operator*() && noexcept { return std::move(object()); }

private:
    T& object() noexcept { return *std::launder(reinterpret_cast<T*>(bytes_)); }

    alignas(T) std::byte bytes_[sizeof(T)];
    bool full_ = false;
};

/// For functions that return a reference.
template <class T>
class in_place<T&> {
public:
    template <class Make>
    void emplace_from(Make&& make) {
        T& found = make();
        object_ = std::addressof(found);
    }
    T& operator*() const noexcept { return *object_; }

private:
    T* object_ = nullptr;
};
template <class T>
class in_place<T&&> {
public:
    template <class Make>
    void emplace_from(Make&& make) {
        T&& found = make();
        object_ = std::addressof(found);
    }
    T&& operator*() const noexcept { return std::move(*object_); }

private:
    T* object_ = nullptr;
};

} // namespace syncmap::detail
