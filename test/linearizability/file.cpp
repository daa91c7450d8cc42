#include "linearizability/file.hpp"

#include <algorithm>
#include <charconv>
#include <istream>
#include <map>
#include <ostream>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "linearizability/text.hpp"

namespace linearizability {
namespace {

constexpr std::string_view heading = "syncmap history 1";

// ---- writing ----

std::uint64_t name_of(const history& recorded, std::size_t key) {
    return key < recorded.names.size() ? recorded.names[key] : key;
}

bool has_answer(verb what) noexcept { return what != verb::clear && what != verb::replace; }

void write_answer(std::ostream& out, const history& recorded, const map_call& call) {
    const auto yes = [&](const char* when_true, const char* when_false) { return call.answer ? when_true : when_false; };
    switch (call.what) {
    case verb::load:
    case verb::exchange:
    case verb::load_and_erase:
    case verb::fetch_add: out << to_text(call.seen); break;
    case verb::store: out << yes("new", "replaced"); break;
    case verb::erase: out << yes("erased", "absent"); break;
    case verb::load_or_store: out << yes("loaded ", "stored ") << to_text(call.seen); break;
    case verb::load_or_compute: out << yes("loaded ", "computed ") << to_text(call.seen); break;
    case verb::compare_exchange: call.answer ? out << "done" : out << "saw " << to_text(call.seen); break;
    case verb::compare_erase: // unchanged: the key was absent
        call.answer ? out << "erased" : out << "saw " << (call.seen == call.expected ? "nothing" : to_text(call.seen));
        break;
    case verb::update: out << yes("inserted", "assigned ") << (call.answer && !call.seen ? "" : to_text(call.seen)); break;
    case verb::update_erase: out << yes("erased ", "kept") << (!call.answer && !call.seen ? "" : to_text(call.seen)); break;
    case verb::size: out << call.count; break;
    case verb::snapshot: {
        const auto& shown = recorded.contents[call.argument];
        const char* between = "";
        for (std::size_t key = 0; key != shown.size(); ++key) {
            if (shown[key]) out << std::exchange(between, " ") << name_of(recorded, key) << '=' << *shown[key];
        }
        break;
    }
    case verb::add_to_two:
    case verb::swap_two: out << to_text(call.seen) << ' ' << to_text(decoded(call.count)); break;
    case verb::clear:
    case verb::replace:
    case verb::reserve:
    case verb::flush:
    case verb::shrink:
    case verb::for_each:
    case verb::erase_if: break;
    }
    const std::uint64_t runs = call.what == verb::load_or_compute && call.answer ? 0 : 1;
    if (computes(call.what) && call.count != runs) out << " runs " << call.count;
}

void write_call(std::ostream& out, const history& recorded, const map_call& call) {
    out << unsigned{call.thread} << ' ' << call.invoked << ' ' << call.responded << ' ' << linearizability::name_of(call.what);
    if (!touches_all_keys(call.what)) out << ' ' << name_of(recorded, call.key);
    if (changes_two(call.what)) out << ' ' << name_of(recorded, call.other);
    switch (call.what) {
    case verb::compare_exchange: out << ' ' << to_text(call.expected) << ' ' << call.argument; break;
    case verb::compare_erase: out << ' ' << to_text(call.expected); break;
    case verb::store:
    case verb::exchange:
    case verb::load_or_store:
    case verb::load_or_compute:
    case verb::fetch_add:
    case verb::update:
    case verb::add_to_two: out << ' ' << call.argument; break;
    case verb::replace:
        out << ' ' << name_of(recorded, call.key) << ' ' << name_of(recorded, call.other) << ' ' << call.argument;
        break;
    default: break;
    }
    if (has_answer(call.what)) {
        out << " -> ";
        write_answer(out, recorded, call);
    }
    out << '\n';
}

// ---- reading ----

/// The words of one line, and what is wrong with them.
class words {
public:
    words(std::string_view text, std::size_t number) : text_(text), number_(number) { next(); }

    [[noreturn]] void fail(const std::string& what) const { throw malformed_history(number_, what); }
    bool at_end() const noexcept { return word_.empty(); }
    std::string_view peek() const noexcept { return word_; }
    std::string_view take(const char* what) {
        if (at_end()) fail(std::string("the line ends where ") + what + " should be");
        const std::string_view word = word_;
        next();
        return word;
    }
    std::uint64_t number(const char* what) { return to_number(take(what), what); }
    held value(const char* what) {
        const std::string_view word = take(what);
        return word == "nothing" ? held() : held(to_number(word, what));
    }
    std::uint64_t to_number(std::string_view word, const char* what) const {
        std::uint64_t result = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), result);
        if (error != std::errc() || end != word.data() + word.size() || result == never) {
            fail("'" + std::string(word) + "' is not " + what + " (a number below 2^64 - 1)");
        }
        return result;
    }
    /// One of two words.
    bool either(const char* yes, const char* no) {
        const std::string_view word = take("the answer");
        if (word != yes && word != no) {
            fail("the answer '" + std::string(word) + "' is neither '" + yes + "' nor '" + no + "'");
        }
        return word == yes;
    }

private:
    void next() {
        constexpr std::string_view blank = " \t\r";
        text_.remove_prefix(std::min(text_.find_first_not_of(blank), text_.size()));
        word_ = text_.substr(0, text_.find_first_of(blank));
        text_.remove_prefix(word_.size());
    }

    std::string_view text_;
    std::string_view word_;
    std::size_t number_;
};

using entries = std::vector<std::pair<std::uint64_t, held>>;

void read_answer(words& line, map_call& call, entries& shown) {
    switch (call.what) {
    case verb::load:
    case verb::exchange:
    case verb::load_and_erase: call.seen = line.value("a value"); break;
    case verb::fetch_add: call.seen = line.number("a value"); break;
    case verb::store: call.answer = line.either("new", "replaced"); break;
    case verb::erase: call.answer = line.either("erased", "absent"); break;
    case verb::load_or_store:
    case verb::load_or_compute:
        call.answer = line.either("loaded", call.what == verb::load_or_store ? "stored" : "computed");
        call.seen = line.number("a value");
        call.count = call.what == verb::load_or_compute && !call.answer ? 1 : 0;
        break;
    case verb::compare_exchange:
        call.answer = line.either("done", "saw");
        call.seen = call.answer ? call.expected : line.value("a value");
        break;
    case verb::compare_erase:
        call.answer = line.either("erased", "saw");
        call.seen = call.answer ? call.expected : line.value("a value");
        if (!call.seen) {
            call.seen = call.expected;
        } else if (!call.answer && call.seen == call.expected) {
            line.fail("compare_erase cannot have seen what it expected and not erased it");
        }
        break;
    case verb::update:
        call.answer = line.either("inserted", "assigned");
        if (!call.answer) call.seen = line.number("a value");
        call.count = 1;
        break;
    case verb::update_erase:
        call.answer = line.either("erased", "kept");
        if (call.answer) call.seen = line.number("a value");
        call.count = 1;
        break;
    case verb::size: call.count = line.number("a size"); break;
    case verb::snapshot:
        while (!line.at_end()) {
            const std::string_view entry = line.take("an entry");
            const std::size_t between = entry.find('=');
            if (between == std::string_view::npos) line.fail("'" + std::string(entry) + "' is not an entry (KEY=VALUE)");
            shown.emplace_back(line.to_number(entry.substr(0, between), "a key"),
                               line.to_number(entry.substr(between + 1), "a value"));
        }
        break;
    case verb::add_to_two:
    case verb::swap_two:
        call.seen = line.value("a value");
        call.count = code_of(line.value("a value"));
        break;
    case verb::clear:
    case verb::replace:
    case verb::reserve:
    case verb::flush:
    case verb::shrink:
    case verb::for_each:
    case verb::erase_if: break;
    }
    if (computes(call.what) && !line.at_end() && line.take("'runs'") == "runs") call.count = line.number("a number of runs");
}

map_call read_call(words& line, entries& shown, std::uint64_t& other) {
    map_call call;
    const std::uint64_t thread = line.number("a thread");
    if (thread > 255) line.fail("threads are numbered from 0 to 255");
    call.thread = static_cast<std::uint8_t>(thread);
    call.invoked = line.number("the start");
    call.responded = line.number("the end");
    if (call.responded < call.invoked) line.fail("the call ends before it starts");
    const std::string_view name = line.take("an operation");
    const auto* const found = std::find(std::begin(verb_names), std::end(verb_names), name);
    call.what = static_cast<verb>(found - std::begin(verb_names));
    if (found == std::end(verb_names) || call.what == verb::for_each || call.what == verb::erase_if ||
        call.what == verb::reserve || call.what == verb::flush || call.what == verb::shrink) {
        line.fail("unknown operation '" + std::string(name) + "'");
    }
    const bool has_key = !touches_all_keys(call.what) || call.what == verb::replace;
    if (has_key) call.key = line.number("a key");
    if (changes_two(call.what) || call.what == verb::replace) {
        other = line.number("a key");
        if (other == call.key && changes_two(call.what)) line.fail("both keys are " + std::to_string(other));
    }
    switch (call.what) {
    case verb::compare_exchange:
        call.expected = line.value("the expected value");
        call.argument = line.number("a value");
        break;
    case verb::compare_erase: call.expected = line.number("the expected value"); break;
    case verb::store:
    case verb::exchange:
    case verb::load_or_store:
    case verb::load_or_compute:
    case verb::fetch_add:
    case verb::update:
    case verb::add_to_two:
    case verb::replace: call.argument = line.number("a value"); break;
    default: break;
    }
    if (has_answer(call.what)) {
        if (line.take("'->'") != "->") line.fail("'->' is missing before the answer");
        read_answer(line, call, shown);
    }
    if (!line.at_end()) line.fail("'" + std::string(line.peek()) + "' is too much");
    return call;
}

} // namespace

void write_history(std::ostream& out, const history& recorded) {
    out << heading << '\n';
    for (std::size_t key = 0; key != recorded.initial.size(); ++key) {
        if (recorded.initial[key]) out << "held " << name_of(recorded, key) << ' ' << *recorded.initial[key] << '\n';
    }
    std::uint64_t end = 0;
    for (const map_call& each : recorded.calls) {
        if (each.responded == never) continue;
        write_call(out, recorded, each);
        end = std::max(end, each.responded);
    }
    if (!recorded.final_contents) return;
    std::vector<bool> of_interest(recorded.initial.size());
    for (const map_call& each : recorded.calls) {
        if (!touches_all_keys(each.what)) of_interest[each.key] = true;
        if (changes_two(each.what)) of_interest[each.other] = true;
    }
    for (std::size_t key = 0; key != recorded.initial.size(); ++key) {
        const held last = (*recorded.final_contents)[key];
        if (!of_interest[key] && !last && !recorded.initial[key]) continue;
        write_call(out, recorded, {.what = verb::load, .key = key, .seen = last, .invoked = end + 1, .responded = end + 2});
    }
}

history read_history(std::istream& in) {
    history result;
    std::map<std::uint64_t, held> initial;
    std::vector<entries> shown;
    std::vector<std::uint64_t> others; // the second key of each call, as it is written
    std::string text;
    std::size_t number = 0;
    bool has_heading = false;
    while (std::getline(in, text)) {
        ++number;
        if (!text.empty() && text.back() == '\r') text.pop_back();
        const std::size_t begin = text.find_first_not_of(" \t");
        if (begin == std::string::npos || text[begin] == '#') continue;
        if (!has_heading) {
            if (text != heading) throw malformed_history(number, "a history begins with '" + std::string(heading) + "'");
            has_heading = true;
            continue;
        }
        words line(text, number);
        if (line.peek() == "held") {
            line.take("'held'");
            const std::uint64_t key = line.number("a key");
            if (!initial.emplace(key, line.number("a value")).second) line.fail("key " + std::to_string(key) + " comes twice");
            if (!line.at_end()) line.fail("'" + std::string(line.peek()) + "' is too much");
            continue;
        }
        entries of_snapshot;
        std::uint64_t other = 0;
        map_call call = read_call(line, of_snapshot, other);
        const bool has_other = changes_two(call.what) || call.what == verb::replace;
        others.push_back(has_other ? other : call.key);
        if (call.what == verb::snapshot) {
            call.argument = shown.size();
            shown.push_back(std::move(of_snapshot));
        }
        result.calls.push_back(call);
    }
    if (in.bad()) throw malformed_history(number, "reading failed");
    if (!has_heading) throw malformed_history(number, "a history begins with '" + std::string(heading) + "'");

    // The keys become 0, 1, ... in their order.
    for (const auto& [key, value] : initial) result.names.push_back(key);
    const auto has_key = [](const map_call& each) { return !touches_all_keys(each.what) || each.what == verb::replace; };
    for (std::size_t i = 0; i != result.calls.size(); ++i) {
        if (!has_key(result.calls[i])) continue;
        result.names.push_back(result.calls[i].key);
        result.names.push_back(others[i]);
    }
    for (const entries& each : shown) {
        for (const auto& [key, value] : each) result.names.push_back(key);
    }
    std::sort(result.names.begin(), result.names.end());
    result.names.erase(std::unique(result.names.begin(), result.names.end()), result.names.end());
    std::unordered_map<std::uint64_t, std::size_t> numbers;
    for (std::size_t i = 0; i != result.names.size(); ++i) numbers.emplace(result.names[i], i);
    result.initial.resize(result.names.size());
    for (const auto& [key, value] : initial) result.initial[numbers[key]] = value;
    for (std::size_t i = 0; i != result.calls.size(); ++i) {
        if (!has_key(result.calls[i])) continue;
        result.calls[i].key = numbers[result.calls[i].key];
        result.calls[i].other = static_cast<std::uint32_t>(numbers[others[i]]);
    }
    for (const entries& each : shown) {
        auto& all = result.contents.emplace_back(result.names.size());
        for (const auto& [key, value] : each) all[numbers[key]] = value;
    }
    result.sort_calls();
    return result;
}

} // namespace linearizability
