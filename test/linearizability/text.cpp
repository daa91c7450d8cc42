#include "linearizability/text.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace linearizability {

std::string to_text(const held& value) { return value ? std::to_string(*value) : "nothing"; }

std::string to_text(const contents& all, std::span<const std::uint64_t> names) {
    std::string text;
    for (std::size_t key = 0; key != contents::keys; ++key) {
        if (!all.values[key]) continue;
        text += (text.empty() ? "" : ", ") + std::to_string(key < names.size() ? names[key] : key) + ": " +
                std::to_string(*all.values[key]);
    }
    return "{" + text + "}";
}

std::string to_text(const map_call& call, bool of_one_key, std::span<const std::uint64_t> names) {
    const auto name = [&](std::uint64_t key) { return std::to_string(key < names.size() ? names[key] : key); };
    const std::string key = name(call.key);
    const std::string argument = std::to_string(call.argument);
    std::string arguments = key;
    const auto yes = [&](const char* when_true, const char* when_false) { return call.answer ? when_true : when_false; };
    std::string result;
    switch (call.what) {
    case verb::load:
    case verb::load_and_erase: result = to_text(call.seen); break;
    case verb::store:
        arguments += ", " + argument;
        result = yes("new", "replaced");
        break;
    case verb::erase: result = yes("erased", "absent"); break;
    case verb::exchange:
        arguments += ", " + argument;
        result = to_text(call.seen);
        break;
    case verb::load_or_store:
        arguments += ", " + argument;
        result = to_text(call.seen) + yes(" loaded", " stored");
        break;
    case verb::load_or_compute:
        arguments += ", " + argument;
        result = to_text(call.seen) + yes(" loaded", " computed");
        if (call.count != (call.answer ? 0U : 1U)) result += ", " + std::to_string(call.count) + " runs";
        break;
    case verb::compare_exchange:
        arguments += ", " + to_text(call.expected) + ", " + argument;
        result = call.answer ? "done" : "saw " + to_text(call.seen);
        break;
    case verb::compare_erase:
        arguments += ", " + to_text(call.expected);
        result = call.answer ? "erased" : "saw " + to_text(call.seen);
        break;
    case verb::fetch_add:
        arguments += ", " + argument;
        result = to_text(call.seen);
        break;
    case verb::update:
        arguments += ", +" + argument;
        result = "shown " + to_text(call.seen) + yes(", inserted", ", assigned");
        if (call.count != 1) result += ", " + std::to_string(call.count) + " runs";
        break;
    case verb::update_erase:
        result = "shown " + to_text(call.seen) + yes(", erased", ", kept");
        if (call.count != 1) result += ", " + std::to_string(call.count) + " runs";
        break;
    case verb::for_each:
        arguments.clear();
        result = std::to_string(call.count) + " visits";
        break;
    case verb::erase_if:
        arguments = "odd, key " + key;
        result = yes("erased", "left");
        break;
    case verb::size:
        arguments.clear();
        result = std::to_string(call.count);
        break;
    case verb::clear:
    case verb::reserve:
    case verb::flush:
    case verb::shrink: arguments.clear(); break;
    case verb::replace: arguments = "{" + key + ": " + argument + ", " + name(call.other) + ": " + argument + "}"; break;
    case verb::add_to_two:
    case verb::swap_two:
        if (call.other != no_key) arguments += " and " + name(call.other);
        if (call.what == verb::add_to_two) arguments += ", +" + argument;
        result = "shown " + to_text(call.seen);
        if (call.other != no_key) result += " and " + to_text(decoded(call.count));
        break;
    case verb::snapshot:
        arguments.clear();
        result = of_one_key ? key + ": " + to_text(call.seen) : "contents with digest " + std::to_string(call.count);
        break;
    }
    const std::string text = std::string(name_of(call.what)) + "(" + arguments + ")";
    if (call.responded == never) return text + " ...";
    return result.empty() ? text : text + " -> " + result;
}

std::string picture_of(std::span<const map_call> calls, std::size_t culprit, const labels& label) {
    const std::uint64_t until = calls[culprit].responded;
    struct bar {
        std::size_t call;
        std::string label;
        std::size_t from = 0, to = 0; // columns
        std::size_t row = 0;
    };
    struct instant {
        std::uint64_t time;
        bool end;
        std::size_t of; // bar
    };
    std::vector<bar> bars;
    std::vector<instant> instants;
    for (std::size_t i = 0; i != calls.size(); ++i) {
        if (calls[i].invoked > until) continue;
        instants.push_back({calls[i].invoked, false, bars.size()});
        if (calls[i].responded <= until) instants.push_back({calls[i].responded, true, bars.size()});
        bars.push_back({i, label(calls[i])});
    }
    std::stable_sort(instants.begin(), instants.end(),
                     [](const instant& a, const instant& b) { return a.time != b.time ? a.time < b.time : a.end < b.end; });

    // Each thread has a row; calls of one thread that overlap, as parts of one call do, have more.
    std::vector<std::pair<std::uint8_t, std::uint64_t>> rows; // the thread, and when its row is free
    for (const instant& now : instants) {
        if (now.end) continue;
        const map_call& call = calls[bars[now.of].call];
        auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const auto& each) { return each.first == call.thread && each.second <= call.invoked; });
        if (row == rows.end()) row = rows.insert(rows.end(), {call.thread, 0});
        row->second = call.responded;
        bars[now.of].row = static_cast<std::size_t>(row - rows.begin());
    }

    std::size_t column = 0;
    for (const instant& now : instants) {
        bar& each = bars[now.of];
        if (now.end) {
            column = std::max(column + 1, each.from + each.label.size() + 1);
            each.to = column;
        } else {
            column += 2;
            each.from = column;
        }
    }
    for (bar& each : bars) {
        if (each.to == 0) column = std::max(column, each.from + each.label.size() + 1);
    }

    std::vector<std::string> lines(rows.size(), std::string(column + 1, ' '));
    for (const bar& each : bars) {
        std::string& line = lines[each.row];
        const bool open = each.to == 0;
        const std::size_t to = open ? column : each.to;
        std::fill(line.begin() + static_cast<std::ptrdiff_t>(each.from), line.begin() + static_cast<std::ptrdiff_t>(to), '-');
        line[each.from] = '[';
        line.replace(each.from + 1, each.label.size(), each.label);
        line[to] = open ? '>' : ']';
    }
    std::vector<std::size_t> by_thread(rows.size());
    for (std::size_t i = 0; i != rows.size(); ++i) by_thread[i] = i;
    std::stable_sort(by_thread.begin(), by_thread.end(),
                     [&](std::size_t a, std::size_t b) { return rows[a].first < rows[b].first; });

    std::string text;
    for (const std::size_t row : by_thread) {
        std::string& line = lines[row];
        line.erase(line.find_last_not_of(' ') + 1);
        const std::uint8_t thread = rows[row].first;
        text += "  " +
                (thread == 0    ? "-"
                 : thread <= 26 ? std::string(1, static_cast<char>('A' + thread - 1))
                                : std::to_string(thread)) +
                line + "\n";
        for (const bar& each : bars) {
            if (each.call == culprit && each.row == row)
                text += "   " + std::string(each.from, ' ') + "^ no order explains this\n";
        }
    }
    return text;
}

} // namespace linearizability
