// Owning a key while the user's function runs on it: docs/design.md, section 6 [C1] to [C5]. The process knows which thread
// owns which key (single_flight.hpp). This file has what the map adds: its keys, the counters that its writers read, and the
// call of the function, which runs once, with nothing locked.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/single_flight.hpp>
#include <syncmap/engine/table/fast_path.hpp>

namespace syncmap::engine {

template <class Types>
class computing : public fast_path<Types> {
    using base = fast_path<Types>;

public:
    using base::base;

protected:
    using control_word = typename Types::layout::control_word;
    using locks = engine::locks<Types>;
    using reader = engine::reader<Types>;
    using section = typename locks::section;
    using found = typename reader::found;
    using typename base::control;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::node;
    using typename base::Sync;
    using typename base::thread_record_type;
    using T = typename base::T;
    using KeyEqual = typename Types::key_equal;
    using base::node_at;
    using typename base::locking;

    template <class K>
    static word key_bits([[maybe_unused]] const K& key) noexcept {
        if constexpr (Layout::inline_key) return to_word(static_cast<const Key&>(key));
        return 0;
    }

    // ---- computations [design 6] ----

    /// The form in which flights compare keys of this map, whatever type the caller gave. They are views where equality is
    /// known to be that of texts: `std::equal_to<>` asks the type, which may compare otherwise.
    static constexpr bool registers_views =
        syncmap::detail::string_like<Key> &&
        (syncmap::detail::is_text_by_bytes<Key> || syncmap::detail::is_text<Key> ||
         !std::is_same_v<KeyEqual, std::equal_to<>>) &&
        std::is_invocable_r_v<bool, const KeyEqual&, const std::string_view&, const std::string_view&>;
    using registered_key = std::conditional_t<registers_views, std::string_view, Key>;

    /// The owner moves a key that cannot be copied into the map, so no other thread may compare with it. Such keys share a
    /// flight if they have one hash: their computations then wait for each other, which does no harm.
    static constexpr bool compares_hashes_alone =
        !equality_is_known<Key, KeyEqual> && !std::is_copy_constructible_v<syncmap::detail::given_t<Key>>;

    static bool same_keys(const void* map, const void* mine, const void* other) {
        return static_cast<bool>(static_cast<const computing*>(map)->equal_(*static_cast<const registered_key*>(mine),
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
        registration(const computing& map, std::uint64_t hash, const K& key)
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

        // ---- in which form the key is kept meanwhile ----

        static constexpr bool viewed = registers_views && std::is_convertible_v<const K&, std::string_view>;
        static constexpr bool as_it_is = !registers_views && std::is_same_v<K, Key>;
        struct no_key {};
        using own_key = std::conditional_t<viewed, std::string_view, std::conditional_t<as_it_is, const Key&, const Key>>;
        using kept = std::conditional_t<compares_hashes_alone, no_key, own_key>;

        static kept registered([[maybe_unused]] const K& key) {
            if constexpr (compares_hashes_alone) {
                return {};
            } else if constexpr (viewed || as_it_is) {
                return key;
            } else {
                return Key(key);
            }
        }

    private:
        single_flight<Sync>& flights_;
        kept key_;
        typename single_flight<Sync>::claim claim_;
    };

    /// Makes this thread the only writer of a key, apart from `clear`. Waits for the key, or throws `recursive_update`. Where
    /// it may not wait, it owns nothing if this thread or another one computes the key.
    template <class K>
    class ownership : registration<K> {
    public:
        [[gnu::cold, gnu::noinline]] ownership(const computing& map, std::uint64_t hash, const K& key, bool waits = true)
            : registration<K>(map, hash, key) {
            if (waits) {
                this->enter();
            } else {
                enter_if_free();
            }
        }
        [[gnu::cold, gnu::noinline]] ~ownership() = default;
        bool owns() noexcept { return this->claimed().owns(); }

    private:
        void enter_if_free() {
            try {
                static_cast<void>(this->try_enter());
            } catch (const recursive_update&) { // this thread's own function has asked for the write
            }
        }
    };

    /// While it exists, other writers of keys with this hash look whether their key has a flight.
    class computing_mark {
    public:
        computing_mark(control& c, std::uint64_t hash, typename single_flight<Sync>::claim& of) noexcept
            : counter_(c.computing_of(hash)), claim_(of) {
            counter_.fetch_add(1, std::memory_order_seq_cst);
            claim_.computing = &counter_;
            // (1) Orders the counter before the read of the root; pairs with the fence of must_ask() in admission.hpp. So a
            // writer in a table that becomes the root's later sees the counter, although this thread has locked no bucket of
            // that table.
            Sync::fence_after_rmw();
        }
        computing_mark(const computing_mark&) = delete;
        computing_mark& operator=(const computing_mark&) = delete;
        ~computing_mark() {
            claim_.computing = nullptr;
            counter_.fetch_sub(1, std::memory_order_release);
        }

    private:
        typename Sync::template atomic<std::uint32_t>& counter_;
        typename single_flight<Sync>::claim& claim_;
    };

    /// An operation that has already decided, on the contents of one generation of the map.
    template <class Op>
    struct decided_operation {
        static constexpr bool depends_on_current = false;
        static constexpr bool may_assign = Op::may_assign;
        static constexpr bool runs_user_code = false;
        Op& op;
        std::memory_order order = op.order;
        engine::decision verdict = engine::decision::keep;
        std::uint64_t generation = 0;

        engine::decision decide(const T* current) const noexcept {
            return current == nullptr && verdict == engine::decision::erase ? engine::decision::keep : verdict;
        }
        decltype(auto) make() { return op.make(); }
        template <class Place>
            requires requires(Op& o, Place& place) { o.make_in(place); }
        void make_in(Place&& place) {
            op.make_in(place);
        }
        bool admits(std::uint64_t current) noexcept
            requires requires(Op& o) { o.admits(current); }
        {
            return op.admits(current);
        }
        template <class Node>
            requires requires(Op& o, Node& fresh) { o.publishes(fresh, word{}); }
        void publishes(Node& fresh, word value) noexcept {
            op.publishes(fresh, value);
        }
        template <class Node>
            requires requires(Op& o, Node& present) { o.has_room_for(present); }
        bool has_room_for(Node& present) noexcept {
            return op.has_room_for(present);
        }
        bool erases_instead() const noexcept
            requires requires(const Op& o) { o.erases_instead(); }
        {
            return op.erases_instead();
        }
        template <class Node>
            requires requires(Op& o, Node& fresh) { o.replaces(fresh, fresh); }
        void replaces(Node& old, Node& fresh) noexcept {
            op.replaces(old, fresh);
        }
        template <class Place>
            requires requires(Op& o, const Place& place) { o.erases(place); }
        void erases(const Place& place) noexcept {
            op.erases(place);
        }
        template <class Node>
            requires requires(Op& o, Node& made) { o.refused(made); }
        void refused(Node& made) noexcept {
            op.refused(made);
        }
        void before_insert()
            requires requires(Op& o) { o.before_insert(); }
        {
            op.before_insert();
        }
        prefix_kind wants_prefix() const noexcept
            requires requires(const Op& o) { o.wants_prefix(); }
        {
            return static_cast<prefix_kind>(op.wants_prefix());
        }
        template <class Node>
            requires requires(Op& o, Node& fresh) { o.prepared(fresh, true); }
        void prepared(Node& fresh, bool is_present) {
            op.prepared(fresh, is_present);
        }
        void attempt_failed() noexcept
            requires requires(Op& o) { o.attempt_failed(); }
        {
            op.attempt_failed();
        }
        void entry_erased() noexcept
            requires requires(Op& o) { o.entry_erased(); }
        {
            op.entry_erased();
        }
        template <class Node>
            requires requires(Op& o, Node& removed) { o.keeps_removed(removed, true); }
        bool keeps_removed(Node& removed, bool erased) noexcept {
            return op.keeps_removed(removed, erased);
        }
    };

    /// Calls `op.decide` with the present value, if there is one. Returns whether there is.
    template <class K, class Op>
    bool decide_if_present(control& c, std::uint64_t hash, const K& key, Op& op) {
        if constexpr (Layout::inline_key) {
            const maybe_word value = reader::find_inline(*this, static_cast<const Key&>(key));
            if (value) static_cast<void>(base::decide_on_word(value, op));
            return static_cast<bool>(value);
        } else {
            const reclaim::thread_lease<Sync> me(c.home->threads);
            reclaim::hazard_guard<Sync> held(*me);
            const found place = reader::find_node(*this, key, hash, held, reader::following::controls);
            if (place.t == nullptr || place.slot_word == Layout::empty) return false;
            static_cast<void>(base::decide(place, op));
            return true;
        }
    }

    /// Locks the key's bucket once. Every writer of the key either had that lock before, or sees the raised counter.
    template <class K>
    void wait_for_earlier_writers(control& c, std::uint64_t hash, const K& key) {
        const reclaim::thread_lease<Sync> me(c.home->threads);
        thread_record_type& s = this->thread_record_of(c, *me);
        const auto bucket_in = [&](const header& t) { return t.bucket_of(hash, key_bits(key)); };
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header* t = base::table_of(root);
            if (t == nullptr) return; // the thread that makes the first table sees the counter, see (1)
            section in(*this, s, t, root);
            if (!in) continue;
            std::size_t bucket = bucket_in(*t);
            control_word held = 0;
            const locking got = this->lock_live_bucket(in, t, bucket, held, root, bucket_in);
            if (got == locking::locked) {
                locks::unlock(c, t->controls[bucket], held);
                return;
            }
            in.leave();
            if (got == locking::busy) locks::wait_unlocked(c, t->controls[bucket]);
        }
    }

    /// Keeps what was found while the user's function runs. A nested computation does not use up one of the thread's few
    /// hazards for that: it pins the node.
    class pinned_for_long {
    public:
        pinned_for_long(computing& map, const found& place, reclaim::hazard_guard<Sync>& held) noexcept : map_(map) {
            if (place.slot_word == Layout::empty || Layout::pairs) { // absent, or shown as a copy
                held.drop();
            } else if (!held.is_first()) {
                node_ = node_at(place.slot_word);
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
        computing& map_;
        node* node_ = nullptr;
    };

    /// Calls `op.decide`, the user's function, once with the present value. Nothing is locked meanwhile.
    template <class K, class Op>
    void decide_alone(control& c, std::uint64_t hash, const K& key, decided_operation<Op>& decided) {
        const reclaim::thread_lease<Sync> me(c.home->threads);
        // Set: overwrites of the key are excluded, or need not be.
        [[maybe_unused]] bool excludes_overwrites = keeps_present<Op>;
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header* const t = base::table_of(root);
            if (t == nullptr) {
                base::resizer::make_first_table(*this, c, root, base::min_log2());
                continue;
            }
            decided.generation = t->generation.load(std::memory_order_relaxed);
            if constexpr (Layout::inline_key) {
                const maybe_word value = reader::find_inline(*this, static_cast<const Key&>(key));
                if (!this->is_root(root)) continue;
                if (value && !std::exchange(excludes_overwrites, true)) {
                    base::direct_overwrites::exclude(c, hash); // [C2]
                    continue;
                }
                decided.verdict = base::decide_on_word(value, decided.op);
            } else {
                reclaim::hazard_guard<Sync> held(*me);
                const found place = reader::find_node(*this, key, hash, held, reader::following::controls);
                if (place.root != root) continue;
                const pinned_for_long kept(*this, place, held);
                decided.verdict = base::decide(place, decided.op);
            }
            return;
        }
    }
};

} // namespace syncmap::engine
