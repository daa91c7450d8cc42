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
    ~deferred() {
        if (made_) std::destroy_at(std::addressof(object_));
    }

    /// Once at most.
    template <class... Arguments>
    void emplace(Arguments&&... arguments) {
        std::construct_at(std::addressof(object_), std::forward<Arguments>(arguments)...);
        made_ = true;
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
