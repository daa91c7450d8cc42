// The small queue: the hashes of the entries that came last, a tenth of the capacity, first in, first out.
//
// A *narrow* one has a hundredth of the capacity, the first positions of the ring [LE2]. What is in the others when it becomes
// narrow is taken out one by one. A thread that took such a position before may fill it later: its hash lies there until the
// ring is wide again, or the hand makes its entry main [E6].
//
// It is a ring of *ring lines*: seven hashes, and for each what the history has counted for it [Q3]. In a large ring a thread
// takes a line at a time, with one addition to the tail, and uses its positions one after the other [E13]; in a small one it
// takes one position at a time.
//
// Every change of a position is an exchange, so no hash is lost: whichever hash a thread takes out or overwrites is its to deal
// with. A small entry is in the ring, or in the hands of one thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/detail/cache_line.hpp>
#include <syncmap/detail/prefetch.hpp>

namespace syncmap::cache_detail {

template <class Sync, class Allocator>
class small_queue {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    static constexpr std::size_t per_line = 7;

    struct alignas(detail::cache_line_bytes) line {
        atomic<std::uint64_t> hashes[per_line] = {};
        atomic<std::uint8_t> counts[per_line] = {};
    };
    using memory = detail::aligned_memory<line, Allocator>;

public:
    static constexpr std::uint64_t none = 0; ///< no entry's hash, see `name_of`

    /// What stands for the hash in the ring.
    static std::uint64_t name_of(std::uint64_t hash) noexcept { return hash == none ? 1 : hash; }

    /// A position that the calling thread fills next.
    class position {
    public:
        position() noexcept = default;
        position(atomic<std::uint64_t>& hash, atomic<std::uint8_t>& count, std::uint64_t number, std::uint64_t place) noexcept
            : hash_(&hash), count_(&count), number_(number), place_(place) {}

        explicit operator bool() const noexcept { return hash_ != nullptr; }
        /// Grows by one with each position that any thread takes, about.
        std::uint64_t number() const noexcept { return number_; }
        /// Where it is in a ring that is not by lines.
        std::uint64_t place() const noexcept { return place_; }
        unsigned count() const noexcept { return count_->load(std::memory_order_relaxed); }
        /// The hash that was there; the position is empty then.
        std::uint64_t take() noexcept {
            // (1) acquire: pairs with the release of (2); without it the thread may not find the entry that the hash names.
            return hash_->load(std::memory_order_relaxed) == none ? none : hash_->exchange(none, std::memory_order_acquire);
        }
        /// Fills it. Returns the hash that another thread has put there meanwhile, or `none`.
        std::uint64_t put(std::uint64_t hash, unsigned count) noexcept {
            count_->store(static_cast<std::uint8_t>(count), std::memory_order_relaxed);
            // (2) release: the entry was published before. acquire: as (1), for the hash that it finds.
            return hash_->exchange(name_of(hash), std::memory_order_acq_rel);
        }

    private:
        atomic<std::uint64_t>* hash_ = nullptr;
        atomic<std::uint8_t>* count_ = nullptr;
        std::uint64_t number_ = 0;
        std::uint64_t place_ = 0;
    };

    /// `id`: no other queue of the cache has it.
    small_queue(std::size_t capacity, std::uint32_t id, const Allocator& allocator)
        : allocator_(allocator), size_(size_for(capacity)), id_(id), by_lines_(size_ >= smallest_by_lines),
          lines_of_ticket_(size_ >= smallest_by_four_lines ? 4 : 1), narrow_size_(narrow_size_for(capacity)),
          line_count_((size_ + per_line - 1) / per_line), in_use_(size_), left_over_(size_) {
        lines_ = memory::allocate(allocator_, line_count_);
        for (std::size_t i = 0; i < line_count_; ++i) std::construct_at(lines_ + i);
    }
    small_queue(const small_queue&) = delete;
    small_queue& operator=(const small_queue&) = delete;
    ~small_queue() { memory::deallocate(allocator_, lines_, line_count_); }

    /// Whether a put asks the history before it takes a position, so that a key which comes back into main takes none. In a
    /// large ring it takes one first: the history line is on its way meanwhile.
    bool comes_after_history() const noexcept { return size_ < smallest_by_four_lines; }
    /// The number of the next position of any thread, about.
    std::uint64_t now() const noexcept { return tail_.load(std::memory_order_relaxed); }
    /// That of the next one of the calling thread.
    std::uint64_t now(const lane<Sync>& mine) const noexcept {
        return mine.tickets_of == id_ ? mine.ticket + mine.used : now();
    }

    /// The next position of the calling thread, whose lane this is.
    position next(lane<Sync>& mine) noexcept {
        if (!by_lines_) return at(tail_.fetch_add(1, std::memory_order_relaxed)); // [E10]
        if (!mine.is_exclusive) { // one of the line, another one each round
            const std::uint64_t first = tail_.fetch_add(per_line, std::memory_order_relaxed);
            return at(first + first / in_use() % per_line);
        }
        if (mine.tickets_of != id_) [[unlikely]] {
            mine.tickets_of = id_;
            mine.lines_left = 0;
            take_ticket(mine);
            mine.used = per_line;
        }
        if (mine.used == per_line) {
            mine.ticket = mine.next_ticket;
            mine.ring_lines[0] = mine.ring_lines[1];
            mine.used = 0;
            take_ticket(mine);
        }
        line& l = *static_cast<line*>(mine.ring_lines[0]);
        const std::size_t i = mine.used++;
        return {l.hashes[i], l.counts[i], mine.ticket + i, 0};
    }

    /// The hash that is `ahead` positions on from `now`, seven at most, which the thread has taken last: one of its next puts
    /// finds it, if it is there still.
    std::uint64_t peek(const lane<Sync>& mine, const position& now, unsigned ahead) const noexcept {
        if (by_lines_ && mine.is_exclusive) [[likely]] {
            const unsigned from = mine.used - 1U + ahead;
            const line& l = *static_cast<const line*>(mine.ring_lines[from / per_line]);
            return l.hashes[from % per_line].load(std::memory_order_relaxed);
        }
        std::uint64_t i = now.place() + ahead;
        for (const std::uint64_t end = in_use(); i >= end;) i -= end;
        return lines_[i / per_line].hashes[i % per_line].load(std::memory_order_relaxed);
    }

    /// Takes the hash out that is so many positions behind the oldest one; `none` if its position is empty, where it writes
    /// nothing. Those that a narrow ring does not use come last. For a thread that finds no victim elsewhere.
    std::uint64_t take_behind_oldest(std::uint64_t positions) noexcept {
        return positions < in_use() ? at(now() + positions).take() : take_from(positions);
    }
    /// Takes the hash out of that position, from 0 to `size() - 1`.
    std::uint64_t take_from(std::uint64_t i) noexcept { return position_of(i, i).take(); }

    bool is_narrow() const noexcept { return in_use() != size_; }
    /// Another size from now on.
    void make_narrow(bool is_narrow) noexcept {
        const std::size_t wanted = is_narrow ? narrow_size_ : size_;
        if (wanted == in_use()) return;
        in_use_.store(wanted, std::memory_order_relaxed);
        left_over_.store(wanted, std::memory_order_relaxed);
    }
    /// Takes the next hash out that a narrow ring has left over; `none` at an empty position. False: it has been through all.
    bool take_left_over(std::uint64_t& hash) noexcept {
        if (left_over_.load(std::memory_order_relaxed) >= size_) return false;
        const std::size_t i = left_over_.fetch_add(1, std::memory_order_relaxed);
        if (i >= size_) return false;
        hash = take_from(i);
        return true;
    }

    /// Whether the hash is in the ring; exact where no thread uses the queue.
    bool has(std::uint64_t hash) const noexcept {
        for (std::size_t i = 0; i < size_; ++i) {
            if (lines_[i / per_line].hashes[i % per_line].load(std::memory_order_relaxed) == name_of(hash)) return true;
        }
        return false;
    }

    std::size_t size() const noexcept { return size_; }
    /// What it has allocated.
    std::size_t bytes() const noexcept { return line_count_ * sizeof(line); }

private:
    static constexpr std::size_t smallest_by_lines = 512;
    static constexpr std::size_t smallest_by_four_lines = 1024;
    static constexpr std::size_t fewest_threads = 8; ///< a narrow ring by lines has room for all tickets of so many

    static std::size_t size_for(std::size_t capacity) noexcept {
        const std::size_t tenth = (std::max)(std::size_t{1}, capacity / 10);
        return tenth < smallest_by_lines ? tenth : tenth / per_line * per_line;
    }
    std::size_t narrow_size_for(std::size_t capacity) const noexcept {
        const std::size_t hundredth = (std::max)(std::size_t{1}, capacity / 100);
        const std::size_t whole_lines = (std::max)(fewest_threads * (lines_of_ticket_ + 1), hundredth / per_line);
        return (std::min)(size_, by_lines_ ? whole_lines * per_line : hundredth);
    }
    std::size_t in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }
    position at(std::uint64_t number) const noexcept { return position_of(number % in_use(), number); }
    position position_of(std::uint64_t i, std::uint64_t number) const noexcept {
        line& l = lines_[i / per_line];
        return {l.hashes[i % per_line], l.counts[i % per_line], number, i};
    }
    void take_ticket(lane<Sync>& mine) noexcept {
        if (mine.lines_left == 0) {
            mine.lines_left = lines_of_ticket_;
            mine.next_ticket = tail_.fetch_add(per_line * lines_of_ticket_, std::memory_order_relaxed);
        } else {
            mine.next_ticket += per_line;
        }
        --mine.lines_left;
        // Tickets begin with a line: threads take whole lines, and the ring has whole lines.
        line& next = lines_[mine.next_ticket % in_use() / per_line];
        mine.ring_lines[1] = &next;
        detail::prefetch_to_write(&next);
    }

    [[no_unique_address]] Allocator allocator_;
    std::size_t size_;
    std::uint32_t id_;
    bool by_lines_;
    std::uint8_t lines_of_ticket_;
    std::size_t narrow_size_;
    std::size_t line_count_;
    line* lines_ = nullptr;
    atomic<std::size_t> in_use_; ///< positions: the first ones
    atomic<std::size_t> left_over_; ///< the next position that a ring which has become narrow takes a hash out of
    alignas(detail::cache_line_bytes) atomic<std::uint64_t> tail_{0};
};

} // namespace syncmap::cache_detail
