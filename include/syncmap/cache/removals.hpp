// Removals: why an entry left a cache, and how its listener is told of it (docs/cache.md, Listeners).
//
// The thread that takes an entry out of the table owns its node from then on. It keeps the node in a list of its own while it
// works in the cache. At the end of its operation it has nothing locked, no permit in hand, and no key that it loads or
// updates. Then it calls the listener for each node of the list, and retires the node [LI1].
//
// A cache without a listener retires each node at once, and has no list. With a listener in order the list is shared by the
// threads (removal_order.hpp).
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/cache/removal_order.hpp>

namespace syncmap {

/// Why an entry left a cache.
enum class removal : unsigned char { // removal_order.hpp and bound.hpp have three bits for it
    size,       ///< evicted: the cache was full
    erased, ///< by `invalidate`, `take` or `update` of its key, a put that was refused, or a load that found nothing to keep
    replaced, ///< its key has another value now
    invalidated, ///< by `invalidate_all`, expired or not; by `invalidate_if`; by `invalidate_tag`, once it is removed
    expired ///< its lifetime was over; also if another value took its place then, or another erase found it
};

namespace cache_detail {

/// The listener of a cache.
template <class Engine>
struct removal_listener {
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using entry = typename Engine::entry_type;

    std::function<void(const Key&, const T&, removal)> on_removal;
    std::function<void(std::exception_ptr)> on_error;
    mutable typename Engine::sync_type::template atomic<std::uint64_t> failures{0};
    using order_type = removal_order<entry, typename Engine::sync_type>;
    std::unique_ptr<order_type> order{}; ///< null: removals are told in no common order

    /// Null, if the options name no listener. Throws: `std::invalid_argument`, if they name two.
    template <class Options>
    static std::unique_ptr<const removal_listener> made_of(const Options& options) {
        if (!options.on_removal && !options.on_removal_in_order) return nullptr;
        if (options.on_removal && options.on_removal_in_order)
            throw std::invalid_argument("syncmap: cache: on_removal and on_removal_in_order cannot both be given");
        const auto& f = options.on_removal ? options.on_removal : options.on_removal_in_order;
        std::unique_ptr<removal_listener> made(new removal_listener{f, options.on_error});
        if (options.on_removal_in_order) made->order = std::make_unique<order_type>();
        return made;
    }

    void tell(const entry& gone, removal why) const noexcept {
        if (!gone.has_value()) return; // what the cache remembers of a load
        try {
            on_removal(gone.key(), gone.value(), why);
        } catch (...) {
            failures.fetch_add(1, std::memory_order_relaxed);
            tell_of_error();
        }
    }

private:
    /// While an exception is handled. One that `on_error` throws has nowhere to go.
    void tell_of_error() const noexcept {
        if (!on_error) return;
        try {
            on_error(std::current_exception());
        } catch (...) {}
    }
};

/// The calling thread in a cache, during one operation, and the entries that it has taken out in that operation.
template <class Engine>
class acting_thread;

/// The same in a cache whose entries lie in the table: what is taken out is gone, and there is no listener.
template <class Engine>
    requires(!Engine::entries_are_nodes)
class acting_thread<Engine> : public Engine::visitor {
    using entry = typename Engine::entry_type;

public:
    explicit acting_thread(Engine& engine) : Engine::visitor(engine) {}
    static constexpr bool tells_in_order() noexcept { return false; }
    void dismiss_later(entry&, removal) noexcept {}
};

template <class Engine>
    requires(Engine::entries_are_nodes)
class acting_thread<Engine> : public Engine::visitor {
    using entry = typename Engine::entry_type;
    using listener = removal_listener<Engine>;

public:
    /// `told`: null without a listener. Throws: as `visitor`.
    acting_thread(Engine& engine, const listener* told) : Engine::visitor(engine), engine_(engine), told_(told) {}
    acting_thread(const acting_thread&) = delete;
    acting_thread& operator=(const acting_thread&) = delete;
    ~acting_thread() {
        if (first_ != nullptr) [[unlikely]]
            tell_all();
    }

    /// With the bucket of the entry locked, before the thread takes it out of its slot.
    void leaves(std::uint64_t hash) noexcept {
        if (told_ != nullptr) [[unlikely]]
            draw(hash);
    }
    bool tells_in_order() const noexcept { return told_ != nullptr && told_->order != nullptr; }

    /// Keeps an entry that this thread has taken out, for the listener; it retires it at the end of the operation. False: there
    /// is no listener, and the caller retires the entry.
    bool keeps(entry& gone, removal why) noexcept {
        if (told_ == nullptr) [[likely]]
            return false;
        keep(gone, why);
        return true;
    }
    /// The same, and retires the entry where there is no listener. That may run destructors of the user's.
    void dismiss(Engine& engine, entry& gone, removal why) noexcept {
        if (!keeps(gone, why)) engine.retire_entry(*this, gone);
    }
    /// The same at the end of the operation, with a listener or without.
    void dismiss_later(entry& gone, removal why) noexcept { keep(gone, why); }

private:
    static constexpr std::uint64_t reasons = 7; ///< the bits of a node's address that are 0
    static_assert(alignof(entry) > reasons);

    [[gnu::noinline]] void draw(std::uint64_t hash) noexcept {
        if (told_->order != nullptr) ticket_ = told_->order->draw(hash);
    }
    [[gnu::noinline]] void keep(entry& gone, removal why) noexcept {
        if (tells_in_order()) {
            queues_ |= told_->order->hand_in(gone, why, ticket_);
            first_ = std::addressof(gone); // so that the destructor tells. It is not looked at
            return;
        }
        gone.next_label = static_cast<std::uint64_t>(why);
        if (first_ == nullptr) {
            first_ = std::addressof(gone);
        } else {
            last_->next_label |= reinterpret_cast<std::uintptr_t>(std::addressof(gone));
        }
        last_ = std::addressof(gone);
    }
    [[gnu::noinline]] void tell_all() noexcept {
        if (tells_in_order()) {
            told_->order->tell(queues_, [this](entry& gone, removal why) {
                told_->tell(gone, why);
                engine_.retire_entry(*this, gone);
            });
            return;
        }
        while (first_ != nullptr) {
            entry& gone = *first_;
            const std::uint64_t link = gone.next_label;
            first_ = reinterpret_cast<entry*>(static_cast<std::uintptr_t>(link & ~reasons));
            if (told_ != nullptr) told_->tell(gone, static_cast<removal>(link & reasons));
            engine_.retire_entry(*this, gone);
        }
    }

    Engine& engine_;
    const listener* const told_;
    entry* first_ = nullptr;
    entry* last_ = nullptr; ///< if there is a first one
    std::uint64_t ticket_ = 0; ///< of the entry that the thread has taken out last
    typename listener::order_type::queues queues_ = 0; ///< into which it has handed entries
};

} // namespace cache_detail

} // namespace syncmap
