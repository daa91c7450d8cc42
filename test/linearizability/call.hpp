// What a map was asked and what it answered, and what a map of one key answers: the sequential specification.
//
// A new operation is added here: its verb, its name, whether it only reads, and what it does to one key; then in
// text.cpp how it is written, in file.cpp how it is read, and in perform.hpp how a map is asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace linearizability {

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
    reserve,    ///< this and the next two answer nothing, and are in no history
    flush,
    shrink,
    replace,    ///< by a map with `argument` at `key` and at `other`
    add_to_two, ///< update of `key` and `other`: adds the argument to both
    swap_two    ///< the same: each gets what the other had, or nothing
};

inline constexpr const char* verb_names[] = {
    "load",          "store",     "erase",    "exchange",     "load_or_store",   "load_and_erase", "compare_exchange",
    "compare_erase", "fetch_add", "update",   "update_erase", "load_or_compute", "for_each",       "erase_if",
    "size",          "clear",     "snapshot", "reserve",      "flush",           "shrink",         "replace",
    "add_to_two",    "swap_two"};
inline constexpr std::size_t verbs = sizeof verb_names / sizeof *verb_names;

inline const char* name_of(verb what) noexcept { return verb_names[static_cast<unsigned>(what)]; }

/// What a key holds: a number, or nothing. As `std::optional`, in 8 bytes: 2^64 - 1 is no value.
class held {
public:
    constexpr held() noexcept = default;
    constexpr held(std::uint64_t number) noexcept : number_(number) {} // NOLINT: converts on purpose
    constexpr held(std::nullopt_t) noexcept {}                         // NOLINT

    constexpr bool has_value() const noexcept { return number_ != nothing; }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    constexpr std::uint64_t operator*() const noexcept { return number_; }
    constexpr std::uint64_t value_or(std::uint64_t other) const noexcept { return has_value() ? number_ : other; }
    constexpr void reset() noexcept { number_ = nothing; }
    friend constexpr bool operator==(const held&, const held&) = default;

private:
    static constexpr std::uint64_t nothing = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t number_ = nothing;
};

/// What a key holds as one number.
constexpr std::uint64_t code_of(held value) noexcept { return value ? *value + 1 : 0; }
constexpr held decoded(std::uint64_t code) noexcept { return code == 0 ? held() : held(code - 1); }

/// The end of a call that has not ended.
inline constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// One call and its answer. Keys are numbered; values are numbers. One cache line.
///
/// `snapshot` has its contents beside it, in `history::contents` at index `argument`. Where such a call stands in the
/// history of one key, `seen` is what it says of that key.
struct map_call {
    verb what = verb::load;
    std::uint8_t thread = 0; ///< 0: the main thread
    bool answer = false;     ///< the returned truth value: new, existed, loaded, equal, ...
    std::uint32_t other = 0; ///< the second key
    std::uint64_t key = 0;
    std::uint64_t argument = 0; ///< the value to store; the operand of fetch_add and update
    held expected{};            ///< of the compare operations

    held seen{};             ///< the returned value, or the one that a callback was shown
    std::uint64_t count = 0; ///< the returned number; for computing calls: how often the callback ran; of two keys:
                             ///< what it was shown of `other`, by `code_of`
    std::uint64_t invoked = 0;
    std::uint64_t responded = never;
};
static_assert(sizeof(map_call) == 64);

inline bool touches_all_keys(verb what) noexcept {
    return what == verb::size || what == verb::clear || what == verb::snapshot || what == verb::replace;
}
inline bool changes_two(verb what) noexcept { return what == verb::add_to_two || what == verb::swap_two; }
inline bool computes(verb what) noexcept {
    return what == verb::update || what == verb::update_erase || what == verb::load_or_compute;
}

/// With this answer the call leaves every state that the answer fits as it is.
inline bool only_reads(const map_call& call) noexcept {
    switch (call.what) {
    case verb::load:
    case verb::for_each:
    case verb::size:
    case verb::snapshot: return true;
    case verb::erase:
    case verb::compare_exchange:
    case verb::compare_erase:
    case verb::update_erase:
    case verb::erase_if: return !call.answer;
    case verb::load_or_store:
    case verb::load_or_compute: return call.answer;
    case verb::load_and_erase: return !call.seen;
    default: return false;
    }
}

/// Fits every value of its key and nothing else, and leaves a value that depends on none. Any number of such calls fit
/// in any order where one of them fits.
inline bool overwrites(const map_call& call) noexcept { return call.what == verb::store && !call.answer; }

/// In the place of the second key: it is none of those that are looked at.
inline constexpr std::uint32_t no_key = std::numeric_limits<std::uint32_t>::max();

/// Whether the order of the two may matter.
inline bool depend(const map_call& a, const map_call& b) noexcept {
    if (a.key == b.key || touches_all_keys(a.what) || touches_all_keys(b.what)) return true;
    const bool a_two = changes_two(a.what), b_two = changes_two(b.what);
    return (a_two && a.other == b.key) || (b_two && b.other == a.key) ||
           (a_two && b_two && a.other == b.other && a.other != no_key);
}

/// A call on two keys, seen from the second one.
inline map_call turned(const map_call& call) noexcept {
    map_call other = call;
    other.key = call.other;
    other.other = static_cast<std::uint32_t>(call.key);
    other.seen = decoded(call.count);
    other.count = code_of(call.seen);
    return other;
}
/// What it leaves in its first key, if its answer fits.
inline held left_by_two(const map_call& call) noexcept {
    return call.what == verb::swap_two ? decoded(call.count) : held(call.seen.value_or(0) + call.argument);
}

/// The sequential specification, for calls on one key: does the answer fit, and what does the key hold then?
inline bool apply(const map_call& call, held& value) {
    switch (call.what) {
    case verb::load:
    case verb::snapshot: return call.seen == value;
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
    case verb::clear: value.reset(); return true;
    case verb::add_to_two: // its part for this key
    case verb::swap_two: {
        const bool fits = call.seen == value;
        value = left_by_two(call);
        return fits;
    }
    case verb::for_each:
    case verb::size:
    case verb::reserve:
    case verb::flush:
    case verb::shrink:
    case verb::replace: break;
    }
    return false;
}

} // namespace linearizability
