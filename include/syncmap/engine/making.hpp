// How an engine makes an object where it is to stay: from what an operation gives, without a temporary.
#pragma once

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace syncmap::engine {

/// The value that an operation wants to publish. `op.make()` returns it, or what it is made from. An operation that has
/// `op.make_in(place)` calls `place(arguments...)` instead, once, with the arguments of a constructor.
template <class Op>
struct value_maker {
    Op& op;

    decltype(auto) operator()() const { return op.make(); }
    template <class Place>
        requires requires(Op& o, Place& place) { o.make_in(place); }
    void in(Place&& place) const {
        op.make_in(place);
    }
};
template <class Op>
value_maker(Op&) -> value_maker<Op>;

template <class Allocator, class T>
concept has_own_construct = requires(Allocator& a, T* place) { a.construct(place, std::declval<T>()); };

/// Makes `*place`, as the allocator wants it made: a value that knows allocators gets this one. Moves nothing where `make`
/// returns a `T` and the allocator leaves construction to the language.
template <class Allocator, class T, class Make>
void construct_made(Allocator& a, T* place, Make&& make) {
    const auto from = [&](auto&&... arguments) {
        std::allocator_traits<Allocator>::construct(a, place, std::forward<decltype(arguments)>(arguments)...);
    };
    if constexpr (requires { make.in(from); }) {
        make.in(from);
    } else if constexpr (std::is_same_v<decltype(make()), T> && !has_own_construct<Allocator, T>) {
        ::new (const_cast<void*>(static_cast<const volatile void*>(place))) T(make());
    } else {
        from(make());
    }
}

/// The value that `make` gives, as an object of the caller's.
template <class T, class Make>
T made(Make&& make) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(make())>, T>) {
        return make();
    } else {
        return static_cast<T>(make());
    }
}

} // namespace syncmap::engine
