// Explores a program: every schedule within a bound, then random ones, and prints the first that fails.
//
//     explore::explore("two increments", {.preemptions = 2}, [] { ...set up, parallel(...), check... });
//
// One failing schedule alone, with every event: SYNCMAP_REPLAY='<program>@<schedule>' <test program>.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <explore/scheduler.hpp>
#include <explore/trace.hpp>

namespace explore {

struct limits {
    unsigned preemptions = 2;            ///< depth first, with 0, 1, ... up to this many
    std::uint64_t schedules = 1'000'000; ///< the most to try depth first
    std::uint64_t random = 0;            ///< schedules by chance, and as many with random priorities
    reuse memory = reuse::never;
    std::uint64_t seed = 1;
    bool weak = false;        ///< memory as C++ allows it to be (weak_memory.hpp), not sequentially consistent
    unsigned stale_reads = 1; ///< so many loads of an execution may return an older store; by chance, a few more
    bool steered = false;      ///< every other schedule by chance is about what follows scheduler::attend
    bool ordered_calls = true; ///< weak, calls of a map: see journal::order_calls
};

struct report {
    std::string program;
    std::uint64_t schedules = 0;
    bool exhausted = false; ///< every schedule within the bound was tried
    double seconds = 0;
    std::string schedule{};    ///< of the failure
    std::string failure{};     ///< empty: none
    std::string description{}; ///< of the failure: what, how to repeat it, what happened

    bool failed() const noexcept { return !failure.empty(); }
};

namespace detail {

struct replay_request {
    std::string program;
    std::string schedule;
};

inline const std::optional<replay_request>& requested_replay() {
    static const std::optional<replay_request> request = []() -> std::optional<replay_request> {
        const char* const text = std::getenv("SYNCMAP_REPLAY");
        if (text == nullptr) return std::nullopt;
        const std::string_view all = text;
        const std::size_t at = all.rfind('@');
        if (at == std::string_view::npos) return replay_request{std::string(all), "plain"};
        return replay_request{std::string(all.substr(0, at)), std::string(all.substr(at + 1))};
    }();
    return request;
}

/// Searches with one program. `Body` runs as the main thread of every execution; `Verdict` afterwards, outside of
/// it, says what is wrong with what it left behind (nothing when empty).
template <class Body, class Verdict>
class search {
public:
    search(std::string program, const limits& bounds, Body& body, Verdict& verdict)
        : bounds_(bounds), body_(body), verdict_(verdict) {
        result_.program = std::move(program);
    }

    report run() {
        const auto start = std::chrono::steady_clock::now();
        if (const auto& request = requested_replay()) {
            if (request->program == result_.program) replay(request->schedule);
        } else {
            if (depth_first()) by_chance();
        }
        result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        return std::move(result_);
    }

private:
    scheduler& scheduler_ = scheduler::instance();

    /// True when nothing failed.
    bool once(const scheduler::plan& how) {
        ++result_.schedules;
        const bool complete = scheduler_.run(how, body_);
        failure_ = complete ? verdict_() : scheduler_.failure();
        if (scheduler_.steps() > longest_) longest_ = scheduler_.steps();
        return failure_.empty();
    }

    bool depth_first() {
        for (unsigned bound = 0; bound <= bounds_.preemptions; ++bound) {
            scheduler_.begin_search();
            do {
                if (result_.schedules == bounds_.schedules) return true;
                if (!once({.how = strategy::depth_first,
                           .preemptions = bound,
                           .memory = bounds_.memory,
                           .weak = bounds_.weak,
                           .stale_reads = bounds_.stale_reads}))
                    return report_failure();
            } while (scheduler_.advance());
        }
        result_.exhausted = true;
        return true;
    }

    void by_chance() {
        // Where many loads could return an older store, a high rate spends all that may on the first of them.
        static constexpr unsigned rates[] = {4, 16, 64};
        for (std::uint64_t i = 0; i != bounds_.random; ++i) {
            // Every other one is about what follows `attend`, of those every other one alone.
            const bool steered = bounds_.steered && i % 2 != 0;
            for (const strategy how : {strategy::random, strategy::pct}) {
                if (!once({.how = how,
                           .memory = bounds_.memory,
                           .seed = bounds_.seed + i,
                           .length = longest_,
                           .weak = bounds_.weak,
                           .stale_reads = 3 * bounds_.stale_reads,
                           .stale_one_in = steered && i % 4 == 1 ? 0 : rates[i % 3],
                           .steered = steered})) {
                    report_failure();
                    return;
                }
            }
        }
    }

    bool report_failure() {
        result_.failure = failure_;
        result_.schedule = to_text(scheduler_.path());
        repeat();
        return false;
    }

    void replay(const std::string& schedule) {
        result_.schedule = schedule;
        repeat();
        result_.failure = failure_;
        std::printf("%s\n", result_.failed() ? result_.description.c_str() : picture_of(scheduler_.trace()).c_str());
    }

    /// Runs the schedule once more and describes it.
    void repeat() {
        scheduler_.follow(from_text(result_.schedule));
        const std::string first = failure_;
        once({.how = strategy::replay, .memory = bounds_.memory, .trace = true, .weak = bounds_.weak, .stale_reads = ~0U});
        result_.description = result_.program + ": " + failure_ + "\n  repeat: SYNCMAP_REPLAY='" + result_.program + "@" +
                              result_.schedule + "'\n" + picture_of(scheduler_.trace());
        if (failure_ != first && !first.empty()) result_.description += "  (not the same when repeated: " + first + ")\n";
    }

    limits bounds_;
    Body& body_;
    Verdict& verdict_;
    report result_{};
    std::string failure_{};
    std::uint32_t longest_ = 0;
};

} // namespace detail

template <class Body, class Verdict>
report explore(std::string program, const limits& bounds, Body&& body, Verdict&& verdict) {
    return detail::search(std::move(program), bounds, body, verdict).run();
}

template <class Body>
report explore(std::string program, const limits& bounds, Body&& body) {
    const auto content = [] { return std::string(); };
    return detail::search(std::move(program), bounds, body, content).run();
}

} // namespace explore
