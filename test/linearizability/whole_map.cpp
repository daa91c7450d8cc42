#include "linearizability/whole_map.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

#include "linearizability/minimal.hpp"
#include "linearizability/text.hpp"

namespace linearizability {
namespace {

std::uint64_t name_of(const history& recorded, std::size_t key) {
    return key < recorded.names.size() ? recorded.names[key] : key;
}

/// When a snapshot must have been taken, and the calls that say so.
struct window {
    std::uint64_t from;
    std::uint64_t to;
    map_call writer{};   // what it shows was not there before
    map_call replacer{}; // what it shows was no longer there after
};

/// The writes of one key, to be asked for one after the other.
class writes_of_key {
public:
    writes_of_key(std::span<const map_call> calls, std::span<const map_call> clears) {
        for (const map_call& each : calls) {
            if (only_reads(each)) continue;
            if (const held value = written_by(each)) values_.push_back({*value, &each});
            changes_.push_back(&each);
        }
        for (const map_call& each : clears) changes_.push_back(&each);
        std::sort(values_.begin(), values_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        std::sort(changes_.begin(), changes_.end(), [](const auto* a, const auto* b) { return a->invoked < b->invoked; });
        first_end_.resize(changes_.size());
        for (std::size_t i = changes_.size(); i-- != 0;) {
            const bool last = i + 1 == changes_.size();
            first_end_[i] = last || changes_[i]->responded < first_end_[i + 1]->responded ? changes_[i] : first_end_[i + 1];
        }
    }

    /// How many calls wrote the value, and the first.
    std::pair<std::size_t, const map_call*> writers(std::uint64_t value) const {
        const auto less = [](const auto& a, const auto& b) {
            if constexpr (requires { a.first; }) {
                return a.first < b;
            } else {
                return a < b.first;
            }
        };
        const auto from = std::lower_bound(values_.begin(), values_.end(), value, less);
        const auto to = std::upper_bound(from, values_.end(), value, less);
        return {static_cast<std::size_t>(to - from), from == to ? nullptr : from->second};
    }

    /// Of the changes that started after `time`, the one that ended first; or null.
    const map_call* first_change_after(std::uint64_t time) const {
        const auto from = std::upper_bound(changes_.begin(), changes_.end(), time,
                                           [](std::uint64_t t, const map_call* call) { return t < call->invoked; });
        return from == changes_.end() ? nullptr : first_end_[static_cast<std::size_t>(from - changes_.begin())];
    }

private:
    std::vector<std::pair<std::uint64_t, const map_call*>> values_;
    std::vector<const map_call*> changes_;
    std::vector<const map_call*> first_end_;
};

std::string broken(const history& recorded, map_call snapshot, window when) {
    std::string text = "not linearizable: the snapshot shows " + std::to_string(*written_by(when.writer)) + " for key " +
                       std::to_string(name_of(recorded, when.writer.key)) + ", which was written only after ";
    if (touches_all_keys(when.replacer.what)) {
        text += "the map was cleared of what else it shows\n";
    } else {
        text += "what it shows for key " + std::to_string(name_of(recorded, when.replacer.key)) + " was no longer there\n";
    }
    const std::vector<map_call> calls{when.replacer, when.writer, snapshot};
    return text + picture_of(calls, 2, [&](const map_call& call) {
               return call.what == verb::snapshot ? "snapshot()" : to_text(call, false, recorded.names);
           });
}

} // namespace

std::string narrow_snapshots(const history& recorded, const by_key& parts, std::vector<map_call>& whole) {
    std::vector<std::size_t> snapshots;
    std::vector<map_call> clears;
    for (std::size_t i = 0; i != whole.size(); ++i) {
        if (whole[i].what == verb::snapshot && whole[i].responded != never) snapshots.push_back(i);
        if (!only_reads(whole[i])) clears.push_back(whole[i]);
    }
    if (snapshots.empty()) return {};
    std::vector<window> windows;
    for (const std::size_t i : snapshots) windows.push_back({whole[i].invoked, whole[i].responded});

    for (std::size_t key = 0; key != recorded.initial.size(); ++key) {
        const std::span calls(parts.calls.data() + parts.begin[key], parts.begin[key + 1] - parts.begin[key]);
        if (calls.empty() && clears.empty()) continue; // the search of the groups compares it with the initial value
        const writes_of_key writes(calls, clears);
        for (std::size_t i = 0; i != snapshots.size(); ++i) {
            const held shown = recorded.contents[whole[snapshots[i]].argument][key];
            if (!shown) continue; // absence has many beginnings
            const auto [count, writer] = writes.writers(*shown);
            const bool from_the_start = shown == recorded.initial[key];
            if (count + (from_the_start ? 1 : 0) != 1) continue; // not one origin; none is a matter for the search
            if (writer != nullptr && writer->invoked > windows[i].from) {
                windows[i].from = writer->invoked;
                windows[i].writer = *writer;
            }
            const map_call* const replacer = writes.first_change_after(writer != nullptr ? writer->responded : 0);
            if (replacer != nullptr && replacer->responded < windows[i].to) {
                windows[i].to = replacer->responded;
                windows[i].replacer = *replacer;
            }
        }
    }
    for (std::size_t i = 0; i != snapshots.size(); ++i) {
        const map_call& call = whole[snapshots[i]];
        // One bound alone that lies outside of the call is a matter of one key: the search shows it better.
        if (windows[i].from > windows[i].to) {
            if (windows[i].from <= call.responded && windows[i].to >= call.invoked) return broken(recorded, call, windows[i]);
            continue;
        }
        whole[snapshots[i]].invoked = windows[i].from;
        whole[snapshots[i]].responded = windows[i].to;
    }
    return {};
}

namespace {

/// What a call has done to the number of entries.
struct change {
    std::int64_t may_add = 0, adds = 0, erases = 0;
};

change change_of(const map_call& call) {
    switch (call.what) {
    case verb::store:
    case verb::update: return {call.answer ? 1 : 0, call.answer ? 1 : 0};
    case verb::exchange: return {call.seen ? 0 : 1, call.seen ? 0 : 1};
    case verb::load_or_store:
    case verb::load_or_compute: return {call.answer ? 0 : 1, call.answer ? 0 : 1};
    case verb::compare_exchange: return {call.answer && !call.expected ? 1 : 0, call.answer && !call.expected ? 1 : 0};
    case verb::fetch_add: // 0, or absent
        return {call.seen == held(0) ? 1 : 0, 0};
    case verb::add_to_two: {
        const std::int64_t added = (call.seen ? 0 : 1) + (call.count != 0 ? 0 : 1);
        return {added, added};
    }
    case verb::erase:
    case verb::compare_erase:
    case verb::update_erase:
    case verb::erase_if: return {0, 0, call.answer ? 1 : 0};
    case verb::load_and_erase: return {0, 0, call.seen ? 1 : 0};
    default: return {};
    }
}

} // namespace

std::string check_sizes(const history& recorded) {
    const auto empties = [](const map_call& each) { return each.what == verb::clear || each.what == verb::replace; };
    const auto is_size = [](const map_call& each) { return each.what == verb::size; };
    if (std::none_of(recorded.calls.begin(), recorded.calls.end(), is_size)) return {};
    struct pending_size {
        const map_call* call;
        std::int64_t least, most;
    };
    std::vector<const map_call*> ends;
    for (const map_call& each : recorded.calls) {
        const change what = change_of(each);
        const bool matters = what.may_add != 0 || what.erases != 0 || is_size(each) || empties(each);
        if (matters && each.responded != never) ends.push_back(&each);
    }
    std::sort(ends.begin(), ends.end(), [](const auto* a, const auto* b) { return a->responded < b->responded; });

    // How many there are at least and at most now; and since the map was last cleared, for which only counts what was
    // not ended when that began, and surely counts what began after it had ended.
    std::int64_t least =
        std::count_if(recorded.initial.begin(), recorded.initial.end(), [](const held& each) { return each.has_value(); });
    std::int64_t most = least;
    std::uint64_t cleared = 0; // when the last clear ended
    std::size_t clearing = 0;
    std::int64_t adds_pending = 0, erases_pending = 0;
    std::int64_t adds_since = 0, erases_since = 0; // ended since the clear that is pending began
    std::vector<pending_size> sizes;
    const auto note = [&] {
        for (pending_size& each : sizes) {
            each.least = std::min(each.least, clearing != 0 ? 0 : least);
            each.most = std::max(each.most, most);
        }
    };
    std::size_t next_end = 0;
    for (std::size_t next = 0; next != recorded.calls.size() || next_end != ends.size();) {
        const bool starts = next != recorded.calls.size() &&
                            (next_end == ends.size() || recorded.calls[next].invoked <= ends[next_end]->responded);
        if (starts) {
            const map_call& call = recorded.calls[next++];
            const change what = change_of(call);
            if (what.may_add != 0) {
                most += what.may_add;
                adds_pending += what.may_add;
            } else if (what.erases != 0) {
                --least;
                ++erases_pending;
            } else if (empties(call)) {
                if (call.what == verb::replace) most += 2;
                if (clearing++ == 0) adds_since = erases_since = 0;
            } else if (is_size(call)) {
                sizes.push_back({&call, clearing != 0 ? 0 : least, most});
                continue;
            } else {
                continue;
            }
            note();
            continue;
        }
        const map_call& call = *ends[next_end++];
        const change what = change_of(call);
        if (what.may_add != 0) {
            if (call.invoked > cleared) least += what.adds;
            adds_pending -= what.may_add;
            adds_since += what.may_add;
        } else if (what.erases != 0) {
            if (call.invoked > cleared) --most;
            --erases_pending;
            ++erases_since;
        } else if (empties(call)) {
            if (call.what == verb::replace) adds_since += 2; // at most
            if (--clearing == 0) {
                cleared = call.responded;
                most = adds_since + adds_pending;
                least = -(erases_since + erases_pending);
            }
        } else {
            const auto mine =
                std::find_if(sizes.begin(), sizes.end(), [&](const pending_size& each) { return each.call == &call; });
            const auto count = static_cast<std::int64_t>(call.count);
            if (count < mine->least || count > mine->most) {
                return "not linearizable: there were " + std::to_string(std::max<std::int64_t>(mine->least, 0)) + " to " +
                       std::to_string(mine->most) + " entries during\n" +
                       picture_of({&call, 1}, 0, [](const map_call& each) { return to_text(each); });
            }
            sizes.erase(mine);
        }
        note();
    }
    return {};
}

} // namespace linearizability
