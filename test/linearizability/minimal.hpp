// The smallest part of a history that is still not linearizable.
//
// A history is cut where nothing was pending; of what is left, calls are taken out one by one as long as no order
// explains the rest. Calls that only read just go. Calls that write could then be missed by the others; they count as
// still pending, so that they may take effect at any time after their start, or not. In the end the calls come back that
// wrote what the rest has seen, and, if the picture is small, those that were made meanwhile: without them a reader would
// ask where something came from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "linearizability/call.hpp"
#include "linearizability/contents.hpp"
#include "linearizability/search.hpp"
#include "linearizability/text.hpp"

namespace linearizability {

template <class State>
struct counter_example {
    std::vector<State> at_start; ///< what the object may have held
    std::vector<map_call> calls; ///< ordered by their starts
    std::size_t culprit;         ///< the one that no order explains
    std::size_t others;          ///< calls that are left out, and may have taken effect or not
};

/// What the call leaves in its key, if it writes a value.
inline held written_by(const map_call& call) noexcept {
    if (only_reads(call)) return {};
    switch (call.what) {
    case verb::fetch_add:
    case verb::update: return call.seen.value_or(0) + call.argument;
    case verb::store:
    case verb::exchange:
    case verb::load_or_store:
    case verb::load_or_compute:
    case verb::compare_exchange: return call.argument;
    case verb::add_to_two:
    case verb::swap_two: return left_by_two(call);
    default: return {};
    }
}

/// Of a history that has no order: what `found` says of it.
template <class State, class Apply>
counter_example<State> smallest(std::span<const map_call> history, const State& initial, const violation<State>& found,
                                const Apply& apply) {
    constexpr std::size_t most_from_the_start = 48;
    constexpr std::size_t most_tried = 160;
    constexpr std::uint64_t patience = 200'000;

    const std::uint64_t until = history[found.call].responded;
    const auto take = [&](std::uint64_t since) {
        std::vector<map_call> taken;
        for (const map_call& each : history) {
            if (each.invoked <= until && each.invoked >= since) taken.push_back(each);
            if (!taken.empty() && taken.back().responded > until) taken.back().responded = never;
        }
        std::stable_sort(taken.begin(), taken.end(), [](const auto& a, const auto& b) { return a.invoked < b.invoked; });
        return taken;
    };
    counter_example<State> smaller{{initial}, take(0), 0, 0};
    if (smaller.calls.size() > most_from_the_start) smaller = {found.at_start, take(found.since), 0, 0};

    order_search<State> search;
    const auto culprit_of = [&](const std::vector<map_call>& calls) -> std::optional<std::size_t> {
        try {
            const auto again =
                search(std::span<const map_call>(calls), std::span<const State>(smaller.at_start), apply, patience);
            return again ? std::optional(again->call) : std::nullopt;
        } catch (const too_many_orders&) {
            return std::nullopt;
        } catch (const std::length_error&) {
            return std::nullopt;
        }
    };

    // `smaller.calls` are shown; `optional` are not, and have no end.
    std::vector<map_call> optional;
    std::erase_if(smaller.calls, [&](const map_call& each) { return each.responded == never && only_reads(each); });
    const auto together = [&] {
        std::vector<map_call> all = smaller.calls;
        all.insert(all.end(), optional.begin(), optional.end());
        return all;
    };
    if (smaller.calls.size() <= most_tried) {
        bool smaller_still = true;
        while (smaller_still) {
            smaller_still = false;
            for (std::size_t i = smaller.calls.size(); i-- != 0;) {
                const map_call without = smaller.calls[i];
                smaller.calls.erase(smaller.calls.begin() + static_cast<std::ptrdiff_t>(i));
                if (!only_reads(without)) {
                    optional.push_back(without);
                    optional.back().responded = never;
                }
                if (culprit_of(together())) {
                    smaller_still = true;
                    continue;
                }
                if (!only_reads(without)) optional.pop_back();
                smaller.calls.insert(smaller.calls.begin() + static_cast<std::ptrdiff_t>(i), without);
            }
        }
    }
    const auto as_it_was = [&](map_call call) {
        const auto found_again = std::find_if(history.begin(), history.end(), [&](const map_call& each) {
            return each.thread == call.thread && each.invoked == call.invoked && each.key == call.key && each.what == call.what;
        });
        if (found_again->responded <= until) call.responded = found_again->responded;
        return call;
    };
    // Those that explain where the rest comes from, with their ends as they were.
    for (std::size_t i = 0; i != smaller.calls.size(); ++i) {
        for (const held& value : {smaller.calls[i].seen, smaller.calls[i].expected}) {
            const auto origin = std::find_if(optional.begin(), optional.end(), [&](const map_call& each) {
                return value && each.key == smaller.calls[i].key && written_by(each) == value;
            });
            if (origin == optional.end()) continue;
            smaller.calls.push_back(as_it_was(*origin));
            optional.erase(origin);
        }
    }
    constexpr std::size_t few = 6;
    const auto by_start = [](const auto& a, const auto& b) { return a.invoked < b.invoked; };
    std::stable_sort(smaller.calls.begin(), smaller.calls.end(), by_start);
    const std::uint64_t first = smaller.calls.empty() ? 0 : smaller.calls.front().invoked;
    const auto meanwhile =
        std::stable_partition(optional.begin(), optional.end(), [&](const map_call& each) { return each.invoked < first; });
    if (smaller.calls.size() + static_cast<std::size_t>(optional.end() - meanwhile) <= few) {
        for (auto each = meanwhile; each != optional.end(); ++each) smaller.calls.push_back(as_it_was(*each));
        optional.erase(meanwhile, optional.end());
        std::stable_sort(smaller.calls.begin(), smaller.calls.end(), by_start);
    }
    smaller.others = optional.size();

    const auto culprit = culprit_of(together());
    if (culprit && *culprit < smaller.calls.size()) {
        smaller.culprit = *culprit;
    } else {
        for (std::size_t i = 0; i != smaller.calls.size(); ++i) {
            if (smaller.calls[i].responded <= until && smaller.calls[i].responded >= smaller.calls[smaller.culprit].responded)
                smaller.culprit = i;
        }
    }
    return smaller;
}

/// In words, with a picture. `names`: the keys' numbers outside.
template <class State>
std::string explain(const counter_example<State>& found, const std::string& of_what, std::span<const std::uint64_t> names = {},
                    const labels& label = {}) {
    constexpr bool of_one_key = std::is_same_v<State, held>;
    std::string text = "not linearizable: " + of_what + " held ";
    for (std::size_t i = 0; i != found.at_start.size(); ++i) {
        if (i != 0) text += " or ";
        if constexpr (of_one_key) {
            text += to_text(found.at_start[i]);
        } else {
            text += to_text(found.at_start[i], names);
        }
    }
    const labels plain = [&](const map_call& call) { return to_text(call, of_one_key, names); };
    text += ", then\n" + picture_of(found.calls, found.culprit, label ? label : plain);
    if (found.others != 0) text += "  (whether or not " + std::to_string(found.others) + " other write(s) took effect)\n";
    return text;
}

} // namespace linearizability
