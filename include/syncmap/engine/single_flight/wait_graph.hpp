// Which thread waits for which flight, to find a cycle of waiting threads.
//
// Only a thread that owns a key can be part of a cycle. Under the lock, such a thread first follows the edges of others from
// the owner of the flight that it will wait for. Then it publishes an *edge*: itself -> that flight. Of the threads of a cycle
// the last one that takes the lock sees all other edges. It sees all owners as well: an owner leaves a flight only while it
// runs, so what a thread owns does not change while it waits. That last thread throws, and no other one. An edge lies in the
// list for as long as its thread waits, so the edges that a thread follows exist at one instant.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>

#include <syncmap/engine/single_flight/flight_table.hpp>

namespace syncmap::engine {

template <class Sync>
class [[gnu::visibility("default")]] wait_graph {
    using flight = engine::flight<Sync>;
    using waiter = flight_waiter<Sync>;
    using mutex = typename Sync::mutex;

public:
    /// Adds the edge from the waiter's thread to `f`. Returns false, and adds none, if it would close a cycle.
    [[gnu::cold, gnu::noinline]] bool add_edge(waiter& me, const flight& f) {
        const std::lock_guard<mutex> waits(lock);
        if (closes_cycle(f, me.of.thread_)) return false;
        me.target = &f;
        waiter*& first = edges_of(me.of.thread_);
        me.next_edge = first;
        first = &me;
        return true;
    }
    [[gnu::cold, gnu::noinline]] void remove_edge(waiter& me) {
        const std::lock_guard<mutex> waits(lock);
        waiter** link = &edges_of(me.of.thread_);
        while (*link != &me) link = &(*link)->next_edge;
        *link = me.next_edge;
    }

    /// Called in the child of a fork, in which no other thread waits.
    void renew() noexcept {
        ::new (static_cast<void*>(&lock)) mutex;
        for (auto& first : edges_) first = nullptr;
    }

    mutex lock{};

private:
    static constexpr std::size_t edge_chains = 64;

    waiter*& edges_of(const void* thread) noexcept { return edges_[flight_table<Sync>::number_of(thread) % edge_chains]; }

    /// Follows one chain, since a thread waits for one flight at most. The waiter's reference keeps each flight in it.
    [[gnu::cold]] bool closes_cycle(const flight& f, const void* me) noexcept {
        // relaxed: a thread with an edge became the owner of what it owns before it took the lock for that edge.
        for (const void* thread = f.owner.load(std::memory_order_relaxed); thread != nullptr;) {
            if (thread == me) return true;
            const waiter* edge = edges_of(thread);
            while (edge != nullptr && edge->of.thread_ != thread) edge = edge->next_edge;
            if (edge == nullptr) return false;
            const void* const next = edge->target->owner.load(std::memory_order_relaxed);
            if (next == thread) return false; // the thread was handed the key, and has not woken up
            thread = next;
        }
        return false;
    }

    waiter* edges_[edge_chains] = {};
};

} // namespace syncmap::engine
