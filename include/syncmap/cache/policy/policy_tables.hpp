// What the policy keeps beside the table of entries: small queue and history, both made for a number of entries.
//
// When that number changes by two or more, a cache gets other *policy tables*. A thread that is in a put may still use the old
// ones. It has said so in its lane (lanes.hpp). So the old ones are freed by a later change that finds each lane at rest once,
// at the latest with the cache; until then they are used again where they fit. Of any two that are kept, one is made for at
// least twice as many entries as the other, so all of them take at most twice the memory of the largest.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <syncmap/cache/policy/history.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/policy/leaning.hpp>
#include <syncmap/cache/policy/small_queue.hpp>
#include <syncmap/detail/aligned_memory.hpp>

namespace syncmap::cache_detail {

template <class Sync, class Allocator>
struct policy_tables {
    policy_tables(std::size_t n, std::uint32_t id, const Allocator& a)
        : entries(n), leans(n, a), small_ring(n, id, a), keys(n, a) {}

    /// Whether they are right for a cache of so many entries, about.
    bool fit(std::size_t n) const noexcept {
        const std::size_t own = (std::max)(entries, std::size_t{1});
        const std::size_t other = (std::max)(n, std::size_t{1});
        return other / 2 < own && own / 2 < other;
    }
    std::size_t bytes() const noexcept { return sizeof *this + leans.bytes() + small_ring.bytes() + keys.bytes(); }

    const std::size_t entries;
    leaning<Sync, Allocator> leans;
    small_queue<Sync, Allocator> small_ring;
    history<Sync, Allocator> keys;
    policy_tables* older = nullptr; ///< of those that are kept
};

/// The policy tables of a cache: those in use, and those that are kept. All but `now` is called with the caller's lock held.
template <class Sync, class Allocator>
class policy_memory {
public:
    using tables = policy_tables<Sync, Allocator>;

    policy_memory(std::size_t entries, const Allocator& a) : allocator_(a), now_(make(entries)) {
        notes_where(*now_.load(std::memory_order_relaxed));
    }
    policy_memory(const policy_memory&) = delete;
    policy_memory& operator=(const policy_memory&) = delete;
    ~policy_memory() {
        for (tables* t = all_; t != nullptr;) free(*std::exchange(t, t->older));
    }

    /// Those in use. The calling thread has entered its lane before.
    tables& now() const noexcept {
        // (1) acquire: pairs with the release of (2); without it a thread may use tables that it does not see made.
        return *now_.load(std::memory_order_acquire);
    }

    /// Fetches what the history knows of the key. The calling thread need not have entered its lane.
    void prefetch_history(std::uint64_t hash) const noexcept {
        history_location{first_line_.load(std::memory_order_relaxed), history_lines_.load(std::memory_order_relaxed)}.prefetch(
            hash);
    }

    /// Whether the key is in the sample of the tables in use. The calling thread need not have entered its lane.
    bool is_in_sample(std::uint64_t hash) const noexcept {
        return sample::has(sample_end_.load(std::memory_order_relaxed), hash);
    }

    /// Changes to tables for so many entries, if those in use do not fit. Returns the ones that were in use then, or null.
    /// Throws: `bad_alloc`; nothing has happened then.
    tables* change_for(std::size_t entries) {
        tables* const before = now_.load(std::memory_order_relaxed);
        if (before->fit(entries)) return nullptr;
        tables* fitting = all_;
        while (fitting != nullptr && !fitting->fit(entries)) fitting = fitting->older;
        if (fitting == nullptr) fitting = make(entries);
        now_.store(fitting, std::memory_order_release); // (2)
        notes_where(*fitting);
        return before;
    }

    /// Frees those that no thread uses any more. `pass_barrier()`: makes each thread that has entered a lane pass a fence.
    template <class F>
    void free_unused(const lanes<Sync>& users, F pass_barrier) noexcept {
        if (all_->older == nullptr || !pass_barrier()) return;
        // A lane that is at rest after the barrier is of a thread that will see the tables in use now.
        if (!users.are_at_rest()) return;
        tables* const kept = now_.load(std::memory_order_relaxed);
        for (tables* t = std::exchange(all_, kept); t != nullptr;) {
            tables* const old = std::exchange(t, t->older);
            if (old != kept) free(*old);
        }
        kept->older = nullptr;
    }

    std::size_t bytes() const noexcept {
        std::size_t sum = 0;
        for (const tables* t = all_; t != nullptr; t = t->older) sum += t->bytes();
        return sum;
    }

private:
    using memory = detail::aligned_memory<tables, Allocator>;
    using history_location = typename history<Sync, Allocator>::location;

    void notes_where(const tables& t) noexcept {
        const history_location keys = t.keys.where();
        first_line_.store(keys.first, std::memory_order_relaxed);
        history_lines_.store(keys.line_count, std::memory_order_relaxed);
        sample_end_.store(t.leans.heard().end(), std::memory_order_relaxed);
    }
    tables* make(std::size_t entries) {
        tables* const made = memory::allocate(allocator_, 1);
        try {
            std::construct_at(made, entries, ++last_id_, allocator_);
        } catch (...) {
            memory::deallocate(allocator_, made, 1);
            throw;
        }
        made->older = all_;
        all_ = made;
        return made;
    }
    void free(tables& t) noexcept {
        std::destroy_at(&t);
        memory::deallocate(allocator_, &t, 1);
    }

    [[no_unique_address]] Allocator allocator_;
    tables* all_ = nullptr; ///< the newest first
    std::uint32_t last_id_ = 0;
    typename Sync::template atomic<tables*> now_;
    // For prefetches alone; the two may be of different histories.
    typename Sync::template atomic<std::uintptr_t> first_line_{0};
    typename Sync::template atomic<std::size_t> history_lines_{1};
    /// What readers know of the sample.
    typename Sync::template atomic<std::uint64_t> sample_end_{0};
};

} // namespace syncmap::cache_detail
