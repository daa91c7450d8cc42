// What one thread keeps for all the maps that it writes to. Made by its first write; a thread that only reads has none.
//
//   spare stripes   of maps that this thread destroyed, for its next ones
//   spare blocks    first blocks of such maps (first_block.hpp), so that a map that lives shortly costs no allocation
//   its maps        the maps that this thread made and that are not destroyed yet: `fork` looks after them (living_maps.hpp)
//
// A record belongs to a row, and so to one thread at a time; the next owner of the row goes on with it (ordered by the row's
// release and acquire). Only the list of maps is touched by other threads: whoever destroys a map takes it out of the
// list of the thread that made it. The list has a lock of its own.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/engine/table/stripe_pool.hpp>

namespace syncmap::engine {

template <class Sync>
struct shared_words;
template <class Sync>
struct writers;

template <class Sync>
struct [[gnu::visibility("default")]] alignas(detail::cache_line_bytes) writer_record {
    using stripe_type = stripe<Sync>;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    writer_record() = default;
    writer_record(const writer_record&) = delete;
    writer_record& operator=(const writer_record&) = delete;
    ~writer_record() {
        for (pile& spare : spare_blocks_) {
            while (spare.top != nullptr) {
                ::operator delete(std::exchange(spare.top, spare.top->next), std::align_val_t(detail::cache_line_bytes));
            }
        }
    }

    /// A number that no other map of the process has or had, and not 0: what the thread's row remembers of a destroyed map
    /// stays without meaning.
    std::uint64_t number_of_next_map(std::uint32_t thread_slot) noexcept {
        return (std::uint64_t{thread_slot} << 40) + ++maps_made_;
    }

    // ---- spare stripes ----

    /// Throws `bad_alloc`.
    stripe_type& take_stripe(stripe_pool<Sync>& pool) {
        if (spare_stripes_ == nullptr) {
            spare_stripes_ = pool.take(refill_, spare_stripe_count_);
            refill_ = (std::min)(2 * refill_, most_at_once);
        }
        --spare_stripe_count_;
        return *std::exchange(spare_stripes_, spare_stripes_->next);
    }
    void put_stripe(stripe_pool<Sync>& pool, stripe_type& s) noexcept {
        if (spare_stripe_count_ == most_spare_stripes) {
            pool.put(s);
        } else {
            ++spare_stripe_count_;
            s.next = std::exchange(spare_stripes_, &s);
        }
    }

    // ---- spare blocks ----

    /// A block of so many cache lines, aligned to one; null: there is none.
    void* take_block(std::size_t line_count) noexcept {
        pile& spare = spare_blocks_[line_count - fewest_lines];
        if (spare.top == nullptr) return nullptr;
        --spare.count;
        return std::exchange(spare.top, spare.top->next);
    }
    /// False: enough are kept.
    bool put_block(void* block, std::size_t line_count) noexcept {
        pile& spare = spare_blocks_[line_count - fewest_lines];
        if (spare.count >= Sync::most_spare_blocks) return false;
        ++spare.count;
        spare.top = ::new (block) spare_block{spare.top};
        return true;
    }

    /// The sizes of first blocks, in cache lines.
    static constexpr std::size_t fewest_lines = 5;
    static constexpr std::size_t most_lines = 6;

    reclaim::thread_garbage<Sync>* garbage = nullptr; ///< of the row; constant once published
    writers<Sync>* all = nullptr; ///< of the process; constant once published
    std::uint32_t help_count = 0;                     ///< writes that found a table asking for help

    // ---- its maps: under the lock ----

    atomic<bool> maps_locked{false};
    bool held_for_fork = false; ///< written and read by the thread that forks
    shared_words<Sync>* first_map = nullptr;

private:
    struct spare_block {
        spare_block* next;
    };
    static constexpr std::uint32_t most_at_once = 32;
    static constexpr std::uint32_t most_spare_stripes = 64;

    std::uint64_t maps_made_ = 0;
    stripe_type* spare_stripes_ = nullptr;
    std::uint32_t spare_stripe_count_ = 0;
    std::uint32_t refill_ = 1;
    struct pile {
        spare_block* top = nullptr;
        std::uint32_t count = 0;
    };
    pile spare_blocks_[most_lines - fewest_lines + 1];
};

} // namespace syncmap::engine
