// Prevents copies of maps; the name of a type explains why.
#pragma once

namespace syncmap {

/// Base of all maps; its name is the error message of a copy by accident.
struct a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident {
    constexpr a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident() = default;
    a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident(
        const a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident&) = delete;
    /// A move takes the contents over; see basic_map.
    constexpr a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident(
        a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident&&) noexcept {}
    a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident& operator=(
        const a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident&) = delete;
};

} // namespace syncmap
