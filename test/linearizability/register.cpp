#include "linearizability/register.hpp"

#include <algorithm>
#include <bit>

namespace linearizability {
namespace {

constexpr std::uint64_t absent = never; // as a value: the one that `held` cannot hold

/// What the call has read and written, when that says all about it.
struct effect {
    bool known = false;
    bool reads = false;
    bool writes = false;
    bool possible = true;          // false: no state explains this answer
    std::uint64_t from = absent;   // the value read
    std::uint64_t to = absent;     // the value written
};

effect reading(held seen) { return {.known = true, .reads = true, .from = seen.value_or(absent)}; }
effect replacing(held seen, std::uint64_t value) {
    return {.known = true, .reads = true, .writes = true, .from = seen.value_or(absent), .to = value};
}
effect impossible() { return {.known = true, .possible = false}; }

effect effect_of(const map_call& call) {
    switch (call.what) {
    case verb::load:
    case verb::snapshot: return reading(call.seen);
    case verb::store:
        if (call.answer) return replacing({}, call.argument);
        return {.known = true, .writes = true, .to = call.argument};
    case verb::exchange: return replacing(call.seen, call.argument);
    case verb::load_or_store:
    case verb::load_or_compute:
        if (call.what == verb::load_or_compute && call.count != (call.answer ? 0U : 1U)) return impossible();
        if (call.answer) return call.seen ? reading(call.seen) : impossible();
        return call.seen == held(call.argument) ? replacing({}, call.argument) : impossible();
    case verb::compare_exchange:
        if (call.answer) return replacing(call.expected, call.argument);
        return call.seen == call.expected ? impossible() : reading(call.seen);
    case verb::compare_erase:
        if (call.answer) return {};
        return reading(call.seen == call.expected ? held() : call.seen); // unchanged: the key was absent
    case verb::fetch_add:
        if (!call.seen) return impossible();
        if (*call.seen == 0) return {}; // 0, or absent
        return replacing(call.seen, call.seen.value_or(0) + call.argument);
    case verb::update:
        if (call.count != 1 || call.answer == call.seen.has_value()) return impossible();
        return replacing(call.seen, call.seen.value_or(0) + call.argument);
    case verb::erase: return call.answer ? effect{} : reading({});
    case verb::load_and_erase: return call.seen ? effect{} : reading({});
    case verb::update_erase:
        if (call.seen) return {};
        return call.count == 1 && !call.answer ? reading({}) : impossible();
    case verb::add_to_two:
    case verb::swap_two: return replacing(call.seen, left_by_two(call).value_or(absent));
    default: return {};
    }
}

std::size_t place(std::uint64_t value, std::size_t places) {
    return static_cast<std::size_t>(value * 0x9E3779B97F4A7C15U >> 20) & (places - 1);
}

} // namespace

std::uint32_t register_checker::find(std::uint64_t value) const noexcept {
    for (std::size_t at = place(value, table_.size());; at = (at + 1) & (table_.size() - 1)) {
        if (table_[at] == none || clusters_[table_[at]].value == value) return table_[at];
    }
}

bool register_checker::insert(std::uint64_t value, const map_call* write) {
    std::size_t at = place(value, table_.size());
    for (; table_[at] != none; at = (at + 1) & (table_.size() - 1)) {
        if (clusters_[table_[at]].value == value) return false;
    }
    table_[at] = static_cast<std::uint32_t>(clusters_.size());
    if (write == nullptr) {
        clusters_.push_back({value, 0, 0, 0});
    } else {
        clusters_.push_back({value, write->invoked, write->responded, write->invoked});
    }
    return true;
}

zones register_checker::read(const map_call& call, std::uint32_t from) {
    if (from == none) return zones::violated; // no call wrote what it read
    cluster& each = clusters_[from];
    if (call.responded < each.write_invoked) return zones::violated;
    each.earliest_end = std::min(each.earliest_end, call.responded);
    each.latest_start = std::max(each.latest_start, call.invoked);
    return zones::linearizable;
}

zones register_checker::chain(const map_call& call, std::uint32_t from) {
    if (from == none || clusters_[from].next != none) return zones::violated; // two calls replaced the same value
    const std::uint32_t to = find(effect_of(call).to);
    clusters_[from].next = to;
    clusters_[to].follows = true;
    return zones::linearizable;
}

zones register_checker::operator()(std::span<const map_call> history, held initial) {
    std::size_t writes = 1;
    for (const map_call& call : history) {
        const effect what = effect_of(call);
        if (!what.known || (call.responded == never && (what.writes || !what.possible))) return zones::not_applicable;
        if (!what.possible) return zones::violated;
        writes += what.writes ? 1 : 0;
    }
    table_.assign(std::bit_ceil(writes * 2), none);
    clusters_.clear();
    insert(initial.value_or(absent), nullptr);
    bool blind = false;
    for (const map_call& call : history) {
        const effect what = effect_of(call);
        if (!what.writes) continue;
        if (what.to == absent || !insert(what.to, &call)) return zones::not_applicable;
        blind = blind || !what.reads;
    }
    for (const map_call& call : history) {
        const effect what = effect_of(call);
        if (!what.reads || call.responded == never) continue;
        const std::uint32_t from = find(what.from);
        if ((what.writes ? chain(call, from) : read(call, from)) == zones::violated) return zones::violated;
    }
    // An overwriting call needs a value to overwrite, and the first one into an absent key comes by a chain.
    if (blind && !initial && clusters_[0].next == none) return zones::violated;
    return verdict();
}

zones register_checker::verdict() {
    forward_.clear();
    backward_.clear();
    std::size_t visited = 0;
    for (std::size_t head = 0; head != clusters_.size(); ++head) {
        if (clusters_[head].follows) {
            if (head == 0) return zones::violated; // something comes before what was there at first
            continue;
        }
        // Within a chain the order is given: no later call of it may have ended before an earlier one started.
        zone all{clusters_[head].earliest_end, 0};
        for (std::uint32_t at = static_cast<std::uint32_t>(head); at != none; at = clusters_[at].next) {
            ++visited;
            if (clusters_[at].earliest_end < all.latest_start) return zones::violated;
            all.latest_start = std::max(all.latest_start, clusters_[at].latest_start);
            all.earliest_end = std::min(all.earliest_end, clusters_[at].earliest_end);
        }
        (all.earliest_end < all.latest_start ? forward_ : backward_).push_back(all);
    }
    if (visited != clusters_.size()) return zones::violated; // a circle of calls that each replaced the other's value

    std::sort(forward_.begin(), forward_.end(), [](const zone& a, const zone& b) { return a.earliest_end < b.earliest_end; });
    for (std::size_t i = 1; i < forward_.size(); ++i) {
        if (forward_[i].earliest_end < forward_[i - 1].latest_start) return zones::violated;
    }
    for (const zone& each : backward_) {
        const auto after = std::partition_point(forward_.begin(), forward_.end(),
                                                [&](const zone& f) { return f.earliest_end < each.latest_start; });
        if (after != forward_.begin() && each.earliest_end < (after - 1)->latest_start) return zones::violated;
    }
    return zones::linearizable;
}

} // namespace linearizability
