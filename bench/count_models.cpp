#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "key_list.hpp"
#include "policy_models.hpp"

namespace syncmap::bench {
namespace {

/// Keys in lists, and how often each was used since it came into its list.
template <class Place>
class counted_keys {
protected:
    explicit counted_keys(std::uint32_t keys) : where_(keys), uses_(keys) {}

    void to(key_list& list, Place p, std::uint32_t key) {
        list.push_front(key);
        where_[key] = p;
        uses_[key] = 0;
    }
    void use(std::uint32_t key, int most) { uses_[key] = static_cast<unsigned char>(std::min(most, uses_[key] + 1)); }
    /// The oldest key of a list gives a use to stay, at the front. One without uses leaves.
    void advance(key_list& list) {
        const std::uint32_t key = list.pop_back();
        if (uses_[key] == 0) {
            where_[key] = Place::nowhere;
        } else {
            --uses_[key];
            list.push_front(key);
        }
    }

    std::vector<Place> where_;
    std::vector<unsigned char> uses_;
};

enum class s3_fifo_place : unsigned char { nowhere, small, main };

class s3_fifo : counted_keys<s3_fifo_place> {
    using place = s3_fifo_place;

public:
    s3_fifo(std::uint32_t keys, std::size_t capacity)
        : counted_keys(keys), is_ghost_(keys), small_(keys), main_(keys), ghosts_(keys), capacity_(capacity),
          most_small_(std::max<std::size_t>(1, capacity / 10)), most_ghosts_(capacity - capacity / 10) {}

    bool ask(std::uint32_t key) {
        if (where_[key] != place::nowhere) {
            use(key, 3);
            return true;
        }
        const bool returns = is_ghost_[key];
        if (returns) {
            ghosts_.remove(key);
            is_ghost_[key] = false;
        }
        while (small_.size() + main_.size() >= capacity_) evict();
        to(returns ? main_ : small_, returns ? place::main : place::small, key);
        return false;
    }

private:
    void evict() {
        if (small_.size() >= most_small_ || main_.size() == 0) {
            const std::uint32_t key = small_.pop_back();
            if (uses_[key] >= 2) {
                to(main_, place::main, key);
                return;
            }
            where_[key] = place::nowhere;
            ghosts_.push_front(key);
            is_ghost_[key] = true;
            if (ghosts_.size() > most_ghosts_) is_ghost_[ghosts_.pop_back()] = false;
            return;
        }
        advance(main_);
    }

    std::vector<bool> is_ghost_;
    key_list small_;
    key_list main_;
    key_list ghosts_;
    std::size_t capacity_;
    std::size_t most_small_;
    std::size_t most_ghosts_;
};

enum class quick_cache_place : unsigned char { nowhere, hot, cold, ghost };

class quick_cache : counted_keys<quick_cache_place> {
    using place = quick_cache_place;

public:
    quick_cache(std::uint32_t keys, std::size_t capacity)
        : counted_keys(keys), hot_(keys), cold_(keys), ghosts_(keys), capacity_(capacity),
          most_hot_(std::min(capacity, static_cast<std::size_t>(std::lround(0.97 * static_cast<double>(capacity))))),
          most_ghosts_(std::max<std::size_t>(1, capacity / 2)) {}

    bool ask(std::uint32_t key) {
        const place was = where_[key];
        if (was == place::hot || was == place::cold) {
            use(key, 2);
            return true;
        }
        if (was == place::ghost) ghosts_.remove(key);
        const bool is_hot = was == place::ghost || hot_.size() < most_hot_;
        to(is_hot ? hot_ : cold_, is_hot ? place::hot : place::cold, key);
        while (hot_.size() + cold_.size() > capacity_ || hot_.size() > most_hot_) {
            if (hot_.size() > most_hot_ || cold_.size() == 0) {
                advance(hot_);
            } else {
                advance_cold();
            }
        }
        return false;
    }

private:
    void advance_cold() {
        const std::uint32_t key = cold_.pop_back();
        if (uses_[key] != 0) {
            to(hot_, place::hot, key);
            return;
        }
        to(ghosts_, place::ghost, key);
        if (ghosts_.size() > most_ghosts_) where_[ghosts_.pop_back()] = place::nowhere;
    }

    key_list hot_;
    key_list cold_;
    key_list ghosts_;
    std::size_t capacity_;
    std::size_t most_hot_;
    std::size_t most_ghosts_;
};

/// A window by last use; behind it probation and protection, each by last use. An entry that leaves the window stays if it was
/// counted more often than the oldest on probation. Counts end at 15, and are halved every ten capacities of requests.
class w_tinylfu {
    enum class place : unsigned char { nowhere, window, probation, protection };

public:
    w_tinylfu(std::uint32_t keys, std::size_t capacity, double window, bool climbs)
        : where_(keys), counts_(keys), window_(keys), probation_(keys), protection_(keys), capacity_(capacity), climbs_(climbs),
          step_(0.0625 * static_cast<double>(capacity)) {
        set_window(window * static_cast<double>(capacity));
    }

    bool ask(std::uint32_t key) {
        count(key);
        const bool hit = where_[key] != place::nowhere;
        switch (where_[key]) {
        case place::window: window_.move_to_front(key); break;
        case place::protection: protection_.move_to_front(key); break;
        case place::probation:
            probation_.remove(key);
            to(protection_, place::protection, key);
            break;
        case place::nowhere: to(window_, place::window, key); break;
        }
        while (protection_.size() > most_protected_) to(probation_, place::probation, protection_.pop_back());
        while (window_.size() > most_window_) leave_window();
        if (climbs_) climb(hit);
        return hit;
    }

private:
    void to(key_list& list, place p, std::uint32_t key) {
        list.push_front(key);
        where_[key] = p;
    }
    void count(std::uint32_t key) {
        if (counts_[key] < 15) ++counts_[key];
        if (++counted_ < 10 * capacity_) return;
        for (unsigned char& c : counts_) c /= 2;
        counted_ = 0;
    }
    void leave_window() {
        const std::uint32_t candidate = window_.pop_back();
        to(probation_, place::probation, candidate);
        if (window_.size() + probation_.size() + protection_.size() <= capacity_) return;
        std::uint32_t victim = probation_.back();
        if (victim == candidate && protection_.size() != 0 && probation_.size() == 1) victim = protection_.back();
        const std::uint32_t loser = counts_[candidate] > counts_[victim] ? victim : candidate;
        (where_[loser] == place::protection ? protection_ : probation_).remove(loser);
        where_[loser] = place::nowhere;
    }
    void set_window(double size) {
        size_ = std::clamp(size, 1.0, std::max(1.0, 0.8 * static_cast<double>(capacity_)));
        most_window_ = static_cast<std::size_t>(size_);
        most_protected_ = (capacity_ - std::min(capacity_, most_window_)) * 8 / 10;
    }
    /// Every ten capacities of requests the window goes on, or back if there were fewer hits.
    void climb(bool hit) {
        hits_ += hit ? 1U : 0U;
        if (++asked_ < 10 * capacity_) return;
        const double ratio = static_cast<double>(hits_) / static_cast<double>(asked_);
        const double change = ratio - std::exchange(ratio_, ratio);
        if (change < 0) step_ = -step_;
        if (std::fabs(change) >= 0.05) step_ = std::copysign(0.0625 * static_cast<double>(capacity_), step_);
        const std::size_t before = most_window_;
        set_window(size_ + step_);
        step_ *= 0.98;
        hits_ = asked_ = 0;
        // A window that grows takes from the others, so that all together are not more than before.
        for (std::size_t i = before; i < most_window_ && probation_.size() + protection_.size() != 0; ++i) {
            to(window_, place::window, (probation_.size() != 0 ? probation_ : protection_).pop_back());
        }
    }

    std::vector<place> where_;
    std::vector<unsigned char> counts_;
    key_list window_;
    key_list probation_;
    key_list protection_;
    std::size_t capacity_;
    bool climbs_;
    double step_;
    double size_ = 1;
    std::size_t most_window_ = 1;
    std::size_t most_protected_ = 0;
    std::size_t counted_ = 0;
    std::size_t hits_ = 0;
    std::size_t asked_ = 0;
    double ratio_ = 0;
};

template <class Policy, class... Arguments>
std::uint64_t hits_of(const trace& trace, std::size_t capacity, Arguments... arguments) {
    Policy policy(trace.keys, capacity, arguments...);
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) hits += policy.ask(key) ? 1U : 0U;
    return hits;
}

} // namespace

std::uint64_t s3_fifo_hits(const trace& trace, std::size_t capacity) { return hits_of<s3_fifo>(trace, capacity); }
std::uint64_t quick_cache_hits(const trace& trace, std::size_t capacity) { return hits_of<quick_cache>(trace, capacity); }
std::uint64_t w_tinylfu_1_hits(const trace& trace, std::size_t capacity) {
    return hits_of<w_tinylfu>(trace, capacity, 0.01, false);
}
std::uint64_t w_tinylfu_10_hits(const trace& trace, std::size_t capacity) {
    return hits_of<w_tinylfu>(trace, capacity, 0.1, false);
}
std::uint64_t w_tinylfu_adaptive_hits(const trace& trace, std::size_t capacity) {
    return hits_of<w_tinylfu>(trace, capacity, 0.01, true);
}

} // namespace syncmap::bench
