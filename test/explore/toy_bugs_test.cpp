// The explorer can fail: small structures with the classic mistakes, and the same without them.
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
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

/// Runs the failing schedule of `found` again and expects the same failure.
template <class Body>
void expect_repeatable(const report& found, Body body) {
    explore::scheduler& s = explore::scheduler::instance();
    s.follow(explore::from_text(found.schedule));
    const bool passed = s.run({.how = explore::strategy::replay}, body);
    ASSERT_FALSE(passed);
    EXPECT_EQ(s.failure(), found.failure);
}

// ---- lost update ----

TEST(toy_bugs, an_update_in_two_steps_is_lost) {
    const auto program = [] {
        atomic<int> counter{0};
        const auto increment = [&] { counter.store(counter.load() + 1); };
        parallel(increment, increment);
        require(counter.load() == 2, "both increments count");
    };
    const report found = explore::explore("two-step increment", {.preemptions = 1}, program);
    ASSERT_TRUE(found.failed());
    EXPECT_EQ(found.failure, "check failed: both increments count");
    EXPECT_NE(found.description.find("SYNCMAP_REPLAY='two-step increment@"), std::string::npos);
    expect_repeatable(found, program);
}

TEST(toy_bugs, an_update_in_one_step_is_not) {
    const report r = explore::explore("one-step increment", {.preemptions = 3}, [] {
        atomic<int> counter{0};
        const auto increment = [&] {
            counter.fetch_add(1);
            counter.fetch_add(1);
        };
        parallel(increment, increment, increment);
        require(counter.load() == 6, "all increments count");
    });
    EXPECT_FALSE(r.failed()) << r.description;
    EXPECT_TRUE(r.exhausted);
}

// ---- the number of schedules is the one that can be counted by hand ----

TEST(toy_bugs, without_a_bound_every_interleaving_is_tried_once) {
    // Two threads of 3 events: without bound (6 preemptions are enough) there are C(6, 3) = 20 interleavings. The
    // search starts again for each bound, so the last bound's count is that of all less that of the bounds before.
    const auto program = [] {
        atomic<int> word{0};
        const auto three = [&] {
            word.load();
            word.load();
            word.load();
        };
        parallel(three, three);
    };
    const auto up_to = [&](unsigned bound) { return explore::explore("count", {.preemptions = bound}, program).schedules; };
    EXPECT_EQ(up_to(0), 2U);
    EXPECT_EQ(up_to(7) - up_to(6), 20U);
}

// ---- sleeping ----

struct door {
    sync_policy::mutex mutex;
    sync_policy::condition opened;
    atomic<bool> open{false};
    atomic<int> sleepers{0};

    /// Announces itself, looks again, then sleeps. `look_again` is the step that the bug leaves out.
    void enter(bool look_again) {
        if (open.load()) return;
        std::unique_lock lock(mutex);
        sleepers.fetch_add(1);
        if (!look_again || !open.load()) opened.wait(lock);
        sleepers.fetch_sub(1);
    }
    void unlock() {
        open.store(true);
        if (sleepers.load() == 0) return;
        const std::lock_guard lock(mutex);
        opened.notify_all();
    }
};

TEST(toy_bugs, a_wakeup_is_lost_when_the_sleeper_does_not_look_again) {
    const auto program = [] {
        door d;
        parallel([&] { d.enter(false); }, [&] { d.unlock(); });
    };
    const report found = explore::explore("door, looks once", {.preemptions = 1}, program);
    ASSERT_TRUE(found.failed());
    EXPECT_NE(found.failure.find("deadlock: A sleeps"), std::string::npos) << found.failure;
    expect_repeatable(found, program);
}

TEST(toy_bugs, no_wakeup_is_lost_when_it_does) {
    const report r = explore::explore("door, looks twice", {.preemptions = 3}, [] {
        door d;
        const auto enter = [&] { d.enter(true); };
        parallel(enter, [&] { d.unlock(); }, enter);
    });
    EXPECT_FALSE(r.failed()) << r.description;
    EXPECT_TRUE(r.exhausted);
}

TEST(toy_bugs, two_locks_in_two_orders_are_a_deadlock) {
    const auto program = [] {
        sync_policy::mutex left;
        sync_policy::mutex right;
        parallel(
            [&] {
                const std::lock_guard a(left);
                const std::lock_guard b(right);
            },
            [&] {
                const std::lock_guard b(right);
                const std::lock_guard a(left);
            });
    };
    const report found = explore::explore("lock order", {.preemptions = 1}, program);
    ASSERT_TRUE(found.failed());
    EXPECT_NE(found.failure.find("deadlock"), std::string::npos);
    expect_repeatable(found, program);
}

// ---- spinning ----

TEST(toy_bugs, a_spin_lock_works) {
    const report r = explore::explore("spin lock", {.preemptions = 3}, [] {
        atomic<bool> taken{false};
        int inside = 0;
        const auto enter = [&] {
            while (taken.exchange(true)) sync_policy::pause();
            require(++inside == 1, "one thread inside");
            taken.load(); // an event, so that the others get their chance
            --inside;
            taken.store(false);
        };
        parallel(enter, enter, enter);
    });
    EXPECT_FALSE(r.failed()) << r.description;
    EXPECT_TRUE(r.exhausted);
}

TEST(toy_bugs, threads_that_wait_for_each_other_spin_for_ever) {
    const report found = explore::explore("after you", {.preemptions = 0}, [] {
        atomic<bool> first{false};
        atomic<bool> second{false};
        parallel(
            [&] {
                while (!second.load()) sync_policy::pause();
                first.store(true);
            },
            [&] {
                while (!first.load()) sync_policy::pause();
                second.store(true);
            });
    });
    ASSERT_TRUE(found.failed());
    EXPECT_NE(found.failure.find("livelock"), std::string::npos);
}

TEST(toy_bugs, a_deadline_ends_when_only_time_can_help) {
    const report r = explore::explore("deadline", {.preemptions = 1}, [] {
        atomic<bool> gate{true};
        parallel([&] {
            const sync_policy::deadline patience(0);
            while (gate.load() && !patience.over()) sync_policy::pause();
        });
    });
    EXPECT_FALSE(r.failed()) << r.description;
    EXPECT_TRUE(r.exhausted);
}

// ---- memory ----

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

TEST(toy_bugs, a_plain_read_of_a_freed_node_is_seen) {
    const auto program = [] {
        atomic<toy_node*> head{make_node(1)};
        parallel(
            [&] {
                if (toy_node* const node = head.load()) {
                    head.load(); // the window: found, and not read yet
                    require(node->value.number() == 1, "the value");
                }
            },
            [&] {
                toy_node* const node = head.exchange(nullptr);
                free_node(node);
            });
    };
    const report found = explore::explore("plain use after free", {.preemptions = 1}, program);
    ASSERT_TRUE(found.failed());
    EXPECT_NE(found.failure.find("read after its destruction"), std::string::npos) << found.failure;
    expect_repeatable(found, program);
}

TEST(toy_bugs, an_atomic_read_of_a_freed_node_is_seen) {
    const report found = explore::explore("atomic use after free", {.preemptions = 1}, [] {
        atomic<toy_node*> head{make_node(1)};
        parallel(
            [&] {
                if (toy_node* const node = head.load()) node->next.load();
            },
            [&] { free_node(head.exchange(nullptr)); });
    });
    ASSERT_TRUE(found.failed());
    EXPECT_NE(found.failure.find("use after free"), std::string::npos) << found.failure;
}

TEST(toy_bugs, a_double_free_is_seen) {
    const report found = explore::explore("double free", {.preemptions = 1}, [] {
        atomic<toy_node*> head{make_node(1)};
        const auto take = [&] {
            toy_node* const node = head.load();
            if (node == nullptr) return;
            head.store(nullptr);
            explore::allocator<toy_node>().deallocate(node, 1);
        };
        parallel(take, take);
    });
    ASSERT_TRUE(found.failed());
    EXPECT_NE(found.failure.find("double free"), std::string::npos) << found.failure;
}

TEST(toy_bugs, a_leak_is_seen) {
    const report found = explore::explore("leak", {.preemptions = 1}, [] {
        atomic<toy_node*> head{nullptr};
        const auto publish = [&] {
            if (head.load() == nullptr) head.store(make_node(1));
        };
        parallel(publish, publish);
        free_node(head.load());
    });
    ASSERT_TRUE(found.failed());
    EXPECT_NE(found.failure.find("leak"), std::string::npos) << found.failure;
}

/// A stack of nodes whose pop compares the address of the first node only.
struct toy_stack {
    atomic<toy_node*> head{nullptr};

    void push(toy_node* node) {
        node->next.store(head.load());
        toy_node* expected = node->next.load();
        while (!head.compare_exchange_weak(expected, node)) node->next.store(expected);
    }
    toy_node* pop() {
        toy_node* node = head.load();
        while (node != nullptr && !head.compare_exchange_weak(node, node->next.load())) {}
        return node;
    }
};

const auto abandon_and_push_again = [] {
    toy_stack stack;
    stack.push(make_node(1));
    stack.push(make_node(2));
    parallel(
        [&] {
            if (toy_node* const node = stack.pop()) free_node(node);
        },
        [&] {
            toy_node* const two = stack.pop();
            toy_node* const one = stack.pop();
            if (two != nullptr) free_node(two);
            if (one != nullptr) free_node(one);
            stack.push(make_node(3)); // at the address of one of them, if memory is reused at once
        });
    while (toy_node* const node = stack.pop()) free_node(node);
};

TEST(toy_bugs, an_address_that_came_back_deceives_a_stack) {
    const report kept = explore::explore("stack, memory kept", {.preemptions = 1}, abandon_and_push_again);
    ASSERT_TRUE(kept.failed());
    EXPECT_NE(kept.failure.find("use after free"), std::string::npos) << kept.failure;

    const report reused =
        explore::explore("stack, memory reused", {.preemptions = 2, .memory = explore::reuse::at_once}, abandon_and_push_again);
    ASSERT_TRUE(reused.failed());
}

// ---- the other ways to search, and the rest ----

TEST(toy_bugs, chance_finds_a_lost_update_too) {
    const report found = explore::explore("random increments", {.schedules = 0, .random = 200}, [] {
        atomic<int> counter{0};
        const auto increment = [&] { counter.store(counter.load() + 1); };
        parallel(increment, increment, increment);
        require(counter.load() == 3, "all increments count");
    });
    EXPECT_TRUE(found.failed());
}

TEST(toy_bugs, an_exception_that_leaves_a_thread_is_reported) {
    const report found = explore::explore("exception", {}, [] { parallel([] { throw std::runtime_error("no way"); }); });
    EXPECT_EQ(found.failure, "thread A: exception: no way");
}

TEST(toy_bugs, exceptions_of_different_threads_do_not_meet) {
    const report r = explore::explore("exceptions", {.preemptions = 3}, [] {
        atomic<int> word{0};
        const auto thrower = [&word](int mine) {
            try {
                word.load();
                throw mine;
            } catch (int caught) {
                word.load();
                require(caught == mine, "its own exception");
                try {
                    throw; // the one that this fiber handles, whatever the others did meanwhile
                } catch (int again) {
                    require(again == mine, "its own exception again");
                }
            }
        };
        parallel([&] { thrower(1); }, [&] { thrower(2); });
    });
    EXPECT_FALSE(r.failed()) << r.description;
}

struct resident {
    atomic<int> visits{0};
    static inline int ended = 0;
    static void thread_exits(resident* r) noexcept {
        r->visits.fetch_add(1);
        ++ended;
    }
};

TEST(toy_bugs, objects_of_a_thread_end_with_it) {
    const report r = explore::explore("thread exit", {.preemptions = 1}, [] {
        resident::ended = 0;
        resident first;
        resident second;
        parallel(
            [&] {
                require(sync_policy::per_thread<resident>::get() == nullptr, "null at first");
                sync_policy::per_thread<resident>::set(&first);
            },
            [&] { sync_policy::per_thread<resident>::set(&second); });
        require(resident::ended == 2, "both ended");
        require(first.visits.load() == 1 && second.visits.load() == 1, "each once");
    });
    EXPECT_FALSE(r.failed()) << r.description;
    EXPECT_TRUE(r.exhausted);
}

} // namespace
