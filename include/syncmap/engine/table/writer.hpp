// Writes of single keys: whether a write takes the fast path, a general path or a computation. docs/design.md, section 4.
// A write goes through these files, in this order:
//
//   writer.hpp           which path: here
//   fast_path.hpp        keys that lie in the table, if nothing stands against the write (direct_overwrites.hpp)
//   inline_writing.hpp   the same keys, in attempts
//   node_writing.hpp     keys that lie in nodes, in attempts
//   reader.hpp           the search: find_to_write [W1]
//   locks.hpp            the section [W2], the lock [W3], the unlock [W8]
//   admission.hpp        what the operation decides; whether the writer may go on [W4] [W5]
//   chain.hpp            the store that publishes an insert or an erase, and its count [W6] [W7]
//
// By name: the control block and the thread record (storage.hpp), a new node (map_nodes.hpp), the end of an old one [W9]
// (retirement.hpp), help for a resize (resizer.hpp), keys that a thread computes (computing.hpp).
#pragma once

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/engine/table/node_writing.hpp>

namespace syncmap::engine {

template <class Types>
class writer : public node_writing<Types> {
    using base = node_writing<Types>;

public:
    using base::base;

    /// Writes one key once, as `op` decides; see engine/decision.hpp.
    template <class K, class Op>
    void write(K&& key, Op& op) {
        if constexpr (!Op::may_assign) {
            // Erasing from a map without a table makes nothing, not even the control block.
            if (base::table_of(this->root_.load(std::memory_order_acquire)) == nullptr) {
                op.decide(nullptr);
                return;
            }
        }
        control& c = this->shared_for_entry();
        const std::uint64_t hash = syncmap::detail::seeded_hash(this->hash_, key, c.seed());
        write_hashed(c, hash, std::forward<K>(key), op, false);
    }

    /// Does the same, but calls `op.decide` exactly once, while this thread owns the key: `op` may run long and use the map. If
    /// a `clear` comes in between, the operation is ordered before it, and its result is not stored.
    template <class K, class Op>
    void exclusive(K&& key, Op& op) {
        control& c = this->shared();
        const std::uint64_t hash = syncmap::detail::seeded_hash(this->hash_, key, c.seed());
        typename base::template registration<std::remove_cvref_t<K>> own(*this, hash, key);
        if constexpr (shares_outcome<Op> && !base::compares_hashes_alone) {
            while (!own.enter_or_share()) {
                if (this->decide_if_present(c, hash, key, op)) return;
            }
        } else {
            own.enter();
        }
        const typename base::computing_mark in_flight(c, hash, own.claimed());
        this->wait_for_earlier_writers(c, hash, key);
        typename base::template decided_operation<Op> decided{op};
        if constexpr (shares_outcome<Op> && !base::compares_hashes_alone) {
            try {
                this->decide_alone(c, hash, key, decided);
            } catch (const recursive_update&) {
                throw; // an error of this thread, not of its waiters
            } catch (...) {
                own.fail(std::current_exception());
                throw;
            }
        } else {
            this->decide_alone(c, hash, key, decided);
        }
        if (decided.verdict != decision::keep) write_hashed(c, hash, std::forward<K>(key), decided, true);
    }

protected:
    using seen_node = typename reader<Types>::seen_node;
    using typename base::control;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::Sync;
    using typename base::thread_record_type;

    /// Writes an entry that was seen and that the caller holds, if it is still in the map.
    template <class Op>
    void write_seen(const auto& n, Op& op) {
        write_hashed(this->shared(), n.hash(), seen_node{n}, op, false);
    }

    /// `owner`: this thread owns the key (single_flight.hpp).
    template <class K, class Op>
    void write_hashed(control& c, std::uint64_t hash, K&& key, Op& op, bool owner) {
        if constexpr (Layout::inline_key && base::template decides_under_lock<Op>) {
            const Key copy = key;
            // Without a `thread_lease`, whose destructor would have to run on every way out.
            auto* const me = reclaim::kept_hazard_record(c.home->threads);
            if (me != nullptr && !owner && this->write_directly(c, this->thread_record_of(c, *me), hash, copy, op)) [[likely]]
                return;
            write_apart(c, hash, copy, op, owner);
        } else {
            write_in_attempts(c, hash, std::forward<K>(key), op, owner);
        }
    }

    /// Gives the general path a key and an operation of its own. The address of the caller's objects is then passed to no call,
    /// so the compiler keeps those in registers.
    template <class Op>
    void write_apart(control& c, std::uint64_t hash, const Key& key, Op& op, bool owner) {
        if constexpr (std::is_trivially_move_constructible_v<Op> && std::is_trivially_destructible_v<Op>) {
            const Key own_key = key;
            Op own(std::move(op));
            write_in_attempts(c, hash, own_key, own, owner);
            std::construct_at(std::addressof(op), std::move(own));
        } else {
            write_in_attempts(c, hash, key, op, owner);
        }
    }

    template <class K, class Op>
    [[gnu::noinline]] void write_in_attempts(control& c, std::uint64_t hash, K&& key, Op& op, bool owner) {
        const reclaim::thread_lease<Sync> me(c.home->threads);
        thread_record_type& s = this->thread_record_of(c, *me);
        word root = 0;
        if constexpr (Layout::inline_key) {
            base::direct_overwrites::readmit_if_due(c, s);
            root = this->write_inline(c, s, hash, static_cast<const Key&>(key), op, owner);
        } else {
            root = this->write_node(c, s, *me, hash, std::forward<K>(key), op, owner);
        }
        if (const header* const t = base::table_of(root); t != nullptr) base::resizer::help_if_asked(*this, c, s, *t, root);
    }
};

} // namespace syncmap::engine
