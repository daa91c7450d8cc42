// A map's first allocation: the smallest table and the control block in one piece.
//
//   [header][home line][sentinel-key line, where the layout has one][moving words][control words][control block]
//
// The table of one bucket is part of it; there is never a second one of that size. After a clear it is used again. When the map
// has outgrown it, its lines are lent: they are spare lines for as long as the map lives (table_pool.hpp). Its header keeps the
// map's seed, whether the table is in use or not. The words of the control block that every write reads lie in one cache line,
// which few writes change.
#pragma once

#include <cstddef>
#include <new>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap::engine {

template <class Layout, class Header, class Control>
struct first_block {
    using line_type = typename Header::line_type;
    using control_type = typename Header::control_type;

    static constexpr std::size_t buckets = Layout::has_sentinel_keys ? 2 : 1;
    static constexpr std::size_t moving_at = sizeof(Header) + buckets * sizeof(line_type);
    static constexpr std::size_t controls_at = moving_at + sizeof(typename Header::moving_type);
    static constexpr std::size_t control_block_at =
        (controls_at + buckets * sizeof(control_type) + alignof(Control) - 1) / alignof(Control) * alignof(Control);
    static constexpr std::size_t bytes = control_block_at + sizeof(Control);

    static Header* table_of(Control& c) noexcept {
        return std::launder(reinterpret_cast<Header*>(reinterpret_cast<std::byte*>(&c) - control_block_at));
    }
    static const Header* table_of(const Control& c) noexcept {
        return std::launder(reinterpret_cast<const Header*>(reinterpret_cast<const std::byte*>(&c) - control_block_at));
    }
};

} // namespace syncmap::engine
