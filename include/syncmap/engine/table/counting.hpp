// The exact size: the sum of all thread records, plus what is published and not counted yet, at one instant.
//
// Source of the idea: Sela and Petrank, "Concurrent Size" (2022); the method here (announce, look into the slot,
// collect twice) needs no second write by readers or by other writers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <syncmap/engine/table/resizer.hpp>

namespace syncmap::engine {

template <class Types>
class counting {
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using atomic_word = typename Layout::atomic_word;
    using control = typename Types::control;
    using header = typename Types::header;
    using thread_record_type = typename control::thread_record_type;

public:
    using map_type = core<Types>;

    /// Linearizable: an instant during the call at which the map had exactly that many entries.
    static std::size_t count(const map_type& map) {
        std::vector<look> first;
        std::optional<closing> closed;
        for (int attempt = 0;; ++attempt) {
            const word root = map.root_.load(std::memory_order_acquire);
            header* const t = map_type::table_of(root);
            if (t == nullptr) return 0;
            control& c = map.shared_of_table();
            if (attempt >= attempts_with_open_gate) {
                closed.emplace(c, gate::counting); // another thread that counts may have it closed: as good
                Sync::pause();
            }
            std::size_t entries = 0;
            if (collect_twice(map, c, root, *t, first, entries)) return entries;
            closed.reset();
            // A thread that changes several keys may have been stopped half way: it wants the processor.
            bool half_way = false;
            for (const look& seen : first) half_way |= seen.in_the_midst;
            if (attempt >= attempts_with_open_gate && half_way) {
                Sync::back_off(static_cast<unsigned>(attempt - attempts_with_open_gate));
            }
        }
    }

    /// What the thread records say, read one after the other.
    static std::size_t approx_size(const map_type& map) noexcept {
        const auto* t = map_type::table_of(map.root_.load(std::memory_order_acquire));
        if (t == nullptr) return 0;
        return resizer<Types>::counted_entries(map.shared_of_table(), *t);
    }

    /// The closed gate of one attempt. Opens it again if no writer has done so.
    class closing {
    public:
        closing(control& c, word why) noexcept : control_(c) {
            word open = c.gate_word.load(std::memory_order_relaxed);
            shut_ = gate::closed(open, why);
            closed_ = gate::is_open(open) &&
                      c.gate_word.compare_exchange_strong(open, shut_, std::memory_order_acq_rel, std::memory_order_relaxed);
        }
        closing(const closing&) = delete;
        closing& operator=(const closing&) = delete;
        ~closing() {
            if (closed_) open([](word g) { return gate::opened(g); });
        }

        explicit operator bool() const noexcept { return closed_; }

        /// Whether no writer has opened it. relaxed: a hint; `open_with_newest` decides.
        bool lasts() const noexcept { return is_mine(control_.gate_word.load(std::memory_order_relaxed)); }

        /// Opens it and makes `phase` the newest snapshot in the same step. False: another thread has opened it before.
        bool open_with_newest(std::uint32_t phase) noexcept {
            closed_ = false;
            return open([&](word g) { return gate::with_newest(gate::opened(g), phase); });
        }

    private:
        template <class Next>
        bool open(Next next) noexcept {
            word now = control_.gate_word.load(std::memory_order_relaxed);
            while (is_mine(now)) {
                // release: what was done while it was closed comes before. acquire: so does what was seen.
                if (control_.gate_word.compare_exchange_weak(now, next(now), std::memory_order_acq_rel,
                                                             std::memory_order_relaxed))
                    return true;
            }
            return false;
        }

        /// A snapshot that ends meanwhile changes the newest phase, but neither bits nor ticket.
        bool is_mine(word g) const noexcept {
            return ((g ^ shut_) & (gate::ticket_mask | gate::counting | gate::cutting)) == 0;
        }

        control& control_;
        word shut_ = 0;
        bool closed_;
    };

private:
    /// Everything a thread record says at one look.
    struct look {
        std::uint32_t generation;
        word net_count;
        int uncounted; ///< +1 published insert, -1 published erase, not in the net count yet
        bool in_the_midst; ///< true of no instant: of several changes that are one [M5], or it was counted between two looks
        friend bool operator==(const look&, const look&) = default;
    };

    static look look_at(thread_record_type& s) noexcept {
        look seen{};
        seen.generation = s.generation.load(std::memory_order_acquire);
        seen.net_count = s.net_count.load(std::memory_order_acquire);
        const word pending_slot = s.pending_slot.load(std::memory_order_acquire);
        if (thread_record_type::announces(pending_slot, seen.net_count)) {
            seen.in_the_midst = static_cast<change>(pending_slot & 7) == change::multiple;
            // Lines are never unmapped while the map lives, so even an outdated place can be read.
            const auto* slot = reinterpret_cast<const atomic_word*>(pending_slot & ((word{1} << 48) - 1) & ~word{7});
            if (slot != nullptr) {
                const word slot_word = slot->load(std::memory_order_acquire);
                switch (static_cast<change>(pending_slot & 7)) {
                case change::insert: seen.uncounted = slot_word == Layout::empty ? 0 : 1; break;
                case change::erase: seen.uncounted = slot_word == Layout::empty ? -1 : 0; break;
                case change::link: seen.uncounted = Layout::is_link(slot_word) ? 1 : 0; break;
                case change::multiple:
                case change::none: break;
                }
                // What comes into the slot afterwards comes after the count: another entry say that returns to the home line
                // [I2]. relaxed: ordered behind the slot's acquire load; and if it is the same, it is the store that was seen
                // before.
                seen.in_the_midst = s.net_count.load(std::memory_order_relaxed) != seen.net_count;
            }
        }
        return seen;
    }

    /// Equal twice: all of it was true together between the two collects. A net count that changed does not come back
    /// to its old value (its sequence), and under one net count an announced change is published at most once.
    static bool collect_twice(const map_type& map, control& c, word root, const header& t, std::vector<look>& first,
                              std::size_t& entries) {
        // relaxed, as the table's other number below: both were stored before the table was published. If the memory has become
        // another table's since, there was a heavy barrier after the root had changed, and is_root below tells.
        const auto generation = static_cast<std::uint32_t>(t.generation.load(std::memory_order_relaxed));
        first.clear();
        c.each_thread_record([&](thread_record_type& s) { first.push_back(look_at(s)); });
        // What this thread wrote before, and what it saw in the first collect, before the second: pairs with itself in
        // another thread that counts. Without it two threads that each insert and then count might both miss the other's
        // entry, and two that only count might see the changes of two others in opposite order.
        Sync::fence();
        std::size_t i = 0;
        bool equal = true;
        word sum = static_cast<word>(t.brought.load(std::memory_order_relaxed));
        c.each_thread_record([&](thread_record_type& s) {
            const look again = look_at(s);
            // A chunk of thread records that appeared in between, or a thread record that changed, or is half way through a
            // change.
            equal = equal && i < first.size() && again == first[i] && !again.in_the_midst;
            ++i;
            if (again.generation == generation)
                sum += thread_record_type::net_of(again.net_count) + static_cast<word>(again.uncounted);
        });
        if (!equal || i != first.size()) return false;
        // The same generation of the map all along. A root that changed by a resize only would do as well, but is rare.
        if (!map.is_root(root)) return false;
        entries = static_cast<std::size_t>(thread_record_type::entries_of(sum));
        return true;
    }

    static constexpr int attempts_with_open_gate = 3;
};

} // namespace syncmap::engine
