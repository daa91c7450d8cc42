// The updates of syncmap.h: between the slots that C fills and those of the maps.
#include <syncmap.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "calls.hpp"

namespace syncmap::dynamic {

namespace {

syncmap_slot slot_of(const syncmap_value& key, const value* current) noexcept {
    syncmap_slot slot{};
    slot.key = borrowed(key);
    slot.found = current != nullptr;
    if (current != nullptr) slot.current = current->shown();
    return slot;
}

/// Lets go of what the slots were given, once the map has its own references.
class slots_to_clear {
public:
    explicit slots_to_clear(std::span<syncmap_slot> slots) noexcept : slots_(slots) {}
    slots_to_clear(const slots_to_clear&) = delete;
    slots_to_clear& operator=(const slots_to_clear&) = delete;
    ~slots_to_clear() {
        for (const syncmap_slot& slot : slots_) syncmap_release(slot.desired);
    }

private:
    std::span<syncmap_slot> slots_;
};

void ask(syncmap_update_callback callback, void* context, std::span<syncmap_slot> slots) {
    const syncmap_status status = call_back([&] { return callback(context, slots.data(), slots.size()); });
    if (status != SYNCMAP_OK) throw failure{status};
    for (const syncmap_slot& slot : slots) {
        if (slot.status != SYNCMAP_OK) throw failure{slot.status};
        require(slot.action <= SYNCMAP_ERASE);
        require(slot.action != SYNCMAP_ASSIGN || is_valid(slot.desired)); // the callback may have written to all of it
    }
}

/// Gives a slot another answer, and lets go of the one it had.
void answer(syncmap_slot& slot, std::uint32_t action, value desired) noexcept {
    syncmap_release(slot.desired);
    slot.desired = std::move(desired).handed_out();
    slot.action = action;
    slot.status = SYNCMAP_OK;
}

} // namespace

} // namespace syncmap::dynamic

using namespace syncmap;
using namespace syncmap::dynamic;

extern "C" {

syncmap_status syncmap_slot_assign(syncmap_slot* slot, syncmap_value desired) {
    const syncmap_status status = guarded_status([&] {
        require(slot != nullptr);
        require_valid(desired);
        argument given(desired);
        value own(given.view());
        given.take_over();
        answer(*slot, SYNCMAP_ASSIGN, std::move(own));
    });
    if (slot != nullptr) slot->status = status;
    return status;
}

syncmap_status syncmap_slot_erase(syncmap_slot* slot) {
    if (slot == nullptr) return SYNCMAP_INVALID;
    answer(*slot, SYNCMAP_ERASE, value());
    return SYNCMAP_OK;
}

syncmap_status syncmap_slot_keep(syncmap_slot* slot) {
    if (slot == nullptr) return SYNCMAP_INVALID;
    answer(*slot, SYNCMAP_KEEP, value());
    return SYNCMAP_OK;
}

syncmap_result syncmap_update(syncmap_map* map, syncmap_value key, syncmap_update_callback callback, void* context) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key);
        require(callback != nullptr);
        key_argument sought(key);
        syncmap_slot slot{}; // the callback may write to all of it
        bool was_handle = false;
        const bool changed = here->update(sought, [&](const value* current) -> update_action<value> {
            slot = slot_of(key, current);
            result.found = current != nullptr;
            was_handle = current != nullptr && current->is_handle();
            const slots_to_clear clear({&slot, 1});
            ask(callback, context, {&slot, 1});
            if (slot.action == SYNCMAP_KEEP) return keep;
            if (slot.action == SYNCMAP_ERASE) return std::nullopt;
            here.handle_arrived(sought.is_handle() || slot.desired.kind == SYNCMAP_HANDLE);
            return value(slot.desired);
        });
        result.changed = changed;
        if (!changed) return;
        if (slot.action == SYNCMAP_ASSIGN) sought.take_over();
        here.handle_departed(was_handle || sought.is_handle());
    });
}

syncmap_result syncmap_update_many(syncmap_map* map, const syncmap_value* keys, std::size_t count,
                                   syncmap_update_callback callback, void* context) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require(callback != nullptr && (keys != nullptr || count == 0));
        for (std::size_t i = 0; i < count; ++i) require_valid(keys[i]);
        std::deque<argument> given; // they stay where they are
        std::vector<value> sought;
        sought.reserve(count);
        for (std::size_t i = 0; i < count; ++i) sought.emplace_back(given.emplace_back(keys[i]).view());
        std::vector<syncmap_slot> slots(count);
        std::vector<char> was_handle(count);
        const auto decide = [&](std::span<update_slot<value>> all) {
            for (std::size_t i = 0; i < count; ++i) {
                const value* const current = all[i].current();
                slots[i] = slot_of(keys[i], current);
                was_handle[i] = current != nullptr && current->is_handle();
            }
            const slots_to_clear clear(slots);
            ask(callback, context, slots);
            bool changes = false;
            for (std::size_t i = 0; i < count; ++i) {
                if (slots[i].action == SYNCMAP_ERASE) all[i].erase();
                if (slots[i].action == SYNCMAP_ASSIGN) {
                    here.handle_arrived(given[i].is_handle() || slots[i].desired.kind == SYNCMAP_HANDLE);
                    all[i].assign(value(slots[i].desired));
                }
                changes = changes || !all[i].keeps();
            }
            result.changed = changes;
            return changes;
        };
        if (!here->update(sought, decide)) throw failure{SYNCMAP_UNSUPPORTED};
        if (!result.changed) return;
        for (std::size_t i = 0; i < count; ++i) {
            if (slots[i].action == SYNCMAP_KEEP) continue;
            if (slots[i].action == SYNCMAP_ASSIGN) given[i].take_over();
            here.handle_departed(was_handle[i] != 0 || given[i].is_handle());
        }
    });
}

} // extern "C"
