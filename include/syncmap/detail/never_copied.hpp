// Prevents copies of maps, and assignments; the names of types explain why.
#pragma once

namespace syncmap {

/// Base of all maps; its name is the error message of a copy by accident.
struct a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident {
    constexpr a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident() = default;
    a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident(
        const a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident&) = delete;
    /// A map can be moved; see `basic_map`.
    constexpr a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident(
        a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident&&) noexcept {}
    a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident& operator=(
        const a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident&) = default;
};

/// The same of an assignment.
struct a_map_is_not_assigned_to_since_that_is_no_atomic_step_use_replace_or_swap {
    constexpr a_map_is_not_assigned_to_since_that_is_no_atomic_step_use_replace_or_swap() = default;
    constexpr a_map_is_not_assigned_to_since_that_is_no_atomic_step_use_replace_or_swap(
        const a_map_is_not_assigned_to_since_that_is_no_atomic_step_use_replace_or_swap&) = default;
    a_map_is_not_assigned_to_since_that_is_no_atomic_step_use_replace_or_swap& operator=(
        const a_map_is_not_assigned_to_since_that_is_no_atomic_step_use_replace_or_swap&) = delete;
};

} // namespace syncmap
