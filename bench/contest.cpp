#include "contest.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <random>
#include <string>

#include <sys/mman.h>

#include "foreign_load.hpp"
#include "rounds.hpp"
#include "sandbox.hpp"

namespace syncmap::bench {
namespace {

constexpr double shortest_round = 0.01;
constexpr double patience = 60; ///< seconds beyond the plan before a map counts as hanging

template <class Key>
class contest {
public:
    /// `turn(i, share, limit)` is called when map `i` is about to work; it has to be done within `limit` seconds.
    using turn_report = std::function<void(std::size_t i, double share, double limit)>;

    contest(const cell& cell, const std::vector<const candidate*>& maps, const plan& plan, const turn_report& turn)
        : cell_(cell), plan_(plan), turn_(turn), streams_(make_all_requests<Key>(cell, plan.seed)), random_(plan.seed) {
        result_.what = cell;
        for (const candidate* const map : maps) {
            contestants_.emplace_back(*map, cell, streams_, plan.pin);
            result_.maps.push_back({map});
        }
    }

    cell_result run() {
        if (!cell_.what->single_pass()) {
            for (std::size_t i = 0; i < contestants_.size(); ++i) fill(i);
        }
        const double planned = plan_.seconds - seconds(monotonic::now() - begin_).count();
        const auto passes = static_cast<double>(contestants_.size() * (plan_.rounds + 1));
        const double share = planned / passes / (cell_.what->single_pass() ? 1.5 : 1.1);
        result_.round_seconds = plan_.round_seconds.value_or(std::max(shortest_round, share));
        for (unsigned round = 0; round < plan_.rounds; ++round) {
            for (const std::size_t i : shuffled()) throughput(i);
        }
        for (const std::size_t i : shuffled()) latency(i);
        result_.foreign_load = others_.share();
        return std::move(result_);
    }

private:
    std::vector<std::size_t> shuffled() {
        std::vector<std::size_t> order(contestants_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::shuffle(order, random_);
        return order;
    }

    void begin_turn(std::size_t i) {
        const double filling = static_cast<double>(cell_.keys) * 1e-5;
        const double share = static_cast<double>(passes_) / static_cast<double>(contestants_.size() * (plan_.rounds + 1));
        turn_(i, share, 10 * result_.round_seconds + filling + patience);
    }

    void fill(std::size_t i) {
        begin_turn(i);
        result_.maps[i].wrong += contestants_[i].fill();
    }

    void throughput(std::size_t i) {
        begin_turn(i);
        const round_result round = cell_.what->single_pass() ? repeated_passes(i) : steady_round(i, nullptr);
        const double unit = cell_.what->counts_entries() ? static_cast<double>(cell_.keys) : 1;
        result_.maps[i].rates.push_back(unit * static_cast<double>(round.counted.done) / round.elapsed);
        conclude(i, round);
    }

    void latency(std::size_t i) {
        begin_turn(i);
        std::vector<histogram> latencies(cell_.threads);
        if (cell_.what->single_pass()) {
            conclude(i, one_pass(i, &latencies));
        } else {
            conclude(i, steady_round(i, &latencies));
        }
        for (const histogram& h : latencies) result_.maps[i].latencies.merge(h);
    }

    /// Longer than planned if other programs did not let the threads run: a rate of nothing would say nothing.
    round_result steady_round(std::size_t i, std::vector<histogram>* latencies) {
        round_result round = contestants_[i].run_for(round_length(), latencies);
        for (seconds longer = 2 * round_length(); round.counted.done == 0; longer *= 2) {
            round = contestants_[i].run_for(longer, latencies);
        }
        return round;
    }

    round_result one_pass(std::size_t i, std::vector<histogram>* latencies) {
        result_.maps[i].wrong += contestants_[i].fill();
        const round_result pass = contestants_[i].run_once(latencies);
        contestants_[i].drop();
        return pass;
    }

    /// New maps, one after the other, until the round's time is used up; only the requests are timed.
    round_result repeated_passes(std::size_t i) {
        round_result all;
        const auto begin = monotonic::now();
        do {
            const round_result pass = one_pass(i, nullptr);
            all.counted += pass.counted;
            all.elapsed += pass.elapsed;
        } while (monotonic::now() - begin < round_length());
        return all;
    }

    void conclude(std::size_t i, const round_result& round) {
        const bool misses_wanted = cell_.what->keys == choice::absent;
        result_.maps[i].wrong += misses_wanted ? round.counted.done - round.counted.missed : round.counted.missed;
        ++passes_;
    }

    seconds round_length() const { return seconds(result_.round_seconds); }

    foreign_load others_{};
    const cell& cell_;
    const plan& plan_;
    const turn_report& turn_;
    monotonic::time_point begin_ = monotonic::now();
    std::vector<request_stream<Key>> streams_;
    std::mt19937_64 random_;
    std::vector<contestant<Key>> contestants_{};
    cell_result result_{};
    std::size_t passes_ = 0;
};

/// Memory that a child process shares with its parent, for what the parent must know when the child dies.
template <class T>
class shared_with_child {
public:
    shared_with_child() : value_(mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        if (value_ == MAP_FAILED) throw std::bad_alloc();
        new (value_) T{};
    }
    ~shared_with_child() { munmap(value_, sizeof(T)); }
    shared_with_child(const shared_with_child&) = delete;
    shared_with_child& operator=(const shared_with_child&) = delete;

    T& operator*() const noexcept { return *static_cast<T*>(value_); }

private:
    void* value_;
};

bytes pack(const cell_result& result) {
    byte_writer out;
    out.put(result.round_seconds);
    out.put(result.foreign_load);
    for (const candidate_result& map : result.maps) {
        for (const double rate : map.rates) out.put(rate);
        out.put(map.latencies);
        out.put(map.wrong);
    }
    return out.take();
}

cell_result unpack(const bytes& answer, const cell& cell, const std::vector<const candidate*>& maps, const plan& plan) {
    byte_reader in(answer);
    cell_result result{cell};
    result.round_seconds = in.get<double>();
    result.foreign_load = in.get<std::optional<double>>();
    for (const candidate* const map : maps) {
        candidate_result& r = result.maps.emplace_back(candidate_result{map});
        for (unsigned round = 0; round < plan.rounds; ++round) r.rates.push_back(in.get<double>());
        r.latencies = in.get<histogram>();
        r.wrong = in.get<std::uint64_t>();
    }
    return result;
}

} // namespace

cell_result run_contest(const cell& cell, std::vector<const candidate*> maps, const plan& plan, const progress_report& report) {
    const shared_with_child<std::atomic<std::size_t>> at_work;
    std::vector<left_out> absent;
    while (!maps.empty()) {
        const auto turn = [&](std::size_t i, double share, double limit) {
            (*at_work).store(i);
            promise_to_return_within(limit);
            report(share, maps[i]->name);
        };
        const sandbox_result ended = run_apart([&] {
            if (cell.kind == key_kind::integer) return pack(contest<std::uint64_t>(cell, maps, plan, turn).run());
            return pack(contest<std::string>(cell, maps, plan, turn).run());
        });
        if (ended.failure.empty()) {
            cell_result result = unpack(ended.answer, cell, maps, plan);
            result.absent = std::move(absent);
            return result;
        }
        const auto failed = maps.begin() + static_cast<std::ptrdiff_t>((*at_work).load());
        absent.push_back({*failed, ended.failure});
        maps.erase(failed);
    }
    cell_result nothing{cell};
    nothing.absent = std::move(absent);
    return nothing;
}

double contest_bytes(const cell& cell, std::size_t maps) {
    const double entry = cell.kind == key_kind::integer ? 130 : 330; // while growing, of all maps on average
    const double alive = cell.what->single_pass() ? 1 : static_cast<double>(maps);
    return static_cast<double>(cell.keys) * entry * alive + static_cast<double>(request_bytes(cell));
}

} // namespace syncmap::bench
