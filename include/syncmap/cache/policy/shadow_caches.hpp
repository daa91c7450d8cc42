// Shadow caches: one small cache without values for each leaning, which does what the cache does when it leans so
// (leaning.hpp). All of them get the same requests, a sample of those that the cache gets. Which one hits most often tells what
// the cache should lean to.
//
// One table serves all of them: a *record* of four bytes has a name of 16 bits for a key, and four bits for each shadow:
// whether its entry is absent, small or main, and how often it was used. A bucket is a cache line. Each shadow has a hand,
// which sweeps over the table, and a ring of its small entries. They share one history, which counts every request; its ghosts
// are those of the balanced one.
//
// A sample may have more keys than its share of the entries, or fewer: then each shadow is too small or too large. So it may
// grow and shrink.
//
// One thread at a time uses them (leaning.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <syncmap/cache/policy/history.hpp>
#include <syncmap/cache/policy/lean.hpp>
#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

template <class Sync, class Allocator>
class shadow_caches {
public:
    static constexpr std::size_t most_entries = 256; ///< of each

    /// Each has so many entries, `most_entries` at most.
    shadow_caches(std::size_t entries, const Allocator& allocator)
        : allocator_(allocator), entries_(entries), limit_(entries),
          bucket_count_(entries == 0 ? 0 : std::bit_ceil((entries + 3) / 4)), keys_(entries, allocator) {
        for (unsigned k = 0; k < leanings; ++k)
            shadows_[k].ring_size = (std::max)(std::size_t{1}, entries_ / (is(k, lean::frequency) ? 100 : 10));
        if (bucket_count_ == 0) return;
        buckets_ = memory::allocate(allocator_, bucket_count_);
        for (std::size_t i = 0; i < bucket_count_; ++i) std::construct_at(buckets_ + i);
    }
    shadow_caches(const shadow_caches&) = delete;
    shadow_caches& operator=(const shadow_caches&) = delete;
    ~shadow_caches() {
        if (buckets_ != nullptr) memory::deallocate(allocator_, buckets_, bucket_count_);
    }

    /// Gives each a few entries more, or fewer; a sixth at most.
    void grow() noexcept { limit_ = (std::min)(limit_ + step, entries_ + entries_ / 6); }
    void shrink() noexcept {
        limit_ = (std::max)(limit_ - step, entries_ - entries_ / 6);
        for (unsigned k = 0; k < leanings; ++k) {
            while (shadows_[k].size > limit_) evict(k);
        }
    }
    /// What they have allocated.
    std::size_t bytes() const noexcept { return bucket_count_ * sizeof(bucket) + keys_.bytes(); }

    /// A request for a key that has this name. Returns which shadows have it: a bit for each leaning. It is in all of
    /// them afterwards. `is_outdated`: the history forgets quickly.
    unsigned ask(std::uint16_t name, bool is_outdated) noexcept {
        const std::size_t at = record_of(name);
        const std::uint64_t hash = hash_of(name);
        bool returns = false;
        if (state(at, number_of(lean::balanced)) == absent) {
            keys_.age(++puts_, is_outdated);
            returns = keys_.come(hash, puts_, false).returned;
        } else {
            keys_.add(hash, 1);
        }
        unsigned hits = 0;
        for (unsigned k = 0; k < leanings; ++k) {
            const unsigned now = state(at, k);
            if (now == absent) {
                put(at, k, returns && !returns_duel(static_cast<lean>(k)));
            } else {
                hits |= 1U << k;
                if ((now & uses_mask) != uses_mask) set(at, k, now + 1);
            }
        }
        return hits;
    }

private:
    // ---- the states of an entry: two bits for the queue, two for the uses ----
    static constexpr unsigned absent = 0;
    static constexpr unsigned in_small = 4;
    static constexpr unsigned in_main = 8;
    static constexpr unsigned uses_mask = 3;
    static constexpr unsigned queue_mask = 12;

    static constexpr std::size_t per_bucket = detail::cache_line_bytes / sizeof(std::uint32_t);
    static constexpr std::uint16_t nowhere = 0xFFFF;
    static constexpr unsigned always = history<Sync, Allocator>::most + 1;
    static constexpr unsigned most_looked_at = 64;
    static constexpr std::size_t step = 2;

    static constexpr unsigned number_of(lean l) noexcept { return static_cast<unsigned>(l); }
    static constexpr bool is(unsigned k, lean l) noexcept { return k == number_of(l); }

    struct alignas(detail::cache_line_bytes) bucket {
        std::array<std::uint32_t, per_bucket> records{};
    };
    using memory = detail::aligned_memory<bucket, Allocator>;

    struct shadow {
        std::size_t size = 0; ///< entries
        std::size_t hand = 0; ///< a record
        std::size_t turn = 0; ///< the position of the ring that is used next
        std::size_t ring_size = 1;
        std::array<std::uint16_t, most_entries / 10> ring = filled_with_nowhere(); ///< of records
    };
    static constexpr std::array<std::uint16_t, most_entries / 10> filled_with_nowhere() noexcept {
        std::array<std::uint16_t, most_entries / 10> made{};
        made.fill(nowhere);
        return made;
    }

    std::size_t record_count() const noexcept { return bucket_count_ * per_bucket; }
    std::uint32_t& record(std::size_t at) noexcept { return buckets_[at / per_bucket].records[at % per_bucket]; }
    unsigned state(std::size_t at, unsigned k) noexcept { return record(at) >> 4 * k & 15; }
    void set(std::size_t at, unsigned k, unsigned state) noexcept {
        record(at) = (record(at) & ~(std::uint32_t{15} << 4 * k)) | state << 4 * k;
    }
    /// What the history knows a key by.
    static std::uint64_t hash_of(std::uint32_t name) noexcept {
        const std::uint64_t mixed = name * 0x9E3779B97F4A7C15U;
        return mixed ^ mixed >> 32;
    }
    unsigned count(std::size_t at) noexcept { return keys_.count(hash_of(record(at) >> 16)); }
    /// That of the key, or one that it takes: one that no shadow uses, else the one that the fewest use.
    std::size_t record_of(std::uint32_t name) noexcept {
        const std::size_t in = name & (bucket_count_ - 1);
        const auto& records = buckets_[in].records;
        std::size_t unused = per_bucket;
        for (std::size_t i = 0; i < per_bucket; ++i) {
            if (records[i] >> 16 == name) return in * per_bucket + i;
            if ((records[i] & 0xFFFF) == 0) unused = i;
        }
        const std::size_t at = in * per_bucket + (unused != per_bucket ? unused : least_used(records));
        for (unsigned k = 0; k < leanings; ++k) {
            if (state(at, k) != absent) remove(at, k);
        }
        record(at) = name << 16;
        return at;
    }
    static std::size_t least_used(const std::array<std::uint32_t, per_bucket>& records) noexcept {
        return static_cast<std::size_t>(
            std::ranges::min_element(records, {}, [](std::uint32_t r) { return std::popcount((r >> 2 | r >> 3) & 0x1111U); }) -
            records.begin());
    }

    void remove(std::size_t at, unsigned k) noexcept {
        set(at, k, absent);
        --shadows_[k].size;
    }
    /// The key is not there.
    void put(std::size_t at, unsigned k, bool into_main) noexcept {
        shadow& s = shadows_[k];
        if (into_main) {
            make_room(k, nowhere);
            set(at, k, in_main);
        } else {
            const std::size_t leaving = s.ring[s.turn];
            make_room(k, leaving);
            s.ring[s.turn] = static_cast<std::uint16_t>(at);
            s.turn = s.turn + 1 == s.ring_size ? 0 : s.turn + 1;
            set(at, k, in_small);
        }
        ++s.size;
    }
    /// `leaving`: the oldest small entry becomes main, or goes itself.
    void make_room(unsigned k, std::size_t leaving) noexcept {
        const bool is_full = shadows_[k].size >= limit_;
        if (leaving == nowhere || (state(leaving, k) & queue_mask) != in_small) { // another key may have its record by now
            if (is_full) evict(k);
            return;
        }
        const bool stays = is(k, lean::recency);
        if (is_full) {
            const unsigned uses = state(leaving, k) & uses_mask;
            const unsigned strength = uses >= 2 || stays ? always : count(leaving);
            if (!evict_main(k, strength)) {
                remove(leaving, k);
                return;
            }
        }
        set(leaving, k, in_main + (stays ? 1 : 0));
    }
    /// Evicts the next victim of the hand, if the history has counted less of it than `strength`.
    bool evict_main(unsigned k, unsigned strength) noexcept {
        const std::size_t round = record_count();
        std::size_t& hand = shadows_[k].hand;
        unsigned looked_at = 0;
        for (std::size_t i = 0; i < round || looked_at != 0; ++i, hand = hand + 1 == round ? 0 : hand + 1) {
            const unsigned now = state(hand, k);
            if ((now & queue_mask) != in_main) continue;
            if ((now & uses_mask) != 0 && ++looked_at < most_looked_at) {
                set(hand, k, now - 1);
                continue;
            }
            if (strength != always && strength <= count(hand)) return false;
            remove(hand, k);
            return true;
        }
        return false;
    }
    /// Main's next victim; where no entry is main, any.
    void evict(unsigned k) noexcept {
        if (evict_main(k, always)) return;
        for (std::size_t at = 0; at < record_count(); ++at) {
            if (state(at, k) != absent) return remove(at, k);
        }
    }

    [[no_unique_address]] Allocator allocator_;
    const std::size_t entries_;
    std::size_t limit_; ///< of each, now
    const std::size_t bucket_count_; ///< a power of two, with four records for each entry of a shadow
    bucket* buckets_ = nullptr;
    history<Sync, Allocator> keys_;
    std::uint64_t puts_ = 0; ///< into the balanced one
    std::array<shadow, leanings> shadows_{};
};

} // namespace syncmap::cache_detail
