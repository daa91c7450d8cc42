// Writes and computations of single keys: docs/design.md [W1] to [W9] and [C1] to [C5].
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <syncmap/detail/deferred.hpp>
#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/single_flight.hpp>
#include <syncmap/engine/table/direct_write.hpp>

namespace syncmap::engine {

template <class Types>
class writing : public direct_write<Types> {
    using base = direct_write<Types>;

public:
    using base::base;

    /// One write of one key, as `op` decides; see engine/decision.hpp.
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
        const std::uint64_t hash = syncmap::detail::seeded_hash(this->hash_, key, c.seed);
        write_hashed(c, hash, std::forward<K>(key), op, false);
    }

    /// The same with `op.decide` running exactly once, while this thread owns the key: it may take its time and use
    /// the map. If `clear` comes in between, the operation is ordered before it and its result is not stored.
    template <class K, class Op>
    void exclusive(K&& key, Op& op) {
        control& c = this->shared();
        const std::uint64_t hash = syncmap::detail::seeded_hash(this->hash_, key, c.seed);
        registration<std::remove_cvref_t<K>> own(*this, hash, key);
        if constexpr (shares_outcome<Op> && !compares_hashes_alone) {
            while (!own.enter_or_share()) {
                if (decide_if_present(c, hash, key, op)) return;
            }
        } else {
            own.enter();
        }
        const computing_mark mark(c, hash, own.claimed());
        wait_for_earlier_writers(c, hash, key);
        decided_operation<Op> decided{op};
        if constexpr (shares_outcome<Op> && !compares_hashes_alone) {
            try {
                decide_alone(c, hash, key, decided);
            } catch (const recursive_update&) {
                throw; // an error of this thread, not of its waiters
            } catch (...) {
                own.fail(std::current_exception());
                throw;
            }
        } else {
            decide_alone(c, hash, key, decided);
        }
        if (decided.verdict != decision::keep) write_hashed(c, hash, std::forward<K>(key), decided, true);
    }

protected:
    /// One write of an entry that was seen, and that the caller holds, if it is in the map still.
    template <class Op>
    void write_seen(const auto& n, Op& op) {
        write_hashed(this->shared(), n.hash(), seen_node{n}, op, false);
    }

    using atomic_control = typename Types::layout::atomic_control;
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using reader = engine::reader<Types>;
    using typename base::atomic_word;
    using typename base::control;
    using control_word = typename Types::layout::control_word;
    using typename base::entry;
    using found = typename engine::reader<Types>::found;
    using typename base::fresh_node;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::node;
    using typename base::record_supply;
    using search = engine::search<typename Types::layout, typename Types::sync>;
    using section = typename engine::locks<Types>::section;
    using seen_node = typename engine::reader<Types>::seen_node;
    using typename base::stripe_type;
    using typename base::Sync;
    using vacancy = typename engine::chain<Types>::vacancy;
    using T = typename base::T;
    using KeyEqual = typename Types::key_equal;
    using base::node_at;

    template <class K>
    static word key_bits([[maybe_unused]] const K& key) noexcept {
        if constexpr (Layout::inline_key) return to_word(static_cast<const Key&>(key));
        return 0;
    }

    /// Deciding under the lock needs a decision that cannot run user code: copies, sums and comparisons of scalars.
    template <class Op>
    static constexpr bool decides_under_lock = Layout::pairs && std::is_scalar_v<T> && !Op::runs_user_code;

    // ---- decisions ----

    /// `op.decide` on what was found.
    template <class Op>
    static decision decide(const found& place, Op& op) {
        if (place.mark == Layout::empty) return op.decide(nullptr);
        return reader::show(place, [&](const T& value) { return op.decide(std::addressof(value)); });
    }

    // ---- computations [design 6] ----

    /// The form in which keys of this map are compared among the flights, whatever type they were given as.
    /// As views where equality is known to be that of texts: `std::equal_to<>` asks the type, which may see it otherwise.
    static constexpr bool registers_views =
        syncmap::detail::string_like<Key> &&
        (syncmap::detail::is_text_by_bytes<Key> || syncmap::detail::is_text<Key> || !std::is_same_v<KeyEqual, std::equal_to<>>) &&
        std::is_invocable_r_v<bool, const KeyEqual&, const std::string_view&, const std::string_view&>;
    using registered_key = std::conditional_t<registers_views, std::string_view, Key>;

    /// A key that cannot be copied is moved into the map while it is owned, so nobody may compare with it. Of such keys those
    /// with one hash share their flight: they wait for each other, which does no harm.
    static constexpr bool compares_hashes_alone =
        !equality_is_known<Key, KeyEqual> && !std::is_copy_constructible_v<syncmap::detail::given_t<Key>>;

    static bool same_keys(const void* map, const void* mine, const void* other) {
        return static_cast<bool>(static_cast<const writing*>(map)->equal_(*static_cast<const registered_key*>(mine),
                                                                          *static_cast<const registered_key*>(other)));
    }
    static bool are_same_hashes(const void*, const void*, const void*) noexcept { return true; }
    static const void* copy_of_key(const void*, const void* key, key_room& room) {
        const auto& given = *static_cast<const registered_key*>(key);
        if constexpr (registers_views) {
            struct owned_text {
                explicit owned_text(std::string_view given_text) : text(given_text) {}
                const std::string text;
                const std::string_view view{text};
            };
            return std::addressof(room.template emplace<owned_text>(given)->view);
        } else {
            return room.template emplace<Key>(given);
        }
    }
    static constexpr flight_key key_kind = [] {
        if constexpr (compares_hashes_alone) {
            return flight_key{&are_same_hashes, nullptr};
        } else if constexpr (equality_is_known<Key, KeyEqual>) {
            return flight_key{&same_keys, nullptr};
        } else {
            return flight_key{&same_keys, &copy_of_key};
        }
    }();

    /// A key, and its flight once this thread owns it.
    template <class K>
    class registration {
    public:
        registration(const writing& map, std::uint64_t hash, const K& key)
            : flights_(map.shared_of_table().home->flights), key_(registered(key)),
              claim_(&map, hash, std::addressof(key_), key_kind) {}
        registration(const registration&) = delete;
        registration& operator=(const registration&) = delete;
        ~registration() { leave(); }

        void enter() { flights_.enter(claim_); }
        bool try_enter() { return flights_.try_enter(claim_); }
        bool enter_or_share() { return flights_.enter_or_share(claim_); }
        void fail(std::exception_ptr failure) noexcept { claim_.fail(std::move(failure)); }
        void leave() noexcept {
            if (claim_.owns()) flights_.leave(claim_);
        }

        auto& claimed() noexcept { return claim_; }

    private:
        static constexpr bool viewed = registers_views && std::is_convertible_v<const K&, std::string_view>;
        static constexpr bool as_it_is = !registers_views && std::is_same_v<K, Key>;
        struct no_key {};
        using kept = std::conditional_t<compares_hashes_alone, no_key,
                                        std::conditional_t<viewed, std::string_view, std::conditional_t<as_it_is, const Key&, const Key>>>;

        static kept registered([[maybe_unused]] const K& key) {
            if constexpr (compares_hashes_alone) {
                return {};
            } else if constexpr (viewed || as_it_is) {
                return key;
            } else {
                return Key(key);
            }
        }
        single_flight<Sync>& flights_;
        kept key_;
        typename single_flight<Sync>::claim claim_;
    };

    /// This thread is the only writer of a key, but for `clear`. Waits for it, or throws `recursive_update`.
    template <class K>
    class ownership : registration<K> {
    public:
        ownership(const writing& map, std::uint64_t hash, const K& key) : registration<K>(map, hash, key) { this->enter(); }
    };

    /// While it exists, other writers of keys of this hash ask whether theirs has a flight.
    class computing_mark {
    public:
        computing_mark(control& c, std::uint64_t hash, typename single_flight<Sync>::claim& of) noexcept
            : counter_(c.computing_of(hash)), claim_(of) {
            counter_.fetch_add(1, std::memory_order_seq_cst);
            claim_.mark = &counter_;
            // Before the root is read; pairs with the one in must_ask. A writer in a table that the root shows only after
            // that sees the mark: no lock of that table was passed between it and this thread.
            Sync::fence_after_rmw();
        }
        computing_mark(const computing_mark&) = delete;
        computing_mark& operator=(const computing_mark&) = delete;
        ~computing_mark() {
            claim_.mark = nullptr;
            counter_.fetch_sub(1, std::memory_order_release);
        }

    private:
        typename Sync::template atomic<std::uint32_t>& counter_;
        typename single_flight<Sync>::claim& claim_;
    };

    /// An operation that has decided already, about one life of the map.
    template <class Op>
    struct decided_operation {
        static constexpr bool depends_on_current = false;
        static constexpr bool may_assign = Op::may_assign;
        static constexpr bool runs_user_code = false;
        Op& op;
        std::memory_order order = op.order;
        engine::decision verdict = engine::decision::keep;
        std::uint64_t incarnation = 0;

        engine::decision decide(const T* current) const noexcept {
            return current == nullptr && verdict == engine::decision::erase ? engine::decision::keep : verdict;
        }
        decltype(auto) make() { return op.make(); }
        template <class Place>
            requires requires(Op& o, Place& place) { o.make_in(place); }
        void make_in(Place&& place) {
            op.make_in(place);
        }
    };

    /// `op.decide` on the present value, if there is one. Returns whether.
    template <class K, class Op>
    bool decide_if_present(control& c, std::uint64_t hash, const K& key, Op& op) {
        if constexpr (Layout::inline_key) {
            const maybe_word value = reader::find_inline(*this, static_cast<const Key&>(key));
            if (value) static_cast<void>(base::decide_on_word(value, op));
            return static_cast<bool>(value);
        } else {
            const reclaim::thread_lease<Sync> me(c.home->threads);
            reclaim::hold<Sync> held(*me);
            const found place = reader::find_node(*this, key, hash, held, reader::following::controls);
            if (place.t == nullptr || place.mark == Layout::empty) return false;
            static_cast<void>(decide(place, op));
            return true;
        }
    }

    /// By having the lock of the key's unit once: every writer of the key either had it before, or sees the mark.
    template <class K>
    void wait_for_earlier_writers(control& c, std::uint64_t hash, const K& key) {
        const reclaim::thread_lease<Sync> me(c.home->threads);
        stripe_type& s = this->stripe_of(c, *me);
        const auto unit_in = [&](const header& t) { return chain::unit_of(t, hash, key_bits(key)); };
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header* t = base::table_of(root);
            if (t == nullptr) return; // whoever makes the first table sees the mark after that
            section in(*this, s, t, root);
            if (!in) continue;
            std::size_t unit = unit_in(*t);
            control_word held = 0;
            const locking got = lock_live_unit(in, t, unit, held, root, unit_in);
            if (got == locking::locked) {
                locks::unlock(c, t->controls[unit], held);
                return;
            }
            in.leave();
            if (got == locking::busy) locks::wait_unlocked(c, t->controls[unit]);
        }
    }

    /// Keeps what was found while the user's function runs. A computation inside of another one does not do that with one
    /// of the thread's few hazards: it pins the node.
    class pinned_for_long {
    public:
        pinned_for_long(writing& map, const found& place, reclaim::hold<Sync>& held) noexcept : map_(map) {
            if (place.mark == Layout::empty || Layout::pairs) { // absent, or shown as a copy
                held.drop();
            } else if (!held.is_first()) {
                node_ = node_at(place.mark);
                node_->pin();
                held.drop();
            }
        }
        pinned_for_long(const pinned_for_long&) = delete;
        pinned_for_long& operator=(const pinned_for_long&) = delete;
        ~pinned_for_long() {
            if (node_ != nullptr && node_->unpin()) map_.destroy_node(node_);
        }

    private:
        writing& map_;
        node* node_ = nullptr;
    };

    /// Runs `op.decide`, the user's function, on the present value, once, with nothing locked.
    template <class K, class Op>
    void decide_alone(control& c, std::uint64_t hash, const K& key, decided_operation<Op>& decided) {
        const reclaim::thread_lease<Sync> me(c.home->threads);
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header* const t = base::table_of(root);
            if (t == nullptr) {
                this->make_first_table(c, root, base::min_log2());
                continue;
            }
            decided.incarnation = t->incarnation.load(std::memory_order_relaxed);
            if constexpr (Layout::inline_key) {
                const maybe_word value = reader::find_inline(*this, static_cast<const Key&>(key));
                if (!this->is_root(root)) continue;
                decided.verdict = base::decide_on_word(value, decided.op);
            } else {
                reclaim::hold<Sync> held(*me);
                const found place = reader::find_node(*this, key, hash, held, reader::following::controls);
                if (place.root != root) continue;
                const pinned_for_long kept(*this, place, held);
                decided.verdict = decide(place, decided.op);
            }
            return;
        }
    }

    // ---- writes ----

    /// `owner`: this thread owns the key (single_flight.hpp).
    template <class K, class Op>
    void write_hashed(control& c, std::uint64_t hash, K&& key, Op& op, bool owner) {
        if constexpr (Layout::inline_key && decides_under_lock<Op>) {
            const Key copy = key;
            // Without a lease, whose end would be looked after all the way.
            auto* const me = reclaim::kept_row(c.home->threads);
            if (me != nullptr && !owner && this->write_directly(c, this->stripe_of(c, *me), hash, copy, op)) [[likely]] return;
            write_apart(c, hash, copy, op, owner);
        } else {
            write_in_attempts(c, hash, std::forward<K>(key), op, owner);
        }
    }

    /// Gives the general path a key and an operation of its own: a compiler keeps those in registers whose address no call
    /// takes.
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
        stripe_type& s = this->stripe_of(c, *me);
        word root = 0;
        if constexpr (Layout::inline_key) {
            root = write_inline(c, s, hash, static_cast<const Key&>(key), op, owner);
        } else {
            root = write_node(c, s, *me, hash, std::forward<K>(key), op, owner);
        }
        if (const header* const t = base::table_of(root); t != nullptr) this->help_if_asked(c, s, *t, root);
    }

    template <class Op>
    static bool may_publish([[maybe_unused]] const Op& op, [[maybe_unused]] const header& t) noexcept {
        if constexpr (requires { op.incarnation; }) {
            return op.incarnation == t.incarnation.load(std::memory_order_relaxed);
        } else {
            return true;
        }
    }

    /// What became of one attempt to write, and so what to do before the next.
    enum class outcome : unsigned char { done, erased, again, no_table, locked_by_other, must_ask, gate_closed, must_preserve, full };

    /// A write of an inline key on its way.
    template <class Op>
    struct inline_write {
        Op& op;
        const Key& key;
        const word bits;
        const std::uint64_t hash;
        bool owner;             ///< this thread owns the key (single_flight.hpp)
        record_supply& supply;
        word root = 0;          ///< where the last attempt took place
        header* t = nullptr;
        std::size_t unit = 0;
        word value = 0;         ///< to be published, once `made`
        bool past_gate = false; ///< it has waited for the gate, once
        bool made = false;

        void make() {
            if constexpr (Op::may_assign) {
                if (!made || Op::depends_on_current) value = to_word(engine::made<T>(value_maker{op}));
                made = true;
            }
        }
    };

    /// Inline keys: the search runs under the lock, where it is a few comparisons of words. Returns the root at which
    /// the write took place.
    template <class Op>
    word write_inline(control& c, stripe_type& s, std::uint64_t hash, const Key& key, Op& op, bool owner) {
        syncmap::detail::deferred<ownership<Key>> own;
        record_supply supply(*this);
        inline_write<Op> w{op, key, to_word(key), hash, owner, supply};
        for (outcome o = outcome::again; o != outcome::done; o = attempt(c, s, w)) {
            switch (o) {
            case outcome::erased: this->after_erase(c, s, w.root); return w.root;
            case outcome::no_table: this->make_first_table(c, w.root, base::min_log2()); break;
            case outcome::locked_by_other: locks::wait_unlocked(c, w.t->controls[w.unit]); break;
            case outcome::must_ask:
                own.emplace(*this, w.hash, w.key);
                w.owner = true;
                break;
            case outcome::gate_closed:
                locks::wait_for_gate(c);
                w.past_gate = true;
                break;
            case outcome::must_preserve: supply.provide(); break;
            case outcome::full: this->make_room(c, s, w.root, w.t, w.unit); break;
            case outcome::again:
            case outcome::done: break;
            }
        }
        return w.root;
    }

    template <class Op>
    outcome attempt(control& c, stripe_type& s, inline_write<Op>& w) {
        w.root = this->root_.load(std::memory_order_acquire); // [W1]
        w.t = base::table_of(w.root);
        if (w.t == nullptr) return w.op.decide(nullptr) == decision::assign ? outcome::no_table : outcome::done;

        // A decision that may run user code is made on what a reader sees, and checked under the lock.
        [[maybe_unused]] maybe_word seen;
        decision d = decision::keep;
        if constexpr (!decides_under_lock<Op>) {
            seen = reader::find_inline(*this, w.key);
            d = base::decide_on_word(seen, w.op);
            if (d == decision::keep) return outcome::done;
            if (d == decision::assign) w.make();
        }

        if (locks::is_cutting(c)) [[unlikely]] return outcome::gate_closed;
        section in(*this, s, w.t, w.root); // [W2]
        if (!in) return outcome::again;
        const auto unit_in = [&](const header& t) { return chain::unit_of(t, w.hash, w.bits); };
        w.unit = unit_in(*w.t);
        control_word held = 0;
        switch (lock_live_unit(in, w.t, w.unit, held, w.root, unit_in)) {
        case locking::locked: break;
        case locking::busy: return outcome::locked_by_other;
        case locking::stale: return outcome::again;
        }
        atomic_control& lock = w.t->controls[w.unit];
        const auto end = [&](outcome o) {
            locks::unlock(c, lock, held); // [W8]
            return o;
        };
        const auto end_published = [&](outcome o) {
            locks::unlock(c, lock, held, visible_on_return(w.op.order)); // [W8]
            return o;
        };
        if (!w.owner) {
            if (base::must_ask(c, w.hash)) return end(outcome::must_ask); // [W4]
            if (!this->is_root(w.root)) return end(outcome::again);
        }

        line_type& home = w.t->home(w.unit);
        const word mark = Layout::inline_mark(w.bits);
        atomic_word* const slot = base::slot_of(home, mark);
        const maybe_word current = slot == nullptr ? maybe_word() : maybe_word(chain::value_at(slot));
        if constexpr (decides_under_lock<Op>) {
            d = base::decide_on_word(current, w.op);
            if (d == decision::assign) w.make();
        } else if (current != seen) {
            return end(outcome::again);
        }
        if (d == decision::keep || !may_publish(w.op, *w.t)) return end(outcome::done);
        const bool overwrites = d == decision::assign && slot != nullptr;
        const word gate_word = c.gate_word.load(std::memory_order_acquire); // [W5]
        if (base::must_wait(gate_word, !overwrites, w.past_gate)) return end(outcome::gate_closed);
        if (!base::is_preserved(held, gate_word)) [[unlikely]] { // [P1]
            if (!base::preserve(c, *w.t, w.unit, held, gate_word, w.supply)) {
                return end(outcome::must_preserve);
            }
        }
        if (overwrites) {
            slot[1].store(w.value, std::memory_order_release); // [W6]
            return end_published(outcome::done);
        }
        if (d == decision::erase) {
            base::erase_slot(c, s, *w.t, home, slot); // [W6] [W7]
            return end_published(outcome::erased);
        }
        const vacancy v = chain::find_vacancy(c, *w.t, home);
        if (!v) return end(outcome::full);
        base::insert_into(s, *w.t, v, mark, w.value); // [W6] [W7]
        return end_published(outcome::done);
    }

    enum class locking : unsigned char { locked, busy, stale };

    /// Locks the unit that is live for a key, following MOVED control words; the section names the table it ends in.
    /// Busy: another writer has `t->controls[unit]`. Stale: the root changed.
    template <class UnitOf>
    locking lock_live_unit(section& in, header*& t, std::size_t& unit, control_word& held, word root, UnitOf unit_in) const noexcept {
        for (;;) {
            // The compare-exchange holds back the loads behind it: fetch the line at the same time as the control word.
            __builtin_prefetch(t->home(unit).words, 1);
            held = t->controls[unit].load(std::memory_order_acquire);
            if ((held & Layout::moved_bit) != 0) {
                header* const n = t->successor();
                if (n == nullptr) return locking::stale;
                in.enter(*this, n, root);
                if (!in) return locking::stale;
                t = n;
                unit = unit_in(*t);
                continue;
            }
            if ((held & Layout::lock_bit) != 0) return locking::busy;
            if (locks::try_lock(t->controls[unit], held)) return locking::locked; // [W3]
        }
    }

    /// Node keys: the search runs first, on hazards. What it found is proven under the lock: a present node by its
    /// slot still holding it (it is held, so its address means the same node), an absence by the version.
    template <class K, class Op>
    word write_node(control& c, stripe_type& s, reclaim::row<Sync>& row, std::uint64_t hash, K&& key, Op& op, bool owner) {
        reclaim::hold<Sync> held(row);
        publication<Op> fresh(*this, s);
        bool past_gate = false; // it has waited for the gate, once
        record_supply supply(*this);
        syncmap::detail::deferred<reclaim::hold<Sync>> key_held;
        syncmap::detail::deferred<ownership<Key>> own_node;
        syncmap::detail::deferred<ownership<std::remove_cvref_t<decltype(compared_by(key))>>> own_key;
        for (;;) {
            held.drop();
            // The key may have been moved into the node that waits to be published.
            const found place = fresh.node ? reader::find_node(*this, std::as_const(*fresh.node.get()).key(), hash, held, reader::following::controls)
                                           : reader::find_node(*this, key, hash, held, reader::following::controls);
            header* const t = place.t;
            if (t == nullptr) {
                if (op.decide(nullptr) != decision::assign) return place.root;
                this->make_first_table(c, place.root, base::min_log2());
                continue;
            }
            const bool present = place.mark != Layout::empty;
            const bool decided = !decides_under_lock<Op> || !present;
            decision d = decision::keep;
            if (decided) {
                d = decide(place, op);
                if (d == decision::keep) {
                    if constexpr (requires { op.stays(place); }) {
                        if (present) op.stays(place);
                    }
                    return place.root;
                }
                if (d == decision::assign) {
                    const node* const held_node = present ? node_at(place.mark) : nullptr;
                    if constexpr (equality_is_known<Key, KeyEqual>) {
                        // Its flight points to an owned key: it is copied, not moved from. (Other flights have a copy.)
                        if (owner) fresh.prepare(held_node, hash, std::as_const(key), op);
                    }
                    fresh.prepare(held_node, hash, std::forward<K>(key), op);
                }
            }

            if (locks::is_cutting(c)) [[unlikely]] {
                held.drop();
                locks::wait_for_gate(c);
                past_gate = true;
                continue;
            }
            section in(*this, s, t, place.root); // [W2]
            if (!in) continue;
            atomic_control& lock = t->controls[place.unit];
            control_word free = present ? lock.load(std::memory_order_relaxed) : place.control;
            if ((free & Layout::moved_bit) != 0) continue;
            if ((free & Layout::lock_bit) != 0 || !locks::try_lock(lock, free)) { // [W3]
                in.leave();
                locks::wait_unlocked(c, lock);
                continue;
            }
            if (present && (place.slot->load(std::memory_order_relaxed) != place.mark ||
                            (Layout::pairs && decided && chain::value_at(place.slot) != place.value))) {
                locks::unlock(c, lock, free);
                continue;
            }
            if (!owner && base::must_ask(c, hash)) { // [W4]
                locks::unlock(c, lock, free);
                in.leave();
                // A number stays where the caller has it; of other keys the node's is the one: kept alive beyond its
                // publication, until this has left.
                if (fresh.node && !std::is_arithmetic_v<Key>) {
                    key_held.emplace(row, held);
                    key_held.get()->protect(fresh.node.get(), [] { return true; });
                    own_node.emplace(*this, hash, std::as_const(*fresh.node.get()).key());
                } else {
                    own_key.emplace(*this, hash, compared_by(key));
                }
                owner = true;
                continue;
            }
            if (!owner && !this->is_root(place.root)) {
                locks::unlock(c, lock, free);
                continue;
            }
            if constexpr (decides_under_lock<Op>) {
                if (present) {
                    d = base::decide_on_word(maybe_word(chain::value_at(place.slot)), op);
                    if (d == decision::assign) fresh.prepare_value(op);
                }
            }
            if (d == decision::keep || !may_publish(op, *t)) {
                locks::unlock(c, lock, free);
                return place.root;
            }
            const bool overwrites = d == decision::assign && present;
            const word gate_word = c.gate_word.load(std::memory_order_acquire); // [W5]
            if (base::must_wait(gate_word, !overwrites, past_gate)) {
                locks::unlock(c, lock, free);
                in.leave();
                locks::wait_for_gate(c);
                past_gate = true;
                continue;
            }
            if (!base::is_preserved(free, gate_word) && !base::preserve(c, *t, place.unit, free, gate_word, supply)) { // [P1]
                locks::unlock(c, lock, free);
                in.leave();
                held.drop();
                supply.provide();
                continue;
            }
            if (overwrites) {
                if constexpr (Layout::pairs) {
                    place.slot[1].store(fresh.value, std::memory_order_release); // [W6]
                    locks::unlock(c, lock, free, visible_on_return(op.order));
                } else {
                    place.slot->store(Layout::tagged(fresh.node.release(), hash), std::memory_order_release); // [W6]
                    locks::unlock(c, lock, free, visible_on_return(op.order));
                    in.leave();
                    held.drop();
                    this->retire(c, s, node_at(place.mark)); // [W9]
                }
                return place.root;
            }
            line_type& home = t->home(place.unit);
            if (d == decision::erase) {
                const bool moved = base::erase_slot(c, s, *t, home, place.slot); // [W6] [W7]
                locks::unlock(c, lock, moved ? Layout::with_next_version(free) : free, visible_on_return(op.order)); // [W8]
                in.leave();
                held.drop();
                this->retire(c, s, node_at(place.mark)); // [W9]
                this->after_erase(c, s, place.root);
                return place.root;
            }
            const vacancy v = chain::find_vacancy(c, *t, home);
            if (!v) {
                locks::unlock(c, lock, free);
                in.leave();
                this->make_room(c, s, place.root, t, place.unit);
                continue;
            }
            if constexpr (requires { op.publishes(*fresh.node.get(), fresh.value); }) op.publishes(*fresh.node.get(), fresh.value);
            base::insert_into(s, *t, v, Layout::tagged(fresh.node.release(), hash), fresh.value); // [W6] [W7]
            locks::unlock(c, lock, Layout::with_next_version(free), visible_on_return(op.order));  // [W8]
            return place.root;
        }
    }

    /// What the registry compares: the key, also that of an entry that was seen.
    template <class K>
    static const K& compared_by(const K& key) noexcept {
        return key;
    }
    static const Key& compared_by(const seen_node& key) noexcept { return key.entry.key(); }

    /// What a node write is about to publish; built outside of any lock, once for all attempts.
    template <class Op>
    struct publication {
        fresh_node node;
        word value = 0;
        bool has_value = false;

        publication(writing& map, stripe_type& s) noexcept : node(map, s) {}

        /// `op` decided to assign: an insert needs a node for the key, a replacement of a large value one for both. Of the
        /// present entry, if there is one, which the caller holds, the node gets the key object; see node_key.hpp.
        template <class K>
        void prepare(const typename Types::node* present, std::uint64_t hash, K&& key, Op& op) {
            if constexpr (Op::may_assign) {
                if constexpr (Layout::pairs) {
                    prepare_value(op);
                    if (present == nullptr && !node) node.emplace(hash, std::forward<K>(key), [] {});
                } else if (!node) {
                    if (tells_equal_keys_apart<Key, KeyEqual> && present != nullptr) {
                        node.emplace(hash, key_of_entry<typename Types::node>{*present}, value_maker{op});
                    } else {
                        node.emplace(hash, std::forward<K>(key), value_maker{op});
                    }
                } else {
                    if constexpr (tells_equal_keys_apart<Key, KeyEqual>) node.use_key(present, std::forward<K>(key));
                    if constexpr (Op::depends_on_current) {
                        node.get()->value() = engine::made<T>(value_maker{op}); // fetch_add: a number
                    }
                }
            }
        }

        void prepare_value(Op& op) {
            if constexpr (Layout::pairs && Op::may_assign) {
                if (!has_value || Op::depends_on_current) value = to_word(engine::made<T>(value_maker{op}));
                has_value = true;
            }
        }
    };
};

} // namespace syncmap::engine
