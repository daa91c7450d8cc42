#include "linearizability/small.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>

#include "linearizability/minimal.hpp"
#include "linearizability/search.hpp"

namespace linearizability {
namespace {

/// Whether another call may have changed the key of this part of an `erase_if` meanwhile. Such an entry may be left
/// although it fulfils the condition before and after: it is not the entry that was looked at.
bool disturbed(std::span<const map_call> history, const map_call& part) noexcept {
    return std::any_of(history.begin(), history.end(), [&](const map_call& other) {
        return other.thread != part.thread && !only_reads(other) && depend(other, part) && other.invoked < part.responded &&
               other.responded > part.invoked;
    });
}

/// `erase_if` promises a number only: tries which of its parts were the erasures.
std::string check_parts(std::vector<map_call>& history, std::size_t next,
                        const std::function<std::string(std::span<const map_call>)>& check) {
    while (next != history.size() && history[next].what != verb::erase_if) ++next;
    if (next == history.size()) return check(history);
    std::size_t end = next;
    while (end != history.size() && history[end].what == verb::erase_if && history[end].invoked == history[next].invoked) ++end;
    std::string first_trouble;
    for (std::uint64_t choice = 0; choice != std::uint64_t{1} << (end - next); ++choice) {
        if (static_cast<std::uint64_t>(std::popcount(choice)) != history[next].count) continue;
        for (std::size_t i = next; i != end; ++i) history[i].answer = (choice >> (i - next) & 1) != 0;
        std::string trouble = check_parts(history, end, check);
        if (trouble.empty()) return trouble;
        if (first_trouble.empty()) first_trouble = std::move(trouble);
    }
    return first_trouble.empty() ? "erase_if counts more than there are keys" : first_trouble;
}

template <class State>
std::string trouble_of(std::span<const map_call> calls, const State& initial, const std::string& of_what) {
    const auto how = [](const map_call& call, State& state) { return apply(call, state); };
    order_search<State> search;
    const auto found = search(calls, std::span<const State>(&initial, 1), how);
    return found ? explain(smallest(calls, initial, *found, how), of_what) : std::string();
}

} // namespace

std::string check_history(std::vector<map_call> history, const contents& initial) {
    const bool whole = std::any_of(history.begin(), history.end(),
                                   [](const map_call& each) { return touches_all_keys(each.what) || changes_two(each.what); });
    const auto check = [&](std::span<const map_call> calls) -> std::string {
        std::vector<map_call> required;
        for (const map_call& each : calls) {
            if (each.what != verb::erase_if || each.answer || !disturbed(calls, each)) required.push_back(each);
        }
        if (whole) return trouble_of(std::span<const map_call>(required), initial, "the map");
        std::map<std::uint64_t, std::vector<map_call>> by_key;
        for (const map_call& each : required) by_key[each.key].push_back(each);
        for (const auto& [key, of_key] : by_key) {
            const held at_first = key < contents::keys ? initial.values[key] : held{};
            std::string trouble = trouble_of(std::span<const map_call>(of_key), at_first, "key " + std::to_string(key));
            if (!trouble.empty()) return trouble;
        }
        return {};
    };
    return check_parts(history, 0, check);
}

} // namespace linearizability
