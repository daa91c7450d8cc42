// What engines know of operations, beside the concept that extensions know too.
#pragma once

#include <atomic>

#include <syncmap/operation/write_operation.hpp>

namespace syncmap::engine {

using syncmap::write_operation;

/// Whether a write of this order is visible to all threads when it returns. Every write acquires and releases, whatever
/// its order; this is the one thing that `seq_cst` adds.
constexpr bool visible_on_return(std::memory_order order) noexcept { return order == std::memory_order_seq_cst; }

/// Waiters of this operation get its outcome instead of running it themselves.
template <class Op>
concept shares_outcome = requires { requires Op::shares_outcome; };

/// The operation keeps a present entry as it is, and runs no function of the user for it.
template <class Op>
concept keeps_present = requires { requires Op::keeps_present; };

/// The operation erases a present entry whatever its value is.
template <class Op>
concept ignores_value = requires { requires Op::ignores_value; };

} // namespace syncmap::engine
