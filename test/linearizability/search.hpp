// Is there an order of the calls, each at one instant between its start and its end, that explains all answers?
//
// The search keeps every state of affairs that the history so far allows: which of the pending calls have already taken
// effect, and what the object holds then. It goes through the starts and ends in the order of time; when a call
// ends, every state in which it has not taken effect yet must let it, after other pending ones if need be.
// (J. Wing, C. Gong, 1993; G. Lowe, "Testing for linearizability", 2017.) Time grows with the length of the history and
// with the calls that are pending at once, so a history is cut by key first where calls touch one key only.
//
// Three things keep the number of states small, and forbid nothing:
//  - A call that only reads takes effect as soon as its answer fits.
//  - Of the pending calls only those are tried before one that ends whose order may matter to it, or to one of these.
//  - An overwriting call whose value no call sees may have taken effect just before another one that overwrote its value:
//    it is *hidden*. It is remembered that a pending call could be, instead of one state for each set of calls that were.
#pragma once

#include <algorithm>
#include <bitset>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <unordered_set>
#include <utility>
#include <vector>

#include "linearizability/call.hpp"

namespace linearizability {

/// `invoked` and `responded` are instants of one clock. An end at the instant of a start comes after it: they overlap.
template <class Call>
concept timed_call = requires(const Call& call) {
    { call.invoked } -> std::convertible_to<std::uint64_t>;
    { call.responded } -> std::convertible_to<std::uint64_t>;
    { only_reads(call) } -> std::same_as<bool>; // with this answer it changes no state that the answer fits
    { overwrites(call) } -> std::same_as<bool>; // see call.hpp
    { depend(call, call) } -> std::same_as<bool>;
};

/// More work than the search may do.
struct too_many_orders : std::runtime_error {
    too_many_orders() : std::runtime_error("a history with too many orders to try") {}
};

/// Where the search ended without an order.
template <class State>
struct violation {
    std::size_t call;            ///< the one whose end no order explains (an index into the history)
    std::uint64_t since;         ///< no call was pending then; what came before does not matter
    std::vector<State> at_start; ///< what the object may have held then
};

/// Its memory is kept from one history to the next. At most `Slots` calls may be pending at once.
template <class State, std::size_t Slots = 256>
class order_search {
    using slot_set = std::bitset<Slots>;

public:
    /// Null when the history has an order. `apply(call, state)` says whether the call's answer fits the state, and
    /// makes the state what the call leaves behind. `patience`: how many states may be looked at.
    template <timed_call Call, class Apply>
    std::optional<violation<State>> operator()(std::span<const Call> history, std::span<const State> initial,
                                               const Apply& apply,
                                               std::uint64_t patience = std::numeric_limits<std::uint64_t>::max()) {
        patience_ = patience;
        pending_.assign(Slots, none);
        used_.clear();
        possible_.clear();
        for (const State& each : initial) possible_.push_back({{}, {}, each});
        violation<State> found{none, 0, {initial.begin(), initial.end()}};

        const auto by_start = [](const Call& a, const Call& b) { return a.invoked < b.invoked; };
        order_.clear();
        if (!std::is_sorted(history.begin(), history.end(), by_start)) {
            order_.resize(history.size());
            std::iota(order_.begin(), order_.end(), std::size_t{0});
            std::stable_sort(order_.begin(), order_.end(),
                             [&](std::size_t a, std::size_t b) { return by_start(history[a], history[b]); });
        }
        for (std::size_t next = 0;;) {
            std::size_t ending = none; // the slot of the pending call that ends first
            for (const std::size_t slot : used_) {
                if (ending == none || history[pending_[slot]].responded < history[pending_[ending]].responded) ending = slot;
            }
            const std::uint64_t end = ending == none ? never : history[pending_[ending]].responded;
            if (next != history.size()) {
                const std::size_t starting = order_.empty() ? next : order_[next];
                if (history[starting].invoked <= end) {
                    if (used_.empty()) {
                        found.since = history[starting].invoked;
                        found.at_start.clear();
                        for (const affairs& each : possible_) found.at_start.push_back(each.state);
                    }
                    start(starting);
                    ++next;
                    continue;
                }
            }
            if (end == never) return std::nullopt;
            if (!let_end(history, ending, apply)) {
                found.call = pending_[ending];
                return found;
            }
            std::erase(used_, ending);
            pending_[ending] = none;
        }
    }

    /// What the object may hold after a history that has an order.
    std::vector<State> final_states() const {
        std::vector<State> states;
        for (const affairs& each : possible_) {
            if (std::find(states.begin(), states.end(), each.state) == states.end()) states.push_back(each.state);
        }
        return states;
    }

private:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    struct affairs {
        slot_set done;   // which of the pending calls have taken effect
        slot_set hidden; // which of the others could have, unseen
        State state;
        bool operator==(const affairs&) const = default;
    };
    struct affairs_hash {
        std::size_t operator()(const affairs& each) const noexcept {
            const std::hash<slot_set> of_set;
            return std::hash<State>{}(each.state) * 31 + of_set(each.done) + 7 * of_set(each.hidden);
        }
    };
    struct node {
        affairs at;
        std::size_t last; // the slot of the call that has just taken effect
    };

    /// Few of them most of the time: then looking through all is quicker than hashing.
    class affairs_set {
    public:
        void clear() {
            few_.clear();
            many_.clear();
        }
        bool insert(const affairs& each) {
            if (many_.empty()) {
                if (std::find(few_.begin(), few_.end(), each) != few_.end()) return false;
                few_.push_back(each);
                if (few_.size() == 12) many_.insert(few_.begin(), few_.end());
                return true;
            }
            return many_.insert(each).second;
        }

    private:
        std::vector<affairs> few_;
        std::unordered_set<affairs, affairs_hash> many_;
    };

    void start(std::size_t call) {
        const auto slot = static_cast<std::size_t>(std::find(pending_.begin(), pending_.end(), none) - pending_.begin());
        if (slot == Slots) throw std::length_error("a history with too many calls pending at once");
        used_.push_back(slot);
        pending_[slot] = call;
    }

    template <class Call, class Apply>
    bool let_end(std::span<const Call> history, std::size_t ending, const Apply& apply) {
        const Call& ends = history[pending_[ending]];
        if (used_.size() == 1 && possible_.size() == 1 && !possible_[0].done[ending] && !possible_[0].hidden[ending]) {
            return apply(ends, possible_[0].state);
        }

        candidates_.assign(1, ending);
        for (std::size_t i = 0; i != candidates_.size(); ++i) {
            for (const std::size_t slot : used_) {
                if (std::find(candidates_.begin(), candidates_.end(), slot) == candidates_.end() &&
                    depend(history[pending_[slot]], history[pending_[candidates_[i]]])) {
                    candidates_.push_back(slot);
                }
            }
        }

        seen_.clear();
        kept_.clear();
        open_.clear();
        for (affairs& each : possible_) open_.push_back({std::move(each), none});
        possible_.clear();
        const auto keep = [&](affairs at) {
            at.done.reset(ending);
            at.hidden.reset(ending);
            if (kept_.insert(at)) possible_.push_back(std::move(at));
        };
        while (!open_.empty()) {
            if (patience_-- == 0) throw too_many_orders();
            const node from = std::move(open_.back());
            open_.pop_back();
            if (from.at.done[ending]) {
                keep(from.at);
                continue;
            }
            if (!seen_.insert(from.at)) continue;
            if (from.at.hidden[ending]) keep(from.at);
            const std::size_t before = open_.size();
            for (const std::size_t slot : candidates_) {
                if (from.at.done[slot]) continue;
                const Call& candidate = history[pending_[slot]];
                // The one before is hidden by this one, and so it need not have taken effect: another node says that.
                if (from.last != none && overwrites(candidate) && overwrites(history[pending_[from.last]]) &&
                    candidate.key == history[pending_[from.last]].key) {
                    continue;
                }
                State state = from.at.state;
                if (!apply(candidate, state)) continue;
                const bool is_read = only_reads(candidate);
                if (is_read) open_.resize(before);
                open_.push_back({{from.at.done, from.at.hidden, std::move(state)}, slot});
                affairs& after = open_.back().at;
                after.done.set(slot);
                if (is_read) break;
                hide(history, from.at.state, slot, after, apply);
            }
        }
        return !possible_.empty();
    }

    /// Marks the calls that could have taken effect, unseen, just before the one in `slot` did in `state`.
    template <class Call, class Apply>
    void hide(std::span<const Call> history, const State& state, std::size_t slot, affairs& after, const Apply& apply) {
        const Call& covering = history[pending_[slot]];
        for (const std::size_t other : used_) {
            const Call& covered = history[pending_[other]];
            if (after.done[other] || after.hidden[other] || !overwrites(covered) || !depend(covered, covering)) continue;
            State with = state;
            if (apply(covered, with) && apply(covering, with) && with == after.state) after.hidden.set(other);
        }
    }

    std::uint64_t patience_ = 0;
    std::vector<std::size_t> order_;
    std::vector<std::size_t> pending_; // the call in each slot
    std::vector<std::size_t> used_; // the slots that have one
    std::vector<std::size_t> candidates_;
    std::vector<affairs> possible_;
    std::vector<node> open_;
    affairs_set seen_;
    affairs_set kept_;
};

} // namespace linearizability
