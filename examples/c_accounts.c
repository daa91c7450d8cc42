/* Recipe in C: read, modify and write in one step: a counter, a list in bytes, and two keys at once. */
#include <stdio.h>
#include <string.h>

#include <syncmap.h>

/* What a transfer wants, and how it ended. */
struct transfer {
    int64_t amount;
    bool done;
};

/* Both accounts are in the slots, in the order in which they were given. Nothing else writes to them meanwhile. */
static syncmap_status move_money(void* context, syncmap_slot* slots, size_t count) {
    struct transfer* const transfer = context;
    if (count != 2 || !slots[0].found || slots[0].current.as.integer < transfer->amount) return SYNCMAP_OK;
    const int64_t there = slots[1].found ? slots[1].current.as.integer : 0;
    syncmap_slot_assign(&slots[0], syncmap_int(slots[0].current.as.integer - transfer->amount));
    syncmap_slot_assign(&slots[1], syncmap_int(there + transfer->amount));
    transfer->done = true;
    return SYNCMAP_OK;
}

/* Appends one letter to a text; erases a text that has become long. */
static syncmap_status append(void* context, syncmap_slot* slot, size_t count) {
    const char* const letter = context;
    char text[4] = "";
    const size_t length = slot->current.kind == SYNCMAP_BYTES ? slot->current.as.bytes.size : 0;
    if (count != 1) return SYNCMAP_CALLER;
    if (length == sizeof text - 1) return syncmap_slot_erase(slot);
    if (length != 0) memcpy(text, slot->current.as.bytes.data, length);
    text[length] = *letter;
    return syncmap_slot_assign(slot, syncmap_bytes(text, length + 1));
}

static bool is_empty_account(void* context, syncmap_value key, syncmap_value value) {
    (void)context;
    (void)key;
    return value.kind == SYNCMAP_INT && value.as.integer == 0;
}

int main(void) {
    syncmap_map* const accounts = syncmap_create(NULL).map;
    if (accounts == NULL) return 1;
    syncmap_fetch_add(accounts, syncmap_string("alice"), syncmap_int(70));
    syncmap_fetch_add(accounts, syncmap_string("alice"), syncmap_int(30));

    struct transfer transfer = {100, false};
    const syncmap_value both[] = {syncmap_string("alice"), syncmap_string("bob")};
    if (syncmap_update_many(accounts, both, 2, move_money, &transfer).status != SYNCMAP_OK) return 1;

    for (int i = 0; i < 2; ++i) {
        if (!syncmap_update(accounts, syncmap_string("log"), append, "x").changed) return 1;
    }
    const syncmap_result bob = syncmap_load(accounts, syncmap_string("bob"));
    const syncmap_result log = syncmap_load(accounts, syncmap_string("log"));
    printf("Bob has %d, the log is \"%s\"\n", (int)bob.value.as.integer, log.value.as.bytes.data);
    const bool right = transfer.done && bob.value.as.integer == 100 && strcmp(log.value.as.bytes.data, "xx") == 0;
    syncmap_release(log.value);

    const size_t closed = syncmap_erase_if(accounts, is_empty_account, NULL).count;
    const syncmap_statistics left = syncmap_statistics_of(accounts);
    printf("%zu account closed, %zu entries left, about %zu bytes\n", closed, left.entries, left.memory_bytes);
    syncmap_destroy(accounts);
    return right && closed == 1 && left.entries == 2 ? 0 : 1;
}
