// Is there an order of the calls, each at one instant between its start and its end, that explains all answers?
//
// The search keeps every state of affairs that the history so far allows: which of the pending calls have already taken
// effect, and what the object holds then. It goes through the starts and ends in the order of time; when a call
// ends, every state in which it has not taken effect yet must let it, after other pending ones if need be.
// (J. Wing, C. Gong, 1993; G. Lowe, "Testing for linearizability", 2017.) Time grows with the length of the history and
// with the calls that are pending at once, so a history is cut by key first where calls touch one key only.
//
// A call that only reads may take effect as soon as its answer fits: that forbids nothing later.
#pragma once

#include <algorithm>
#include <bitset>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <unordered_set>
#include <utility>
#include <vector>

namespace explore {

/// The end of a call that has not ended.
inline constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// `invoked` and `responded` are instants of one clock, all different.
template <class Call>
concept timed_call = requires(const Call& call) {
    { call.invoked } -> std::convertible_to<std::uint64_t>;
    { call.responded } -> std::convertible_to<std::uint64_t>;
    { only_reads(call) } -> std::same_as<bool>; // with this answer it changes no state that the answer fits
};

/// Where the search ended without an order.
template <class State>
struct violation {
    std::size_t call;            ///< the one whose end no order explains (an index into the history)
    std::uint64_t since;         ///< no call was pending then; what came before does not matter
    std::vector<State> at_start; ///< what the object may have held then
};

/// Null when the history has an order. `apply(call, state)` says whether the call's answer fits the state, and
/// makes the state what the call leaves behind. `State` can be compared and hashed by `std::hash`.
template <timed_call Call, std::equality_comparable State, class Apply>
std::optional<violation<State>> find_violation(std::span<const Call> history, const State& initial, Apply&& apply) {
    constexpr std::size_t slots = 256;
    using slot_set = std::bitset<slots>;
    struct affairs {
        slot_set done; // which of the pending calls have taken effect
        State state;
        bool operator==(const affairs&) const = default;
    };
    struct affairs_hash {
        std::size_t operator()(const affairs& each) const noexcept {
            return std::hash<State>{}(each.state) * 31 + std::hash<slot_set>{}(each.done);
        }
    };
    struct instant {
        std::uint64_t time;
        std::size_t call;
        bool end;
    };
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    std::vector<instant> instants;
    instants.reserve(history.size() * 2);
    for (std::size_t i = 0; i != history.size(); ++i) {
        instants.push_back({history[i].invoked, i, false});
        if (history[i].responded != never) instants.push_back({history[i].responded, i, true});
    }
    std::sort(instants.begin(), instants.end(), [](const instant& a, const instant& b) { return a.time < b.time; });

    std::vector<std::size_t> pending(slots, none); // the call in each slot
    std::vector<std::size_t> used;                 // the slots that have one
    std::vector<affairs> possible{{{}, initial}};
    violation<State> found{none, 0, {initial}};

    for (const instant& now : instants) {
        if (!now.end) {
            if (used.empty()) {
                found.since = now.time;
                found.at_start.clear();
                for (const affairs& each : possible) found.at_start.push_back(each.state);
            }
            const auto slot =
                static_cast<std::size_t>(std::find(pending.begin(), pending.end(), none) - pending.begin());
            if (slot == slots) throw std::length_error("a history with too many calls pending at once");
            used.push_back(slot);
            pending[slot] = now.call;
            continue;
        }
        const auto ending =
            static_cast<std::size_t>(std::find(pending.begin(), pending.end(), now.call) - pending.begin());

        std::unordered_set<affairs, affairs_hash> seen;
        std::unordered_set<affairs, affairs_hash> kept;
        std::vector<affairs> open = std::move(possible);
        possible.clear();
        while (!open.empty()) {
            affairs at = std::move(open.back());
            open.pop_back();
            if (at.done[ending]) {
                at.done.reset(ending);
                if (kept.insert(at).second) possible.push_back(std::move(at));
                continue;
            }
            if (!seen.insert(at).second) continue;
            std::vector<affairs> next;
            for (const std::size_t candidate : used) {
                if (at.done[candidate]) continue;
                affairs after = at;
                after.done.set(candidate);
                if (!apply(history[pending[candidate]], after.state)) continue;
                const bool is_read = only_reads(history[pending[candidate]]);
                if (is_read) next.clear();
                next.push_back(std::move(after));
                if (is_read) break;
            }
            for (affairs& each : next) open.push_back(std::move(each));
        }
        std::erase(used, ending);
        pending[ending] = none;
        if (possible.empty()) {
            found.call = now.call;
            return found;
        }
    }
    return std::nullopt;
}

} // namespace explore
