// A place for an object that is seldom made: as std::optional, whose storage GCC 12 zeroes although nothing is in it.
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

    /// While there is none.
    template <class... Arguments>
    void emplace(Arguments&&... arguments) {
        std::construct_at(std::addressof(object_), std::forward<Arguments>(arguments)...);
        made_ = true;
    }
    void reset() noexcept {
        if (std::exchange(made_, false)) std::destroy_at(std::addressof(object_));
    }
    /// Null before that.
    T* get() noexcept { return made_ ? std::addressof(object_) : nullptr; }

private:
    union {
        T object_;
    };
    bool made_ = false;
};

} // namespace syncmap::detail
