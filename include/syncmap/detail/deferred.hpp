// A place for an object that is seldom made. It stands in for std::optional, whose storage GCC 12 zeroes while it is empty.
#pragma once

#include <memory>
#include <utility>

namespace syncmap::detail {

template <class T>
class deferred {
public:
    deferred() noexcept {}
    deferred(const deferred&) = delete;
    deferred& operator=(const deferred&) = delete;
    ~deferred() { reset(); }

    /// Makes the object. There must be none.
    template <class... Arguments>
    void emplace(Arguments&&... arguments) {
        std::construct_at(std::addressof(object_), std::forward<Arguments>(arguments)...);
        made_ = true;
    }
    void reset() noexcept {
        if (std::exchange(made_, false)) std::destroy_at(std::addressof(object_));
    }
    /// Returns the object, or null if there is none.
    T* get() noexcept { return made_ ? std::addressof(object_) : nullptr; }
    const T* get() const noexcept { return made_ ? std::addressof(object_) : nullptr; }
    /// The object, which must be there. (GCC warns of a null pointer where a caller that knows that takes `get()`.)
    T& operator*() noexcept { return object_; }
    const T& operator*() const noexcept { return object_; }
    T* operator->() noexcept { return std::addressof(object_); }
    const T* operator->() const noexcept { return std::addressof(object_); }

private:
    union {
        T object_;
    };
    bool made_ = false;
};

} // namespace syncmap::detail
