// The thread records that no map has. The pool allocates them in slabs and never frees them, so the memory always holds thread
// records.
#pragma once

#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include <syncmap/engine/table/thread_record.hpp>

namespace syncmap::engine {

template <class Sync>
class [[gnu::visibility("default")]] thread_record_pool {
public:
    using thread_record_type = thread_record<Sync>;

    thread_record_pool() = default;
    thread_record_pool(const thread_record_pool&) = delete;
    thread_record_pool& operator=(const thread_record_pool&) = delete;
    ~thread_record_pool() {
        while (slabs_ != nullptr) delete std::exchange(slabs_, slabs_->older);
    }

    /// Returns a list of up to `wanted` thread records, at least one; `count` becomes their number. Throws `bad_alloc` if there
    /// is none, and no memory for more.
    [[gnu::cold, gnu::noinline]] thread_record_type* take(std::uint32_t wanted, std::uint32_t& count) {
        const std::lock_guard<typename Sync::mutex> guard(mutex_);
        if (free_ == nullptr) add_slab();
        thread_record_type* const first = free_;
        thread_record_type* last = first;
        for (count = 1; count != wanted && last->next != nullptr; ++count) last = last->next;
        free_ = std::exchange(last->next, nullptr);
        return first;
    }
    [[gnu::cold, gnu::noinline]] void put(thread_record_type& s) noexcept {
        const std::lock_guard<typename Sync::mutex> guard(mutex_);
        s.next = std::exchange(free_, &s);
    }

    /// Called in the child of a fork: a lost thread may have had the mutex. The list is complete at every instant.
    void renew() noexcept { ::new (static_cast<void*>(&mutex_)) typename Sync::mutex; }

private:
    struct slab {
        thread_record_type thread_records[Sync::thread_records_per_slab];
        slab* older = nullptr;
    };

    void add_slab() {
        auto* const fresh = new slab;
        fresh->older = std::exchange(slabs_, fresh);
        for (thread_record_type& s : fresh->thread_records) s.next = std::exchange(free_, &s);
    }

    typename Sync::mutex mutex_;
    thread_record_type* free_ = nullptr;
    slab* slabs_ = nullptr;
};

} // namespace syncmap::engine
