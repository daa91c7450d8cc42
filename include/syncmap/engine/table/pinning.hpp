// Holding an entry beyond a call: no lock and no hazard; a pinned entry blocks no thread.
//
// A thread pins a node while a hazard protects it, and then clears the hazard. From then on only the count in the node keeps
// it: the scan that finds it retired and pinned marks it HANDED, and the last unpin destroys it (reclaim/node.hpp). What lies
// in the table itself is copied.
//
// | what happens to the node   | what frees it                                                       |
// |----------------------------|---------------------------------------------------------------------|
// | unpinned, then retired     | the scan                                                            |
// | retired, unpinned, scanned | the scan: it finds no pin                                           |
// | retired, scanned, unpinned | the unpin: it finds HANDED. The map does not know the node any more |
// | never retired              | the map's destructor                                                |
#pragma once

#include <atomic>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/engine/table/writer.hpp>

namespace syncmap::engine {

template <class Types>
class pinning : public writer<Types> {
    using base = writer<Types>;

protected:
    using found = typename engine::reader<Types>::found;
    using reader = engine::reader<Types>;
    using typename base::control;
    using typename base::Key;
    using typename base::Layout;
    using typename base::node;
    using typename base::Sync;
    using T = typename base::T;
    using base::node_at;

public:
    using base::base;

    /// An entry, or none, that stays readable whatever other threads do to its key. It belongs to no thread.
    class held_entry {
    public:
        held_entry() noexcept = default;
        held_entry(held_entry&& other) noexcept
            : control_(other.control_), node_(std::exchange(other.node_, nullptr)), copy_(std::move(other.copy_)) {
            other.copy_.reset();
        }
        held_entry& operator=(held_entry&& other) noexcept {
            if (this != &other) {
                reset();
                control_ = other.control_;
                node_ = std::exchange(other.node_, nullptr);
                if (other.copy_) copy_.emplace(*other.copy_);
                other.copy_.reset();
            }
            return *this;
        }
        ~held_entry() { reset(); }

        explicit operator bool() const noexcept {
            if constexpr (Layout::inline_key) return copy_.has_value();
            return node_ != nullptr;
        }
        const Key& key() const noexcept {
            if constexpr (Layout::inline_key) {
                return copy_->key;
            } else {
                return node_->key();
            }
        }
        const T& value() const noexcept {
            if constexpr (Layout::pairs) {
                return copy_->value;
            } else {
                return node_->value();
            }
        }
        void reset() noexcept {
            copy_.reset();
            if constexpr (!Layout::inline_key) {
                node* const n = std::exchange(node_, nullptr);
                if (n != nullptr && n->unpin()) static_cast<pinning*>(control_->map)->destroy_node(n);
            }
        }

        /// The same entry, held once more.
        held_entry share() const noexcept {
            held_entry again;
            again.control_ = control_;
            again.node_ = node_;
            if constexpr (!Layout::inline_key) {
                if (node_ != nullptr) node_->pin();
            }
            if (copy_) again.copy_.emplace(*copy_);
            return again;
        }

    private:
        friend pinning;

        struct key_and_value {
            Key key;
            T value;
        };
        struct value_alone {
            T value;
        };
        struct nothing {};
        using copied =
            std::conditional_t<Layout::inline_key, key_and_value, std::conditional_t<Layout::pairs, value_alone, nothing>>;

        control* control_ = nullptr; ///< of the map, wherever that is moved to
        node* node_ = nullptr; ///< pinned
        std::optional<copied> copy_{};
    };

    /// Returns the node of an entry that is held, of a map whose entries are nodes.
    static const node& node_in(const held_entry& held) noexcept { return *held.node_; }

    /// Returns the entry of `key`, held; an empty one if the key is absent.
    template <class K>
    held_entry pin(const K& key) const {
        held_entry held;
        if constexpr (Layout::inline_key) {
            if (const maybe_word value = reader::find_inline(*this, static_cast<const Key&>(key))) {
                keep(held, {static_cast<const Key&>(key), from_word<T>(*value)});
            }
        } else {
            if (base::table_of(this->root_.load(std::memory_order_acquire)) == nullptr) return held;
            const auto& c = this->shared_of_table();
            const reclaim::thread_lease<Sync> me(c.home->threads);
            reclaim::hazard_guard<Sync> hazard(*me);
            const std::uint64_t hash = syncmap::detail::seeded_hash(this->hash_, key, c.seed());
            const found place = reader::find_node(*this, key, hash, hazard, reader::following::slot_words);
            if (place.slot_word != Layout::empty) keep(held, place);
        }
        return held;
    }

    /// Does the same, and inserts the entry by `op` if the key is absent. (`op` keeps a present entry.)
    template <class K, class Op>
    held_entry pin_or_insert(K&& key, Op& op) {
        held_entry held;
        holding_operation<Op> holding{op, *this, held};
        if constexpr (Layout::inline_key) {
            const Key bits = key;
            this->write(std::forward<K>(key), holding);
            keep(held, {bits, from_word<T>(holding.seen)});
        } else {
            this->write(std::forward<K>(key), holding);
        }
        return held;
    }

    /// Erases `key` and holds its entry; an empty one when the key is absent.
    template <class K>
    held_entry extract(const K& key, std::memory_order order) {
        held_entry held;
        extracting_operation op{*this, held, order};
        this->write(key, op);
        if constexpr (Layout::inline_key) {
            if (op.erased) keep(held, {static_cast<const Key&>(key), from_word<T>(op.seen)});
        }
        return held;
    }

protected:
    struct extracting_operation {
        static constexpr bool depends_on_current = false;
        static constexpr bool may_assign = false;
        static constexpr bool runs_user_code = true; // as holding_operation
        const pinning& map;
        held_entry& held;
        std::memory_order order;
        word seen = 0; ///< inline keys
        bool erased = false;

        decision decide(const T* current) noexcept {
            if constexpr (Layout::inline_key) {
                if (current != nullptr) seen = to_word(*current);
            }
            erased = current != nullptr;
            return erased ? decision::erase : decision::keep;
        }
        [[noreturn]] static T make() noexcept { std::terminate(); }
        /// `place` is about to be emptied, and its hazard is still set.
        void erases(const found& place) const noexcept { map.keep(held, place); }
    };

    /// Holds the entry that an operation finds or inserts: it pins a found node under its hazard, and a new one before it is
    /// published.
    template <class Op>
    struct holding_operation {
        static constexpr bool depends_on_current = false;
        static constexpr bool may_assign = true;
        static constexpr bool runs_user_code = true; // so that it gets an entry under a hazard, and not a word under a lock
        Op& op;
        const pinning& map;
        held_entry& held;
        word seen = 0; ///< inline keys
        std::memory_order order = op.order;

        decision decide(const T* current) {
            if constexpr (Layout::inline_key) {
                if (current != nullptr) seen = to_word(*current);
            }
            return op.decide(current);
        }
        decltype(auto) make() {
            if constexpr (Layout::inline_key) {
                const T value = engine::made<T>(value_maker{op});
                seen = to_word(value);
                return value;
            } else {
                return op.make();
            }
        }
        template <class Place>
            requires(!Layout::pairs && requires(Op& o, Place& place) { o.make_in(place); })
        void make_in(Place&& place) {
            op.make_in(place);
        }
        void stays(const found& place) const noexcept { map.keep(held, place); }
        void publishes(node& fresh, word value) const noexcept { map.keep(held, fresh, value); }
    };

    /// Keeps an entry with an inline key: a copy.
    static void keep(held_entry& held, const typename held_entry::copied& entry) noexcept { held.copy_.emplace(entry); }

    /// Keeps the node of `place`, whose hazard is still set. The scan that finds that hazard cleared sees the pin.
    void keep(held_entry& held, const found& place) const noexcept { keep(held, *node_at(place.slot_word), place.value); }
    /// Keeps a node that only this thread can reach, or that it holds.
    void keep(held_entry& held, node& n, [[maybe_unused]] word value) const noexcept {
        held.control_ = this->control_.load(std::memory_order_acquire);
        held.node_ = &n;
        n.pin();
        if constexpr (Layout::pairs) held.copy_.emplace(typename held_entry::copied{from_word<T>(value)});
    }
};

} // namespace syncmap::engine
