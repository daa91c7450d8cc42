// What a write to one key is: the concept that every engine takes, and of which extensions write models.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>

#include <syncmap/detail/value_forms.hpp>

namespace syncmap {

namespace engine {

/// What an operation decides about its key.
enum class decision : unsigned char {
    keep,   ///< change nothing: the operation linearizes where it read the entry
    assign, ///< give the entry the operation's value; insert it if it is absent
    erase   ///< erase the entry; nothing if it is absent
};

} // namespace engine

using engine::decision;

/// A write to one key, for `map.apply(key, operation)`. The map calls it with the present value and does what it decides.
///
///  `decide(const T* current)`  `current` is null if the key is absent. May run user code (a comparison, a copy): no lock is
///                              held then, unless `runs_user_code` is false, or the map is behind a lock. The map may call it
///                              again if another thread changed the entry. The last call counts, so each call sets everything
///                              that the operation remembers.
///  `make()`                    returns the value to publish, or what it is made from: the map makes it in its final place.
///                              Called only after `decide` returned `assign`: once, or, with `depends_on_current`, once after
///                              each `decide`. What the result refers to lives as long as the operation
///  `make_in(place)`            optional: makes the value by a call of `place(arguments...)` with a constructor's arguments
///  `depends_on_current`        whether `make` depends on the value that `decide` got. Only for values that can be assigned
///  `may_assign`                whether `decide` ever returns `assign`
///  `always_assigns`            optional: `decide` returns `assign` whatever it gets. The map may call `make` before it then
///  `runs_user_code`            whether `decide` or `make` may call code that waits, or uses a map: if not, a map may run them
///                              under its own lock
///  `order`                     when other threads see what the operation publishes
template <class Op, class T>
concept write_operation = requires(Op& op, const T* current) {
    { op.decide(current) } -> std::same_as<decision>;
    requires detail::makeable_from<T, decltype(op.make())>;
    { Op::depends_on_current } -> std::convertible_to<bool>;
    { Op::may_assign } -> std::convertible_to<bool>;
    { Op::runs_user_code } -> std::convertible_to<bool>;
    { op.order } -> std::convertible_to<std::memory_order>;
};

/// A base for operations that may assign and may run any code, as most do. `decide` and `make` are yours:
///
///     struct longer_of_two : syncmap::operation_base {
///         explicit longer_of_two(std::string_view t) : text(t) {}
///         syncmap::decision decide(const std::string* now) {
///             return now != nullptr && now->size() >= text.size() ? syncmap::decision::keep : syncmap::decision::assign;
///         }
///         std::string_view make() const { return text; }
///         std::string_view text;
///     };
///     map.apply("longest", longer_of_two("a longer one"));
struct operation_base {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    std::memory_order order = std::memory_order_seq_cst;
};

} // namespace syncmap
