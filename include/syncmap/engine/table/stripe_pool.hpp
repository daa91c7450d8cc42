// The stripes that no map has. Their memory stays stripes for good: it is taken in slabs, and never given back.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include <syncmap/engine/table/stripe.hpp>

namespace syncmap::engine {

template <class Sync>
class [[gnu::visibility("default")]] stripe_pool {
public:
    using stripe_type = stripe<Sync>;

    stripe_pool() = default;
    stripe_pool(const stripe_pool&) = delete;
    stripe_pool& operator=(const stripe_pool&) = delete;
    ~stripe_pool() {
        while (slabs_ != nullptr) delete std::exchange(slabs_, slabs_->older);
    }

    /// A list of up to `wanted` stripes, at least one; `count` becomes their number. Throws `bad_alloc` when there is none and
    /// no memory for more.
    [[gnu::cold, gnu::noinline]] stripe_type* take(std::uint32_t wanted, std::uint32_t& count) {
        const std::lock_guard<typename Sync::mutex> guard(mutex_);
        if (free_ == nullptr) add_slab();
        stripe_type* const first = free_;
        stripe_type* last = first;
        for (count = 1; count != wanted && last->next != nullptr; ++count) last = last->next;
        free_ = std::exchange(last->next, nullptr);
        return first;
    }
    [[gnu::cold, gnu::noinline]] void put(stripe_type& s) noexcept {
        const std::lock_guard<typename Sync::mutex> guard(mutex_);
        s.next = std::exchange(free_, &s);
    }

    /// In the child of a fork: a lost thread may have had the mutex. The list is whole at every instant.
    void renew() noexcept { ::new (static_cast<void*>(&mutex_)) typename Sync::mutex; }

private:
    struct slab {
        std::array<stripe_type, Sync::stripes_per_slab> stripes;
        slab* older = nullptr;
    };

    void add_slab() {
        auto* const fresh = new slab;
        fresh->older = std::exchange(slabs_, fresh);
        for (stripe_type& s : fresh->stripes) s.next = std::exchange(free_, &s);
    }

    typename Sync::mutex mutex_;
    stripe_type* free_ = nullptr;
    slab* slabs_ = nullptr;
};

} // namespace syncmap::engine
