// Memory as C++ allows it to be: what a load may return beside the newest store.
//
// Every atomic that is written while threads run keeps its last stores. Each thread knows of some events of the others
// (clock.hpp): what *happened* before its next step, by releases that it acquired, and what it has *seen*: that, and what
// barriers showed it. A load may return a store if the thread has not seen a later one of that atomic, be it written or
// read by a thread [coherence]. Acquire joins what the store released; a read-modify-write takes the newest store, and
// hands on what that one released (release sequences). A sequentially consistent load returns the newest sequentially
// consistent store or a later one. Barriers follow the wording of P1202 (asymmetric fences): a heavy one is ordered with
// the light ones, and makes only seen, not happened: it excuses no data race.
//
// A store comes after those of the same atomic that its thread has seen, and before or after any others: who must not
// overwrite, nor be overwritten, has to be told of the other store. (But for pairs of words, and read-modify-writes.)
//
// What is stronger than C++: no load returns a store that is executed after it (no load buffering); a weak
// compare-exchange fails only for a reason. Fewer stores are kept than a machine could. So what is found here is wrong, and
// what is not found may still be.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <explore/clock.hpp>

namespace explore {

class weak_memory {
public:
    static constexpr unsigned kept_stores = 4;

    struct knowledge {
        clock happened;
        clock seen; ///< what loads do not go behind; all of `happened`, and more
        EXPLORE_UNWATCHED void join(const knowledge& other) noexcept {
            happened.join(other.happened);
            seen.join(other.seen);
        }
    };

    static constexpr bool acquires(std::memory_order order) noexcept {
        return order != std::memory_order_relaxed && order != std::memory_order_release;
    }
    static constexpr bool releases(std::memory_order order) noexcept {
        return order == std::memory_order_release || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
    }

    weak_memory()
        : table_(std::size_t{1} << table_log2), kept_(most_locations), places_(table_.data()), locations_(kept_.data()) {}

    // ---- threads ----

    EXPLORE_UNWATCHED void open() noexcept {
        ++execution_;
        used_ = 0;
        now_ = 0;
        for (knowledge& each : known_) each = {};
        for (clock& each : light_) each = {};
        heavy_ = {};
        total_ = {};
        fiber_ = 0;
    }
    EXPLORE_UNWATCHED void run(unsigned fiber) noexcept { fiber_ = fiber; }
    EXPLORE_UNWATCHED const clock& happened() const noexcept { return known_[fiber_].happened; }

    /// Before a thread runs: it knows what the main one knows.
    EXPLORE_UNWATCHED void start(unsigned fiber) noexcept {
        const auto own = known_[fiber].happened.of[fiber];
        known_[fiber].join(known_[0]);
        known_[fiber].happened.of[fiber] = known_[fiber].seen.of[fiber] = static_cast<std::uint16_t>(own + 1);
    }
    /// After the threads have ended: the main one knows what they know, and memory is plain again.
    EXPLORE_UNWATCHED void join_all() noexcept {
        for (unsigned i = 1; i != most_fibers; ++i) known_[0].join(known_[i]);
        ++execution_;
        used_ = 0;
    }

    // ---- accesses; values as words ----

    struct result {
        std::uint64_t value;
        unsigned behind; ///< so many stores older than the newest
    };

    /// `choose(n)` says which of n stores is returned, 0 for the newest.
    template <class Choose>
    EXPLORE_UNWATCHED result load(const void* address, std::uint64_t newest, std::memory_order order, Choose choose) {
        location* const l = find(address);
        if (l == nullptr) return {newest, 0};
        const unsigned back = pick(*l, order, [](std::uint64_t) { return true; }, choose);
        look_at(l->at(back), acquires(order));
        return {l->at(back).value, back};
    }

    /// Succeeds on the newest store alone; fails also on an older one with another value.
    template <class Choose>
    EXPLORE_UNWATCHED result compare_exchange(const void* address, std::uint64_t newest, std::uint64_t expected,
                                              std::uint64_t desired, std::memory_order success, std::memory_order failure,
                                              Choose choose) {
        location* const l = find(address);
        const unsigned back =
            l == nullptr ? 0 : pick(*l, failure, [&](std::uint64_t value) { return value != expected; }, choose);
        if (back == 0 && newest == expected) {
            change(address, newest, desired, success);
            return {newest, 0};
        }
        if (l == nullptr) return {newest, 0};
        look_at(l->at(back), acquires(failure));
        return {l->at(back).value, back};
    }

    /// `choose(n)` says which of n places it gets, 0 for that of the newest. Returns how many are newer.
    template <class Choose>
    EXPLORE_UNWATCHED unsigned store(const void* address, std::uint64_t previous, std::uint64_t desired,
                                     std::memory_order order, Choose choose) {
        location& l = *find_or_make(address, previous);
        const unsigned permitted = permitted_of(l, order == std::memory_order_seq_cst);
        unsigned ways[kept_stores]{};
        unsigned count = 1;
        for (unsigned back = 1; back < permitted; ++back) {
            if (!l.at(back - 1).changes) ways[count++] = back; // nothing comes between a change and what it changed
        }
        const unsigned back = count == 1 ? 0 : ways[choose(count)];
        push(l, desired, order, ++now_);
        for (unsigned i = 0; i != back; ++i) {
            const version mine = l.at(i);
            l.at(i) = l.at(i + 1);
            l.at(i + 1) = mine;
            l.at(i + 1).when = l.at(i).when;
        }
        tick();
        return back;
    }

    /// A read-modify-write that succeeds.
    EXPLORE_UNWATCHED void change(const void* address, std::uint64_t previous, std::uint64_t desired, std::memory_order order) {
        location& l = *find_or_make(address, previous);
        look_at(l.at(0), acquires(order));
        const knowledge sequence = l.at(0).released;
        push(l, desired, order, ++now_);
        l.at(0).changes = true;
        l.at(0).released.join(sequence);
        tick();
    }

    // ---- two words at once ----

    struct pair_result {
        std::uint64_t first;
        std::uint64_t second;
        unsigned behind;
    };

    /// Both as they were at one instant; acquire.
    template <class Choose>
    EXPLORE_UNWATCHED pair_result load_pair(const void* first, std::uint64_t newest_first, const void* second,
                                            std::uint64_t newest_second, Choose choose) {
        location* const a = find(first);
        location* const b = find(second);
        if (a == nullptr && b == nullptr) return {newest_first, newest_second, 0};
        const unsigned permitted_a = a == nullptr ? 1 : permitted_of(*a, false);
        const unsigned permitted_b = b == nullptr ? 1 : permitted_of(*b, false);
        struct state {
            unsigned a, b;
        };
        state states[2 * kept_stores]{};
        unsigned count = 0;
        for (state s{0, 0}; s.a < permitted_a && s.b < permitted_b;) {
            states[count++] = s;
            // One instant back: the later of the two stores is undone, or both if they were one.
            const std::uint32_t when_a = a == nullptr ? 0 : a->at(s.a).when;
            const std::uint32_t when_b = b == nullptr ? 0 : b->at(s.b).when;
            if (when_a == 0 && when_b == 0) break;
            if (when_a >= when_b) ++s.a;
            if (when_b >= when_a) ++s.b;
        }
        const unsigned back = count == 1 ? 0 : choose(count);
        pair_result r{newest_first, newest_second, back};
        if (a != nullptr) {
            r.first = a->at(states[back].a).value;
            look_at(a->at(states[back].a), true);
        }
        if (b != nullptr) {
            r.second = b->at(states[back].b).value;
            look_at(b->at(states[back].b), true);
        }
        return r;
    }
    /// Release.
    EXPLORE_UNWATCHED void store_pair(const void* first, std::uint64_t previous_first, std::uint64_t desired_first,
                                      const void* second, std::uint64_t previous_second, std::uint64_t desired_second) {
        const std::uint32_t when = ++now_;
        push(*find_or_make(first, previous_first), desired_first, std::memory_order_release, when);
        push(*find_or_make(second, previous_second), desired_second, std::memory_order_release, when);
        tick();
    }

    /// A read-modify-write of both words as one; acquires and releases.
    EXPLORE_UNWATCHED void change_pair(const void* first, std::uint64_t previous_first, std::uint64_t desired_first,
                                       const void* second, std::uint64_t previous_second, std::uint64_t desired_second) {
        location& a = *find_or_make(first, previous_first);
        location& b = *find_or_make(second, previous_second);
        look_at(a.at(0), true);
        look_at(b.at(0), true);
        const std::uint32_t when = ++now_;
        for (const auto& [l, desired] : {std::pair{&a, desired_first}, std::pair{&b, desired_second}}) {
            const knowledge sequence = l->at(0).released;
            push(*l, desired, std::memory_order_acq_rel, when);
            l->at(0).changes = true;
            l->at(0).released.join(sequence);
        }
        tick();
    }

    // ---- barriers ----

    EXPLORE_UNWATCHED void light_barrier() noexcept {
        knowledge& mine = known_[fiber_];
        mine.seen.join(heavy_);
        light_[fiber_] = mine.seen;
        tick();
    }
    EXPLORE_UNWATCHED void heavy_barrier() noexcept {
        knowledge& mine = known_[fiber_];
        for (const clock& each : light_) mine.seen.join(each);
        mine.seen.join(total_);
        mine.seen.join(heavy_);
        heavy_ = total_ = mine.seen;
        light_[fiber_] = mine.seen;
        tick();
    }
    /// A sequentially consistent fence.
    EXPLORE_UNWATCHED void full_fence() noexcept {
        knowledge& mine = known_[fiber_];
        mine.seen.join(total_);
        mine.seen.join(heavy_);
        total_ = mine.seen;
        tick();
    }

    // ---- objects that are made once for all ----

    EXPLORE_UNWATCHED knowledge present() noexcept {
        const knowledge all = known_[fiber_];
        tick();
        return all;
    }
    EXPLORE_UNWATCHED void learn(const knowledge& more) noexcept { known_[fiber_].join(more); }

    /// An atomic begins its generation at this address.
    EXPLORE_UNWATCHED void forget(const void* address) noexcept {
        if (location* const l = find(address)) l->size = 0;
    }
    bool is_full() const noexcept { return used_ == most_locations; }

private:
    struct version {
        std::uint64_t value;
        std::uint32_t when; ///< among all stores of the execution; 0: before the threads, or before it was kept
        std::uint16_t event;
        std::uint8_t fiber;
        bool total; ///< sequentially consistent
        bool changes; ///< a read-modify-write
        knowledge released;
        clock read_by; ///< of each thread the first event at which it returned this store
    };
    struct location {
        unsigned size; ///< versions kept; 0: none, memory is plain here
        unsigned newest;
        version kept[kept_stores];

        EXPLORE_UNWATCHED version& at(unsigned back) noexcept { return kept[(newest + kept_stores - back) % kept_stores]; }
    };
    struct place {
        const void* address;
        std::uint32_t execution;
        std::uint32_t index;
    };

    static constexpr unsigned table_log2 = 13;
    static constexpr std::uint32_t most_locations = 1U << 12;

    EXPLORE_UNWATCHED place& place_of(const void* address) noexcept {
        place* const table = places_;
        auto i =
            static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(address) * 0x9E3779B97F4A7C15U) >> (64 - table_log2));
        while (table[i].execution == execution_ && table[i].address != address) i = (i + 1) % (1U << table_log2);
        return table[i];
    }
    EXPLORE_UNWATCHED location* find(const void* address) noexcept {
        const place& p = place_of(address);
        if (p.execution != execution_) return nullptr;
        location& l = locations_[p.index];
        return l.size == 0 ? nullptr : &l;
    }
    EXPLORE_UNWATCHED location* find_or_make(const void* address, std::uint64_t previous) noexcept {
        place& p = place_of(address);
        if (p.execution != execution_) {
            p = {address, execution_, used_++};
            locations_[p.index].size = 0;
        }
        location& l = locations_[p.index];
        if (l.size == 0) {
            l.size = 1;
            l.newest = 0;
            l.kept[0] = {previous, 0, 0, 0, false, false, {}, {}}; // an event that every thread knows
        }
        return &l;
    }

    EXPLORE_UNWATCHED void push(location& l, std::uint64_t value, std::memory_order order, std::uint32_t when) noexcept {
        l.newest = (l.newest + 1) % kept_stores;
        if (l.size < kept_stores) ++l.size;
        const knowledge& mine = known_[fiber_];
        l.kept[l.newest] = {value,
                            when,
                            mine.happened.of[fiber_],
                            static_cast<std::uint8_t>(fiber_),
                            order == std::memory_order_seq_cst,
                            false,
                            releases(order) ? mine : knowledge{},
                            {}};
    }

    /// So many stores, from the newest on, may be returned.
    EXPLORE_UNWATCHED unsigned permitted_of(location& l, bool total) noexcept {
        const clock& seen = known_[fiber_].seen;
        for (unsigned back = 0; back + 1 < l.size; ++back) {
            const version& v = l.at(back);
            if (seen.has(v.fiber, v.event) || seen.has_any(v.read_by) || (total && v.total)) return back + 1;
        }
        return l.size;
    }

    /// The newest, or one of the older ones that the thread may see and whose value `may_be`.
    template <class MayBe, class Choose>
    EXPLORE_UNWATCHED unsigned pick(location& l, std::memory_order order, MayBe may_be, Choose choose) {
        const unsigned permitted = permitted_of(l, order == std::memory_order_seq_cst);
        unsigned ways[kept_stores]{};
        unsigned count = 1;
        for (unsigned back = 1; back < permitted; ++back) {
            if (may_be(l.at(back).value)) ways[count++] = back;
        }
        return count == 1 ? 0 : ways[choose(count)];
    }

    EXPLORE_UNWATCHED void look_at(version& v, bool acquire) noexcept {
        knowledge& mine = known_[fiber_];
        if (v.read_by.of[fiber_] == 0) v.read_by.of[fiber_] = mine.happened.of[fiber_];
        if (acquire) mine.join(v.released);
    }

    /// What this thread does from now on is not known to the threads that learned from it so far.
    EXPLORE_UNWATCHED void tick() noexcept {
        ++known_[fiber_].happened.of[fiber_];
        ++known_[fiber_].seen.of[fiber_];
    }

    std::vector<place> table_; // no allocation while an execution runs
    std::vector<location> kept_;
    place* places_; ///< their beginnings
    location* locations_;
    std::uint32_t execution_ = 0;
    std::uint32_t used_ = 0;
    std::uint32_t now_ = 0;
    unsigned fiber_ = 0;
    knowledge known_[most_fibers]{};
    clock light_[most_fibers]{}; ///< of each thread: what it had seen at its last light barrier
    clock heavy_{};                          ///< what had been seen at heavy barriers
    clock total_{};                          ///< the same at sequentially consistent fences
};

} // namespace explore
