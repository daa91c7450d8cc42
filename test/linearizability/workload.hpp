// What threads ask a map whose history is checked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "linearizability/call.hpp"
#include "support/threads.hpp"

namespace linearizability {

/// How often each operation is asked for, in sixteenths.
struct mix {
    struct share {
        verb what;
        unsigned sixteenths;
    };
    const char* name;
    std::array<share, 12> shares;
    bool of_the_whole_map = false; ///< and now and then a call on all keys
    unsigned whole_map_one_in = 0; ///< so often; 0: the rarer, the more keys

    verb at(std::size_t sixteenth) const noexcept {
        for (const share& each : shares) {
            if (sixteenth < each.sixteenths) return each.what;
            sixteenth -= each.sixteenths;
        }
        return verb::load;
    }
};

inline constexpr mix mixes[] = {
    {"reads", {{{verb::load, 14}, {verb::store, 1}, {verb::load_and_erase, 1}}}},
    {"register", {{{verb::load, 8}, {verb::store, 6}, {verb::exchange, 2}}}},
    {"counters",
     {{{verb::fetch_add, 5}, {verb::load, 3}, {verb::compare_exchange, 4}, {verb::update, 2}, {verb::exchange, 2}}}},
    {"coming and going",
     {{{verb::load, 3},
       {verb::load_or_store, 4},
       {verb::load_and_erase, 4},
       {verb::store, 2},
       {verb::erase, 2},
       {verb::exchange, 1}}}},
    {"conditional",
     {{{verb::load, 4}, {verb::compare_exchange, 6}, {verb::compare_erase, 2}, {verb::load_or_store, 2}, {verb::store, 2}}}},
    {"computing",
     {{{verb::load, 4}, {verb::update, 4}, {verb::load_or_compute, 5}, {verb::update_erase, 2}, {verb::erase, 1}}}},
    {"everything",
     {{{verb::load, 3},
       {verb::store, 2},
       {verb::erase, 1},
       {verb::exchange, 1},
       {verb::load_or_store, 1},
       {verb::load_and_erase, 1},
       {verb::compare_exchange, 2},
       {verb::compare_erase, 1},
       {verb::fetch_add, 1},
       {verb::update, 1},
       {verb::update_erase, 1},
       {verb::load_or_compute, 1}}}},
    {"two keys",
     {{{verb::load, 5},
       {verb::swap_two, 3},
       {verb::add_to_two, 2},
       {verb::store, 2},
       {verb::load_and_erase, 2},
       {verb::exchange, 2}}},
     true},
    {"the whole map",
     {{{verb::load, 5},
       {verb::store, 3},
       {verb::erase, 2},
       {verb::exchange, 1},
       {verb::load_or_store, 2},
       {verb::load_and_erase, 2},
       {verb::compare_exchange, 1}}},
     true},
};

/// What the number of entries does while the calls are recorded.
enum class course : std::uint8_t { steady, growing, shrinking, clearing };
inline constexpr const char* course_names[] = {"steady", "growing", "shrinking", "clearing"};

/// What not every map can be asked.
struct abilities {
    bool fetch_add, replace, two_keys;
};

/// The questions of one thread. Values are different from all others: which thread's, and its how-manieth.
class questions {
public:
    questions(const mix& shares, course goes, std::uint64_t keys, std::uint8_t thread, std::uint64_t seed, abilities can,
              std::uint64_t& values)
        : mix_(shares), course_(goes), keys_(keys), thread_(thread), can_(can), chance_(seed), values_(values) {}

    /// `last`: the thread's last call, with its answer.
    map_call next(const map_call& last) {
        map_call call;
        call.key = key();
        call.what = bent(mix_.at(chance_.below(16)));
        if (mix_.of_the_whole_map && chance_.below(whole_map_every()) == 0) {
            call.what = chance_.below(4) == 0 ? verb::snapshot : verb::size;
            call.key = 0;
            return call;
        }
        if (course_ == course::clearing && chance_.below(clear_every()) == 0) {
            if (!can_.replace || chance_.below(2) == 0) return {.what = verb::clear};
            call.what = verb::replace;
            call.other = static_cast<std::uint32_t>(key());
            call.argument = value();
            return call;
        }
        if (call.what == verb::fetch_add && !can_.fetch_add) call.what = verb::exchange;
        if (changes_two(call.what)) {
            // Most partners are neighbours, which are searched together.
            call.other = static_cast<std::uint32_t>(chance_.below(4) == 0 ? key() : call.key ^ 1);
            if (!can_.two_keys || call.other == call.key || call.other >= keys_) call.what = verb::load_or_store;
        }
        call.argument = value();
        if (call.what == verb::add_to_two) call.argument = chance_() >> 8 | 1;
        if (call.what == verb::fetch_add || call.what == verb::update)
            call.argument = chance_() >> 8 | 1; // sums differ as well
        if (call.what == verb::compare_exchange || call.what == verb::compare_erase) {
            if (!touches_all_keys(last.what) && chance_.below(4) != 0) {
                call.key = last.key;
                call.expected = last.seen;
            }
            if (call.what == verb::compare_erase && !call.expected) call.expected = call.argument;
        }
        return call;
    }

private:
    std::uint64_t value() noexcept { return (std::uint64_t{thread_} + 1) << 48 | ++values_; }
    std::uint64_t key() {
        constexpr std::uint64_t hot = 64; // so that threads meet among many keys too
        return chance_.below(keys_ > 1000 && chance_.below(4) == 0 ? hot : keys_);
    }
    /// Most of what would go against the course is something else instead.
    verb bent(verb what) {
        const bool erases = what == verb::erase || what == verb::load_and_erase || what == verb::update_erase;
        const bool adds =
            what == verb::load_or_store || what == verb::store || what == verb::load_or_compute || what == verb::exchange;
        if (course_ == course::growing && keys_ > 1000 && !erases && chance_.below(3) == 0) return verb::load_or_store;
        if (course_ == course::growing && erases && chance_.below(4) != 0) return verb::load_or_store;
        if (course_ == course::shrinking && keys_ > 1000 && adds && chance_.below(4) != 0) return verb::load_and_erase;
        return what;
    }
    std::uint64_t whole_map_every() const noexcept {
        if (mix_.whole_map_one_in != 0) return mix_.whole_map_one_in;
        return keys_ <= 32 ? 64 : keys_ <= 1000 ? 1000 : 50'000;
    }
    std::uint64_t clear_every() const noexcept {
        if (mix_.whole_map_one_in != 0) return 3 * mix_.whole_map_one_in;
        return keys_ <= 32 ? 100 : keys_ <= 1000 ? 2000 : 100'000;
    }

    const mix& mix_;
    course course_;
    std::uint64_t keys_;
    std::uint8_t thread_;
    abilities can_;
    test::random chance_;
    std::uint64_t& values_;
};

} // namespace linearizability
