// Tags: names under which many entries of a cache are invalidated at once, in constant time (docs/cache.md, V4).
//
// A tag has one of 65,535 *tag numbers*, by its hash. Each number has a *barrier*. The cache has one sequence.
//
// | word                     | written by                                         | read by                            |
// |--------------------------|----------------------------------------------------|------------------------------------|
// | sequence                 | `invalidate_tag` (RMW)                             | writes and loads of tagged values  |
// | barrier of a tag number  | `invalidate_tag` (CAS): the sequence, never lower   | each look at a tagged entry        |
// | numbers, begun (entry)   | the writer, before other threads see the node      | the same                           |
//
// [TG1] An entry has the sequence of the time when its load began; that of a put, shortly before it is published.
// [TG2] It is valid if no barrier of its tags is above that. So an invalidation beats each load that began before, and no value
//       that was put after it returned.
// [TG3] Two tags with one number are invalidated together: that costs misses. No invalidated value is ever shown.
// [TG4] Nothing is kept for an entry beside its node, and nothing for a tag that was never invalidated. Barriers come in blocks
//       of 256: no cache has more than 514 KiB of them.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include <syncmap/detail/checksum.hpp>

namespace syncmap {

/// A name, or a number, of entries that are invalidated together.
class tag {
public:
    template <class S>
        requires std::convertible_to<const S&, std::string_view> && (!std::is_null_pointer_v<S>)
    tag(const S& name) noexcept : number_(numbered(hash_of(static_cast<std::string_view>(name)))) {}
    template <std::integral N>
        requires(!std::is_same_v<N, bool>)
    tag(N n) noexcept : number_(numbered(hash_of(static_cast<std::uint64_t>(n)))) {}

    /// 1 to 65,535. The same in each process.
    std::uint16_t number() const noexcept { return number_; }

private:
    static std::uint64_t hash_of(std::string_view name) noexcept { return detail::checksum(name.data(), name.size(), 0); }
    static std::uint64_t hash_of(std::uint64_t n) noexcept { return detail::checksum(&n, sizeof n, 1); }
    static std::uint16_t numbered(std::uint64_t hash) noexcept { return static_cast<std::uint16_t>(1 + hash % 0xFFFF); }

    std::uint16_t number_;
};

/// The tags of one entry: four at most.
class entry_tags {
public:
    static constexpr std::size_t most = 4;

    entry_tags() noexcept = default;
    /// Throws: `std::length_error` for more than four.
    entry_tags(std::initializer_list<tag> tags) {
        for (const tag& each : tags) add(each);
    }
    /// Throws: `std::length_error`, if there are four.
    void add(const tag& more) {
        if (numbers_ >> 48 != 0) throw std::length_error("syncmap: cache: an entry has four tags at most");
        numbers_ = numbers_ << 16 | more.number();
    }
    bool empty() const noexcept { return numbers_ == 0; }

    // ---- for the cache ----

    explicit entry_tags(std::uint64_t numbers) noexcept : numbers_(numbers) {}
    /// Four numbers; 0 is none.
    std::uint64_t numbers() const noexcept { return numbers_; }

private:
    std::uint64_t numbers_ = 0;
};

namespace cache_detail {

/// In front of the times of a node whose entry may have tags. Constant while other threads can find the node.
struct tagged_entry {
    std::uint64_t numbers = 0; ///< as `entry_tags` has them
    std::uint64_t begun = 0; ///< [TG1]
};

/// Of a write: its sequence is that of now.
inline constexpr std::uint64_t begins_now = ~std::uint64_t{0};

template <class Sync>
class tag_barriers {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    static constexpr unsigned block_log2 = 8;
    struct block {
        atomic<std::uint64_t> barriers[std::size_t{1} << block_log2] = {};
    };
    struct directory {
        atomic<block*> blocks[std::size_t{1} << (16 - block_log2)] = {};
    };

public:
    tag_barriers() noexcept = default;
    tag_barriers(const tag_barriers&) = delete;
    tag_barriers& operator=(const tag_barriers&) = delete;
    ~tag_barriers() {
        directory* const all = directory_.load(std::memory_order_relaxed);
        if (all == nullptr) return;
        for (auto& each : all->blocks) delete each.load(std::memory_order_relaxed);
        delete all;
    }

    /// The sequence, for a load that begins now. (1) acquire: pairs with (2): what the caller of `invalidate_tag` did before
    /// is seen by the loader; without it a value from before could look younger than the invalidation.
    std::uint64_t now() const noexcept { return sequence_.load(std::memory_order_acquire); }

    /// Whether any tag was invalidated. One relaxed load.
    bool is_used() const noexcept { return directory_.load(std::memory_order_relaxed) != nullptr; }

    /// No entry with this tag that began before is valid any more. Throws: `bad_alloc`; nothing has happened then.
    void invalidate(const tag& what) {
        atomic<std::uint64_t>& barrier = barrier_of(what.number());
        const std::uint64_t own = sequence_.fetch_add(1, std::memory_order_acq_rel) + 1; // (2)
        std::uint64_t seen = barrier.load(std::memory_order_relaxed);
        // relaxed: a reader that starts after this call returned sees it, or a later one. Never lowered: another thread may
        // have drawn a later number, and been quicker.
        while (seen < own && !barrier.compare_exchange_weak(seen, own, std::memory_order_relaxed, std::memory_order_relaxed)) {}
        Sync::fence(); // visible on return, as a write of the map
    }

    bool is_valid(const tagged_entry& entry) const noexcept {
        const directory* const all = directory_.load(std::memory_order_acquire); // (3) pairs with (4)
        if (all == nullptr) return true;
        for (std::uint64_t left = entry.numbers; left != 0; left >>= 16) {
            const std::uint64_t number = left & 0xFFFF;
            const block* const own = all->blocks[number >> block_log2].load(std::memory_order_acquire); // (3)
            if (own == nullptr) continue; // none of its tags was invalidated
            if (own->barriers[number & 0xFF].load(std::memory_order_relaxed) > entry.begun) return false;
        }
        return true;
    }

    std::size_t bytes() const noexcept {
        const directory* const all = directory_.load(std::memory_order_acquire);
        if (all == nullptr) return 0;
        std::size_t sum = sizeof *all;
        for (const auto& each : all->blocks) sum += each.load(std::memory_order_relaxed) == nullptr ? 0 : sizeof(block);
        return sum;
    }

private:
    atomic<std::uint64_t>& barrier_of(std::uint16_t number) {
        directory& all = made_in(directory_);
        return made_in(all.blocks[number >> block_log2]).barriers[number & 0xFF];
    }
    /// The object of that place, which the first thread makes.
    template <class Object>
    static Object& made_in(atomic<Object*>& place) {
        if (Object* const made = place.load(std::memory_order_acquire)) return *made; // (3)
        Object* const fresh = new Object;
        Object* other = nullptr;
        // (4) release: pairs with (3); without it a thread may read barriers that it does not see made.
        if (place.compare_exchange_strong(other, fresh, std::memory_order_acq_rel, std::memory_order_acquire)) return *fresh;
        delete fresh;
        return *other;
    }

    atomic<std::uint64_t> sequence_{0};
    atomic<directory*> directory_{nullptr};
};

} // namespace cache_detail
} // namespace syncmap
