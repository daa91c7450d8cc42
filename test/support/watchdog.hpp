// Turns a deadlock into a failure with a name.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "support/scale.hpp"

namespace test {

/// Ends the program, naming what hung, unless it is destroyed in time. The time is generous: it must only be
/// shorter than "for ever". A full run, which does more, has more of it.
class watchdog {
public:
    explicit watchdog(std::string what, std::chrono::seconds patience = std::chrono::seconds(60))
        : thread_([this, what = std::move(what), patience] {
              std::unique_lock lock(mutex_);
              if (ended_.wait_for(lock, patience * (is_full_run() ? full_run / 2 : 1), [this] { return done_; })) return;
              std::fprintf(stderr, "watchdog: no end in sight: %s\n", what.c_str());
              std::abort();
          }) {}
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog() {
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
        }
        ended_.notify_one();
        thread_.join();
    }

private:
    std::mutex mutex_;
    std::condition_variable ended_;
    bool done_ = false;
    std::thread thread_; // last: it uses the others
};

} // namespace test
