// The parts of single flight: a claim, a waiter, and a flight, which is one key that threads own or wait for.
//
// | what            | lies                           | written                                          |
// |-----------------|--------------------------------|--------------------------------------------------|
// | `flight_claim`  | on the stack of its thread     | by its thread; `flight` under the shard's lock   |
// | `flight_waiter` | on the stack of its thread     | under the shard's lock; its edge: wait_graph.hpp |
// | `flight`        | in a chain of flight_table.hpp | under the shard's lock                           |
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <utility>

namespace syncmap::engine {

/// Room in a flight for a copy of a key; a larger one goes to the heap.
struct key_room {
    static constexpr std::size_t bytes = 48;
    alignas(std::max_align_t) std::byte place[bytes];
    void* copy = nullptr;
    void (*destroy)(key_room&) noexcept = nullptr;

    /// Makes a `Copy` from `arguments`, and returns its address.
    template <class Copy, class... Arguments>
    Copy* emplace(Arguments&&... arguments) {
        constexpr bool fits = sizeof(Copy) <= bytes && alignof(Copy) <= alignof(std::max_align_t);
        Copy* made = nullptr;
        if constexpr (fits) {
            made = ::new (static_cast<void*>(place)) Copy(std::forward<Arguments>(arguments)...);
        } else {
            made = new Copy(std::forward<Arguments>(arguments)...);
        }
        copy = made;
        destroy = [](key_room& room) noexcept {
            auto* const object = static_cast<Copy*>(room.copy);
            if constexpr (fits) {
                object->~Copy();
            } else {
                delete object;
            }
        };
        return made;
    }
    void clear() noexcept {
        if (destroy != nullptr) std::exchange(destroy, nullptr)(*this);
    }
};

/// How keys of one type of map are compared; one constant for each type.
struct flight_key {
    bool (*same)(const void* map, const void* mine, const void* other);
    /// Copies a key into the room, and returns what `same` takes as `other`. Null: equality calls no user code.
    const void* (*copy)(const void* map, const void* key, key_room& room);
    /// Null, or called when another claim takes a flight that has a copy: what the copy says of its owner becomes that one's.
    void (*taken)(void* copy, const void* key) noexcept = nullptr;
};

template <class Sync>
struct flight;

/// A thread's claim to one key. It lies on the thread's stack; `enter` makes it the owner, `leave` ends that.
template <class Sync>
class [[gnu::visibility("default")]] flight_claim {
public:
    flight_claim(const void* map, std::uint64_t hash, const void* key, const flight_key& kind) noexcept
        : map_(map), hash_(hash), key_(key), kind_(kind) {}
    flight_claim(const flight_claim&) = delete;
    flight_claim& operator=(const flight_claim&) = delete;

    bool owns() const noexcept { return flight_ != nullptr; }
    /// Gives `failure` to the waiters that share this computation, when the claim ends.
    void fail(std::exception_ptr failure) noexcept { failure_ = std::move(failure); }

    /// The waiters that share this computation get more than its end: `give(result, theirs)` fills the `result` of each,
    /// under the shard's lock. For those that have a `result`.
    void (*give)(const void* result, void* theirs) noexcept = nullptr;
    void* result = nullptr;

    /// The counter by which writers notice the owner's computation. The owner alone writes the pointer.
    typename Sync::template atomic<std::uint32_t>* computing = nullptr;

private:
    template <class>
    friend class single_flight;
    template <class>
    friend class flight_table;
    template <class>
    friend class wait_graph;
    template <class>
    friend struct flight;

    const void* const map_;
    const std::uint64_t hash_;
    const void* const key_;
    const flight_key& kind_;
    const void* const thread_ = Sync::this_thread();
    flight<Sync>* flight_ = nullptr;
    std::exception_ptr failure_{};
};

/// A thread that waits. It lies on the thread's stack, and in a queue under the shard's lock.
template <class Sync>
struct flight_waiter {
    enum class state : unsigned char { asleep, called, owner, ended };
    flight_claim<Sync>& of;
    const bool shares;
    state is = state::asleep;
    unsigned losses = 0;
    std::uint64_t turn = 0;
    flight_waiter* next = nullptr;
    std::exception_ptr outcome{};
    typename Sync::condition signal{};
    // ---- its edge; see wait_graph.hpp ----
    const flight<Sync>* target = nullptr;
    flight_waiter* next_edge = nullptr;
};

template <class Sync>
struct flight {
    using claim = flight_claim<Sync>;
    using waiter = flight_waiter<Sync>;

    /// First come, first called.
    struct queue {
        waiter* first = nullptr;
        waiter* last = nullptr;

        void add(waiter& s) noexcept {
            (first == nullptr ? first : last->next) = &s;
            last = &s;
        }
        void remove_first() noexcept { first = first->next; }
        /// Returns false if it is not there.
        bool remove(const waiter& s) noexcept {
            waiter* before = nullptr;
            for (waiter* at = first; at != nullptr; before = std::exchange(at, at->next)) {
                if (at != &s) continue;
                (before == nullptr ? first : before->next) = at->next;
                if (last == at) last = before;
                return true;
            }
            return false;
        }
    };

    const void* map = nullptr;
    std::uint64_t hash = 0;
    const void* key = nullptr; ///< null: no thread looks for it any more; those that still have it leave it
    flight* next = nullptr; ///< in its chain, or in the list of spare flights
    std::uint32_t references = 0;
    bool shared = false; ///< the owner's waiters share its outcome
    typename Sync::template atomic<const void*> owner{nullptr}; ///< a thread; written under the shard's lock
    claim* owned_by = nullptr;
    queue owners{}; ///< those that want to own the key
    queue sharers{}; ///< those that want its value
    waiter* called = nullptr; ///< the first of one of the queues; it is woken and will run
    std::uint64_t turns = 0;
    key_room room{};

    /// Makes the claim's thread the owner. Its reference becomes the owner's.
    void take(claim& of, bool shares) noexcept {
        owner.store(of.thread_, std::memory_order_relaxed);
        owned_by = &of;
        shared = shares;
        if (of.kind_.copy == nullptr) {
            key = of.key_;
        } else if (of.kind_.taken != nullptr) {
            of.kind_.taken(room.copy, of.key_);
        }
        of.flight_ = this;
    }

    /// Returns the queue whose first waiter came first, or null if both are empty.
    queue* next_queue() noexcept {
        if (owners.first == nullptr) return sharers.first == nullptr ? nullptr : &sharers;
        if (sharers.first == nullptr) return &owners;
        return owners.first->turn < sharers.first->turn ? &owners : &sharers;
    }
};

} // namespace syncmap::engine
