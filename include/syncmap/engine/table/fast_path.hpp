// The common case of a write of an inline key. It is short and always inlined, so its key and its operation stay in registers.
// The bucket is live and unlocked, no key of this hash is in flight, and the bucket has the key, a vacant slot or a line to
// add. No whole-map operation needs anything of the writer. This is the protocol of inline_writing.hpp, docs/design.md [W1] to
// [W8], without the branches that wait, retry or allocate. A write that needs one of those changes nothing, unlocks the bucket,
// and begins anew on the general path.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>

#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/table/admission.hpp>

namespace syncmap::engine {

template <class Types>
class fast_path : public admission<Types> {
    using base = admission<Types>;

public:
    using base::base;

protected:
    using atomic_control = typename Types::layout::atomic_control;
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using typename base::atomic_word;
    using typename base::control;
    using control_word = typename Types::layout::control_word;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::line_type;
    using search = engine::search<typename Types::layout, typename Types::sync>;
    using section = typename engine::locks<Types>::section;
    using typename base::Sync;
    using typename base::thread_record_type;
    using vacancy = typename engine::chain<Types>::vacancy;
    using T = typename base::T;

    enum class direct : unsigned char { no, kept, done, erased };

    /// Writes on the fast path. Returns false if it changed nothing; `op` may or may not have decided. `op` decides by built-in
    /// operations alone, so it may do so under the lock.
    template <class Op>
    [[gnu::always_inline]] bool write_directly(control& c, thread_record_type& s, std::uint64_t hash, const Key& key, Op& op) {
        const word root = this->root_.load(std::memory_order_acquire); // [W1]
        header* const t = base::table_of(root);
        const word bits = to_word(key);
        if (t == nullptr || Layout::is_sentinel_key(bits)) [[unlikely]]
            return false;
        switch (write_in_section(c, s, *t, root, hash, bits, op)) {
        case direct::no: return false;
        case direct::kept:
        case direct::done: break;
        case direct::erased: this->after_erase(c, s, root); break;
        }
        this->help_if_asked(c, s, *t, root);
        return true;
    }

    template <class Op>
    static decision decide_on_word(maybe_word value, Op& op) {
        if (!value) return op.decide(nullptr);
        const T current = from_word<T>(*value);
        return op.decide(std::addressof(current));
    }

    static std::uint64_t generation_of(const header& t) noexcept { return t.generation.load(std::memory_order_relaxed); }

    static atomic_word* slot_of(line_type& home, word slot_word) noexcept {
        for (line_type* l = &home; l != nullptr; l = chain::next_line(*l)) {
            if (const unsigned hits = search::match(*l, slot_word); hits != 0) {
                return l->slot(static_cast<std::size_t>(std::countr_zero(hits)));
            }
        }
        return nullptr;
    }

    /// Announces, publishes and counts an insert: so `size` finds it, counted or not [I8].
    static void insert_into(thread_record_type& s, const header& t, const vacancy& v, word slot_word, word value) noexcept {
        s.announce(chain::announced_slot(v), chain::announced_change(v), generation_of(t));
        chain::place(v, slot_word, value);
        s.count(+1);
    }
    /// Erases the entry of a slot. Returns true if another entry moved, see `trim`.
    [[gnu::always_inline]] static bool erase_slot(control& c, thread_record_type& s, header& t, line_type& home,
                                                  atomic_word* slot) noexcept {
        s.announce(slot, change::erase, generation_of(t));
        slot->store(Layout::empty, std::memory_order_release);
        s.count(-1);
        return chain::trim(c, t, home);
    }

private:
    template <class Op>
    [[gnu::always_inline]] direct write_in_section(control& c, thread_record_type& s, header& t, word root, std::uint64_t hash,
                                                   word bits, Op& op) {
        const std::size_t bucket = t.bucket_of(hash);
        line_type& home = t.home(bucket);
        // The compare-exchange delays the loads behind it: so this fetches the line at the same time as the control word.
        __builtin_prefetch(home.words, 1);
        atomic_control& lock = t.controls[bucket];
        const control_word held = lock.load(std::memory_order_relaxed);
        if ((held & (Layout::lock_bit | Layout::moved_bit)) != 0) [[unlikely]]
            return direct::no;
        const section in(*this, s, &t, root); // [W2]
        if (!in || !locks::try_lock(lock, held)) [[unlikely]]
            return direct::no; // [W3]
        const direct result = publish(c, s, t, home, hash, Layout::inline_slot_word(bits), held, op, root);
        const bool has_published = result == direct::done || result == direct::erased;
        locks::unlock(c, lock, held, has_published && visible_on_return(op.order)); // [W8]
        return result;
    }

    /// Does the same as `slot_of` for the lines behind the home line.
    [[gnu::noinline]] static atomic_word* slot_behind(line_type& home, word slot_word) noexcept {
        line_type* const l = chain::next_line(home);
        return l == nullptr ? nullptr : slot_of(*l, slot_word);
    }

    /// Inserts where the home line is full.
    [[gnu::noinline]] static direct insert_behind(control& c, thread_record_type& s, header& t, line_type& home, word slot_word,
                                                  word value) noexcept {
        const vacancy v = chain::find_vacancy(c, t, home);
        if (!v) return direct::no;
        insert_into(s, t, v, slot_word, value); // [W6] [W7]
        return direct::done;
    }

    template <class Op>
    [[gnu::always_inline]] direct publish(control& c, thread_record_type& s, header& t, line_type& home, std::uint64_t hash,
                                          word slot_word, control_word held, Op& op, word root) {
        if (!this->admits_at_once(c, root, hash, held)) [[unlikely]]
            return direct::no; // [W4] [W5]
        const unsigned hits = search::match(home, slot_word);
        const bool is_long = hits == 0 && Layout::is_link(home.slot_word(Layout::last));
        atomic_word* const slot = hits != 0 ? home.slot(static_cast<std::size_t>(std::countr_zero(hits)))
                                  : is_long ? slot_behind(home, slot_word)
                                            : nullptr;
        if (slot != nullptr) {
            switch (decide_on_word(maybe_word(chain::value_at(slot)), op)) {
            case decision::keep: return direct::kept;
            case decision::assign:
                if constexpr (Op::may_assign)
                    slot[1].store(to_word(engine::made<T>(value_maker{op})), std::memory_order_release); // [W6]
                break;
            case decision::erase:
                erase_slot(c, s, t, home, slot); // [W6] [W7]
                return direct::erased;
            }
            return direct::done;
        }
        if (op.decide(nullptr) != decision::assign) return direct::kept;
        if constexpr (Op::may_assign) {
            const word value = to_word(engine::made<T>(value_maker{op}));
            const unsigned vacant = search::match(home, Layout::empty);
            if (vacant == 0) return insert_behind(c, s, t, home, slot_word, value);
            atomic_word* const free = home.slot(static_cast<std::size_t>(std::countr_zero(vacant)));
            s.announce(free, change::insert, generation_of(t));
            chain::store_entry(free, slot_word, value); // [W6]
            s.count(+1); // [W7]
        }
        return direct::done;
    }
};

} // namespace syncmap::engine
