// The engine of syncmap::map, and a map of it, whose table a test may look at from outside.
#pragma once

#include <cstddef>

#include <syncmap/facade.hpp>

namespace test {

/// `Table`: a `syncmap::engine::table` of some types and some policy.
template <class Table>
class visible_table : public Table {
public:
    using Table::Table;
    /// 0: the map has no table.
    std::size_t buckets() const noexcept {
        const auto* const t = Table::table_of(this->root_.load());
        return t == nullptr ? 0 : t->buckets();
    }
};

template <class Table>
class visible_map : public syncmap::basic_map<visible_table<Table>> {
public:
    using syncmap::basic_map<visible_table<Table>>::basic_map;
    std::size_t buckets() const noexcept { return this->engine_.buckets(); }
};

} // namespace test
