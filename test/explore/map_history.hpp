// Histories of a map: what was asked, what was answered, and what the map promises about it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <explore/linearizability.hpp>

namespace explore {

enum class verb : std::uint8_t {
    load,
    store,
    erase,
    exchange,
    load_or_store,
    load_and_erase,
    compare_exchange,
    compare_erase,
    fetch_add,
    update,
    update_erase,
    load_or_compute,
    for_each,
    erase_if,
    size,
    clear,
    snapshot,
    reserve, ///< of eight units; this and the next answer nothing, and are not in histories
    flush,   ///< and approx_size
    add_to_two, ///< update of `key` and `other`: adds the argument to both
    swap_two    ///< the same: each gets what the other had, or nothing
};

inline const char* name_of(verb what) noexcept {
    static constexpr const char* names[] = {
        "load",          "store",     "erase",  "exchange",     "load_or_store",   "load_and_erase", "compare_exchange",
        "compare_erase", "fetch_add", "update", "update_erase", "load_or_compute", "for_each",       "erase_if",
        "size",          "clear",     "snapshot", "reserve",  "flush",           "add_to_two",     "swap_two"};
    return names[static_cast<unsigned>(what)];
}

using held = std::optional<std::uint64_t>; ///< what a key holds

/// One call and its answer. Keys are numbered; values are numbers.
struct map_call {
    verb what = verb::load;
    std::uint8_t thread = 0; ///< 0: the main thread
    std::uint64_t key = 0;
    std::uint64_t argument = 0; ///< the value to store; the operand of fetch_add and update
    held expected{};            ///< of the compare operations
    std::uint64_t other = 0;    ///< the second key of an update of two

    bool answer = false;     ///< the returned truth value: new, existed, loaded, equal, ...
    held seen{};             ///< the returned value, or the one that a callback was shown
    std::uint64_t count = 0; ///< the returned number; for computing calls: how often the callback ran; what it was shown of `other`
    std::uint64_t invoked = 0;
    std::uint64_t responded = never;
};

inline bool changes_two(verb what) noexcept { return what == verb::add_to_two || what == verb::swap_two; }
inline bool touches_all_keys(verb what) noexcept {
    return what == verb::size || what == verb::clear || what == verb::snapshot || changes_two(what);
}
/// A key's content as one number.
inline std::uint64_t code_of(const held& value) noexcept { return value ? *value + 1 : 0; }

inline bool only_reads(const map_call& call) noexcept {
    switch (call.what) {
    case verb::load:
    case verb::for_each:
    case verb::size:
    case verb::snapshot:
        return true;
    case verb::erase:
    case verb::compare_exchange:
    case verb::compare_erase:
    case verb::update_erase:
    case verb::erase_if:
        return !call.answer;
    case verb::load_or_store:
    case verb::load_or_compute:
        return call.answer;
    case verb::load_and_erase:
        return !call.seen;
    default:
        return false;
    }
}

/// The sequential specification, for calls on one key: does the answer fit, and what does the key hold then?
inline bool apply(const map_call& call, held& value) {
    switch (call.what) {
    case verb::load:
        return call.seen == value;
    case verb::store: {
        const bool is_new = !value;
        value = call.argument;
        return call.answer == is_new;
    }
    case verb::erase: {
        const bool existed = value.has_value();
        value.reset();
        return call.answer == existed;
    }
    case verb::exchange: {
        const bool fits = call.seen == value;
        value = call.argument;
        return fits;
    }
    case verb::load_and_erase: {
        const bool fits = call.seen == value;
        value.reset();
        return fits;
    }
    case verb::load_or_store:
    case verb::load_or_compute: {
        const bool loaded = value.has_value();
        if (!loaded) value = call.argument;
        const bool ran_right = call.what == verb::load_or_store || call.count == (loaded ? 0U : 1U);
        return call.answer == loaded && call.seen == value && ran_right;
    }
    case verb::compare_exchange: { // the form where absence is a state; `seen` is `expected` afterwards
        const bool equal = call.expected == value;
        if (equal) {
            value = call.argument;
            return call.answer;
        }
        return !call.answer && call.seen == value;
    }
    case verb::compare_erase: {
        const bool equal = value && value == call.expected;
        if (equal) {
            value.reset();
            return call.answer;
        }
        return !call.answer && call.seen == (value ? value : call.expected);
    }
    case verb::fetch_add: {
        const bool fits = call.seen == value.value_or(0);
        value = value.value_or(0) + call.argument;
        return fits;
    }
    case verb::update: { // absent: inserts the argument; present: adds it
        const bool fits = call.seen == value && call.count == 1 && call.answer == !value;
        value = value.value_or(0) + call.argument;
        return fits;
    }
    case verb::update_erase: {
        const bool fits = call.seen == value && call.count == 1 && call.answer == value.has_value();
        value.reset();
        return fits;
    }
    case verb::erase_if: // the part of it for this key; `answer`: it was erased. The condition is an odd value.
        if (!call.answer) return !value || *value % 2 == 0;
        if (!value || *value % 2 == 0) return false;
        value.reset();
        return true;
    case verb::for_each:
    case verb::size:
    case verb::clear:
    case verb::snapshot:
    case verb::reserve:
    case verb::flush:
    case verb::add_to_two:
    case verb::swap_two:
        break;
    }
    return false;
}

/// All keys of a small history.
struct contents {
    static constexpr std::size_t keys = 32;
    std::array<held, keys> values{};
    bool operator==(const contents&) const = default;

    /// A number that stands for them: what a snapshot answers.
    std::uint64_t digest() const noexcept {
        std::uint64_t sum = 0;
        for (const held& each : values) sum = std::rotl(sum, 13) * 31 + code_of(each);
        return sum;
    }
};

inline bool apply(const map_call& call, contents& all) {
    switch (call.what) {
    case verb::size:
        return call.count ==
               static_cast<std::uint64_t>(std::count_if(all.values.begin(), all.values.end(),
                                                        [](const held& each) { return each.has_value(); }));
    case verb::clear:
        all = {};
        return true;
    case verb::snapshot:
        return call.count == all.digest();
    case verb::add_to_two:
    case verb::swap_two: {
        held& first = all.values[call.key];
        held& second = all.values[call.other];
        const bool fits = call.seen == first && call.count == code_of(second);
        if (call.what == verb::swap_two) {
            std::swap(first, second);
        } else {
            first = first.value_or(0) + call.argument;
            second = second.value_or(0) + call.argument;
        }
        return fits;
    }
    default:
        return apply(call, all.values[call.key]);
    }
}

} // namespace explore

template <>
struct std::hash<explore::contents> {
    std::size_t operator()(const explore::contents& all) const noexcept {
        return static_cast<std::size_t>(all.digest());
    }
};

namespace explore {

// ---- in words ----

inline std::string to_text(const held& value) { return value ? std::to_string(*value) : "nothing"; }
inline std::string to_text(const contents& all) {
    std::string text;
    for (std::size_t key = 0; key != contents::keys; ++key) {
        if (!all.values[key]) continue;
        text += (text.empty() ? "" : ", ") + std::to_string(key) + ": " + std::to_string(*all.values[key]);
    }
    return "{" + text + "}";
}

inline std::string to_text(const map_call& call) {
    const std::string key = std::to_string(call.key);
    const std::string argument = std::to_string(call.argument);
    std::string text = name_of(call.what);
    const bool pending = call.responded == never;
    const auto yes = [&](const char* when_true, const char* when_false) {
        return call.answer ? when_true : when_false;
    };
    std::string result;
    switch (call.what) {
    case verb::load:
        text += "(" + key + ")";
        result = to_text(call.seen);
        break;
    case verb::load_and_erase:
        text += "(" + key + ")";
        result = to_text(call.seen);
        break;
    case verb::store:
        text += "(" + key + ", " + argument + ")";
        result = yes("new", "replaced");
        break;
    case verb::erase:
        text += "(" + key + ")";
        result = yes("erased", "absent");
        break;
    case verb::exchange:
        text += "(" + key + ", " + argument + ")";
        result = to_text(call.seen);
        break;
    case verb::load_or_store:
        text += "(" + key + ", " + argument + ")";
        result = to_text(call.seen) + yes(" loaded", " stored");
        break;
    case verb::load_or_compute:
        text += "(" + key + ", " + argument + ")";
        result = to_text(call.seen) + yes(" loaded", " computed") + ", " + std::to_string(call.count) + " runs";
        break;
    case verb::compare_exchange:
        text += "(" + key + ", " + to_text(call.expected) + ", " + argument + ")";
        result = call.answer ? "done" : "saw " + to_text(call.seen);
        break;
    case verb::compare_erase:
        text += "(" + key + ", " + to_text(call.expected) + ")";
        result = call.answer ? "erased" : "saw " + to_text(call.seen);
        break;
    case verb::fetch_add:
        text += "(" + key + ", " + argument + ")";
        result = to_text(call.seen);
        break;
    case verb::update:
        text += "(" + key + ", +" + argument + ")";
        result = "was shown " + to_text(call.seen) + yes(", inserted", ", assigned") + ", " +
                 std::to_string(call.count) + " runs";
        break;
    case verb::update_erase:
        text += "(" + key + ")";
        result =
            "was shown " + to_text(call.seen) + yes(", erased", ", kept") + ", " + std::to_string(call.count) + " runs";
        break;
    case verb::for_each:
        text += "()";
        result = std::to_string(call.count) + " visits";
        break;
    case verb::erase_if:
        text += " odd, key " + key;
        result = yes("erased", "left");
        break;
    case verb::size:
        text += "()";
        result = std::to_string(call.count);
        break;
    case verb::clear:
        text += "()";
        break;
    case verb::snapshot:
        text += "()";
        result = "contents with digest " + std::to_string(call.count);
        break;
    case verb::reserve:
    case verb::flush:
        text += "()";
        break;
    case verb::add_to_two:
    case verb::swap_two:
        text += "(" + key + ", " + std::to_string(call.other) + (call.what == verb::swap_two ? ")" : ", +" + argument + ")");
        result = "was shown " + to_text(call.seen) + " and " + (call.count == 0 ? "nothing" : std::to_string(call.count - 1));
        break;
    }
    if (pending) return text + " ...";
    return result.empty() ? text : text + " -> " + result;
}

/// The calls as bars over the order of their starts and ends, from `since` to the end of call `culprit`.
///
///     A  store(1, 11) -> new     [-----------]
///     B  load(1) -> nothing            [-]        <- no order explains this
inline std::string picture_of(std::span<const map_call> history, std::uint64_t since, std::size_t culprit) {
    const std::uint64_t until = history[culprit].responded;
    std::vector<std::uint64_t> instants;
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i != history.size(); ++i) {
        const map_call& call = history[i];
        if (call.invoked > until || call.responded < since) continue;
        shown.push_back(i);
        instants.push_back(call.invoked);
        if (call.responded <= until) instants.push_back(call.responded);
    }
    std::sort(instants.begin(), instants.end());
    instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
    std::sort(shown.begin(), shown.end(), [&](std::size_t a, std::size_t b) {
        return history[a].invoked != history[b].invoked ? history[a].invoked < history[b].invoked
                                                        : history[a].key < history[b].key;
    });
    std::size_t width = 0;
    for (const std::size_t i : shown) width = std::max(width, to_text(history[i]).size());

    std::string text;
    for (const std::size_t i : shown) {
        const map_call& call = history[i];
        const auto column = [&](std::uint64_t time) {
            return 2 * static_cast<std::size_t>(std::lower_bound(instants.begin(), instants.end(), time) -
                                                instants.begin());
        };
        const std::size_t end = call.responded <= until ? column(call.responded) : 2 * instants.size();
        std::string bar(2 * instants.size() + 1, ' ');
        bar[column(call.invoked)] = '[';
        for (std::size_t at = column(call.invoked) + 1; at < end; ++at) bar[at] = '-';
        bar[end] = call.responded <= until ? ']' : '>';
        std::string what = to_text(call);
        what.resize(width, ' ');
        text += std::string("  ") + (call.thread == 0 ? '-' : static_cast<char>('A' + call.thread - 1)) + "  " + what +
                "  " + bar;
        text += i == culprit ? "  <- no order explains this\n" : "\n";
    }
    return text;
}

namespace detail {

/// A long history is shown from the last instant at which no call was pending; a short one from its start, so that it
/// shows how the states came about that no answer fits.
template <class State>
std::string explain(std::span<const map_call> history, const State& initial, const violation<State>& found,
                    const std::string& of_what) {
    constexpr std::size_t most_shown = 24;
    const std::uint64_t until = history[found.call].responded;
    const auto before =
        std::count_if(history.begin(), history.end(), [&](const map_call& each) { return each.invoked <= until; });
    const bool whole = static_cast<std::size_t>(before) <= most_shown;
    std::string text = "not linearizable: " + of_what + " held ";
    if (whole) {
        text += to_text(initial);
    } else {
        for (std::size_t i = 0; i != found.at_start.size(); ++i)
            text += (i == 0 ? "" : " or ") + to_text(found.at_start[i]);
    }
    return text + ", then\n" + picture_of(history, whole ? 0 : found.since, found.call);
}

/// Whether another call may have changed the key of this part of an `erase_if` meanwhile. Such an entry may be left
/// although it fulfils the condition before and after: it is not the entry that was looked at.
inline bool disturbed(std::span<const map_call> history, const map_call& part) noexcept {
    return std::any_of(history.begin(), history.end(), [&](const map_call& other) {
        return other.thread != part.thread && !only_reads(other) &&
               (other.key == part.key || other.what == verb::clear || changes_two(other.what)) && other.invoked < part.responded &&
               other.responded > part.invoked;
    });
}

/// `erase_if` promises a number only: tries which of its parts were the erasures.
inline std::string check_parts(std::vector<map_call>& history, std::size_t next,
                               const std::function<std::string(std::span<const map_call>)>& check) {
    while (next != history.size() && history[next].what != verb::erase_if) ++next;
    if (next == history.size()) return check(history);
    std::size_t end = next;
    while (end != history.size() && history[end].what == verb::erase_if &&
           history[end].invoked == history[next].invoked)
        ++end;
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

} // namespace detail

/// Empty, or why no order of the calls explains the answers. The map holds `initial` at first. A history without `size`
/// and `clear` is checked key by key; one with them as a whole, with at most `contents::keys` keys (0, 1, ...).
///
/// Calls that go over all keys without being atomic come as one call a key, with the same instants: `for_each` as the
/// loads that it made (absent for a key it did not visit), `erase_if` as parts that say how many were erased in all.
inline std::string check_history(std::vector<map_call> history, const contents& initial = {}) {
    const bool whole =
        std::any_of(history.begin(), history.end(), [](const map_call& each) { return touches_all_keys(each.what); });
    // Parts of one call have one time; the search wants them apart, and in no order: they overlap.
    const auto check = [&](std::span<const map_call> calls) -> std::string {
        std::vector<map_call> apart;
        for (map_call each : calls) {
            if (each.what == verb::erase_if && !each.answer && detail::disturbed(calls, each)) continue;
            each.invoked = each.invoked * contents::keys * 2 + each.key % contents::keys;
            if (each.responded != never)
                each.responded = each.responded * contents::keys * 2 + each.key % contents::keys;
            apart.push_back(each);
        }
        if (whole) {
            const auto found = find_violation(std::span<const map_call>(apart), initial,
                                              [](const map_call& call, contents& all) { return apply(call, all); });
            return found ? detail::explain(std::span<const map_call>(apart), initial, *found, "the map")
                         : std::string();
        }
        std::map<std::uint64_t, std::vector<map_call>> by_key;
        for (const map_call& each : apart) by_key[each.key].push_back(each);
        for (const auto& [key, of_key] : by_key) {
            const held at_first = key < contents::keys ? initial.values[key] : held{};
            const auto found = find_violation(std::span<const map_call>(of_key), at_first,
                                              [](const map_call& call, held& value) { return apply(call, value); });
            if (found) {
                return detail::explain(std::span<const map_call>(of_key), at_first, *found,
                                       "key " + std::to_string(key));
            }
        }
        return {};
    };
    return detail::check_parts(history, 0, check);
}

} // namespace explore
