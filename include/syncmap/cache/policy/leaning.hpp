// What the policy leans to: how often keys were seen, or how lately. It learns that from shadow caches.
//
//   | leaning   | an entry that leaves small                    | a return                       | small queue |
//   |-----------|-----------------------------------------------|--------------------------------|-------------|
//   | balanced  | has to win a duel                             | becomes main                   | 10 %        |
//   | frequency | has to win a duel                             | comes into small, as all do    | 1 %         |
//   | recency   | becomes main with a use: it stays for a round | becomes main                   | 10 %        |
//   | guarded   | has to win a duel                             | comes into small, as all do    | 10 %        |
//
// A *sample* of the keys, those with certain hashes, is put into shadow caches that are smaller in the same measure: one for
// each leaning (shadow_caches.hpp) [LE1]. It has a quarter of the keys at most, and at most as many as fill 256 entries: these
// tell enough of any capacity. The shadows hear of a request
//
//   - when a put of a new key asks the history: a miss
//   - when a read finds an entry whose mark says that its key is in the sample: a hit.
//
// The thread notes it (request_notes.hpp). A put of a new key in the sample then tells the shadows what all threads have noted.
//
// For each leaning that is not in force a sum grows with each hit that its shadow has had and that of the leaning in force has
// not, and shrinks with each hit the other way round, and a little with each request; it is never negative (Page's CUSUM). A
// sum of seven thirty-seconds of a shadow's entries turns the cache to that leaning, and all begin anew. Five thirty-seconds
// turn it back to balanced, the best leaning of most requests. So a large difference is acted upon after half a capacity of
// requests, and a small one is when it has lasted.
//
// After a change of what is asked for, main may be full of entries that were asked for often, and never are again. They win
// all duels until their counts have been halved some times. Where next to nothing hits, and most misses are of keys that the
// history has counted before, its counts are *outdated*: then the history halves them eight times as often [LE3].
//
// The shadow of the leaning in force should hit as often as the cache does. If it hits more often, the sample has too few keys,
// and the shadows shrink step by step. If it hits less often, they grow. Without that a shadow could hold a whole loop that
// the cache cannot.
//
// One thread at a time tells the shadows. What others note meanwhile is told later.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/cache/policy/lean.hpp>
#include <syncmap/cache/policy/request_notes.hpp>
#include <syncmap/cache/policy/shadow_caches.hpp>
#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

/// Which requests the shadows hear of, by hash.
class sample {
public:
    static constexpr std::size_t most = 256; ///< entries
    /// Of a cache that has so many entries, about.
    explicit sample(std::size_t capacity) noexcept
        : entries_(capacity < fewest_sampled ? 0 : (std::min)({capacity / 4, (std::max)(capacity / 8, some), most})),
          end_(entries_ == 0 ? 0 : (std::uint64_t{entries_} << 32) / capacity) {}

    /// How many entries of the cache are in the sample, about.
    std::size_t entries() const noexcept { return entries_; }
    bool has(std::uint64_t hash) const noexcept { return has(end_, hash); }
    /// The same, for a thread that knows but the end of it.
    static bool has(std::uint64_t end, std::uint64_t hash) noexcept { return mixed(hash) >> 32 < end; }
    std::uint64_t end() const noexcept { return end_; }
    /// What the shadows know a key by.
    static std::uint16_t name_of(std::uint64_t hash) noexcept {
        const std::uint64_t once = mixed(hash);
        return static_cast<std::uint16_t>((once ^ once >> 29) * 0x94D049BB133111EBU >> 48);
    }

private:
    /// The hash may be a product of key and constant. Of that alone, numbers in a row would be in the sample at regular
    /// distances.
    static constexpr std::uint64_t mixed(std::uint64_t hash) noexcept { return (hash ^ hash >> 32) * 0xBF58476D1CE4E5B9U; }

    static constexpr std::size_t fewest_sampled = 64; ///< a cache with fewer entries stays balanced
    static constexpr std::size_t some = 128; ///< more, where they are no more than an eighth of the keys

    std::size_t entries_;
    std::uint64_t end_;
};

template <class Sync, class Allocator>
class leaning {
    template <class U>
    using atomic = typename Sync::template atomic<U>;
    using shadows = shadow_caches<Sync, Allocator>;
    static_assert(sample::most <= shadows::most_entries);

public:
    /// `capacity`: how many entries the cache has, about.
    leaning(std::size_t capacity, const Allocator& allocator)
        : sample_(capacity), shadows_(sample_.entries(), allocator),
          enough_(static_cast<std::int32_t>(sample_.entries()) * hit * 7 / 32),
          enough_for_balanced_(static_cast<std::int32_t>(sample_.entries()) * hit * 5 / 32) {}

    lean now() const noexcept { return now_.load(std::memory_order_relaxed); }
    /// The keys whose requests the shadows hear of.
    const sample& heard() const noexcept { return sample_; }
    /// What the shadows have allocated.
    std::size_t bytes() const noexcept { return shadows_.bytes(); }

    /// Whether what the history has counted is of another time.
    bool is_outdated() const noexcept { return is_outdated_.load(std::memory_order_relaxed); }

    /// Calls `f(hear)`, unless another thread is telling. `hear(name, request)` tells the shadows of one request. Only where
    /// there is a sample. `process`: another number in each child of a fork, never 0: a thread that a child lacks tells no
    /// more.
    template <class F>
    void tell(std::uint32_t process, F f) noexcept {
        std::uint32_t teller = told_in_.load(std::memory_order_relaxed);
        // (1) acquire: pairs with the release of (2); without it two threads write to the shadows at a time.
        if (teller == process ||
            !told_in_.compare_exchange_strong(teller, process, std::memory_order_acquire, std::memory_order_relaxed))
            return;
        f([this](std::uint16_t name, request how) {
            judge(shadows_.ask(name, is_outdated()), how == request::hit);
            weigh(how);
        });
        told_in_.store(0, std::memory_order_release); // (2)
    }

private:
    static constexpr std::int32_t hit = 256; ///< what one adds to a sum; each request takes away 1
    static constexpr std::int32_t enough_to_resize = 6; ///< hits

    /// `hits`: of the shadows, a bit for each. `has_hit_itself`: the cache has.
    void judge(unsigned hits, bool has_hit_itself) noexcept {
        const auto in_force = static_cast<unsigned>(now());
        compare(static_cast<std::int32_t>(hits >> in_force & 1) - static_cast<std::int32_t>(has_hit_itself));
        const auto has_hit = [&](unsigned k) { return static_cast<std::int32_t>(hits >> k & 1) * hit; };
        unsigned best = in_force;
        for (unsigned k = 0; k < leanings; ++k) {
            if (k == in_force) continue;
            gains_[k] = (std::max)(std::int32_t{0}, gains_[k] + has_hit(k) - has_hit(in_force) - 1);
            if (gains_[k] > enough_for(k) && (best == in_force || gains_[k] > gains_[best])) best = k;
        }
        if (best == in_force) return;
        gains_ = {};
        now_.store(static_cast<lean>(best), std::memory_order_relaxed);
    }

    std::int32_t enough_for(unsigned k) const noexcept {
        return k == static_cast<unsigned>(lean::balanced) ? enough_for_balanced_ : enough_;
    }

    /// Looks, after half a capacity of requests, whether the history is outdated.
    void weigh(request of) noexcept {
        hits_ += of == request::hit ? 1 : 0;
        known_misses_ += of == request::known_miss ? 1 : 0;
        if (++weighed_ < sample_.entries() / 2) return;
        is_outdated_.store(known_misses_ > weighed_ / 2 && known_misses_ > hits_ * 4, std::memory_order_relaxed);
        hits_ = known_misses_ = weighed_ = 0;
    }

    /// `more`: hits that the shadow of the leaning in force has had more than the cache, of one request.
    void compare(std::int32_t more) noexcept {
        ahead_ += more;
        if (ahead_ > -enough_to_resize && ahead_ < enough_to_resize) return;
        if (ahead_ > 0) {
            shadows_.shrink();
        } else {
            shadows_.grow();
        }
        ahead_ = 0;
    }

    const sample sample_;
    atomic<lean> now_{lean::balanced};
    atomic<bool> is_outdated_{false};
    alignas(detail::cache_line_bytes) atomic<std::uint32_t> told_in_{0}; ///< the process; 0: no thread tells
    // ---- of the thread that tells ----
    shadows shadows_;
    const std::int32_t enough_;
    const std::int32_t enough_for_balanced_;
    std::int32_t ahead_ = 0; ///< hits that the shadow of the leaning in force has had more than the cache
    std::array<std::int32_t, leanings> gains_{};
    std::size_t hits_ = 0; ///< of the last requests
    std::size_t known_misses_ = 0;
    std::size_t weighed_ = 0;
};

} // namespace syncmap::cache_detail
