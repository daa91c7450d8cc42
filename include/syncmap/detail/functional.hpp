// What maps need of <functional>, most of which takes long to compile: `std::equal_to`, `std::identity`, `std::hash`, and the
// call of anything that can be called.
#pragma once

#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#if !defined(__GLIBCXX__) && !defined(_LIBCPP_VERSION) // those two libraries have them in the headers above
#include <functional>
#endif

namespace syncmap::detail {

/// Returns the object that `std::invoke` would take: `object` itself, or what a reference wrapper or a pointer refers to.
template <class Class, class Object>
constexpr decltype(auto) object_with_member(Object&& object) {
    if constexpr (std::is_base_of_v<Class, std::remove_cvref_t<Object>>) {
        return std::forward<Object>(object);
    } else if constexpr (requires { *object; }) {
        return *std::forward<Object>(object);
    } else {
        return object.get();
    }
}

template <class Member, class Class, class Object, class... Args>
constexpr decltype(auto) invoke_member(Member Class::* member, Object&& object, Args&&... args) {
    if constexpr (std::is_function_v<Member>) {
        return (object_with_member<Class>(std::forward<Object>(object)).*member)(std::forward<Args>(args)...);
    } else {
        return (object_with_member<Class>(std::forward<Object>(object)).*member);
    }
}

/// Does what `std::invoke` does.
template <class F, class... Args>
constexpr decltype(auto) invoke(F&& f, Args&&... args) noexcept(std::is_nothrow_invocable_v<F, Args...>) {
    if constexpr (std::is_member_pointer_v<std::remove_cvref_t<F>>) {
        return invoke_member(f, std::forward<Args>(args)...);
    } else {
        return std::forward<F>(f)(std::forward<Args>(args)...);
    }
}

} // namespace syncmap::detail
