// What one thread keeps for all maps that it writes to. Its first write makes it; a thread that only reads has none.
//
//   spare thread records   of maps that this thread destroyed, for its next maps
//   spare blocks           first blocks of such maps (first_block.hpp), so that short-lived maps need no allocation
//   its maps               the maps that this thread made and that still exist, for `fork` (map_registry.hpp)
//
// A record belongs to a hazard record, and so to one thread at a time. The next owner of the hazard record goes on with it
// (ordered by the hazard record's release and acquire). Other threads touch only the list of maps: the thread that destroys a
// map takes it out of the list of the thread that made it. The list has a lock of its own. In the child of a fork that no hook
// prepared, the hazard record gets another writer record: the lock may be held by a thread that is not there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/thread_record_pool.hpp>

namespace syncmap::engine {

template <class Sync>
struct shared_words;
template <class Sync>
struct writers;

template <class Sync>
struct [[gnu::visibility("default")]] alignas(detail::cache_line_bytes) writer_record {
    using thread_record_type = thread_record<Sync>;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    /// `former`: the orphaned record of the same hazard record, which orphans still name; or null.
    explicit writer_record(writer_record* former) noexcept
        : former_(former), maps_made_(former == nullptr ? 0 : former->maps_made_) {}
    writer_record(const writer_record&) = delete;
    writer_record& operator=(const writer_record&) = delete;
    ~writer_record() {
        delete former_;
        for (nodes& spare : spare_blocks_) {
            while (spare.top != nullptr) {
                ::operator delete(std::exchange(spare.top, spare.top->next), std::align_val_t(detail::cache_line_bytes));
            }
        }
    }

    /// Returns a number, not 0, that no other map of the process has or had. So a note of a destroyed map in the thread's
    /// hazard record matches no later map.
    std::uint64_t number_of_next_map(std::uint32_t thread_slot) noexcept {
        return (std::uint64_t{thread_slot} << 40) + ++maps_made_;
    }

    // ---- spare thread records ----

    /// Throws `bad_alloc`.
    thread_record_type& take_thread_record(thread_record_pool<Sync>& pool) {
        if (spare_thread_records_ == nullptr) {
            spare_thread_records_ = pool.take(refill_, spare_thread_record_count_);
            refill_ = detail::lesser(2 * refill_, most_at_once);
        }
        --spare_thread_record_count_;
        return *std::exchange(spare_thread_records_, spare_thread_records_->next);
    }
    void put_thread_record(thread_record_pool<Sync>& pool, thread_record_type& s) noexcept {
        if (spare_thread_record_count_ == most_spare_thread_records) {
            pool.put(s);
        } else {
            ++spare_thread_record_count_;
            s.next = std::exchange(spare_thread_records_, &s);
        }
    }

    // ---- spare blocks ----

    /// Returns a block of that many cache lines, aligned to one, or null if there is none.
    void* take_block(std::size_t line_count) noexcept {
        nodes& spare = spare_blocks_[line_count - fewest_lines];
        if (spare.top == nullptr) return nullptr;
        --spare.count;
        return std::exchange(spare.top, spare.top->next);
    }
    /// Keeps a block. Returns false if the thread keeps enough of them.
    bool put_block(void* block, std::size_t line_count) noexcept {
        nodes& spare = spare_blocks_[line_count - fewest_lines];
        if (spare.count >= Sync::most_spare_blocks) return false;
        ++spare.count;
        spare.top = ::new (block) spare_block{spare.top};
        return true;
    }

    /// The sizes of first blocks, in cache lines.
    static constexpr std::size_t fewest_lines = 4;
    static constexpr std::size_t most_lines = 5;

    reclaim::thread_garbage<Sync>* garbage = nullptr; ///< of the hazard record; constant once published
    writers<Sync>* all = nullptr; ///< of the process; constant once published
    std::uint32_t freed_nodes = 0; ///< since the thread last let the allocator join freed blocks
    std::uint32_t help_count = 0;                     ///< writes that found a table asking for help
    std::uint32_t writes_until_direct = Sync::writes_until_direct; ///< that find direct overwrites barred; 0: it is to look

    /// This is the child of a fork that no hook prepared, and the maps that name this record are of before the fork: orphans.
    /// Their list is given up. relaxed: set in the child's only thread.
    atomic<bool> orphaned{false};

    // ---- its maps: under the lock ----

    atomic<bool> maps_locked{false};
    bool held_for_fork = false; ///< written and read by the thread that forks
    shared_words<Sync>* first_map = nullptr;

private:
    struct spare_block {
        spare_block* next;
    };
    static constexpr std::uint32_t most_at_once = 32;
    static constexpr std::uint32_t most_spare_thread_records = 64;

    writer_record* const former_;
    std::uint64_t maps_made_;
    thread_record_type* spare_thread_records_ = nullptr;
    std::uint32_t spare_thread_record_count_ = 0;
    std::uint32_t refill_ = 1;
    struct nodes {
        spare_block* top = nullptr;
        std::uint32_t count = 0;
    };
    nodes spare_blocks_[most_lines - fewest_lines + 1];
};

} // namespace syncmap::engine
