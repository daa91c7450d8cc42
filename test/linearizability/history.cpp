#include "linearizability/history.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <span>
#include <thread>

#include "linearizability/contents.hpp"
#include "linearizability/minimal.hpp"
#include "linearizability/register.hpp"
#include "linearizability/search.hpp"
#include "linearizability/whole_map.hpp"

namespace linearizability {
namespace {

constexpr std::size_t group_size = 16;
constexpr std::size_t slots = 64; // calls of one key, or group, that are pending at once
constexpr std::size_t most_slots = 512;
constexpr std::size_t few_calls = 16; // a search of so few is quicker than anything else

/// `cleared`: keys that were not touched may have changed.
by_key cut(const history& recorded, bool cleared) {
    const std::size_t keys = recorded.initial.size();
    by_key result;
    result.begin.assign(keys + 1, 0);
    for (const map_call& each : recorded.calls) {
        if (!touches_all_keys(each.what)) ++result.begin[each.key + 1];
        if (changes_two(each.what)) ++result.begin[each.other + 1];
    }
    // A last look at each key that may have changed is a call as well.
    const auto looked_at = [&](std::size_t key, bool touched) {
        return recorded.final_contents && (touched || (cleared && (recorded.initial[key] || (*recorded.final_contents)[key])));
    };
    for (std::size_t key = 0; key != keys; ++key) {
        if (looked_at(key, result.begin[key + 1] != 0)) ++result.begin[key + 1];
    }
    std::partial_sum(result.begin.begin(), result.begin.end(), result.begin.begin());
    result.calls.resize(result.begin.back());
    std::vector<std::size_t> next(result.begin.begin(), result.begin.end() - 1);
    std::uint64_t end = 0;
    for (const map_call& each : recorded.calls) {
        if (!touches_all_keys(each.what)) result.calls[next[each.key]++] = each;
        if (changes_two(each.what)) result.calls[next[each.other]++] = turned(each);
        if (each.responded != never) end = std::max(end, each.responded);
    }
    if (recorded.final_contents) {
        for (std::size_t key = 0; key != keys; ++key) {
            if (next[key] == result.begin[key + 1]) continue;
            result.calls[next[key]] = {.what = verb::load,
                                       .key = key,
                                       .seen = (*recorded.final_contents)[key],
                                       .invoked = end + 1,
                                       .responded = end + 2};
        }
    }
    return result;
}

bool many_pending(std::span<const map_call> calls) {
    return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(),
                                                  [](const map_call& each) { return each.responded == never; })) > slots / 2;
}

/// Searches with few slots if that will do.
template <class State, class Apply>
class searcher {
public:
    explicit searcher(Apply apply) : apply_(std::move(apply)) {}

    std::optional<counter_example<State>> operator()(std::span<const map_call> calls, const State& initial) {
        std::optional<violation<State>> found;
        const std::span<const State> start(&initial, 1);
        bool fits = !many_pending(calls);
        if (fits) {
            try {
                found = few_(calls, start, apply_);
            } catch (const std::length_error&) {
                fits = false;
            }
        }
        if (!fits) found = many_(calls, start, apply_);
        if (!found) return std::nullopt;
        return smallest(calls, initial, *found, apply_);
    }

private:
    Apply apply_;
    order_search<State, slots> few_;
    order_search<State, most_slots> many_;
};

struct how {
    template <class State>
    bool operator()(const map_call& call, State& state) const {
        return apply(call, state);
    }
};

/// Runs `make_worker()(n)` for the numbers below `count`, on some threads, until one answers with trouble.
template <class MakeWorker>
std::string share(std::size_t count, std::size_t workers, MakeWorker make_worker) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::string trouble;
    const auto work = [&] {
        auto worker = make_worker();
        constexpr std::size_t chunk = 64;
        for (;;) {
            const std::size_t step = count > chunk * workers * 4 ? chunk : 1;
            const std::size_t from = next.fetch_add(step);
            if (from >= count) return;
            for (std::size_t i = from; i != std::min(count, from + step); ++i) {
                std::string found = worker(i);
                if (found.empty()) continue;
                const std::lock_guard lock(mutex);
                if (trouble.empty()) trouble = std::move(found);
                next = count;
                return;
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < workers && i < count; ++i) threads.emplace_back(work);
        work();
    }
    return trouble;
}

std::uint64_t name_of(const history& recorded, std::size_t key) {
    return key < recorded.names.size() ? recorded.names[key] : key;
}

std::string check_keys(const history& recorded, const by_key& parts, std::size_t workers, std::uint64_t& by_zones) {
    std::atomic<std::uint64_t> zone_calls{0};
    std::string trouble = share(recorded.initial.size(), workers, [&] {
        return [&, zone = register_checker(), search = searcher<held, how>({})](std::size_t key) mutable -> std::string {
            const std::span calls(parts.calls.data() + parts.begin[key], parts.begin[key + 1] - parts.begin[key]);
            if (calls.empty()) return {};
            if (calls.size() > few_calls && zone(calls, recorded.initial[key]) == zones::linearizable) {
                zone_calls += calls.size();
                return {};
            }
            auto found = search(calls, recorded.initial[key]);
            if (!found) return {};
            return explain(*found, "key " + std::to_string(name_of(recorded, key)), recorded.names);
        };
    });
    by_zones = zone_calls;
    return trouble;
}

/// What a snapshot says of some keys.
contents seen_by(const history& recorded, const map_call& snapshot, std::span<const std::size_t> keys) {
    contents shown;
    for (std::size_t i = 0; i != keys.size(); ++i) shown.values[i] = recorded.contents[snapshot.argument][keys[i]];
    return shown;
}

/// How updates of two keys are looked at: they are atomic for writers and for calls on all keys; a call that reads one key
/// may come between.
enum class two_keys : std::uint8_t {
    apart,   ///< as one call for each key
    together ///< as what they are, and without the calls that read one key
};

/// The history of some keys, numbered from 0, with the calls on all keys as these see them.
std::vector<map_call> of_group(const history& recorded, const by_key& parts, std::span<const map_call> whole,
                               std::span<const std::size_t> keys, bool all, two_keys how_two) {
    const auto number_of = [&](std::size_t key) {
        const auto at = std::lower_bound(keys.begin(), keys.end(), key);
        return at == keys.end() || *at != key ? no_key : static_cast<std::uint32_t>(at - keys.begin());
    };
    std::vector<map_call> calls;
    for (std::size_t i = 0; i != keys.size(); ++i) {
        for (std::size_t at = parts.begin[keys[i]]; at != parts.begin[keys[i] + 1]; ++at) {
            map_call call = parts.calls[at];
            if (how_two == two_keys::together && only_reads(call)) continue;
            if (changes_two(call.what)) {
                const std::uint32_t other = how_two == two_keys::together ? number_of(call.other) : no_key;
                if (other != no_key && other < i) continue; // it is there already, from the other key
                call.other = other;
            }
            call.key = i;
            calls.push_back(call);
        }
    }
    for (const map_call& each : whole) {
        if (each.what == verb::size && !all) continue;
        calls.push_back(each);
        if (each.what == verb::replace) {
            calls.back().key = number_of(each.key);
            calls.back().other = number_of(each.other);
        }
        if (each.what == verb::snapshot) calls.back().count = seen_by(recorded, each, keys).digest();
    }
    std::stable_sort(calls.begin(), calls.end(), [](const map_call& a, const map_call& b) { return a.invoked < b.invoked; });
    return calls;
}

std::string check_groups(const history& recorded, const by_key& parts, std::span<const map_call> whole, std::size_t workers,
                         two_keys how_two) {
    std::vector<std::size_t> keys; // those of which there is anything to say
    for (std::size_t key = 0; key != recorded.initial.size(); ++key) {
        bool concerned = parts.begin[key] != parts.begin[key + 1] || recorded.initial[key].has_value();
        for (std::size_t i = 0; !concerned && i != recorded.contents.size(); ++i)
            concerned = recorded.contents[i][key].has_value();
        concerned = concerned || std::any_of(whole.begin(), whole.end(), [&](const map_call& each) {
                        return each.what == verb::replace && (each.key == key || each.other == key);
                    });
        if (concerned) keys.push_back(key);
    }
    const bool all = keys.size() <= contents::keys;
    const std::size_t in_one = all ? contents::keys : group_size;
    const std::size_t groups = std::max<std::size_t>((keys.size() + in_one - 1) / in_one, 1);
    return share(groups, workers, [&] {
        return [&, search = searcher<contents, how>({})](std::size_t number) mutable -> std::string {
            const std::span<const std::size_t> mine =
                std::span<const std::size_t>(keys).subspan(number * in_one, std::min(in_one, keys.size() - number * in_one));
            contents initial;
            std::vector<std::uint64_t> names;
            for (std::size_t i = 0; i != mine.size(); ++i) {
                initial.values[i] = recorded.initial[mine[i]];
                names.push_back(name_of(recorded, mine[i]));
            }
            const auto calls = of_group(recorded, parts, whole, mine, all, how_two);
            auto found = search(calls, initial);
            if (!found) return {};
            return explain(*found, all ? "the map" : "a part of the map", names, [&](const map_call& call) {
                if (call.what != verb::snapshot) return to_text(call, false, names);
                return "snapshot() -> " + to_text(seen_by(recorded, call, mine), names);
            });
        };
    });
}

/// Keys that no call has touched still hold what they held.
std::string check_untouched(const history& recorded, const by_key& parts, bool cleared) {
    if (!recorded.final_contents || cleared) return {};
    for (std::size_t key = 0; key != recorded.initial.size(); ++key) {
        if (parts.begin[key] != parts.begin[key + 1] || (*recorded.final_contents)[key] == recorded.initial[key]) continue;
        return "not linearizable: key " + std::to_string(name_of(recorded, key)) + " held " + to_text(recorded.initial[key]) +
               ", nobody touched it, and in the end it held " + to_text((*recorded.final_contents)[key]) + "\n";
    }
    return {};
}

} // namespace

void history::sort_calls() {
    std::stable_sort(calls.begin(), calls.end(), [](const map_call& a, const map_call& b) { return a.invoked < b.invoked; });
}

verdict check(const history& recorded, std::size_t workers) {
    verdict result;
    result.checked = recorded.calls.size();
    std::vector<map_call> whole;
    for (const map_call& each : recorded.calls) {
        if (touches_all_keys(each.what)) whole.push_back(each);
    }
    const bool cleared = std::any_of(whole.begin(), whole.end(), [](const map_call& each) { return !only_reads(each); });
    const by_key parts = cut(recorded, cleared);
    result.trouble = check_untouched(recorded, parts, cleared);
    if (!result.trouble.empty()) return result;
    const bool of_two =
        std::any_of(recorded.calls.begin(), recorded.calls.end(), [](const map_call& each) { return changes_two(each.what); });
    if (whole.empty()) {
        result.trouble = check_keys(recorded, parts, workers, result.by_zones);
        if (result.trouble.empty() && of_two)
            result.trouble = check_groups(recorded, parts, whole, workers, two_keys::together);
        return result;
    }
    if (recorded.initial.size() > contents::keys) {
        result.trouble = check_sizes(recorded);
        if (result.trouble.empty()) result.trouble = narrow_snapshots(recorded, parts, whole);
        if (!result.trouble.empty()) return result;
    }
    result.trouble = check_groups(recorded, parts, whole, workers, two_keys::apart);
    if (result.trouble.empty() && of_two) result.trouble = check_groups(recorded, parts, whole, workers, two_keys::together);
    return result;
}

} // namespace linearizability
