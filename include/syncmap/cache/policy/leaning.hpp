// What the policy leans to: how often keys were seen, or how lately. It learns that from its own mistakes.
//
// Threads count, and report every 20 to 40 puts of new keys [LE1]:
//
//   | count   | of what                                                                                       |
//   |---------|-----------------------------------------------------------------------------------------------|
//   | returns | puts of keys that came within the last 0.6 capacities of puts and were evicted since           |
//   | soon    | the returns among them within a tenth of the capacity: a larger small queue would have hit     |
//   | uses    | uses that the hand has taken from main entries                                                 |
//   | exits   | uses that entries had when they left the small queue                                           |
//
// A longer stay in the cache would have made each return a hit. Uses and exits are the hits of the two queues, as far as
// they are counted.
//
//   | leaning   | an entry that leaves small                    | a return                       | small queue |
//   |-----------|-----------------------------------------------|--------------------------------|-------------|
//   | balanced  | has to win a duel                             | becomes main                   | 10 %        |
//   | frequency | has to win a duel                             | comes into small, as all do    | 1 %         |
//   | recency   | becomes main with a use: it stays for a round | becomes main                   | 10 %        |
//   | guarded   | has to win a duel                             | comes into small, as all do    | 10 %        |
//
//   | from      | to        | periods | where                                                                             |
//   |-----------|-----------|---------|-----------------------------------------------------------------------------------|
//   | balanced  | frequency | 3       | exits < 0.085 uses, and returns < 1.2 uses: small has fewer hits than its tenth    |
//   | balanced  | frequency | 1/2     | uses >= puts, exits < 0.02 uses, and returns < 0.33 uses: a loop, say              |
//   |           |           |         | or uses >= 4 puts, exits < 0.1 uses, and returns < 0.33 uses                       |
//   | frequency | balanced  | 3       | soon > 0.14 uses, or returns > 2 uses: a larger small queue would have more        |
//   | balanced  | recency   | 4       | returns >= 0.095 puts and > 0.5 uses; or >= 0.16 puts, > 0.26 uses, exits > 0.3 uses |
//   | recency   | guarded   | 4 to 32 | uses and exits a put < 1.1 times those before: recency has gained nothing          |
//   | recency   | balanced  | 4 to 32 | otherwise: what it does to returns hides whether it is still right                 |
//   | recency   | balanced  | 1       | uses that the entries have earned and exits < 0.1 puts: nothing comes again        |
//   | guarded   | balanced  | 4 to 32 | uses and exits a put < 1.3 times those before recency                              |
//
// A *period* is half a capacity of puts of new keys, and 250 at least. The rules of half a period ask for two of its quarters
// in a row, at any time. The others look at sums that lose a quarter with each period, or at all since the leaning has
// changed. They begin anew, after a period of rest, when the leaning has changed, and four periods after the cache became
// full. Clear evidence counts as two or four periods. Recency is longer each time that the cache comes back to it.
//
// All words are read and written with relaxed orders, and what two threads lose is a count.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

enum class lean : std::uint8_t { balanced, frequency, recency, guarded };

/// Whether a return comes into small, and has to win a duel.
inline bool returns_duel(lean l) noexcept { return l == lean::frequency || l == lean::guarded; }

/// What threads count for the leaning, while so many new keys are put.
struct lean_counts {
    std::int64_t puts = 0;
    std::int64_t returns = 0;
    std::int64_t soon = 0;
    std::int64_t uses = 0; ///< less those that recency has given
    std::int64_t exits = 0;
};

template <class Sync>
class leaning {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

public:
    /// `entries`: how many the cache has, about.
    explicit leaning(std::size_t entries) noexcept
        : period_((std::max)(std::int64_t{250}, static_cast<std::int64_t>(entries / 2))), quarter_((period_ + 3) / 4) {}

    lean now() const noexcept { return now_.load(std::memory_order_relaxed); }

    /// What a thread has counted since it was here last. `is_full`: the cache evicts.
    void report(const lean_counts& counted, bool is_full) noexcept {
        now_counted_.add(counted);
        const std::int64_t before = puts_.fetch_add(counted.puts, std::memory_order_relaxed);
        // The thread that ends a quarter of a period looks at it.
        if (before >= quarter_ || before + counted.puts < quarter_) return;
        lean_counts quarter = now_counted_.take();
        quarter.puts = before + counted.puts;
        look(quarter, is_full);
        puts_.store(0, std::memory_order_relaxed);
    }

private:
    static constexpr unsigned first_rest = 4; ///< periods after the cache became full: its first keys are all new
    static constexpr unsigned first_stay = 4; ///< periods of recency
    static constexpr unsigned longest_stay = 32;
    static constexpr unsigned enough = 4; ///< votes for recency
    static constexpr unsigned enough_again = 2;
    static constexpr unsigned periods_to_settle = 3; ///< that ask for frequency, or for its end
    static constexpr unsigned quarters_to_settle = 2; ///< that ask for frequency at once
    static constexpr unsigned first_lag = 4; ///< periods of recency until its own uses are seen
    static constexpr unsigned barred_for = 32; ///< periods after a leaning that has gained nothing
    static constexpr unsigned calm_after = 8;

    /// Sums of all threads.
    class sums {
    public:
        void add(const lean_counts& c) noexcept {
            returns_.fetch_add(c.returns, std::memory_order_relaxed);
            soon_.fetch_add(c.soon, std::memory_order_relaxed);
            uses_.fetch_add(c.uses, std::memory_order_relaxed);
            exits_.fetch_add(c.exits, std::memory_order_relaxed);
        }
        lean_counts take() noexcept {
            return {0, returns_.exchange(0, std::memory_order_relaxed), soon_.exchange(0, std::memory_order_relaxed),
                    uses_.exchange(0, std::memory_order_relaxed), exits_.exchange(0, std::memory_order_relaxed)};
        }

    private:
        atomic<std::int64_t> returns_{0};
        atomic<std::int64_t> soon_{0};
        atomic<std::int64_t> uses_{0};
        atomic<std::int64_t> exits_{0};
    };

    /// By one thread at a time: `puts_` is 0 when it has ended.
    void look(const lean_counts& quarter, bool is_full) noexcept {
        const lean_counts period = sum_up(period_counted_, quarter, 0);
        const bool is_hot_and_small_idle = quarter.uses >= quarter.puts && quarter.returns * 3 < quarter.uses &&
                                           quarter.exits * (quarter.uses >= 4 * quarter.puts ? 10 : 50) < quarter.uses;
        const unsigned idle_for = votes(idle_quarters_, is_full && now() == lean::balanced && is_hot_and_small_idle);
        if (idle_for >= quarters_to_settle) {
            set(stay_, first_stay);
            turn_to(lean::frequency);
        } else if (period.puts >= period_) {
            period_counted_.clear();
            judge(period, is_full);
        }
    }
    void judge(const lean_counts& counted, bool is_full) noexcept {
        if (!is_full) {
            turn_to(lean::balanced);
            set(rest_, first_rest);
            return;
        }
        if (get(rest_) != 0) {
            add(rest_, -1);
            return;
        }
        const lean_counts all = sum_up(recent_, counted, 4);
        switch (now()) {
        case lean::recency:
        case lean::guarded: judge_trial(counted, all); break;
        case lean::frequency:
            if (votes(narrow_votes_, all.soon * 100 > all.uses * 14 || all.returns > all.uses * 2) >= periods_to_settle)
                turn_to(lean::balanced);
            break;
        case lean::balanced: judge_balanced(all); break;
        }
    }
    /// Recency and guarded are tried: are there more hits than before?
    void judge_trial(const lean_counts& counted, const lean_counts& all) noexcept {
        const std::int64_t tried = hits_a_thousand(sum_up(trial_, counted, 0)) * 10;
        const std::int64_t before = hits_before_.load(std::memory_order_relaxed);
        const bool is_recency = now() == lean::recency;
        const unsigned stayed = add(stayed_, 1);
        const bool has_no_hits = is_recency && stayed >= first_lag && (all.uses + all.exits) * 10 < all.puts;
        if (has_no_hits) set(stay_, first_stay);
        if (!has_no_hits && stayed < get(last_)) return;
        const bool has_gained = tried >= before * (is_recency ? 11 : 13);
        if (has_no_hits || !has_gained) set(barred_, barred_for);
        if (!is_recency && has_gained) {
            trial_.clear();
            set(last_, (std::min)(2 * stayed, longest_stay));
            set(stayed_, 0);
        } else if (is_recency && !has_no_hits && !has_gained) {
            set(last_, first_stay);
            turn_to(lean::guarded);
        } else {
            turn_to(lean::balanced);
            set(rest_, 2); // the hand still takes uses that were given
        }
    }
    /// As far as they are counted.
    static std::int64_t hits_a_thousand(const lean_counts& c) noexcept {
        return (c.uses + c.exits) * 1'000 / (std::max)(c.puts, std::int64_t{1});
    }
    void judge_balanced(const lean_counts& all) noexcept {
        if (get(barred_) != 0) add(barred_, -1);
        const bool small_is_idle = all.exits * 1'000 < all.uses * 85 && all.returns * 10 < all.uses * 12;
        if (votes(narrow_votes_, small_is_idle) >= periods_to_settle) {
            set(stay_, first_stay);
            turn_to(lean::frequency);
            return;
        }
        const bool prefers_new =
            !small_is_idle &&
            ((all.returns * 1'000 >= all.puts * 95 && all.returns * 2 > all.uses) ||
             (all.returns * 100 >= all.puts * 16 && all.returns * 100 > all.uses * 26 && all.exits * 10 > all.uses * 3));
        const bool is_clear = all.returns * 10 > all.uses * 8;
        const bool is_very_clear = is_clear && all.returns * 10 > all.puts * 3;
        if (votes(calm_, !prefers_new) >= calm_after) set(stay_, first_stay);
        const unsigned stay = get(stay_);
        const unsigned wanted = stay == first_stay ? enough : enough_again;
        if (votes(recency_votes_, prefers_new, is_very_clear ? 4 : is_clear ? 2 : 1) < wanted || get(barred_) != 0) return;
        set(last_, stay);
        set(stay_, (std::min)(2 * stay, longest_stay));
        hits_before_.store(hits_a_thousand(all), std::memory_order_relaxed);
        turn_to(lean::recency);
    }
    /// Sums that one thread at a time changes.
    struct kept_counts {
        atomic<std::int64_t> puts{0};
        atomic<std::int64_t> returns{0};
        atomic<std::int64_t> soon{0};
        atomic<std::int64_t> uses{0};
        atomic<std::int64_t> exits{0};

        void clear() noexcept {
            for (atomic<std::int64_t>* sum : {&puts, &returns, &soon, &uses, &exits}) sum->store(0, std::memory_order_relaxed);
        }
    };
    /// What is kept, less one of so many parts of it, and the new counts. `parts` 0: it loses nothing.
    static lean_counts sum_up(kept_counts& kept, const lean_counts& c, std::int64_t parts) noexcept {
        const auto both = [&](atomic<std::int64_t>& sum, std::int64_t n) {
            const std::int64_t old = sum.load(std::memory_order_relaxed);
            const std::int64_t now = old - (parts == 0 ? 0 : old / parts) + n;
            sum.store(now, std::memory_order_relaxed);
            return now;
        };
        return {both(kept.puts, c.puts), both(kept.returns, c.returns), both(kept.soon, c.soon), both(kept.uses, c.uses),
                both(kept.exits, c.exits)};
    }
    void turn_to(lean l) noexcept {
        if (now() != l) now_.store(l, std::memory_order_relaxed);
        for (kept_counts* kept : {&period_counted_, &recent_, &trial_}) kept->clear();
        for (atomic<unsigned>* count : {&narrow_votes_, &recency_votes_, &calm_, &stayed_, &idle_quarters_}) set(*count, 0);
        set(rest_, 1);
    }
    /// How many periods in a row have asked for it.
    static unsigned votes(atomic<unsigned>& sum, bool asks, unsigned weight = 1) noexcept {
        if (asks) return add(sum, static_cast<int>(weight));
        set(sum, 0);
        return 0;
    }
    static unsigned get(const atomic<unsigned>& from) noexcept { return from.load(std::memory_order_relaxed); }
    static void set(atomic<unsigned>& to, unsigned n) noexcept { to.store(n, std::memory_order_relaxed); }
    static unsigned add(atomic<unsigned>& to, int n) noexcept {
        const unsigned sum = get(to) + static_cast<unsigned>(n);
        set(to, sum);
        return sum;
    }

    const std::int64_t period_;
    const std::int64_t quarter_;
    atomic<lean> now_{lean::balanced};
    alignas(detail::cache_line_bytes) atomic<std::int64_t> puts_{0};
    sums now_counted_;
    // ---- of the thread that judges ----
    kept_counts period_counted_;
    kept_counts recent_;
    kept_counts trial_; ///< since the cache has leaned to what it tries
    atomic<std::int64_t> hits_before_{0}; ///< of a thousand puts, before it leaned to recency
    atomic<unsigned> rest_{first_rest}; ///< periods that are not judged
    atomic<unsigned> narrow_votes_{0}; ///< for frequency, or against it
    atomic<unsigned> recency_votes_{0};
    atomic<unsigned> idle_quarters_{0}; ///< that ask for frequency
    atomic<unsigned> calm_{0};   ///< periods since one has asked for recency
    atomic<unsigned> stayed_{0}; ///< periods of what is tried
    atomic<unsigned> last_{0};   ///< how many it has this time
    atomic<unsigned> stay_{first_stay}; ///< how many it has the next time
    atomic<unsigned> barred_{0}; ///< periods without recency
};

} // namespace syncmap::cache_detail
