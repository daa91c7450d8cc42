// The flights of computations alone, without a map: every order of entering, waiting, handing over, failing and
// leaving.
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include <explore/explorer.hpp>
#include <explore/map_suite.hpp>
#include <explore/sync.hpp>

#include <syncmap/engine/single_flight.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

/// Counts how often one thread falls asleep.
struct counting_policy : sync_policy {
    static inline const void* watched = nullptr;
    static inline unsigned sleeps = 0;
    class condition : public sync_policy::condition {
    public:
        void wait(std::unique_lock<mutex>& lock) {
            if (this_thread() == watched) ++sleeps;
            sync_policy::condition::wait(lock);
        }
    };
};
using flights = syncmap::engine::single_flight<counting_policy>;
using syncmap::engine::flight_key;
using syncmap::engine::key_room;

bool same_numbers(const void*, const void* mine, const void* other) {
    return *static_cast<const std::uint64_t*>(mine) == *static_cast<const std::uint64_t*>(other);
}
const void* copy_of_number(const void*, const void* key, key_room& room) {
    return room.emplace<std::uint64_t>(*static_cast<const std::uint64_t*>(key));
}
constexpr flight_key in_place{&same_numbers, nullptr};
constexpr flight_key copied{&same_numbers, &copy_of_number};

/// Two addresses, as those of two maps.
const char maps[2] = {};

/// A claim to one key of one map. All keys have the same hash, and so share a chain.
class claimed {
public:
    claimed(flights& all, std::uint64_t key, const flight_key& kind, int map = 0)
        : all_(all), key_(key), claim_(&maps[map], 5, &key_, kind) {}
    ~claimed() { leave(); }
    void enter() { all_.enter(claim_); }
    bool try_enter() { return all_.try_enter(claim_); }
    bool enter_or_share() { return all_.enter_or_share(claim_); }
    void fail(std::exception_ptr e) { claim_.fail(std::move(e)); }
    void leave() {
        if (claim_.owns()) all_.leave(claim_);
    }

private:
    flights& all_;
    const std::uint64_t key_;
    flights::claim claim_;
};

/// What threads do while they own a key; the explorer may switch in the middle.
class exclusive_part {
public:
    void pass() {
        require(inside_.exchange(1, std::memory_order_relaxed) == 0, "one owner at a time");
        ++passed_;
        inside_.store(0, std::memory_order_relaxed);
    }
    unsigned passed() const { return passed_; }

private:
    sync_policy::atomic<int> inside_{0};
    unsigned passed_ = 0;
};

template <class Body>
void search(const std::string& name, Body body, unsigned preemptions = 2, std::uint64_t schedules = 20'000) {
    for (const bool weak : {false, true}) {
        for (const flight_key* kind : {&in_place, &copied}) {
            const report r = explore::explore("flights, " + name + (weak ? ", weak" : "") + (kind->copy ? ", copied keys" : ""),
                                              {.preemptions = full_run() ? preemptions + 1 : preemptions,
                                               .schedules = full_run() ? 3'000'000
                                                            : weak     ? schedules / 4
                                                                       : schedules,
                                               .random = schedules < 1'000 ? 100U
                                                         : full_run()      ? 200'000U
                                                                           : 1'500U,
                                               .weak = weak},
                                              [&] { body(*kind); });
            EXPECT_FALSE(r.failed()) << r.description;
        }
    }
}

TEST(explored_flights, have_one_owner_and_lose_no_waiter) {
    search("three owners", [](const flight_key& kind) {
        flights all;
        exclusive_part part;
        const auto twice = [&] {
            for (int i = 0; i != 2; ++i) {
                claimed own(all, 1, kind);
                own.enter();
                part.pass();
            }
        };
        parallel(twice, twice, twice);
        require(part.passed() == 6, "all have owned the key");
    });
}

TEST(explored_flights, of_two_keys_in_one_chain_do_not_meet) {
    search("two keys", [](const flight_key& kind) {
        flights all;
        exclusive_part of[2];
        const auto both = [&] {
            for (std::uint64_t key = 0; key != 2; ++key) {
                claimed own(all, key, kind);
                own.enter();
                of[key].pass();
            }
        };
        claimed third(all, 7, kind);
        third.enter();
        parallel(both, both); // neither waits for the third, which no thread leaves meanwhile
        third.leave();
        require(of[0].passed() == 2 && of[1].passed() == 2, "all have owned both keys");
    });
}

TEST(explored_flights, are_refused_at_once_or_owned) {
    search("tries", [](const flight_key& kind) {
        flights all;
        exclusive_part part;
        unsigned refused = 0;
        const auto look = [&] {
            claimed own(all, 1, kind);
            if (own.try_enter()) {
                part.pass();
            } else {
                ++refused;
            }
        };
        const auto wait = [&] {
            claimed own(all, 1, kind);
            own.enter();
            part.pass();
        };
        parallel(wait, look, wait);
        require(part.passed() + refused == 3, "each went one way");
        require(refused <= 1, "only a try is refused");
    });
}

TEST(explored_flights, share_the_outcome_of_the_one_that_was_waited_for) {
    for (const bool fails : {false, true}) {
        search(
            fails ? "a failure shared" : "a success shared",
            [fails](const flight_key& kind) {
                flights all;
                exclusive_part part;
                bool present = false; // as an entry in a map, under the ownership
                unsigned runs = 0, values = 0, failures = 0;
                const auto compute = [&] {
                    try {
                        claimed own(all, 1, kind);
                        while (!own.enter_or_share()) {
                            require(!fails, "a failure is not taken for a value");
                            require(present, "what ended without a failure has a value");
                            ++values;
                            return;
                        }
                        part.pass();
                        if (present) {
                            ++values;
                            return;
                        }
                        ++runs;
                        if (fails) {
                            own.fail(std::make_exception_ptr(runs));
                            ++failures;
                        } else {
                            present = true;
                            ++values;
                        }
                    } catch (unsigned of_run) {
                        require(fails && of_run <= runs, "a failure of a flight");
                        ++failures;
                    }
                };
                const auto write = [&] { // a plain write, or an update
                    claimed own(all, 1, kind);
                    own.enter();
                    part.pass();
                };
                parallel(compute, compute, compute, write);
                require(values + failures == 3, "each had an outcome");
                require(fails ? values == 0 && runs >= 1 : failures == 0 && runs == 1, "one run for a value");
            },
            2, 8'000);
    }
}

template <std::size_t Threads>
void ring(const flight_key& kind, int maps_used) {
    flights all;
    unsigned errors = 0, done = 0;
    const auto turn = [&](std::uint64_t n) {
        const std::uint64_t next = (n + 1) % Threads;
        claimed outer(all, n, kind, static_cast<int>(n) % maps_used);
        outer.enter();
        try {
            claimed inner(all, next, kind, static_cast<int>(next) % maps_used);
            inner.enter();
            ++done;
        } catch (const syncmap::recursive_update&) {
            ++errors;
        }
    };
    if constexpr (Threads == 2) {
        parallel([&] { turn(0); }, [&] { turn(1); });
    } else {
        parallel([&] { turn(0); }, [&] { turn(1); }, [&] { turn(2); });
    }
    require(errors + done == Threads, "each ended one way");
    require(errors <= 1, "one thread of a cycle gets the error");
}

TEST(explored_flights, in_a_cycle_end_with_one_error) {
    search("a cycle of two", [](const flight_key& kind) { ring<2>(kind, 1); }, 3);
    search("a cycle through two maps", [](const flight_key& kind) { ring<2>(kind, 2); }, 3);
    search("a cycle of three", [](const flight_key& kind) { ring<3>(kind, 1); });
}

TEST(explored_flights, of_the_thread_itself_are_refused) {
    search("its own key", [](const flight_key& kind) {
        flights all;
        parallel(
            [&] {
                claimed own(all, 1, kind);
                own.enter();
                claimed again(all, 1, kind);
                bool refused = false;
                try {
                    again.enter();
                } catch (const syncmap::recursive_update&) {
                    refused = true;
                }
                require(refused, "its own key");
            },
            [&] {
                claimed own(all, 1, kind);
                own.enter();
            });
    });
}

TEST(explored_flights, that_end_beside_a_called_waiter_of_theirs_call_another_one) {
    // A waiter that shares is called; before it comes, the same thread computes once more, and tells it the outcome.
    search("a called waiter is told", [](const flight_key& kind) {
        flights all;
        unsigned failures = 0;
        parallel(
            [&] {
                claimed own(all, 1, kind);
                own.enter();
                sync_policy::pause();
                sync_policy::pause();
                own.leave();
                try {
                    claimed again(all, 1, kind);
                    if (again.enter_or_share()) again.fail(std::make_exception_ptr(7));
                } catch (int) {
                    ++failures;
                }
            },
            [&] {
                try {
                    claimed mine(all, 1, kind);
                    static_cast<void>(mine.enter_or_share());
                } catch (int) {
                    ++failures;
                }
            },
            [&] {
                claimed mine(all, 1, kind);
                mine.enter();
            });
        require(failures <= 2, "the others end as well");
    });
}

TEST(explored_flights, are_handed_to_a_waiter_that_comes_too_late) {
    search("a quick owner", [](const flight_key& kind) {
        flights all;
        exclusive_part part;
        counting_policy::sleeps = 0;
        const auto own_once = [&] {
            claimed own(all, 1, kind);
            own.enter();
            part.pass();
            sync_policy::pause();
        };
        parallel(
            [&] {
                for (int i = 0; i != 5; ++i) own_once();
            },
            [&] {
                counting_policy::watched = sync_policy::this_thread();
                own_once();
                counting_policy::watched = nullptr;
            },
            own_once);
        // It sleeps until it is called, and once more for each loss.
        require(counting_policy::sleeps <= 1 + counting_policy::most_losses, "a called waiter loses a few times at most");
    });
    search(
        "a handed key in a chain",
        [](const flight_key& kind) {
            flights all;
            unsigned errors = 0;
            const auto own_both = [&](std::uint64_t outer_key, std::uint64_t inner_key) {
                claimed outer(all, outer_key, kind);
                outer.enter();
                try {
                    claimed inner(all, inner_key, kind);
                    inner.enter();
                } catch (const syncmap::recursive_update&) {
                    ++errors;
                }
            };
            parallel([&] { own_both(1, 2); },
                     [&] {
                         for (int i = 0; i != 3; ++i) {
                             claimed own(all, 2, kind);
                             own.enter();
                         }
                     },
                     [&] { own_both(3, 1); });
            require(errors == 0, "there is no cycle");
        },
        2);
}

TEST(explored_flights, of_others_are_gone_in_the_child_of_a_fork) {
    for (const bool in_child : {false, true}) {
        search(
            in_child ? "a fork, the child" : "a fork, the parent",
            [in_child](const flight_key& kind) {
                flights all;
                exclusive_part of[2];
                sync_policy::atomic<bool> closed{false};
                const auto twice = [&] {
                    for (std::uint64_t i = 0; i != 2; ++i) {
                        claimed own(all, 1 + i, kind);
                        const bool forking = closed.load();
                        own.enter();
                        require(!forking || !closed.load(), "no key changes hands during a fork");
                        of[i].pass();
                    }
                };
                parallel(
                    [&] {
                        claimed ours(all, 9, kind);
                        ours.enter();
                        all.before_fork();
                        if (!in_child) {
                            closed.store(true);
                            sync_policy::pause();
                            closed.store(false);
                            all.after_fork_in_parent();
                        } else {
                            scheduler::instance().lose_others();
                            all.after_fork_in_child();
                        }
                        for (std::uint64_t i = 0; i != 2; ++i) {
                            claimed theirs(all, 1 + i, kind);
                            theirs.enter();
                        }
                        bool refused = false;
                        try {
                            claimed again(all, 9, kind);
                            static_cast<void>(again.try_enter());
                        } catch (const syncmap::recursive_update&) {
                            refused = true;
                        }
                        require(refused, "what the forking thread owns stays its own");
                        ours.leave();
                        claimed again(all, 9, kind);
                        again.enter();
                        again.leave();
                        if (in_child) scheduler::instance().finish();
                    },
                    twice, twice);
            },
            in_child ? 1 : 2, in_child ? 300 : 5'000);
    }
}

// ---- equality that computes ----

thread_local flights* compared_in = nullptr;

bool same_after_a_computation(const void* map, const void* mine, const void* other) {
    if (flights* const all = std::exchange(compared_in, nullptr)) {
        claimed outer(*all, 2, in_place, 1);
        outer.enter();
    }
    return same_numbers(map, mine, other);
}
constexpr flight_key computing{&same_after_a_computation, &copy_of_number};

TEST(explored_flights, do_not_wait_for_a_thread_that_compares) {
    // The first thread owns both keys and leaves them one by one, as nested computations do. The other one compares
    // with the inner key, and its equality waits for the outer one. Leaving the inner key once waited for that
    // comparison.
    search("equality that computes", [](const flight_key&) {
        flights all;
        parallel(
            [&] {
                claimed outer(all, 2, in_place, 1);
                outer.enter();
                claimed inner(all, 1, computing);
                inner.enter();
                inner.leave();
                outer.leave();
            },
            [&] {
                compared_in = &all; // threads of the explorer are one thread of the system: the first comparison takes it
                claimed inner(all, 1, computing);
                inner.enter();
                compared_in = nullptr;
            });
    });
}

} // namespace
