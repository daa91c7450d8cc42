// Weak memory can fail, and does not fail without a reason: the classic litmus tests, each right and with its mistakes.
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <explore/allocator.hpp>
#include <explore/explorer.hpp>
#include <explore/probe.hpp>
#include <explore/sync.hpp>

#include <gtest/gtest.h>

namespace {

using explore::parallel;
using explore::report;
using explore::require;
using explore::sync_policy;
template <class T>
using atomic = sync_policy::atomic<T>;
using order = std::memory_order;
constexpr order relaxed = std::memory_order_relaxed, acquire = std::memory_order_acquire, release = std::memory_order_release,
                acq_rel = std::memory_order_acq_rel, seq_cst = std::memory_order_seq_cst;

template <class Body>
report search(const std::string& name, Body body, unsigned stale_reads = 2) {
    return explore::explore("weak " + name, {.preemptions = 2, .weak = true, .stale_reads = stale_reads}, body);
}
template <class Body>
void expect_right(const std::string& name, Body body) {
    const report r = search(name, body);
    EXPECT_FALSE(r.failed()) << r.description;
    EXPECT_TRUE(r.exhausted);
}
/// The failure is found, and comes again when its schedule is repeated, with a stale read in the picture if `stale`.
template <class Body>
void expect_wrong(const std::string& name, const std::string& failure, Body body, bool stale = true) {
    const report r = search(name, body);
    ASSERT_TRUE(r.failed()) << name;
    EXPECT_NE(r.failure.find(failure), std::string::npos) << r.failure;
    EXPECT_EQ(r.description.find("not the same when repeated"), std::string::npos) << r.description;
    EXPECT_EQ(r.description.find("behind)") != std::string::npos, stale) << r.description;
}

// ---- message passing ----

auto message(order publish, order look) {
    return [=] {
        atomic<int> data{0};
        atomic<bool> ready{false};
        parallel(
            [&] {
                data.store(1, relaxed);
                ready.store(true, publish);
            },
            [&] {
                if (ready.load(look)) require(data.load(relaxed) == 1, "who sees the flag sees the data");
            });
    };
}

TEST(weak_toys, message_passing) {
    expect_right("message", message(release, acquire));
    expect_wrong("message, relaxed store", "who sees the flag", message(relaxed, acquire));
    expect_wrong("message, relaxed load", "who sees the flag", message(release, relaxed));
}

TEST(weak_toys, a_sequentially_consistent_search_finds_neither) {
    for (const auto& body : {message(relaxed, acquire), message(release, relaxed)}) {
        const report r = explore::explore("message", {.preemptions = 3}, body);
        EXPECT_FALSE(r.failed());
        EXPECT_TRUE(r.exhausted);
    }
}

TEST(weak_toys, a_chain_of_three_threads_hands_on_what_it_acquired) {
    const auto chain = [](order middle) {
        return [=] {
            atomic<int> data{0}, first{0}, second{0};
            parallel(
                [&] {
                    data.store(1, relaxed);
                    first.store(1, release);
                },
                [&] {
                    if (first.load(middle) == 1) second.store(1, release);
                },
                [&] {
                    if (second.load(acquire) == 1) require(data.load(relaxed) == 1, "handed on");
                });
        };
    };
    expect_right("chain", chain(acquire));
    expect_wrong("chain, relaxed in the middle", "handed on", chain(relaxed));
}

TEST(weak_toys, a_release_reaches_as_far_as_read_modify_writes_go_on_with_it) {
    const auto relay = [](bool by_rmw) {
        return [=] {
            atomic<int> data{0}, count{0};
            parallel(
                [&] {
                    data.store(1, relaxed);
                    count.store(1, release);
                },
                [&] {
                    if (by_rmw) {
                        count.fetch_add(1, relaxed);
                    } else if (count.load(relaxed) == 1) {
                        count.store(2, relaxed);
                    }
                },
                [&] {
                    if (count.load(acquire) == 2) require(data.load(relaxed) == 1, "through the second store");
                });
        };
    };
    expect_right("release sequence", relay(true));
    expect_wrong("release sequence, broken by a store", "through the second", relay(false));
}

TEST(weak_toys, nobody_sees_one_word_go_back) {
    expect_right("coherence", [] {
        atomic<int> word{0};
        parallel(
            [&] {
                word.store(1, relaxed);
                word.store(2, relaxed);
            },
            [&] {
                const int first = word.load(relaxed);
                require(word.load(relaxed) >= first, "not older than what was seen");
            });
    });
}

// ---- which store is overwritten ----

TEST(weak_toys, a_store_may_come_before_one_that_its_thread_does_not_know) {
    const auto last_wins = [](order publish, order look) {
        return [=] {
            atomic<int> data{0};
            atomic<bool> done{false};
            bool second = false;
            parallel(
                [&] {
                    data.store(1, relaxed);
                    done.store(true, publish);
                },
                [&] {
                    second = done.load(look);
                    if (second) data.store(2, relaxed);
                });
            if (second) require(data.load() == 2, "the second store is the last one");
        };
    };
    expect_right("overwriting", last_wins(release, acquire));
    expect_wrong("overwriting, relaxed store", "the second store", last_wins(relaxed, acquire));
    expect_wrong("overwriting, relaxed load", "the second store", last_wins(release, relaxed));
}

TEST(weak_toys, every_store_that_may_be_seen_is_seen_once) {
    // The writer first: the reader has 3 stores to choose from. The reader first, or in between: 1 and 2.
    const auto program = [] {
        atomic<int> word{0};
        parallel(
            [&] {
                word.store(1, relaxed);
                word.store(2, relaxed);
            },
            [&] { word.load(relaxed); });
    };
    const auto up_to = [&](unsigned bound) {
        return explore::explore("weak count", {.preemptions = bound, .weak = true}, program).schedules;
    };
    EXPECT_EQ(up_to(0), 3U + 1U);
    EXPECT_EQ(up_to(5) - up_to(4), 3U + 2U + 1U);
}

// ---- store buffering, and the asymmetric barrier ----

enum class barrier { none, light, heavy, full };

void pass(barrier b) {
    switch (b) {
    case barrier::none: break;
    case barrier::light: sync_policy::light_barrier(); break;
    case barrier::heavy: (void)sync_policy::heavy_barrier(); break;
    case barrier::full: sync_policy::fence(); break;
    }
}

auto buffering(order store, order load, barrier left, barrier right) {
    return [=] {
        atomic<int> x{0}, y{0};
        int seen_x = -1, seen_y = -1;
        parallel(
            [&] {
                x.store(1, store);
                pass(left);
                seen_y = y.load(load);
            },
            [&] {
                y.store(1, store);
                pass(right);
                seen_x = x.load(load);
            });
        require(seen_x == 1 || seen_y == 1, "one of them sees the other");
    };
}

TEST(weak_toys, store_buffering) {
    expect_right("buffering, sequentially consistent", buffering(seq_cst, seq_cst, barrier::none, barrier::none));
    expect_right("buffering, light and heavy", buffering(relaxed, relaxed, barrier::light, barrier::heavy));
    expect_right("buffering, heavy on both sides", buffering(relaxed, relaxed, barrier::heavy, barrier::heavy));
    expect_right("buffering, fences", buffering(relaxed, relaxed, barrier::full, barrier::full));
    const std::string failure = "one of them sees";
    expect_wrong("buffering, release and acquire", failure, buffering(release, acquire, barrier::none, barrier::none));
    expect_wrong("buffering, light alone", failure, buffering(release, acquire, barrier::light, barrier::light));
    expect_wrong("buffering, heavy alone", failure, buffering(release, acquire, barrier::none, barrier::heavy));
    expect_wrong("buffering, one fence", failure, buffering(release, acquire, barrier::full, barrier::none));
}

TEST(weak_toys, a_wakeup_is_lost_without_the_heavy_barrier) {
    const auto door = [](bool heavy) {
        return [=] {
            sync_policy::mutex mutex;
            sync_policy::condition opened;
            atomic<bool> open{false};
            atomic<int> sleepers{0};
            parallel(
                [&] {
                    std::unique_lock lock(mutex);
                    sleepers.fetch_add(1, relaxed);
                    if (heavy) (void)sync_policy::heavy_barrier();
                    if (!open.load(acquire)) opened.wait(lock);
                },
                [&] {
                    open.store(true, release);
                    sync_policy::light_barrier();
                    if (sleepers.load(relaxed) == 0) return;
                    const std::lock_guard lock(mutex);
                    opened.notify_all();
                });
        };
    };
    expect_right("door", door(true));
    expect_wrong("door, without the heavy barrier", "deadlock: A sleeps", door(false));
}

// ---- memory that is made and freed ----

struct toy_node {
    explicit toy_node(std::uint64_t v) : value(v) {}
    explore::probe value;
    atomic<toy_node*> next{nullptr};
};

toy_node* make_node(std::uint64_t value) { return std::construct_at(explore::allocator<toy_node>().allocate(1), value); }
void free_node(toy_node* node) {
    std::destroy_at(node);
    explore::allocator<toy_node>().deallocate(node, 1);
}

TEST(weak_toys, a_stack) {
    const auto stack = [](order push, order pop) {
        return [=] {
            atomic<toy_node*> head{nullptr};
            parallel(
                [&] {
                    for (const std::uint64_t value : {1U, 2U}) {
                        toy_node* const node = make_node(value);
                        toy_node* expected = head.load(relaxed);
                        do node->next.store(expected, relaxed);
                        while (!head.compare_exchange_weak(expected, node, push, relaxed));
                    }
                },
                [&] {
                    for (toy_node* node = head.load(pop); node != nullptr; node = node->next.load(relaxed)) {
                        require(node->value.number() != 0, "the value");
                    }
                });
            while (toy_node* const node = head.load(relaxed)) {
                head.store(node->next.load(relaxed), relaxed);
                free_node(node);
            }
        };
    };
    expect_right("stack", stack(release, acquire));
    expect_wrong("stack, relaxed push", "whose making does not happen before", stack(relaxed, acquire), false);
    expect_wrong("stack, relaxed look", "whose making does not happen before", stack(release, relaxed), false);
}

TEST(weak_toys, the_last_user_frees_after_all_others) {
    const auto shared = [](order decrement) {
        return [=] {
            toy_node* const node = make_node(1);
            atomic<int> users{2};
            const auto use = [&] {
                require(node->value.number() == 1, "the value");
                if (users.fetch_sub(1, decrement) == 1) free_node(node);
            };
            parallel(use, use);
        };
    };
    expect_right("last user", shared(acq_rel));
    const std::string failure = "does not happen before";
    expect_wrong("last user, without release", failure, shared(acquire), false);
    expect_wrong("last user, without acquire", failure, shared(release), false);
}

TEST(weak_toys, a_hazard) {
    struct mistakes {
        bool heavy = true, light = true, look_again = true;
        order cleared = release, looked_at = acquire;
    };
    const auto program = [](mistakes m) {
        return [=] {
            atomic<toy_node*> head{make_node(1)};
            atomic<toy_node*> hazard{nullptr};
            parallel(
                [&] {
                    toy_node* const node = head.load(acquire);
                    if (node == nullptr) return;
                    hazard.store(node, release);
                    if (m.light) sync_policy::light_barrier();
                    if (!m.look_again || head.load(acquire) == node) require(node->value.number() == 1, "the value");
                    hazard.store(nullptr, m.cleared);
                },
                [&] {
                    toy_node* const node = head.exchange(nullptr, acq_rel);
                    if (m.heavy) (void)sync_policy::heavy_barrier();
                    while (hazard.load(m.looked_at) == node) sync_policy::pause();
                    free_node(node);
                });
        };
    };
    expect_right("hazard", program({}));
    const auto wrong = [&](const std::string& name, mistakes m) {
        const report r = search("hazard, " + name, program(m));
        EXPECT_TRUE(r.failed()) << name;
    };
    wrong("no heavy barrier", {.heavy = false});
    wrong("no light barrier", {.light = false});
    wrong("no second look", {.look_again = false});
    wrong("cleared without release", {.cleared = relaxed});
    wrong("looked at without acquire", {.looked_at = relaxed});
}

// ---- the rest ----

TEST(weak_toys, a_mutex_orders_what_it_guards) {
    expect_right("mutex", [] {
        sync_policy::mutex mutex;
        atomic<int> data{0};
        const auto add = [&] {
            const std::lock_guard lock(mutex);
            data.store(data.load(relaxed) + 1, relaxed);
        };
        parallel(add, add, add);
        require(data.load(relaxed) == 3, "all were counted");
    });
}

TEST(weak_toys, a_lock_of_ones_own) {
    const auto lock = [](order enter, order leave) {
        return [=] {
            atomic<bool> taken{false};
            atomic<int> data{0};
            const auto add = [&] {
                while (taken.exchange(true, enter)) sync_policy::pause();
                data.store(data.load(relaxed) + 1, relaxed);
                taken.store(false, leave);
            };
            parallel(add, add);
            require(data.load(relaxed) == 2, "both were counted");
        };
    };
    expect_right("lock", lock(acquire, release));
    expect_wrong("lock, relaxed enter", "both were counted", lock(relaxed, release));
    expect_wrong("lock, relaxed leave", "both were counted", lock(acquire, relaxed));
}

TEST(weak_toys, a_pair_is_read_as_it_was_at_one_instant) {
    expect_right("pair", [] {
        alignas(16) atomic<std::uint64_t> words[2]{};
        parallel(
            [&] {
                sync_policy::store_pair(words, {1, 1});
                words[1].store(2, release);
                sync_policy::store_pair(words, {3, 3});
            },
            [&] {
                const auto pair = sync_policy::load_pair(words);
                const bool right = pair.first == pair.second || (pair.first == 1 && pair.second == 2);
                require(right, "a state that was");
                const auto again = sync_policy::load_pair(words);
                require(again.first >= pair.first && again.second >= pair.second, "not older");
            });
    });
    expect_wrong("two halves", "a state that was", [] {
        alignas(16) atomic<std::uint64_t> words[2]{};
        parallel([&] { sync_policy::store_pair(words, {1, 1}); },
                 [&] {
                     const auto first = words[0].load(relaxed);
                     require(words[1].load(relaxed) >= first, "a state that was");
                 });
    });
}

TEST(weak_toys, a_compare_exchange_succeeds_on_the_newest_store_alone) {
    expect_right("tickets", [] {
        atomic<int> next{0};
        int taken[3] = {};
        const auto take = [&] {
            int mine = next.load(relaxed);
            while (!next.compare_exchange_weak(mine, mine + 1, relaxed, relaxed)) {}
            ++taken[mine];
        };
        parallel(take, take, take);
        require(taken[0] == 1 && taken[1] == 1 && taken[2] == 1, "each ticket once");
    });
}

TEST(weak_toys, chance_finds_a_missing_release_too) {
    const report r =
        explore::explore("weak message by chance", {.schedules = 0, .random = 500, .weak = true}, message(relaxed, acquire));
    EXPECT_TRUE(r.failed());
    EXPECT_EQ(r.description.find("not the same when repeated"), std::string::npos) << r.description;
}

} // namespace
