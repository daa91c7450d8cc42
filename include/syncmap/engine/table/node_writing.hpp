// Writes of keys that lie in nodes: docs/design.md [W1] to [W9]. `attempt_node` has the steps in their order. Its store at [W6]
// is the linearization point of an overwrite: the slot gets the new node, or the word beside it the new value.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/detail/deferred.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/table/inline_writing.hpp>

namespace syncmap::engine {

template <class Types>
class node_writing : public inline_writing<Types> {
    using base = inline_writing<Types>;

public:
    using base::base;

protected:
    using atomic_control = typename Types::layout::atomic_control;
    using control_word = typename Types::layout::control_word;
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using reader = engine::reader<Types>;
    using section = typename locks::section;
    using vacancy = typename chain::vacancy;
    using found = typename reader::found;
    using seen_node = typename reader::seen_node;
    using typename base::control;
    using typename base::fresh_node;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::node;
    using typename base::record_supply;
    using typename base::Sync;
    using typename base::thread_record_type;
    using T = typename base::T;
    using KeyEqual = typename Types::key_equal;
    using base::node_at;
    using typename base::place_of_write;
    template <class K>
    using ownership = typename base::template ownership<K>;
    template <class Op>
    static constexpr bool decides_under_lock = base::template decides_under_lock<Op>;

    template <class Op>
    static constexpr bool waits_for_owner = !requires { Op::refused_beside_owner; };

    /// Returns what flights compare: the key, also for an entry that was seen.
    template <class K>
    static const K& compared_by(const K& key) noexcept {
        return key;
    }
    static const Key& compared_by(const seen_node& key) noexcept { return key.entry.key(); }

    /// A new value of a present entry comes with its key object. (What has no value is never given a new one.)
    static constexpr bool keeps_present_key = tells_equal_keys_apart<Key, KeyEqual> && !syncmap::detail::is_no_value<T>;

    /// Whether the writer makes the node before it searches for the key: that needs nothing of what the search finds.
    template <class Op>
    static constexpr bool prepares_first =
        !Layout::pairs && !tells_equal_keys_apart<Key, KeyEqual> && requires { requires Op::always_assigns; };

    /// What a node write is about to publish. The writer makes it outside of any lock, once for all attempts.
    template <class Op>
    struct publication {
        fresh_node node;
        word value = 0;
        bool has_value = false;

        publication(node_writing& map, thread_record_type& s) noexcept : node(map, s) {}

        /// Makes what `op`, which decided to assign, needs: for an insert a node with the key, to replace a large value a node
        /// with both. If there is a present entry, which the caller holds, the node gets its key object; see node_key.hpp.
        template <class K>
        void prepare(const typename Types::node* present, std::uint64_t hash, K&& key, Op& op) {
            if constexpr (Op::may_assign) {
                if constexpr (Layout::pairs) {
                    prepare_value(op);
                    if (present == nullptr && !node) node.emplace(hash, std::forward<K>(key), [] {});
                } else if (!node) {
                    if constexpr (keeps_present_key) {
                        if (present != nullptr) {
                            node.emplace(hash, key_of_entry<typename Types::node>{*present}, maker_of(op), wanted_prefix(op));
                            return;
                        }
                    }
                    node.emplace(hash, std::forward<K>(key), maker_of(op), wanted_prefix(op));
                } else {
                    if constexpr (keeps_present_key) node.use_key(present, std::forward<K>(key));
                    if constexpr (Op::depends_on_current) {
                        node.get()->value() = engine::made<T>(value_maker{op}); // fetch_add: a number
                    }
                }
            }
        }

        static auto maker_of(Op& op) noexcept {
            if constexpr (requires { Op::makes_no_value; }) {
                return nothing_made{};
            } else {
                return value_maker<Op>{op};
            }
        }

        void prepare_value(Op& op) {
            if constexpr (Layout::pairs && Op::may_assign) {
                if (!has_value || Op::depends_on_current) value = to_word(engine::made<T>(value_maker{op}));
                has_value = true;
            }
        }
    };

    /// Returns the root at which the write took place. The search runs first, on hazards. The writer then checks its result
    /// under the lock: a present node must still be in its slot (a hazard holds it, so its address means the same node); an
    /// absence holds if the version is the same.
    template <class K, class Op>
    [[gnu::always_inline]] word write_node(control& c, thread_record_type& s, reclaim::hazard_record<Sync>& hazard_record,
                                           std::uint64_t hash, K&& key, Op& op, bool owner) {
        reclaim::hazard_guard<Sync> held(hazard_record);
        record_supply supply(*this);
        place_of_write at{supply, owner};
        publication<Op> fresh(*this, s);
        node* unlinked = nullptr;
        syncmap::detail::deferred<reclaim::hazard_guard<Sync>> key_held;
        syncmap::detail::deferred<ownership<Key>> own_node;
        syncmap::detail::deferred<ownership<std::remove_cvref_t<decltype(compared_by(key))>>> own_key;
        if constexpr (prepares_first<Op>) {
            // The memory of the bucket comes meanwhile. And few instructions then lie between the wait for the entry, whose key
            // is compared, and the next operation's loads: a processor does not begin those while it holds some 256 others
            // back.
            if (!owner && reader::fetch_to_write(*this, hash)) fresh.prepare(nullptr, hash, std::forward<K>(key), op);
        }
        bool again = false;
        for (;; again = true) {
            switch (const outcome o = attempt_node(c, s, held, at, fresh, hash, std::forward<K>(key), op, unlinked, again)) {
            case outcome::done: return at.root;
            case outcome::replaced:
            case outcome::erased:
                if (unlinked == nullptr) __builtin_unreachable(); // such an attempt has set it; GCC warns without this
                held.drop();
                if constexpr (requires { op.entry_erased(); }) {
                    if (o == outcome::erased) op.entry_erased();
                }
                if constexpr (!requires { Op::caller_retires; }) {
                    if (!keeps_removed(op, *unlinked, o == outcome::erased)) this->retire(c, s, unlinked); // [W9]
                }
                if (o == outcome::erased) base::resizer::after_erase(*this, c, s, at.root);
                return at.root;
            case outcome::must_ask:
                if constexpr (requires { op.gives_way(); }) {
                    op.gives_way();
                    return at.root;
                }
                if constexpr (requires { op.attempt_failed(); }) op.attempt_failed();
                // A number stays in the caller's object. Of other keys the new node may have the only object: a second hazard
                // keeps that node alive beyond its publication, until this thread has left the flight.
                if (fresh.node && !std::is_arithmetic_v<Key>) {
                    key_held.emplace(hazard_record, held);
                    key_held->protect(fresh.node.get(), [] { return true; });
                    own_node.emplace(*this, hash, std::as_const(*fresh.node.get()).key(), waits_for_owner<Op>);
                } else {
                    own_key.emplace(*this, hash, compared_by(key), waits_for_owner<Op>);
                }
                if constexpr (!waits_for_owner<Op>) {
                    if (own_node.get() != nullptr ? !own_node->owns() : !own_key->owns()) {
                        op.refused(*fresh.node.release());
                        return at.root;
                    }
                }
                at.owner = true;
                break;
            default:
                held.drop();
                if constexpr (requires { op.attempt_failed(); }) op.attempt_failed();
                this->prepare_next(c, s, o, at);
            }
        }
    }

private:
    template <class Op>
    static bool keeps_removed([[maybe_unused]] Op& op, [[maybe_unused]] node& removed, [[maybe_unused]] bool erased) noexcept {
        if constexpr (requires { op.keeps_removed(removed, erased); }) {
            return op.keeps_removed(removed, erased);
        } else {
            return false;
        }
    }

    /// `made`: the node that is not published yet, or null. `MayBeMoved`: the caller's key may have been moved into it.
    template <class Op, bool MayBeMoved, class K>
    [[gnu::always_inline]] found find_place(const node* made, std::uint64_t hash, const K& key,
                                            reclaim::hazard_guard<Sync>& held, bool again) const {
        if (made != nullptr && (again || !prepares_first<Op>))
            return reader::find_node(*this, made->key(), hash, held, reader::following::controls);
        if constexpr (prepares_first<Op> && MayBeMoved) {
            return reader::find_to_write(*this, made != nullptr ? made->key() : key, hash, held);
        } else {
            return reader::find_to_write(*this, key, hash, held);
        }
    }

    /// Inlined, though long: it has one caller, and its results stay in registers. `unlinked`: the node that it took out of its
    /// slot.
    template <class K, class Op>
    [[gnu::always_inline]] outcome attempt_node(control& c, thread_record_type& s, reclaim::hazard_guard<Sync>& held,
                                                place_of_write& at, publication<Op>& fresh, std::uint64_t hash, K&& key, Op& op,
                                                node*& unlinked, bool again) {
        held.drop();
        const found place = find_place<Op, std::is_same_v<K, Key>>(fresh.node.get(), hash, key, held, again);
        at.root = place.root; // [W1]
        at.t = place.t;
        at.bucket = place.bucket;
        if (place.t == nullptr) return op.decide(nullptr) == decision::assign ? outcome::no_table : outcome::done;
        header& t = *place.t;
        const bool present = place.slot_word != Layout::empty;
        const bool decided = !decides_under_lock<Op> || !present;
        decision d = decision::keep;
        if (decided) {
            d = base::decide(place, op);
            if (d == decision::keep) {
                if constexpr (requires { op.stays(place); }) {
                    if (present) op.stays(place);
                }
                return outcome::done;
            }
            if (d == decision::assign) {
                const node* const held_node = present ? node_at(place.slot_word) : nullptr;
                if constexpr (equality_is_known<Key, KeyEqual>) {
                    // The flight points to the caller's key, so the node gets a copy. (With other equality the flight has one.)
                    if (at.owner) fresh.prepare(held_node, hash, std::as_const(key), op);
                }
                fresh.prepare(held_node, hash, std::forward<K>(key), op);
                if constexpr (requires { op.prepared(*fresh.node.get(), present); }) op.prepared(*fresh.node.get(), present);
                if constexpr (requires { op.before_insert(); }) {
                    if (!present) op.before_insert();
                }
            }
        }

        if (locks::is_cutting(c)) [[unlikely]]
            return outcome::gate_closed;
        section in(*this, s, &t, place.root); // [W2]
        if (!in) return outcome::again;
        atomic_control& lock = t.controls[place.bucket];
        control_word free = present ? lock.load(std::memory_order_relaxed) : place.control;
        if ((free & Layout::moved_bit) != 0) return outcome::again;
        if ((free & Layout::lock_bit) != 0 || !locks::try_lock(lock, free)) return outcome::locked_by_other; // [W3]
        const auto end = [&](outcome o) {
            locks::unlock(c, lock, free);
            return o;
        };
        const auto end_published = [&](outcome o, control_word with) __attribute__((always_inline)) {
            locks::unlock(c, lock, with, visible_on_return(op.order)); // [W8]
            return o;
        };
        if (present && (place.slot->load(std::memory_order_relaxed) != place.slot_word ||
                        (Layout::pairs && decided && chain::value_at(place.slot) != place.value))) {
            return end(outcome::again);
        }
        if (!at.owner) {
            const outcome o = this->admit_decision(c, place.root, hash); // [W4]
            if (o != outcome::admitted) return end(o);
        } else if constexpr (requires { op.admits(std::uint64_t{}); }) {
            Sync::fence_after_rmw(); // as in must_ask, for what the operation looks at
        }
        if constexpr (decides_under_lock<Op>) {
            if (present) {
                d = base::decide_on_word(maybe_word(chain::value_at(place.slot)), op);
                if (d == decision::assign) fresh.prepare_value(op);
            }
        }
        if constexpr (requires { op.has_room_for(*fresh.node.get()); }) {
            if (d == decision::assign && present) {
                if (!op.has_room_for(*node_at(place.slot_word))) return end(outcome::again);
                if constexpr (requires { op.erases_instead(); }) {
                    if (op.erases_instead()) d = decision::erase;
                }
            }
        }
        if (d == decision::keep || !base::may_publish(op, t)) {
            if constexpr (requires { op.refused(*fresh.node.get()); }) {
                if (fresh.node) op.refused(*fresh.node.release());
            }
            return end(outcome::done);
        }
        const bool overwrites = d == decision::assign && present;
        const outcome o = base::admit_change(c, t, place.bucket, free, !overwrites, at.past_gate, at.supply); // [W5] [P1]
        if (o != outcome::admitted) return end(o);
        if (overwrites) {
            if constexpr (Layout::pairs) {
                place.slot[1].store(fresh.value, std::memory_order_release); // [W6]
                return end_published(outcome::done, free);
            } else {
                unlinked = node_at(place.slot_word);
                if constexpr (Types::has_marks_in_nodes) fresh.node.get()->mark.inherit(unlinked->mark);
                if constexpr (requires { op.replaces(*unlinked, *fresh.node.get()); })
                    op.replaces(*unlinked, *fresh.node.get());
                place.slot->store(Layout::tagged(fresh.node.release(), hash), std::memory_order_release); // [W6]
                return end_published(outcome::replaced, free);
            }
        }
        line_type& home = t.home(place.bucket);
        if (d == decision::erase) {
            if constexpr (requires { op.erases(place); }) op.erases(place);
            unlinked = node_at(place.slot_word);
            const bool moved = chain::erase(c, s, t, home, place.slot); // [W6] [W7]
            return end_published(outcome::erased, moved ? Layout::with_next_version(free) : free);
        }
        const vacancy v = chain::find_vacancy(c, t, home);
        if (!v) return end(outcome::full);
        if constexpr (requires { op.publishes(*fresh.node.get(), fresh.value); }) op.publishes(*fresh.node.get(), fresh.value);
        chain::insert(s, t, v, Layout::tagged(fresh.node.release(), hash), fresh.value); // [W6] [W7]
        return end_published(outcome::done, Layout::with_next_version(free));
    }
};

} // namespace syncmap::engine
