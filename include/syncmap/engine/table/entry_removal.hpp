// Erasing an entry that was seen, if it is still this one: the same node in the map, whatever its key. For extensions of the
// map that choose what leaves it.
//
// It waits for no flight, or a thread that owns one key could wait for another key's owner, whose function is waiting for the
// first. An entry whose key a thread computes stays, unless the caller wants it erased all the same: what is computed then
// becomes a new entry, and readers may miss the key until then.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include <syncmap/engine/table/entry_lookup.hpp>

namespace syncmap::engine {

enum class removal_result : unsigned char {
    erased,
    gone, ///< another thread has erased or replaced it
    busy  ///< a thread computes the key, or another one with the same counter
};

template <class Types>
class entry_removal : public entry_lookup<Types> {
    using base = entry_lookup<Types>;
    using lock_functions = locks<Types>;
    using layout = typename Types::layout;
    using control_word = typename layout::control_word;

public:
    using base::base;
    using visitor = typename base::visitor;
    using sighting = typename base::sighting;
    using entry_type = typename base::entry_type;
    using removal = removal_result;

    /// Erases the entry if it is still this one. After `erased` it is in no table and counted no more, and the caller hands it
    /// to `retire`, when it likes: that may run destructors of the user's. `by`: a visitor; if it has `leaves(hash)`, that is
    /// called with the bucket locked, before the entry leaves its slot.
    ///
    /// Progress: a write. Throws: `bad_alloc`, where a snapshot has to be preserved; nothing has happened then.
    template <class Visitor>
    removal_result erase_if_still(Visitor& by, const sighting& seen, bool even_if_computed = false) {
        switch (erase_at_once(by, seen, even_if_computed)) {
        case outcome::erased: return removal_result::erased;
        case outcome::must_ask: return removal_result::busy;
        default: return erase_in_attempts(by, seen, even_if_computed);
        }
    }

    /// Frees an entry that this thread has erased, when no other thread looks at it any more.
    [[gnu::noinline]] void retire_entry(visitor& by, entry_type& erased) noexcept {
        this->retire(by.control_, by.record_, &erased);
        const word root = this->root_.load(std::memory_order_acquire);
        if (const header_type* const t = base::table_of(root); t != nullptr) {
            resizer<Types>::help_if_asked(*this, by.control_, by.record_, *t, root);
        }
    }

    /// Waits until no writer holds the bucket of the entry: for what a writer changes in a mark under the lock.
    void wait_for_writer(visitor& by, const sighting& seen) {
        header_type& t = *seen.table_;
        lock_functions::wait_unlocked(by.control_, t.controls[t.bucket_of(seen.entry_->hash())]);
    }

private:
    using header_type = typename Types::header;

    /// One attempt where the entry was seen. Other outcomes than `erased` and `must_ask` say that something was in the way.
    template <class Visitor>
    outcome erase_at_once(Visitor& by, const sighting& seen, bool even_if_computed) noexcept {
        visitor& self = by;
        auto& c = self.control_;
        header_type& t = *seen.table_;
        const std::uint64_t hash = seen.entry_->hash();
        if (lock_functions::is_cutting(c)) return outcome::gate_closed;
        const typename lock_functions::section in(*this, self.record_, &t, seen.root_); // [W2]
        if (!in) return outcome::again;
        const header_type& of_root = *base::table_of(seen.root_);
        if (!lock_functions::writers_follow(of_root, of_root.bucket_of(hash), t)) return outcome::locked_by_other;
        const std::size_t bucket = t.bucket_of(hash);
        auto& lock = t.controls[bucket];
        control_word held = lock.load(std::memory_order_relaxed);
        if ((held & (layout::lock_bit | layout::moved_bit)) != 0 || !lock_functions::try_lock(lock, held)) // [W3]
            return outcome::locked_by_other;
        const auto end = [&](outcome o) __attribute__((always_inline)) {
            lock_functions::unlock(c, lock, held);
            return o;
        };
        // The node is held, so its address in the slot means this node; and it lies in the bucket of its hash.
        if (seen.slot_->load(std::memory_order_relaxed) != seen.slot_word_) return end(outcome::again);
        if (const outcome o = this->admit_decision(c, seen.root_, hash); o != outcome::admitted) { // [W4]
            if (!(even_if_computed && o == outcome::must_ask)) return end(o);
            if (!this->is_root(seen.root_)) return end(outcome::again);
        }
        const word gate_word = c.gate_word.load(std::memory_order_acquire); // [W5] [P1]
        if (!gate::is_open(gate_word) || !gate::is_preserved(layout::stamp_of(held), gate_word))
            return end(outcome::gate_closed);
        tell_before(by, hash);
        if (chain<Types>::erase(c, self.record_, t, t.home(bucket), seen.slot_)) // [W6] [W7]
            held = layout::with_next_version(held);
        return end(outcome::erased);
    }

    template <class Visitor>
    static void tell_before([[maybe_unused]] Visitor& by, [[maybe_unused]] std::uint64_t hash) noexcept {
        if constexpr (requires { by.leaves(hash); }) by.leaves(hash);
    }

    /// Erases if the entry is this node. Leaves the key to a thread that computes it.
    template <class Visitor>
    struct erase_this_operation {
        using T = typename Types::mapped_type;
        static constexpr bool depends_on_current = false;
        static constexpr bool may_assign = false;
        static constexpr bool runs_user_code = false;
        static constexpr bool caller_retires = true;
        const T* value;
        Visitor& by;
        std::uint64_t hash;
        std::memory_order order = std::memory_order_release;
        removal_result result = removal_result::gone;

        decision decide(const T* current) noexcept {
            result = current == value ? removal_result::erased : removal_result::gone;
            return current == value ? decision::erase : decision::keep;
        }
        template <class Place>
        void erases(const Place&) noexcept {
            tell_before(by, hash);
        }
        void gives_way() noexcept { result = removal_result::busy; }
        [[noreturn]] T make() { std::terminate(); }
    };
    template <class Visitor>
    removal_result erase_in_attempts(Visitor& by, const sighting& seen, bool even_if_computed) {
        const visitor& self = by;
        erase_this_operation<Visitor> op{std::addressof(std::as_const(*seen.entry_).value()), by, seen.entry_->hash()};
        using this_node = typename reader<Types>::seen_node;
        this->write_hashed(self.control_, seen.entry_->hash(), this_node{*seen.entry_}, op, even_if_computed);
        return op.result;
    }
};

} // namespace syncmap::engine
