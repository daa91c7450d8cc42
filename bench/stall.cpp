#include "stall.hpp"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

#include "rounds.hpp"
#include "sandbox.hpp"

namespace syncmap::bench {
namespace {

struct longest {
    std::int64_t wall = 0;
    std::int64_t work = 0;
};

std::int64_t nanoseconds(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

template <class Key>
longest insert_all(session<Key>& session, const initial_share& share) {
    longest found;
    request_stream<Key> one;
    one.actions.push_back(action::insert);
    one.keys.resize(1);
    for (std::uint64_t index = share.first; index < share.end; index += share.step) {
        one.keys[0] = payload<Key>::key(index);
        const request_view<Key> request = one.view(0, 1);
        const std::int64_t work = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
        const std::int64_t wall = nanoseconds(CLOCK_MONOTONIC);
        session.execute(request);
        found.wall = std::max(found.wall, nanoseconds(CLOCK_MONOTONIC) - wall);
        found.work = std::max(found.work, nanoseconds(CLOCK_THREAD_CPUTIME_ID) - work);
    }
    return found;
}

template <class Key>
longest grow(const candidate& map, const cell& cell, bool pin) {
    const auto subject = map.make<Key>();
    std::vector<longest> of_threads(cell.threads);
    run_team(cell.threads, pin, [&](unsigned thread) {
        of_threads[thread] = insert_all<Key>(*subject->enter(), {thread, cell.keys, cell.threads});
    });
    longest all;
    for (const longest& one : of_threads) all = {std::max(all.wall, one.wall), std::max(all.work, one.work)};
    return all;
}

} // namespace

stall_result measure_stall(const candidate& map, const cell& cell, bool pin) {
    const sandbox_result ended = run_apart([&] {
        promise_to_return_within(60 + 20e-6 * static_cast<double>(cell.keys));
        byte_writer out;
        out.put(cell.kind == key_kind::integer ? grow<std::uint64_t>(map, cell, pin) : grow<std::string>(map, cell, pin));
        return out.take();
    });
    if (!ended.failure.empty()) return {ended.failure};
    const auto found = byte_reader(ended.answer).get<longest>();
    return {{}, static_cast<double>(found.wall) * 1e-6, static_cast<double>(found.work) * 1e-6};
}

} // namespace syncmap::bench
