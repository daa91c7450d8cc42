// The forms of a key or a value outside of a map. Only `text` has others than its own type: a view goes in, a string comes out.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <syncmap/detail/conversions.hpp>

namespace syncmap::detail {

/// The form in which a key or a value leaves a map.
template <class T>
using copied_out_t = std::conditional_t<is_text<T>, std::string, T>;

/// The type of a key or value argument where none can be deduced: for braces, or for the elements of a range.
template <class T>
using given_t = std::conditional_t<is_text<T>, std::string_view, T>;

/// What an operation makes from its argument for the map to publish. (For a text: a view of the argument, which the operation
/// keeps.)
template <class T>
using made_t = given_t<T>;

} // namespace syncmap::detail
