// All pairs of operations of one slot format in one setting: the programs, their bounds, and the summary.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <explore/map_forms.hpp>
#include <explore/map_steps.hpp>
#include <explore/map_suite.hpp>

#include <gtest/gtest.h>

namespace explore {

/// Counts the reports of one test and fails it for those that failed.
class summary {
public:
    explicit summary(std::string title) : title_(std::move(title)) {}
    summary(const summary&) = delete;
    summary& operator=(const summary&) = delete;

    void add(const report& r) {
        if (requested_replay() && r.schedules == 0) return; // another program is asked for
        ++programs_;
        schedules_ += r.schedules;
        seconds_ += r.seconds;
        exhausted_ += r.exhausted ? 1 : 0;
        if (std::getenv("SYNCMAP_VERBOSE") != nullptr) {
            std::printf("  %-60s %9llu schedules, exhausted: %s, %.2f s\n", r.program.c_str(),
                        static_cast<unsigned long long>(r.schedules), r.exhausted ? "yes" : "no", r.seconds);
        }
        if (!r.failed()) return;
        if (++failed_ <= described_) {
            ADD_FAILURE() << r.description;
        } else if (failed_ <= named_) {
            ADD_FAILURE() << r.program << ": " << r.failure.substr(0, r.failure.find('\n')) << "\n  repeat: SYNCMAP_REPLAY='"
                          << r.program << "@" << r.schedule << "'";
        }
    }

    ~summary() {
        std::printf("[ explored ] %s: %llu programs (%llu exhausted, %llu failed), %llu schedules, %.0f a second\n",
                    title_.c_str(), static_cast<unsigned long long>(programs_), static_cast<unsigned long long>(exhausted_),
                    static_cast<unsigned long long>(failed_), static_cast<unsigned long long>(schedules_),
                    seconds_ > 0 ? static_cast<double>(schedules_) / seconds_ : 0.0);
    }

private:
    static constexpr std::uint64_t described_ = 2;
    static constexpr std::uint64_t named_ = 20;

    static bool requested_replay() { return detail::requested_replay().has_value(); }

    std::string title_;
    std::uint64_t programs_ = 0;
    std::uint64_t exhausted_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t schedules_ = 0;
    double seconds_ = 0;
};

/// One body in both memories, and with every way in which memory is used again.
inline void explore_in_all_memories(const char* layout, const std::string& name, const std::function<void()>& body) {
    summary all(std::string(layout) + ", " + name);
    for (const bool weak : {false, true}) {
        for (const reuse memory : {reuse::never, reuse::at_once, reuse::by_thread}) {
            limits bounds{.preemptions = full_run() ? 3U : 2U,
                          .schedules = full_run() ? 2'000'000U : 1'000U,
                          .random = full_run() ? 50'000U : 300U};
            bounds.memory = memory;
            bounds.weak = weak;
            all.add(explore::explore(std::string(layout) + " " + name + (weak ? " weak" : "") + name_of(memory), bounds, body));
        }
    }
}

/// How far a setting is explored: all of it with one more preemption takes ten times as long.
inline limits usual_limits(setting where) {
    if (full_run()) return {.preemptions = 3, .schedules = 200'000, .random = 2000};
    switch (where) {
    case setting::plain: return {.preemptions = 2, .schedules = 200, .random = 15};
    case setting::growth:
    case setting::smallest:
    case setting::shrink:
    case setting::chained: return {.preemptions = 1, .schedules = 130, .random = 15};
    case setting::moving:
    case setting::clear:
    case setting::reclaim: break;
    }
    return {.preemptions = 1, .schedules = 180, .random = 10};
}

/// Every pair of operations, the second on the same key as the first, on one of the same bucket, or on one apart.
template <class Layout>
void explore_pairs(setting where, reuse memory = reuse::never) {
    summary all(std::string(Layout::name) + ", pairs, " + name_of(where) + name_of(memory));
    limits bounds = usual_limits(where);
    bounds.memory = memory;
    if (memory != reuse::never && !full_run()) bounds.schedules /= 2; // they differ in what becomes of nodes alone
    const bool three_threads = where != setting::plain && where != setting::moving;
    const std::vector<verb> verbs = all_verbs<Layout>();
    for (std::size_t i = 0; i != verbs.size(); ++i) {
        for (std::size_t j = i; j != verbs.size(); ++j) {
            for (const bool present : {true, false}) {
                if (!present && three_threads && !full_run()) continue;
                if (!present && !has_key(verbs[i]) && !has_key(verbs[j])) continue;
                for (const std::uint64_t other : {keys::first, keys::second, keys::apart}) {
                    if (other != keys::first && !has_key(verbs[j])) continue; // the key makes no difference
                    all.add(explore_program<Layout>(
                        {where,
                         present,
                         {{make_step(verbs[i], keys::first, 0, present)}, {make_step(verbs[j], other, 1, present)}}},
                        bounds));
                }
            }
        }
    }
}

/// Pairs and longer programs under weak memory. With SYNCMAP_FULL, a hundred times as many schedules of each.
template <class Layout>
void explore_weak() {
    const unsigned more = full_run() ? 100 : 1;
    {
        summary all(std::string(Layout::name) + ", pairs, weak memory");
        for (const setting where : all_settings) {
            each_pair_on_one_key<Layout>(where, [&](const map_program& program) {
                all.add(explore_program<Layout>(program,
                                                {.preemptions = 1, .schedules = 16 * more, .random = 10 * more, .weak = true}));
            });
        }
    }
    summary all(std::string(Layout::name) + ", longer programs, weak memory");
    each_longer_program([&](const map_program& program, reuse memory) {
        all.add(explore_program<Layout>(
            program, {.preemptions = 1, .schedules = 26 * more, .random = 26 * more, .memory = memory, .weak = true}));
    });
}

/// Batches of two keys of one bucket, beside what may happen to their table, lines and nodes between prefetch and use.
template <class Layout>
void explore_batches(setting where) {
    summary all(std::string(Layout::name) + ", batches, " + name_of(where));
    limits bounds = usual_limits(where);
    bounds.memory = reuse::at_once; // a node that was prefetched may be another one when it is read
    for (const verb many : {verb::load, verb::store, verb::erase}) {
        step batch = make_step(many, keys::first, 0, true);
        batch.many = true;
        for (const verb other : {verb::load, verb::store, verb::erase}) {
            for (const bool both_many : {false, true}) {
                step beside = make_step(other, keys::second, 1, true);
                beside.many = both_many;
                all.add(explore_program<Layout>({where, true, {{batch}, {beside}}}, bounds));
            }
        }
    }
}

/// Every three operations on one key. Hours: for the full run only.
template <class Layout>
void explore_triples(setting where) {
    summary all(std::string(Layout::name) + ", triples, " + name_of(where));
    const limits bounds{.preemptions = 2, .schedules = 20'000, .random = 500};
    const std::vector<verb> verbs = all_verbs<Layout>();
    for (std::size_t i = 0; i != verbs.size(); ++i) {
        for (std::size_t j = i; j != verbs.size(); ++j) {
            for (std::size_t k = j; k != verbs.size(); ++k) {
                for (const bool present : {true, false}) {
                    all.add(explore_program<Layout>({where,
                                                     present,
                                                     {{make_step(verbs[i], keys::first, 0, present)},
                                                      {make_step(verbs[j], keys::first, 1, present)},
                                                      {make_step(verbs[k], keys::first, 2, present)}}},
                                                    bounds));
                }
            }
        }
    }
}

/// Programs by chance: two or three threads of up to five operations on three keys, in schedules by chance.
template <class Layout>
void explore_by_chance(setting where, reuse memory) {
    summary all(std::string(Layout::name) + ", by chance, " + name_of(where) + name_of(memory));
    const std::uint64_t programs = full_run() ? 5000 : 13;
    const limits bounds{.preemptions = 0, .schedules = 100, .random = full_run() ? 2000U : 40U, .memory = memory};
    const std::vector<verb> verbs = all_verbs<Layout>();
    std::minstd_rand chance(static_cast<std::minstd_rand::result_type>(where) * 7919 + 1);
    for (std::uint64_t n = 0; n != programs; ++n) {
        all.add(explore_program<Layout>(program_by_chance(where, verbs, chance), bounds));
    }
}

/// Every form of a write beside every operation on the whole map (map_forms.hpp), in both memories. With SYNCMAP_FULL, a
/// hundred times as many schedules of each.
template <class Layout>
void explore_forms(const std::vector<form<Layout>>& forms) {
    const unsigned more = full_run() ? 100 : 1;
    for (const bool weak : {false, true}) {
        summary all(std::string(Layout::name) + ", forms" + (weak ? ", weak memory" : ""));
        const limits bounds{.preemptions = weak ? 1U : 2U,
                            .schedules = (weak ? 26 : 40) * more,
                            .random = (weak ? 10 : 5) * more,
                            .weak = weak};
        for (const form<Layout>& one : forms) {
            each_program_of<Layout>(one, [&](const std::string& name, const auto& threads) {
                all.add(
                    explore_threads<Layout>(std::string(Layout::name) + (weak ? " weak " : " ") + name, one, threads, bounds));
            });
        }
    }
}

/// Help asked for while others ask for it or give it, in both memories.
template <class Layout>
void explore_help() {
    const unsigned more = full_run() ? 100 : 1;
    for (const bool weak : {false, true}) {
        summary all(std::string(Layout::name) + ", help" + (weak ? ", weak memory" : ""));
        const limits bounds{
            .preemptions = weak ? 1U : 2U, .schedules = (weak ? 100 : 130) * more, .random = 30 * more, .weak = weak};
        each_program_of_help<Layout>([&](const form<Layout>& where, const std::string& name, const auto& threads) {
            all.add(
                explore_threads<Layout>(std::string(Layout::name) + (weak ? " weak " : " ") + name, where, threads, bounds));
        });
    }
}

/// What writes owe to those after them (map_steps.hpp), in both memories.
template <class Layout>
void explore_steps() {
    const unsigned more = full_run() ? 100 : 1;
    for (const bool weak : {false, true}) {
        summary all(std::string(Layout::name) + ", steps" + (weak ? ", weak memory" : ""));
        each_step<Layout>([&](const std::string& name, const std::function<void()>& body) {
            const limits bounds{.preemptions = 1, .schedules = 100 * more, .random = 15 * more, .weak = weak};
            all.add(explore(std::string(Layout::name) + (weak ? " weak " : " ") + name, bounds, body));
        });
    }
}

} // namespace explore
