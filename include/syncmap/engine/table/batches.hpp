// Many keys in one call: the memory that their operations will read is asked for before the first of them begins, so
// that the misses of the caches overlap.
//
//   B1  the keys of a group are hashed, and their lines (for writes their control words as well) are prefetched
//   B2  node keys: the lines are looked through for a slot with the key's tag, and its node is prefetched
//   B3  nodes with strings: each of these nodes is held by a hazard for a moment, and its strings are prefetched
//   B4  the operations run, one after the other, each by the protocol of its own
//
// Nothing that B1 to B3 see is believed in B4: a table that is left meanwhile costs a prefetch in vain. B1 reads what a
// reader may read at any time (the root, a header, lines, which stay mapped while the map lives). B2 prefetches a node
// without a hazard and does not read it: a prefetch of an address that is no longer any node's does nothing.
// The hash of a key is the same in every table of a map, so that it stays good whatever happens in between.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/multi_update.hpp>

namespace syncmap::engine {

template <class Types>
class batches : public multi_update<Types> {
    using base = multi_update<Types>;

protected:
    using reader = engine::reader<Types>;
    using typename base::control;
    using found = typename engine::reader<Types>::found;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::Sync;
    using T = typename base::T;
    using base::node_at;

public:
    using base::base;

    /// Calls `f(i, const T*)` for every i below `count` with what a reader finds for the key `key_at(i)`, null when it is
    /// absent; in the order of i. `f` may use the map where it is given a value.
    template <class KeyAt, class F>
    void visit_many(std::size_t count, KeyAt key_at, F f) const {
        if constexpr (Layout::inline_key) {
            for_groups(count, key_at, [&](std::size_t i, const std::uint64_t* hash) {
                const auto show = [&](word value) {
                    const T copy = from_word<T>(value);
                    f(i, std::addressof(copy));
                    return true;
                };
                const bool present =
                    hash != nullptr && reader::show_inline(*this, to_word(static_cast<const Key&>(key_at(i))), *hash, show);
                if (!present) f(i, static_cast<const T*>(nullptr));
            });
        } else {
            if (base::table_of(this->root_.load(std::memory_order_acquire)) == nullptr) {
                for (std::size_t i = 0; i < count; ++i) f(i, static_cast<const T*>(nullptr));
                return;
            }
            const reclaim::thread_lease<Sync> me(this->shared_of_table().home->threads);
            reclaim::hazard_guard<Sync> held(*me);
            for_groups(count, key_at, [&](std::size_t i, const std::uint64_t* hash) {
                if (hash != nullptr) {
                    const found place = reader::find_to_read(*this, key_at(i), *hash, held);
                    if (place.slot_word != Layout::empty) {
                        reader::show(place, [&](const T& value) { f(i, std::addressof(value)); });
                        return;
                    }
                }
                f(i, static_cast<const T*>(nullptr));
            });
        }
    }

    /// Writes the key `key_at(i)` as the operation `op_at(i)` decides, and calls `done(i, op)` after it, for every i
    /// below `count` and in that order. `done` may use the map.
    template <class KeyAt, class OpAt, class Done>
    void write_many(std::size_t count, KeyAt key_at, OpAt op_at, Done done) {
        for_groups<true>(count, key_at, [&](std::size_t i, const std::uint64_t* hash) {
            auto op = op_at(i);
            if (hash != nullptr) {
                this->write_hashed(this->shared_of_table(), *hash, key_at(i), op, false);
            } else {
                this->write(key_at(i), op);
            }
            done(i, op);
        });
    }

private:
    /// As many as the caches can fetch at a time; nodes take two rounds, and more of the caches.
    static constexpr std::size_t group_size = Layout::inline_key ? 32 : 16;

    /// Calls `f(i, hash)`, group by group; a null hash: the map had no table when the group began.
    template <bool ForWrites = false, class KeyAt, class F>
    void for_groups(std::size_t count, KeyAt& key_at, F f) const {
        std::uint64_t hashes[group_size]; // written before it is read, group by group
        for (std::size_t begin = 0; begin < count; begin += group_size) {
            const std::size_t size = detail::lesser(group_size, count - begin);
            const header* const t = base::table_of(this->root_.load(std::memory_order_acquire));
            if (t != nullptr) {
                const hash_seed& seed = this->shared_of_table().seed();
                for (std::size_t i = 0; i != size; ++i) { // [B1]
                    hashes[i] = syncmap::detail::seeded_hash(this->hash_, key_at(begin + i), seed);
                    const std::size_t bucket = t->bucket_of(hashes[i]);
                    if constexpr (ForWrites) {
                        t->fetch_to_write(bucket);
                    } else {
                        __builtin_prefetch(t->home(bucket).words);
                    }
                }
                if constexpr (!Layout::inline_key) {
                    for (std::size_t i = 0; i != size; ++i) prefetch_node(t->home(t->bucket_of(hashes[i])), hashes[i]); // [B2]
                    if constexpr (Types::node::has_strings) {
                        const reclaim::thread_lease<Sync> me(this->shared_of_table().home->threads);
                        reclaim::hazard_guard<Sync> held(*me);
                        for (std::size_t i = 0; i != size; ++i)
                            fetch_strings(held, t->home(t->bucket_of(hashes[i])), hashes[i]);
                    }
                }
            }
            for (std::size_t i = 0; i != size; ++i) f(begin + i, t == nullptr ? nullptr : &hashes[i]); // [B4]
        }
    }

    static void prefetch_node(const line_type& home, std::uint64_t hash) noexcept {
        const unsigned candidates = home.match_hash(hash);
        if (candidates == 0) return;
        // A number, not a pointer: another thread may have emptied the slot since, and then there is no node to point into.
        const auto node =
            reinterpret_cast<std::uintptr_t>(node_at(home.slot_word(static_cast<std::size_t>(std::countr_zero(candidates)))));
        __builtin_prefetch(reinterpret_cast<const void*>(node));
        __builtin_prefetch(reinterpret_cast<const void*>(node + detail::cache_line_bytes));
    }

    /// [B3] for one key. `held` holds the node while its members are read.
    static void fetch_strings(reclaim::hazard_guard<Sync>& held, const line_type& home, std::uint64_t hash) noexcept {
        const unsigned candidates = home.match_hash(hash);
        if (candidates == 0) return;
        const auto i = static_cast<std::size_t>(std::countr_zero(candidates));
        const word slot_word = home.slot_word(i);
        if (!Layout::is_entry(slot_word)) return;
        if (held.protect(node_at(slot_word), [&] { return home.slot_word(i) == slot_word; }))
            node_at(slot_word)->template fetch_strings<false>();
    }
};

} // namespace syncmap::engine
