// Which entries leave next, where each entry has a number and the lowest one leaves first.
//
// All entries are looked at once, and those with the lowest numbers are *chosen*: an eighth of all. They leave one after the
// other. Numbers only grow, and new entries have higher ones. So the first of the chosen entries that still has its number has
// the lowest number of all entries: no other structure keeps the order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace syncmap::cache_detail {

/// Not for several threads at once.
template <class Allocator>
class next_in_order {
public:
    struct candidate {
        std::uint64_t number = 0;
        std::uint64_t hash = 0;
    };

    explicit next_in_order(const Allocator& allocator) noexcept : allocator_(allocator) {}
    next_in_order(const next_in_order&) = delete;
    next_in_order& operator=(const next_in_order&) = delete;
    ~next_in_order() { give_memory_back(); }

    /// What it has allocated.
    std::size_t bytes() const noexcept { return all_ == own_ ? 0 : room_ * sizeof(candidate); }
    /// The next one; false: none is left.
    bool pop(candidate& to) noexcept {
        if (next_ == count_) return false;
        to = all_[next_++];
        return true;
    }
    /// Begins to choose among so many entries, about.
    void begin(std::size_t entries) noexcept {
        make_room(2 * (std::max)(entries / share, std::size_t{1}));
        next_ = count_ = 0;
        limit_ = ~std::uint64_t{0};
    }
    /// One of them.
    void offer(const candidate& c) noexcept {
        if (c.number > limit_) return;
        all_[count_++] = c;
        if (count_ == room_) keep_lowest(room_ / 2);
    }
    /// All were offered. Returns whether there are any.
    bool end() noexcept {
        if (count_ > room_ / 2) keep_lowest(room_ / 2);
        std::sort(all_, all_ + count_, before);
        return count_ != 0;
    }

private:
    using candidate_allocator = typename std::allocator_traits<Allocator>::template rebind_alloc<candidate>;
    using traits = std::allocator_traits<candidate_allocator>;
    static constexpr std::size_t share = 8;
    static constexpr std::size_t own_room = 32; ///< in the object: so choosing never fails

    static bool before(const candidate& a, const candidate& b) noexcept { return a.number < b.number; }
    void keep_lowest(std::size_t n) noexcept {
        std::nth_element(all_, all_ + (n - 1), all_ + count_, before);
        count_ = n;
        limit_ = all_[n - 1].number;
    }
    void make_room(std::size_t wanted) noexcept {
        if (wanted <= room_ && (room_ / 4 <= wanted || all_ == own_)) return;
        give_memory_back();
        if (wanted <= own_room) return;
        try {
            candidate_allocator a(allocator_);
            memory_ = traits::allocate(a, wanted);
        } catch (...) {
            return; // fewer at a time
        }
        all_ = std::to_address(memory_);
        room_ = wanted;
        std::uninitialized_default_construct_n(all_, room_);
    }
    void give_memory_back() noexcept {
        if (all_ == own_) return;
        candidate_allocator a(allocator_);
        traits::deallocate(a, memory_, room_);
        all_ = own_;
        room_ = own_room;
    }

    [[no_unique_address]] Allocator allocator_;
    candidate own_[own_room];
    candidate* all_ = own_;
    typename traits::pointer memory_{};
    std::size_t room_ = own_room;
    std::size_t count_ = 0;
    std::size_t next_ = 0;
    std::uint64_t limit_ = ~std::uint64_t{0};
};

} // namespace syncmap::cache_detail
