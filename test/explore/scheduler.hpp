// Runs the threads of a program as fibers on one thread, one at a time, and decides at every event which one goes on.
//
// An execution is determined by its choices, so the search keeps no state but the path of choices of the last
// execution: the next one repeats the path up to its last choice that has an option left, and takes that one.
//
// Preemptions are bounded (M. Musuvathi, S. Qadeer, "Iterative context bounding", 2007): to leave a thread that
// could go on costs one of few; to go on in another one when a thread blocks, spins or ends is free.
// Spinning: a thread that pauses is left until another thread has changed memory (or it goes on once, to look
// again at the same memory and take its next measure, as to fall asleep).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <explore/arena.hpp>
#include <explore/event.hpp>
#include <explore/fiber.hpp>
#include <explore/schedule.hpp>
#include <explore/weak_memory.hpp>

namespace explore {

enum class strategy : std::uint8_t {
    depth_first, ///< every schedule within the bound
    replay,      ///< one given schedule
    random,      ///< a coin at every event
    pct          ///< random priorities with few random changes (Burckhardt et al., 2010)
};

class scheduler {
public:
    static constexpr unsigned most_threads = 7; ///< beside the main one

    struct traced {
        std::uint32_t step;
        std::uint8_t fiber;
        event what;
        site where;
        const void* address;
        std::uint64_t before;
        std::uint64_t after;
        unsigned behind; ///< a load: so many stores older than the newest
    };

    EXPLORE_UNWATCHED_INLINE static scheduler& instance() {
        if (only_ == nullptr) [[unlikely]]
            only_ = new scheduler();
        return *only_;
    }

    // ---- for the search ----

    struct plan {
        strategy how = strategy::depth_first;
        unsigned preemptions = 0;
        reuse memory = reuse::never;
        bool trace = false;
        std::uint64_t seed = 0;
        std::uint32_t length = 0; ///< pct: the number of steps to spread the changes over
        bool weak = false;        ///< memory as C++ allows it to be
        unsigned stale_reads = 0; ///< so many loads of an execution may return an older store
        unsigned stale_one_in = 4; ///< by chance: one of so many loads that could; 0: none
        bool steered = false; ///< by chance: after `attend` every other load does so, and a thread is left soon after
                              ///< it, and seldom elsewhere
    };

    /// Forgets the path; the next `run` takes the plain course.
    void begin_search() { path_.clear(); }
    /// Sets the path for a replay.
    void follow(std::vector<choice> path) {
        path_ = std::move(path);
        path_.reserve(most_steps);
    }
    /// One execution of `body()` on the main fiber. False when it failed.
    template <class Body>
    bool run(const plan& how, Body& body) {
        body_ = &call<Body>;
        context_ = const_cast<std::remove_const_t<Body>*>(&body);
        return run(how);
    }
    /// Asked for by a program, for this execution: its maps begin with a table of one bucket.
    void begin_with_one_bucket() noexcept { one_bucket_ = true; }
    bool begins_with_one_bucket() const noexcept { return one_bucket_; }
    /// Makes the path the next one of the depth-first search. False when there is none.
    bool advance() {
        while (!path_.empty()) {
            choice& last = path_.back();
            if (last.taken + 1 < last.count) {
                ++last.taken;
                return true;
            }
            path_.pop_back();
        }
        return false;
    }

    const std::vector<choice>& path() const noexcept { return path_; }
    std::uint32_t steps() const noexcept { return step_; }
    const std::string& failure() const noexcept { return *failure_; }
    const std::vector<traced>& trace() const noexcept { return trace_; }

    // ---- for the program ----

    bool running() const noexcept { return running_; }

    /// Runs the functions as threads and returns when all have ended. Only the main fiber may call it.
    template <class... F>
    void parallel(F&... functions) {
        static_assert(sizeof...(F) <= most_threads);
        threads_ = 0;
        (assign(&call<F>, const_cast<std::remove_const_t<F>*>(&functions)), ...);
        switching_ = true;
        ready_ = ((1U << threads_) - 1) << 1;
        go_on();
    }

    /// Ends the execution here and reports it. The fibers are left as they stand.
    [[noreturn]] void fail(const std::string& what) {
        {
            const arena::outside explorer;
            failure_.emplace(current_ == 0 ? what : std::string("thread ") + thread_name(current_) + ": " + what);
        }
        if (!running_) {
            std::fprintf(stderr, "explorer: %s, outside of an execution\n", failure_->c_str());
            std::abort();
        }
        switching_ = false;
        fiber::change(fibers_[current_]->stack, host_);
        std::abort();
    }

    /// As in the child of a fork: the running thread goes on alone, the others stay where they stand for good.
    void lose_others() noexcept {
        ready_ = bit(current_);
        yielded_ = impatient_ = 0;
        ended_ = (((1U << threads_) - 1) << 1) & ~bit(current_);
        progress();
    }
    /// Ends the execution here, nothing being wrong: for a thread that cannot wait for others that are lost.
    [[noreturn]] void finish() {
        broken_ = true;
        switching_ = false;
        fiber::change(fibers_[current_]->stack, host_);
        std::abort();
    }

    static char thread_name(unsigned number) noexcept { return number == 0 ? '-' : static_cast<char>('A' + number - 1); }

    // ---- events, called before they take effect ----

    /// A plain event on `address`: may let other threads go first, and checks the memory.
    EXPLORE_UNWATCHED void at(event what, const void* address, site where) {
        if (plan_.trace) [[unlikely]]
            record(what, address, where);
        if (switching_) may_preempt();
        if (const char* wrong = weak_now ? arena::instance().touch(address) : arena::instance().check(address)) [[unlikely]]
            fail_at(wrong, what, where);
    }

    /// What the event did to memory: threads that spin look again when something changed.
    EXPLORE_UNWATCHED void did(bool changed, std::uint64_t before, std::uint64_t after, unsigned behind = 0) noexcept {
        if (changed) progress();
        if (plan_.trace && !trace_.empty()) [[unlikely]]
            note(before, after, behind);
    }

    /// A plain access: no event, but it must not be too late, nor, with weak memory, too early.
    void touch(const void* address) {
        if (const char* wrong = arena::instance().touch(address)) [[unlikely]]
            fail(std::string(wrong) + " by a plain access");
    }

    // ---- the store buffer of the running thread, see sync_policy::fence_after_rmw ----

    EXPLORE_UNWATCHED void stored() noexcept { buffered_ |= bit(current_); }
    EXPLORE_UNWATCHED void drained() noexcept { buffered_ &= ~bit(current_); }
    EXPLORE_UNWATCHED bool has_stored() const noexcept { return (buffered_ & bit(current_)) != 0; }

    // ---- weak memory ----

    /// Whether a thread runs whose loads may return older stores.
    EXPLORE_UNWATCHED static bool weak() noexcept { return weak_now; }
    bool keeps_spares() const noexcept { return plan_.memory == reuse::by_thread; }
    static inline bool weak_now = false;
    EXPLORE_UNWATCHED weak_memory& memory() noexcept { return memory_; }

    /// The running thread is at a place that a steered search is about: what it and others read from here on matters.
    EXPLORE_UNWATCHED void attend() noexcept {
        if (!switching_ || !plan_.steered) return;
        if (chance_() % 2 == 0) stale_one_in_ = 2;
        restless_ = current_;
        restless_for_ = 24;
    }

    /// Which of so many stores a load returns, 0 for the newest.
    EXPLORE_UNWATCHED unsigned choose_store(unsigned count) {
        if (!switching_) return 0;
        count_step();
        if (stale_reads_ >= plan_.stale_reads) {
            if (plan_.how == strategy::random || plan_.how == strategy::pct) return 0;
            if (plan_.how == strategy::depth_first && position_ >= path_.size()) return 0;
        } else if ((plan_.how == strategy::random || plan_.how == strategy::pct) &&
                   (stale_one_in_ == 0 || chance_() % stale_one_in_ != 0)) {
            return 0;
        }
        const unsigned option = choose_plain(count);
        if (option != 0) ++stale_reads_;
        return option;
    }

    /// The thread waits for others without a claim to be woken.
    void pause(site where) {
        if (plan_.trace) [[unlikely]]
            record(event::pause, nullptr, where);
        if (!switching_) fail_at("waits for itself", event::pause, where);
        count_step();
        yielded_ |= bit(current_);
        priority_[current_] = --lowest_; // else two that spin could keep the third from what they wait for
        const bool patient = (impatient_ & bit(current_)) == 0;
        const std::uint32_t others = ready_ & ~yielded_;
        if (others == 0 && !patient) return all_spin();
        const unsigned ways = static_cast<unsigned>(std::popcount(others));
        const unsigned option = choose(others, false, patient ? 1 : 0);
        if (option == ways) {
            impatient_ |= bit(current_);
            yielded_ &= ~bit(current_);
        } else {
            resume(nth(others, option));
            fresh_ = true;
        }
    }

    /// The thread cannot go on until `wake(address)`.
    void sleep(const void* address) {
        if (!switching_) fail("waits for itself");
        ready_ &= ~bit(current_);
        asleep_on_[current_] = address;
        count_step();
        go_on();
        fresh_ = true;
    }
    void wake(const void* address) noexcept {
        if (!switching_) return;
        const std::uint32_t all = ((1U << threads_) - 1) << 1;
        for (std::uint32_t left = all & ~ready_ & ~ended_; left != 0; left &= left - 1) {
            const auto each = static_cast<unsigned>(std::countr_zero(left));
            if (asleep_on_[each] == address) ready_ |= bit(each);
        }
        progress();
    }

    /// Whether a time limit is over: chosen, but true when only time can help, and not more often than `most_deadlines`.
    bool deadline_over(site where) {
        if (plan_.trace) [[unlikely]]
            record(event::deadline, nullptr, where);
        if (!switching_) return false;
        count_step();
        if (idle_rounds_ > 1) return true;
        if (expired_deadlines_ == most_deadlines) return false;
        if (choose_plain(2) == 0) return false;
        ++expired_deadlines_;
        return true;
    }

    /// For the length of something that the real thing does once and for all: no other thread goes on meanwhile.
    class alone {
    public:
        alone() noexcept : was_switching_(std::exchange(instance().switching_, false)) {}
        alone(const alone&) = delete;
        alone& operator=(const alone&) = delete;
        ~alone() { instance().switching_ = was_switching_; }

    private:
        bool was_switching_;
    };

    // ---- objects of a thread and of the execution ----

    static constexpr unsigned most_slots = 8;

    struct thread_slots {
        std::array<void*, most_slots> value{};
        std::array<void (*)(void*), most_slots> at_exit{};
        bool ended = false;
    };
    thread_slots& slots() noexcept { return slots_[current_]; }
    unsigned new_slot() {
        if (slot_count_ == most_slots) fail("too many kinds of per_thread objects");
        return slot_count_++;
    }

    /// The object of this key in this execution, made by `make` and ended by `destroy` after the program.
    void* process_wide(const void* key, void* (*make)(), void (*destroy)(void*)) {
        for (unsigned i = 0; i != process_wide_count_; ++i) {
            if (process_wide_[i].key != key) continue;
            if (weak_now) memory_.learn(process_wide_[i].made);
            return process_wide_[i].object;
        }
        if (process_wide_count_ == process_wide_.size()) fail("too many kinds of process_wide objects");
        const alone construction;
        void* const object = make();
        process_wide_[process_wide_count_++] = {key, object, destroy, memory_.present()};
        return object;
    }

private:
    static constexpr std::uint32_t most_steps = 1U << 14;
    static constexpr unsigned most_idle_rounds = 40;
    static constexpr unsigned most_deadlines = 2;
    static constexpr std::uint32_t pct_changes = 3;

    struct worker {
        worker(fiber::entry start, unsigned index) : number(index), stack(start, this) {}
        unsigned number;
        fiber stack;
        void (*function)(void*) = nullptr;
        void* argument = nullptr;
    };
    struct process_object {
        const void* key;
        void* object;
        void (*destroy)(void*);
        weak_memory::knowledge made{};
    };

    bool run(const plan& how) {
        plan_ = how;
        one_bucket_ = false;
        if (broken_) renew();
        if (plan_.how == strategy::random || plan_.how == strategy::pct) prepare_chance();
        position_ = 0;
        step_ = 0;
        preemptions_ = 0;
        stale_reads_ = 0;
        stale_one_in_ = plan_.stale_one_in;
        restless_for_ = 0;
        idle_rounds_ = 0;
        expired_deadlines_ = 0;
        lowest_ = 0;
        ready_ = yielded_ = impatient_ = buffered_ = 0;
        current_ = 0;
        weak_now = false;
        if (plan_.weak) memory_.open();
        threads_ = 0;
        switching_ = false;
        failure_.reset();
        trace_.clear();
        for (auto& each : slots_) each = {};
        process_wide_count_ = 0;
        arena::instance().open(plan_.memory);
        running_ = true;
        fiber::change(host_, fibers_[0]->stack);
        running_ = false;
        arena::instance().close();
        if (failure_) broken_ = true;
        return !failure_;
    }

    scheduler() {
        path_.reserve(most_steps);
        trace_.reserve(most_steps * 2);
        renew();
    }

    void renew() {
        fibers_[0] = std::make_unique<worker>(&main_loop, 0U);
        for (unsigned i = 1; i <= most_threads; ++i) fibers_[i] = std::make_unique<worker>(&thread_loop, i);
        broken_ = false;
    }

    template <class F>
    static void call(void* function) {
        (*static_cast<F*>(function))();
    }
    void assign(void (*function)(void*), void* argument) {
        worker& next = *fibers_[++threads_];
        next.function = function;
        next.argument = argument;
        ended_ &= ~bit(threads_);
        slots_[threads_] = {};
        if (plan_.weak) memory_.start(threads_);
    }

    EXPLORE_UNWATCHED static constexpr std::uint32_t bit(unsigned fiber_number) noexcept { return 1U << fiber_number; }
    EXPLORE_UNWATCHED static unsigned nth(std::uint32_t mask, unsigned n) noexcept {
        for (; n != 0; --n) mask &= mask - 1;
        return static_cast<unsigned>(std::countr_zero(mask));
    }

    void guarded(void (*function)(void*), void* argument) {
        try {
            function(argument);
        } catch (const std::exception& error) {
            fail(std::string("exception: ") + error.what());
        } catch (...) {
            fail("exception of an unknown type");
        }
    }

public:
    /// The number of the running fiber, and whether the thread that a fiber ran has ended.
    unsigned running_fiber() const noexcept { return current_; }
    bool has_ended(unsigned fiber) const noexcept { return (ended_ & bit(fiber)) != 0; }

private:
    /// Ends the objects of the running thread, as the end of a real thread does.
    void thread_exit() {
        thread_slots& own = slots();
        own.ended = true;
        for (unsigned i = most_slots; i-- != 0;) {
            if (own.value[i] != nullptr && own.at_exit[i] != nullptr) own.at_exit[i](own.value[i]);
            own.value[i] = nullptr;
        }
    }

    static void main_loop(void*) {
        scheduler& s = instance();
        for (;;) {
            s.guarded(s.body_, s.context_);
            s.thread_exit();
            if (const arena::block* lost = arena::instance().leak()) {
                std::uint32_t number = 0;
                const arena::block* const same = arena::instance().find(arena::instance().at(lost->offset), number);
                s.fail("leak: block " + std::to_string(number) + " of " + std::to_string(same->bytes) +
                       " bytes was never freed");
            }
            while (s.process_wide_count_ != 0) {
                const process_object& last = s.process_wide_[--s.process_wide_count_];
                last.destroy(last.object);
            }
            fiber::change(s.fibers_[0]->stack, s.host_);
        }
    }

    static void thread_loop(void* self) {
        scheduler& s = instance();
        const worker& me = *static_cast<worker*>(self);
        for (;;) {
            s.fresh_ = true;
            s.guarded(me.function, me.argument);
            s.thread_exit();
            s.ready_ &= ~bit(me.number);
            s.ended_ |= bit(me.number);
            s.progress(); // a thread that waits for this one spins on something that it did
            s.count_step();
            if (s.plan_.trace) s.record(event::leave, nullptr, site::here());
            s.go_on();
        }
    }

    /// The running fiber cannot go on: picks another one.
    void go_on() {
        std::uint32_t others = ready_ & ~yielded_;
        if (others == 0) {
            if (ready_ == 0) {
                const std::uint32_t all = ((1U << threads_) - 1) << 1;
                if ((ended_ & all) != all) fail("deadlock: " + who_sleeps());
                switching_ = false;
                if (plan_.weak) memory_.join_all();
                resume(0);
                return;
            }
            others = new_round();
        }
        resume(nth(others, choose(others, false)));
    }

    /// Every thread that is not asleep spins: lets them all look once more, and not for ever.
    void all_spin() {
        const std::uint32_t others = new_round() & ~bit(current_);
        if (others != 0) resume(nth(others, choose(others, false)));
        fresh_ = true;
    }
    std::uint32_t new_round() {
        if (++idle_rounds_ > most_idle_rounds)
            fail("livelock: all threads that could run wait for each other; " + who_sleeps());
        yielded_ = 0;
        return ready_;
    }

    EXPLORE_UNWATCHED void progress() noexcept {
        yielded_ &= bit(current_);
        impatient_ &= bit(current_);
        idle_rounds_ = 0;
    }

    EXPLORE_UNWATCHED void count_step() {
        if (++step_ == most_steps) fail("livelock: an execution of " + std::to_string(most_steps) + " steps");
    }

    std::string who_sleeps() const {
        std::string text;
        for (unsigned i = 1; i <= threads_; ++i) {
            if ((ended_ & bit(i)) != 0) continue;
            text += text.empty() ? "" : ", ";
            text += thread_name(i);
            text += (ready_ & bit(i)) != 0 ? " spins" : " sleeps";
        }
        return text;
    }

    [[gnu::noinline]] EXPLORE_UNWATCHED void may_preempt() {
        count_step();
        if (std::exchange(fresh_, false)) return;
        const std::uint32_t others = ready_ & ~yielded_ & ~bit(current_);
        if (others == 0) return;
        const unsigned option = choose(others, true);
        if (option == 0) return;
        ++preemptions_;
        resume(nth(others, option - 1));
        fresh_ = false;
    }

    EXPLORE_UNWATCHED void resume(unsigned next) {
        if (next == current_) return;
        const unsigned last = std::exchange(current_, next);
        if (plan_.weak) look_from(next);
        fiber::change(fibers_[last]->stack, fibers_[next]->stack);
    }

    EXPLORE_UNWATCHED void look_from(unsigned next) noexcept {
        memory_.run(next);
        weak_now = next != 0;
        arena::instance().look_from(weak_now ? arena::viewpoint{&memory_.happened(), next} : arena::viewpoint{});
    }

    // ---- choices ----

    /// Options: the running thread first when this is a preemption (and it costs nothing to go on), then `others`
    /// in order, then `extra` ones.
    EXPLORE_UNWATCHED unsigned choose(std::uint32_t others, bool preemption, unsigned extra = 0) {
        if (plan_.how == strategy::pct) [[unlikely]]
            return by_priority(others, preemption);
        if (preemption) {
            if (plan_.how == strategy::depth_first) {
                if (position_ >= path_.size() && preemptions_ >= plan_.preemptions) return 0;
            } else if (plan_.how == strategy::random && chance_() % leaves_one_in() != 0) {
                return 0;
            }
        }
        return choose_plain(static_cast<unsigned>(std::popcount(others)) + (preemption ? 1 : 0) + extra);
    }

    /// By chance: a thread that could go on is left at one of so many events.
    EXPLORE_UNWATCHED unsigned leaves_one_in() noexcept {
        if (!plan_.steered) return 8;
        if (restless_ != current_ || restless_for_ == 0) return 256;
        --restless_for_;
        return 8;
    }

    EXPLORE_UNWATCHED unsigned choose_plain(unsigned count) {
        if (count <= 1) return 0;
        if (plan_.how == strategy::depth_first || plan_.how == strategy::replay) {
            if (position_ < path_.size()) {
                const choice& next = path_[position_];
                if (next.step != step_) {
                    if (next.step < step_) fail("the program is not the same in every execution");
                    return 0;
                }
                ++position_;
                if (next.taken >= count) fail("the schedule does not fit this program");
                if (plan_.how == strategy::depth_first && next.count != count)
                    fail("the program is not the same in every execution");
                return next.taken;
            }
            if (plan_.how == strategy::replay) return 0;
            ++position_;
            path_.push_back({step_, 0, static_cast<std::uint16_t>(count)});
            return 0;
        }
        return taken(static_cast<unsigned>(chance_() % count), count);
    }

    EXPLORE_UNWATCHED unsigned taken(unsigned option, unsigned count) {
        if (option != 0) path_.push_back({step_, static_cast<std::uint16_t>(option), static_cast<std::uint16_t>(count)});
        return option;
    }

    void prepare_chance() {
        path_.clear();
        chance_.seed(static_cast<std::minstd_rand::result_type>(plan_.seed * 2654435761U + 1));
        for (unsigned i = 0; i <= most_threads; ++i) {
            priority_[i] = static_cast<std::int32_t>(chance_() >> 1) | 0x1000; // above those given at the changes
        }
        for (auto& each : change_at_) each = static_cast<std::uint32_t>(chance_() % (plan_.length + 1));
    }

    unsigned by_priority(std::uint32_t others, bool preemption) {
        for (std::uint32_t i = 0; i != pct_changes; ++i) {
            if (change_at_[i] == step_) priority_[current_] = static_cast<std::int32_t>(i);
        }
        unsigned best = 0;
        std::int32_t highest = std::numeric_limits<std::int32_t>::min();
        unsigned option = 0;
        const auto consider = [&](unsigned candidate) {
            if (priority_[candidate] >= highest) {
                highest = priority_[candidate];
                best = option;
            }
            ++option;
        };
        if (preemption) consider(current_);
        for (std::uint32_t left = others; left != 0; left &= left - 1) {
            consider(static_cast<unsigned>(std::countr_zero(left)));
        }
        return taken(best, option);
    }

    // ---- the trace ----

    [[gnu::noinline]] void record(event what, const void* address, site where) {
        if (trace_.size() < trace_.capacity())
            trace_.push_back({step_, static_cast<std::uint8_t>(current_), what, where, address, 0, 0, 0});
    }
    void note(std::uint64_t before, std::uint64_t after, unsigned behind) noexcept {
        // The thread's own last event: others may have had theirs between its announcement and its effect.
        for (std::size_t i = trace_.size(); i-- != 0;) {
            if (trace_[i].fiber != current_) continue;
            traced mine = trace_[i];
            mine.before = before;
            mine.after = after;
            mine.behind = behind;
            trace_.erase(trace_.begin() + static_cast<std::ptrdiff_t>(i));
            trace_.push_back(mine); // in the order of the effects
            return;
        }
    }

    [[noreturn, gnu::noinline]] void fail_at(const char* wrong, event what, site where) {
        const arena::outside explorer;
        fail(std::string(wrong) + " by " + name_of(what) + " at " + where.file + ":" + std::to_string(where.line));
    }

    static inline scheduler* only_ = nullptr; // asked for at every event: without the guard of a local static

    bool one_bucket_ = false;
    plan plan_{};
    void (*body_)(void*) = nullptr;
    void* context_ = nullptr;

    fiber host_{};
    std::array<std::unique_ptr<worker>, most_threads + 1> fibers_{};
    bool broken_ = false;
    bool running_ = false;
    bool switching_ = false;

    bool fresh_ = false; ///< the running thread was chosen to go on, and has done nothing since: no need to choose again
    unsigned current_ = 0;
    unsigned threads_ = 0;
    std::uint32_t ready_ = 0;     ///< threads that could run
    std::uint32_t ended_ = 0;     ///< threads that have returned
    std::uint32_t yielded_ = 0;   ///< threads that spin, and nothing changed since they looked
    std::uint32_t impatient_ = 0; ///< threads that looked twice at the same memory
    std::uint32_t buffered_ = 0;  ///< threads that have stored since their last read-modify-write
    std::array<const void*, most_threads + 1> asleep_on_{};

    std::vector<choice> path_;
    std::size_t position_ = 0;
    std::uint32_t step_ = 0;
    unsigned preemptions_ = 0;
    unsigned stale_reads_ = 0;
    unsigned stale_one_in_ = 0; ///< 0: none does
    unsigned restless_ = 0; ///< the thread that was last at a place of interest, for so many of its events
    unsigned restless_for_ = 0;
    unsigned idle_rounds_ = 0;
    unsigned expired_deadlines_ = 0;

    weak_memory memory_{};

    std::minstd_rand chance_{};
    std::array<std::int32_t, most_threads + 1> priority_{};
    std::int32_t lowest_ = 0; ///< of the threads that have spun
    std::array<std::uint32_t, pct_changes> change_at_{};

    std::array<thread_slots, most_threads + 1> slots_{};
    unsigned slot_count_ = 0;
    std::array<process_object, 16> process_wide_{};
    unsigned process_wide_count_ = 0;

    std::optional<std::string> failure_{};
    std::vector<traced> trace_;
};

/// Runs the functions as threads of the explored program, and returns when all have ended.
template <class... F>
void parallel(F&&... functions) {
    scheduler::instance().parallel(functions...);
}

/// A check inside of an explored program.
inline void require(bool holds, const char* what) {
    if (!holds) scheduler::instance().fail(std::string("check failed: ") + what);
}

} // namespace explore
