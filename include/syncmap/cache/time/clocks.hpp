// The clocks by which a cache measures lifetimes. Every clock of `<chrono>` is one, too.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>

#include <syncmap/sync/coarse_time.hpp>

namespace syncmap {

/// A cache has a copy of its clock, and reads it from many threads at once. `std::chrono::steady_clock` is a model.
template <class C>
concept cache_clock = std::copy_constructible<C> && std::default_initializable<C> && requires(const C& clock) {
    std::chrono::duration_cast<std::chrono::nanoseconds>(clock.now().time_since_epoch());
};

/// The default: monotonic, a few nanoseconds a call, up to 4 ms late on Linux.
struct coarse_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<coarse_clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept { return time_point(duration(sync::coarse_time())); }
};

/// A clock for tests: its time is what it was told last. Copies share the time, so a test keeps one, and gives the cache
/// another. Any number of threads may use it at once.
class manual_clock {
public:
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<manual_clock>;
    static constexpr bool is_steady = false;

    /// A clock of its own, at zero.
    manual_clock() : time_(std::make_shared<std::atomic<rep>>(0)) {}

    time_point now() const noexcept { return time_point(duration(time_->load(std::memory_order_acquire))); }
    /// Moves the time; a negative duration moves it back.
    void advance(duration by) noexcept { time_->fetch_add(by.count(), std::memory_order_acq_rel); }
    void set(time_point to) noexcept { time_->store(to.time_since_epoch().count(), std::memory_order_release); }

private:
    std::shared_ptr<std::atomic<rep>> time_;
};

} // namespace syncmap
