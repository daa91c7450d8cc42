// Whether a walk goes on after a callback: the callback returns that, or nothing, and then it does.
#pragma once

#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>

namespace syncmap::detail {

template <class F, class... Args>
bool goes_on(F& f, Args&&... args) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Args...>>) {
        detail::invoke(f, std::forward<Args>(args)...);
        return true;
    } else {
        return static_cast<bool>(detail::invoke(f, std::forward<Args>(args)...));
    }
}

} // namespace syncmap::detail
