// Records what real threads ask a map, at full speed.
//
//     recorder recording(map, codec, keys, threads, calls of each thread);
//     each thread:  auto mine = recording.of_thread(n);  mine.ask({.what = verb::store, .key = 3, .argument = 17});
//     history all = recording.take();     // when the threads have ended
//
// Each thread writes to memory of its own that was made, and touched, before: a cache line for each call. What was in
// the map before and after is looked up while no other thread uses it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "linearizability/call.hpp"
#include "linearizability/clock.hpp"
#include "linearizability/history.hpp"
#include "linearizability/perform.hpp"

namespace linearizability {

template <syncmap::comparable_value_map Map, codec_of<Map> Codec>
class recorder {
    struct log {
        std::vector<map_call> calls;
        std::vector<std::vector<held>> contents;
        std::size_t used = 0;
        std::uint64_t last_end = 0;
    };

public:
    /// Keys 0 to `keys - 1` are recorded; what others the map has counts as nothing.
    recorder(Map& map, Codec codec, std::size_t keys, std::size_t threads, std::size_t calls)
        : map_(map), codec_(std::move(codec)), keys_(keys), logs_(threads) {
        for (log& each : logs_) each.calls.resize(calls);
        restart();
    }

    /// The calls of one thread.
    class actor {
    public:
        bool is_full() const noexcept { return log_->used == log_->calls.size(); }

        const map_call& ask(map_call call) {
            call.thread = thread_;
            if (call.what == verb::snapshot) {
                if constexpr (can_perform<Map>(verb::snapshot)) take_snapshot(call);
            } else {
                perform(owner_->map_, owner_->codec_, owner_->clock_, call);
            }
            // The start may have been read while the end of the call before was: not before it, seen from this thread.
            call.invoked = std::max(call.invoked, log_->last_end);
            log_->last_end = call.responded;
            return log_->calls[log_->used++] = call;
        }

    private:
        friend recorder;
        actor(recorder& owner, std::size_t thread)
            : owner_(&owner), log_(&owner.logs_[thread]), thread_(static_cast<std::uint8_t>(thread + 1)) {}

        void take_snapshot(map_call& call) {
            call.invoked = owner_->clock_.start();
            const auto taken = owner_->map_.snapshot();
            call.responded = owner_->clock_.end();
            auto& shown = log_->contents.emplace_back(owner_->keys_);
            taken.for_each([&](const auto& key, const auto& value) { owner_->note(shown, key, value); });
            call.argument = log_->contents.size() - 1;
            call.count = taken.size();
        }

        recorder* owner_;
        log* log_;
        std::uint8_t thread_;
    };

    actor of_thread(std::size_t number) { return actor(*this, number); }

    /// All that was recorded; then the recorder is ready for more.
    history take() {
        history all;
        all.initial = std::move(initial_);
        std::vector<std::span<map_call>> heads;
        std::size_t count = 0;
        for (log& each : logs_) {
            for (std::size_t i = 0; i != each.used; ++i) {
                if (each.calls[i].what == verb::snapshot) each.calls[i].argument += all.contents.size();
            }
            std::move(each.contents.begin(), each.contents.end(), std::back_inserter(all.contents));
            each.contents.clear();
            heads.push_back(std::span(each.calls).first(each.used));
            count += each.used;
        }
        all.calls.reserve(count);
        while (all.calls.size() != count) { // each thread's calls are in order: they are merged
            std::span<map_call>* first = nullptr;
            for (auto& each : heads) {
                if (!each.empty() && (first == nullptr || each.front().invoked < first->front().invoked)) first = &each;
            }
            all.calls.push_back(first->front());
            *first = first->subspan(1);
        }
        restart();
        all.final_contents = initial_;
        return all;
    }

    /// Looks again at what the map holds, after it was changed without being recorded.
    void restart() {
        for (log& each : logs_) {
            each.used = 0;
            each.last_end = 0;
        }
        initial_.assign(keys_, held());
        map_.for_each([&](const auto& key, const auto& value) { note(initial_, key, value); });
    }

    const Codec& codec() const noexcept { return codec_; }
    const std::vector<held>& at_start() const noexcept { return initial_; }

private:
    void note(std::vector<held>& shown, const auto& key, const auto& value) const {
        const std::uint64_t number = codec_.number_of_key(key);
        if (number < keys_) shown[number] = codec_.number_of_value(value);
    }

    Map& map_;
    Codec codec_;
    std::size_t keys_;
    common_clock clock_;
    std::vector<log> logs_;
    std::vector<held> initial_;
};

} // namespace linearizability
