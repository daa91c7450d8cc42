// The contract between the facade and every engine: how one operation on one key is described.
#pragma once

#include <atomic>
#include <concepts>

#include <syncmap/detail/value_forms.hpp>

namespace syncmap::engine {

/// What an operation wants done with the key it was shown.
enum class decision : unsigned char {
    keep,   ///< nothing: the operation linearizes where the entry was read
    assign, ///< the entry gets the operation's value; inserted when absent
    erase   ///< the entry goes; nothing when absent
};

/// A write to one key. The engine shows it the present value and does what it decides.
///
///  `decide(const T* current)`  null when absent. May run user code (a comparison, a copy); the engine
///                              holds no lock then, unless that code is known not to call back. It may
///                              run again when another thread was faster: the last run counts.
///  `make()`                    the value to publish, or what it is made from: the engine makes it where it is to stay.
///                              Called only after `decide` answered `assign`; once, unless `depends_on_current`: then once
///                              after each `decide`. What it refers to lives as long as the operation
///  `make_in(place)`            optional: makes the value by a call of `place(arguments...)` with a constructor's arguments
///  `may_assign`                whether `decide` ever answers `assign`
///  `runs_user_code`            whether `decide` or `make` may: else an engine may run them under its own lock
///  `order`                     when others see what it publishes; see `visible_on_return`
template <class Op, class T>
concept write_operation = requires(Op& op, const T* current) {
    { op.decide(current) } -> std::same_as<decision>;
    requires syncmap::detail::makeable_from<T, decltype(op.make())>;
    { Op::depends_on_current } -> std::convertible_to<bool>;
    { Op::may_assign } -> std::convertible_to<bool>;
    { Op::runs_user_code } -> std::convertible_to<bool>;
    { op.order } -> std::convertible_to<std::memory_order>;
};

/// Whether a write of this order is visible to all threads when it returns. Every write acquires and releases, whatever
/// its order; this is the one thing that `seq_cst` adds.
constexpr bool visible_on_return(std::memory_order order) noexcept { return order == std::memory_order_seq_cst; }

/// Waiters of this operation get its outcome instead of running it themselves.
template <class Op>
concept shares_outcome = requires { requires Op::shares_outcome; };

} // namespace syncmap::engine
