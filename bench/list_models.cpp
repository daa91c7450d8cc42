#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

#include "hit_models.hpp"
#include "key_list.hpp"
#include "policy_models.hpp"

namespace syncmap::bench {
namespace {

constexpr std::uint32_t none = key_list::none;

class two_queues {
    enum class place : unsigned char { nowhere, in, ghost, main };

public:
    two_queues(std::uint32_t keys, std::size_t capacity)
        : where_(keys), in_(keys), ghosts_(keys), main_(keys), capacity_(capacity),
          most_in_(std::max<std::size_t>(1, capacity / 4)), most_ghosts_(std::max<std::size_t>(1, capacity / 2)) {}

    bool ask(std::uint32_t key) {
        switch (where_[key]) {
        case place::in: return true;
        case place::main: main_.move_to_front(key); return true;
        case place::ghost:
            ghosts_.remove(key);
            make_room();
            main_.push_front(key);
            where_[key] = place::main;
            return false;
        case place::nowhere: break;
        }
        make_room();
        in_.push_front(key);
        where_[key] = place::in;
        return false;
    }

private:
    void make_room() {
        if (in_.size() + main_.size() < capacity_) return;
        if (in_.size() > most_in_ || main_.size() == 0) {
            const std::uint32_t gone = in_.pop_back();
            ghosts_.push_front(gone);
            where_[gone] = place::ghost;
            if (ghosts_.size() > most_ghosts_) where_[ghosts_.pop_back()] = place::nowhere;
        } else {
            where_[main_.pop_back()] = place::nowhere;
        }
    }

    std::vector<place> where_;
    key_list in_;
    key_list ghosts_;
    key_list main_;
    std::size_t capacity_;
    std::size_t most_in_;
    std::size_t most_ghosts_;
};

/// Names as in the paper: T1, T2 are cached, B1, B2 their ghosts.
class arc {
    enum class place : unsigned char { nowhere, t1, t2, b1, b2 };

public:
    arc(std::uint32_t keys, std::size_t capacity) : where_(keys), t1_(keys), t2_(keys), b1_(keys), b2_(keys), c_(capacity) {}

    bool ask(std::uint32_t key) {
        const place was = where_[key];
        if (was == place::t1 || was == place::t2) {
            (was == place::t1 ? t1_ : t2_).remove(key);
            to(t2_, place::t2, key);
            return true;
        }
        if (was == place::b1) {
            target_ = std::min(c_, target_ + std::max<std::size_t>(1, b2_.size() / b1_.size()));
            replace(false);
            b1_.remove(key);
            to(t2_, place::t2, key);
        } else if (was == place::b2) {
            target_ -= std::min(target_, std::max<std::size_t>(1, b1_.size() / b2_.size()));
            replace(true);
            b2_.remove(key);
            to(t2_, place::t2, key);
        } else {
            if (t1_.size() + b1_.size() == c_) {
                if (t1_.size() < c_) {
                    where_[b1_.pop_back()] = place::nowhere;
                    replace(false);
                } else {
                    where_[t1_.pop_back()] = place::nowhere;
                }
            } else if (const std::size_t all = t1_.size() + t2_.size() + b1_.size() + b2_.size(); all >= c_) {
                if (all == 2 * c_) where_[b2_.pop_back()] = place::nowhere;
                replace(false);
            }
            to(t1_, place::t1, key);
        }
        return false;
    }

private:
    void to(key_list& list, place p, std::uint32_t key) {
        list.push_front(key);
        where_[key] = p;
    }
    void replace(bool is_in_b2) {
        if (t1_.size() + t2_.size() < c_) return;
        if (t1_.size() != 0 && (t1_.size() > target_ || (is_in_b2 && t1_.size() == target_) || t2_.size() == 0)) {
            to(b1_, place::b1, t1_.pop_back());
        } else {
            to(b2_, place::b2, t2_.pop_back());
        }
    }

    std::vector<place> where_;
    key_list t1_;
    key_list t2_;
    key_list b1_;
    key_list b2_;
    std::size_t c_;
    std::size_t target_ = 0; ///< of T1
};

/// The stack has keys with short distances (*low*), others that are cached (*high*), and some that are not (*ghosts*).
class lirs {
    enum class state : unsigned char { nowhere, low, high, ghost };

public:
    lirs(std::uint32_t keys, std::size_t capacity)
        : state_(keys), in_stack_(keys), stack_(keys), queue_(keys), ghosts_(keys), capacity_(capacity),
          most_high_(std::max<std::size_t>(1, capacity / 100)), most_low_(capacity > most_high_ ? capacity - most_high_ : 0) {}

    bool ask(std::uint32_t key) {
        if (state_[key] == state::low) {
            const bool was_last = stack_.back() == key;
            stack_.move_to_front(key);
            if (was_last) prune();
            return true;
        }
        if (state_[key] == state::high) {
            queue_.remove(key);
            if (in_stack_[key]) {
                state_[key] = state::low;
                ++low_;
                stack_.move_to_front(key);
                demote();
            } else {
                push(key);
                queue_.push_front(key);
            }
            return true;
        }
        if (low_ + queue_.size() == capacity_) evict();
        if (low_ < most_low_ && queue_.size() == 0 && state_[key] == state::nowhere) {
            push(key);
            state_[key] = state::low;
            ++low_;
            return false;
        }
        if (state_[key] == state::ghost && most_low_ != 0) {
            ghosts_.remove(key);
            stack_.move_to_front(key);
            state_[key] = state::low;
            ++low_;
            demote();
        } else {
            if (state_[key] == state::ghost) ghosts_.remove(key);
            push(key);
            state_[key] = state::high;
            queue_.push_front(key);
        }
        return false;
    }

private:
    void push(std::uint32_t key) {
        if (in_stack_[key]) {
            stack_.move_to_front(key);
        } else {
            stack_.push_front(key);
            in_stack_[key] = true;
        }
    }
    void evict() {
        if (queue_.size() == 0) { // all are low
            leave_stack(stack_.back());
            prune();
            return;
        }
        const std::uint32_t gone = queue_.pop_back();
        if (!in_stack_[gone]) {
            state_[gone] = state::nowhere;
            return;
        }
        state_[gone] = state::ghost;
        ghosts_.push_front(gone);
        if (ghosts_.size() > 2 * capacity_) {
            const std::uint32_t oldest = ghosts_.pop_back();
            stack_.remove(oldest);
            in_stack_[oldest] = false;
            state_[oldest] = state::nowhere;
        }
    }
    void leave_stack(std::uint32_t key) {
        if (state_[key] == state::low) --low_;
        state_[key] = state::nowhere;
        stack_.remove(key);
        in_stack_[key] = false;
    }
    void demote() {
        while (low_ > most_low_) {
            const std::uint32_t last = stack_.back();
            stack_.remove(last);
            in_stack_[last] = false;
            if (state_[last] == state::low) {
                state_[last] = state::high;
                --low_;
                queue_.push_front(last);
            } else if (state_[last] == state::ghost) {
                ghosts_.remove(last);
                state_[last] = state::nowhere;
            }
            prune();
        }
    }
    void prune() {
        while (stack_.size() != 0 && state_[stack_.back()] != state::low) {
            const std::uint32_t last = stack_.pop_back();
            in_stack_[last] = false;
            if (state_[last] != state::ghost) continue;
            ghosts_.remove(last);
            state_[last] = state::nowhere;
        }
    }

    std::vector<state> state_;
    std::vector<bool> in_stack_;
    key_list stack_;
    key_list queue_; ///< of high ones that are cached
    key_list ghosts_;
    std::size_t low_ = 0;
    std::size_t capacity_;
    std::size_t most_high_;
    std::size_t most_low_;
};

template <class Policy>
std::uint64_t hits_of(const trace& trace, std::size_t capacity) {
    Policy policy(trace.keys, capacity);
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) hits += policy.ask(key) ? 1U : 0U;
    return hits;
}

constexpr std::array all{
    policy_model{"FIFO", fifo_hits},
    policy_model{"LRU", lru_hits},
    policy_model{"CLOCK", clock_hits},
    policy_model{"LFU", lfu_hits},
    policy_model{"SIEVE", sieve_hits},
    policy_model{"ARC", arc_hits},
    policy_model{"2Q", two_queues_hits},
    policy_model{"LIRS", lirs_hits},
    policy_model{"S3-FIFO", s3_fifo_hits},
    policy_model{"QC", quick_cache_hits},
    policy_model{"WT 1%", w_tinylfu_1_hits},
    policy_model{"WT 10%", w_tinylfu_10_hits},
    policy_model{"WT adapt", w_tinylfu_adaptive_hits},
};
static_assert(all.size() == 13);

} // namespace

std::span<const policy_model> thirteen_policies() { return all; }

std::uint64_t fifo_hits(const trace& trace, std::size_t capacity) {
    key_list order(trace.keys);
    std::vector<bool> is_cached(trace.keys);
    std::uint64_t hits = 0;
    for (const std::uint32_t key : trace.requests) {
        if (is_cached[key]) {
            ++hits;
            continue;
        }
        if (order.size() == capacity) is_cached[order.pop_back()] = false;
        order.push_front(key);
        is_cached[key] = true;
    }
    return hits;
}

std::uint64_t lfu_hits(const trace& trace, std::size_t capacity) {
    struct place {
        std::uint32_t uses = 0; ///< 0: not cached
        std::uint32_t last = 0;
    };
    std::vector<place> places(trace.keys);
    std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> order; // uses, last use, key
    std::uint64_t hits = 0;
    std::uint32_t now = 0;
    for (const std::uint32_t key : trace.requests) {
        place& p = places[key];
        if (p.uses != 0) {
            ++hits;
            order.erase({p.uses, p.last, key});
        } else if (order.size() == capacity) {
            places[std::get<2>(*order.begin())].uses = 0;
            order.erase(order.begin());
        }
        p = {p.uses + 1, ++now};
        order.insert({p.uses, p.last, key});
    }
    return hits;
}

std::uint64_t two_queues_hits(const trace& trace, std::size_t capacity) { return hits_of<two_queues>(trace, capacity); }
std::uint64_t arc_hits(const trace& trace, std::size_t capacity) { return hits_of<arc>(trace, capacity); }
std::uint64_t lirs_hits(const trace& trace, std::size_t capacity) { return hits_of<lirs>(trace, capacity); }

} // namespace syncmap::bench
