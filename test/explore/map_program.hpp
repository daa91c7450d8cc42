// Small programs of map operations on tiny maps, every history of which is checked.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <explore/explorer.hpp>
#include <explore/map_history.hpp>
#include <explore/recorded_map.hpp>
#include <explore/sync.hpp>

namespace explore {

/// How the map stands when the threads start, and what one more thread does to it meanwhile.
enum class setting : std::uint8_t {
    plain,   ///< nothing else
    moving,  ///< the map has just begun to grow, and one of its two buckets is moved
    growth,  ///< a bucket is full, and the other thread's insert starts the growth
    smallest, ///< the table of one bucket is full, and the other thread's insert starts the growth
    clear,   ///< the other thread clears
    shrink,  ///< the map is too large, and the other thread's erase notices
    chained, ///< a bucket has a second line, and the other thread's erase lets the first key (else the second) come to the home
             ///< line
    reclaim, ///< the other thread replaces the first key's value twice
};

inline const char* name_of(setting s) noexcept {
    static constexpr const char* names[] = {"plain", "moving", "growth", "smallest", "clear", "shrink", "chained", "reclaim"};
    return names[static_cast<unsigned>(s)];
}

struct map_program {
    setting where;
    bool first_present;
    std::vector<std::vector<step>> threads; ///< two or three, beside the one of the setting

    std::string name(const char* layout, const limits& bounds) const {
        std::string text = std::string(layout) + " " + name_of(where) + (first_present ? " present" : " absent");
        text += name_of(bounds.memory);
        if (bounds.weak) text += bounds.ordered_calls ? " weak" : " weak unordered";
        for (const auto& steps : threads) {
            const char* before = "|";
            for (const step& each : steps) text += std::exchange(before, ",") + to_text(each);
        }
        return text;
    }
};

/// What a map holds when the threads of a program start, and what one more thread does to it meanwhile.
class prepared_contents {
public:
    const contents& initial() const noexcept { return initial_; }
    /// Keys 0 to used()-1 may be in the map.
    std::uint64_t used() const noexcept { return used_; }
    /// What one more thread does; empty when there is none.
    const std::vector<step>& meanwhile() const noexcept { return meanwhile_; }

protected:
    explicit prepared_contents(setting where) : where_(where) {}

    void add(std::uint64_t key, std::uint64_t value) {
        stores_.push_back({verb::store, key, value});
        initial_.values[key] = value;
        if (key >= used_) used_ = key + 1;
    }

    void take_out(std::uint64_t key) {
        stores_.push_back({verb::erase, key});
        initial_.values[key].reset();
    }

    template <class Layout, class Map>
    void store_all(Map& map) const {
        for (const step& each : stores_) {
            if (each.what == verb::erase) {
                map.erase(Layout::key(each.key));
            } else {
                map.store(Layout::key(each.key), value_for<Layout>(each.argument));
            }
        }
    }

    setting where_;
    contents initial_{};
    std::uint64_t used_ = keys::fillers;
    std::vector<step> stores_;
    std::vector<step> meanwhile_;
};

/// How to bring a map into its setting, and what happens to it there.
template <class Layout>
class preparation : public prepared_contents {
public:
    preparation(setting where, bool first_present) : prepared_contents(where) {
        if (first_present) add(keys::first, 1);
        switch (where) {
        case setting::plain: break;
        case setting::moving:
        case setting::growth: {
            const std::size_t room = visible_engine<Layout>::bucket_capacity() - stores_.size();
            for (std::uint64_t i = 0; i != room; ++i) add(keys::fillers + i, 2 * (keys::fillers + i));
            if (where == setting::moving) {
                add(keys::trigger, 30);
            } else {
                meanwhile_ = {{verb::store, keys::trigger, 30}};
            }
            break;
        }
        case setting::smallest: {
            const std::size_t room = visible_engine<Layout>::slots - stores_.size();
            for (std::uint64_t i = 0; i != room; ++i) add(keys::fillers + i, 2 * (keys::fillers + i));
            meanwhile_ = {{verb::store, keys::trigger, 30}};
            break;
        }
        case setting::clear:
            add(keys::fillers, 2 * keys::fillers);
            meanwhile_ = {{verb::clear, 0}};
            break;
        case setting::shrink:
            add(keys::trigger, 30);
            add(keys::fillers, 2 * keys::fillers);
            meanwhile_ = {{verb::erase, keys::trigger}};
            break;
        case setting::chained: {
            add(keys::trigger, 30);
            for (std::uint64_t i = 0; i != visible_engine<Layout>::slots - 2; ++i)
                add(keys::fillers + i, 2 * (keys::fillers + i));
            if (first_present) {
                std::rotate(stores_.begin(), stores_.begin() + 1, stores_.end()); // into the home line's last slot
            } else {
                add(keys::second, 32);
            }
            const std::uint64_t one_more = keys::fillers + visible_engine<Layout>::slots - 2;
            add(one_more, 2 * one_more);
            meanwhile_ = {{verb::erase, keys::trigger}};
            break;
        }
        case setting::reclaim: meanwhile_ = {{verb::exchange, keys::first, 30}, {verb::store, keys::first, 32}}; break;
        }
    }

    void bring(visible_map<Layout>& map) const {
        if (where_ == setting::smallest) scheduler::instance().begin_with_one_bucket();
        if (where_ == setting::shrink) map.widen(visible_engine<Layout>::many_entries);
        store_all<Layout>(map);
        require(map.engine().is_moving() == (where_ == setting::moving), "the map is moving where it should");
        if (where_ == setting::growth || where_ == setting::chained)
            require(map.engine().buckets() == 2, "the map has not grown yet");
        if (where_ == setting::smallest) require(map.engine().buckets() == 1, "the map is in its first table");
        if (where_ == setting::shrink) require(map.engine().buckets() == 8, "the map is larger than it needs to be");
    }
};

/// When all threads have ended: writers are asked to do what is left, and a few writes do it.
template <class Layout>
void require_progress(visible_map<Layout>& map) {
    if constexpr (requires { map.engine().work_left(); }) {
        const auto fail = [](const char* why, const char* what) { scheduler::instance().fail(std::string(why) + ": " + what); };
        if (const char* const what = map.engine().forgotten_work()) fail("no writer is asked to help", what);
        constexpr int enough = 64; // any resize of so small a table, one group each, and what that lets begin
        for (int i = 0; i != enough && map.engine().work_left() != nullptr; ++i) {
            map.store(Layout::key(keys::first), value_for<Layout>(2));
        }
        if (const char* const what = map.engine().work_left()) fail("writers do not end what they help with", what);
    }
}

/// Explores the program of these threads on a map that is prepared so; the report says what went wrong, the checker's
/// picture included.
template <class Layout, class Preparation>
report explore_threads(const std::string& name, const Preparation& prepared, const std::vector<std::vector<step>>& threads,
                       const limits& bounds) {
    // Everything that the executions need is made here, outside of them.
    journal calls;
    calls.order_calls(bounds.ordered_calls);

    const auto body = [&] {
        calls.clear();
        recorded_map<Layout> map(calls, prepared.used());
        prepared.bring(map.plain());
        for (std::size_t thread = 0; thread != threads.size(); ++thread) {
            for (const step& each : threads[thread]) {
                if (each.what != verb::replace) continue;
                map.prepare(static_cast<std::uint8_t>(thread + 1), each);
                break;
            }
        }
        const auto run = [&](std::size_t thread) {
            for (const step& each : threads[thread]) map.perform(static_cast<std::uint8_t>(thread + 1), each);
        };
        const bool with_other = !prepared.meanwhile().empty();
        const auto meanwhile = [&] {
            const auto number = static_cast<std::uint8_t>(threads.size() + 1);
            for (const step& each : prepared.meanwhile()) map.perform(number, each);
        };
        const auto a = [&] { run(0); };
        const auto b = [&] { run(1); };
        const auto c = [&] { run(2); };
        if (threads.size() == 2) {
            with_other ? parallel(a, b, meanwhile) : parallel(a, b);
        } else {
            require(threads.size() == 3, "two or three threads");
            with_other ? parallel(a, b, c, meanwhile) : parallel(a, b, c);
        }
        map.perform(0, {verb::for_each, 0});
        map.perform(0, {verb::size, 0});
        require_progress(map.plain());
        map.look_again();
    };

    // Most schedules give a history that another one gave before.
    std::unordered_set<std::uint64_t> known;
    const auto verdict = [&]() -> std::string {
        if (bounds.weak && !bounds.ordered_calls) return {}; // what is checked is memory
        std::uint64_t digest = 0;
        const auto add = [&](std::uint64_t word) { digest = syncmap::detail::fold(digest ^ word, 0x9E3779B97F4A7C15U) + word; };
        for (const map_call& each : calls.calls()) {
            add(each.invoked << 32 | each.responded << 8 | static_cast<std::uint64_t>(each.what));
            add(each.key << 32 | each.thread);
            add(each.seen ? *each.seen : ~std::uint64_t{0});
            add(each.count << 1 | (each.answer ? 1 : 0));
        }
        if (known.contains(digest)) return {};
        std::string trouble = check_history({calls.calls().begin(), calls.calls().end()}, prepared.initial());
        if (trouble.empty()) known.insert(digest);
        return trouble;
    };
    return explore(name, bounds, body, verdict);
}

/// Explores one program of a setting.
template <class Layout>
report explore_program(const map_program& program, const limits& bounds) {
    const preparation<Layout> prepared(program.where, program.first_present);
    return explore_threads<Layout>(program.name(Layout::name, bounds), prepared, program.threads, bounds);
}

} // namespace explore
