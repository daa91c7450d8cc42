// Changing several entries of a flat table in one step, under its lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <syncmap/detail/distinct_keys.hpp>
#include <syncmap/results.hpp>

namespace syncmap::engine::flat {

/// One `update` of several keys. The caller makes it before it takes the lock, and destroys it after it has left the lock: the
/// removed entries are destroyed with it.
///
/// Everything that may throw comes before the first change. `apply` first makes the new keys and values outside of the table,
/// then room for them, then finds all places. Only moves that cannot fail are left.
template <class Table>
class several_changes {
    using Key = typename Table::key_type;
    using T = typename Table::mapped_type;
    using slot = update_slot<T>;

public:
    explicit several_changes(std::span<const Key> keys) : keys_(keys), entries_(keys.size()) { slots_.reserve(keys.size()); }
    several_changes(const several_changes&) = delete;
    several_changes& operator=(const several_changes&) = delete;

    /// Calls `f` with the slots of the keys. If `f` returns true, makes the changes that the slots then name. Returns what `f`
    /// returned.
    template <class F>
    bool apply(Table& table, F&& f) {
        const auto hash_of = [&](const Key& key) { return table.hash_of(key); };
        static_cast<void>(detail::ordered_distinct(keys_, hash_of, table.key_eq()));
        for (const Key& key : keys_) slots_.emplace_back(std::as_const(table).find(key));
        if (!f(std::span<slot>(slots_))) return false;

        std::size_t more = 0;
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].keeps()) continue;
            auto& entry = entries_[i].emplace(table.get_allocator());
            if (slots_[i].erases()) continue;
            const bool is_new = slots_[i].current() == nullptr;
            table.prepare(entry, is_new ? std::addressof(keys_[i]) : nullptr,
                          [&]() -> decltype(auto) { return std::move(slots_[i]).value(); });
            more += is_new ? 1 : 0;
        }
        table.make_room(more);
        std::vector<typename Table::position> places;
        std::vector<std::uint64_t> hashes;
        places.reserve(keys_.size());
        hashes.reserve(keys_.size());
        for (const Key& key : keys_) {
            places.push_back(table.locate(key));
            hashes.push_back(table.hash_of(key));
        }
        // From here on nothing throws, and nothing that stays is moved.
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].keeps()) continue;
            if (slots_[i].erases()) {
                table.erase(places[i], *entries_[i]);
            } else if (places[i]) {
                table.exchange_value(places[i], *entries_[i]);
            } else {
                table.add_prepared(*entries_[i], hashes[i]);
            }
        }
        return true;
    }

private:
    std::span<const Key> keys_;
    std::vector<slot> slots_{};
    std::vector<std::optional<typename Table::remains>> entries_; ///< the new entries, afterwards the removed ones
};

} // namespace syncmap::engine::flat
