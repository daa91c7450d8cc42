// A value as the maps hold it: 16 bytes, a kind and a word, which is a number or counted memory. And what C passes,
// `syncmap_value`, by which the maps are searched without making one of these.
#pragma once

#include <syncmap.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "memory.hpp"

namespace syncmap::dynamic {

inline std::string_view bytes_of(const syncmap_value& v) noexcept {
    return v.as.bytes.size == 0 ? std::string_view() : std::string_view(v.as.bytes.data, v.as.bytes.size);
}

inline bytes_memory* bytes_memory_of(const syncmap_value& v) noexcept { return static_cast<bytes_memory*>(v.memory); }
inline handle_memory* handle_memory_of(const syncmap_value& v) noexcept { return static_cast<handle_memory*>(v.memory); }

/// Whether a value can be stored by sharing the memory that it names: it still shows what lies there.
inline bool shows_its_memory(const syncmap_value& v) noexcept {
    if (v.memory == nullptr) return false;
    if (v.kind == SYNCMAP_BYTES) {
        return v.as.bytes.data == bytes_memory_of(v)->data() && v.as.bytes.size == bytes_memory_of(v)->size;
    }
    return v.kind == SYNCMAP_HANDLE && v.as.handle.pointer == handle_memory_of(v)->pointer &&
           v.as.handle.type == handle_memory_of(v)->type;
}

/// Whether a value has a reference that is to be given back.
inline bool has_reference(const syncmap_value& v) noexcept {
    return v.owned != 0 && v.memory != nullptr && (v.kind == SYNCMAP_BYTES || v.kind == SYNCMAP_HANDLE);
}

inline syncmap_value borrowed(syncmap_value v) noexcept {
    v.owned = 0;
    return v;
}

inline bool is_valid(const syncmap_value& v) noexcept {
    if (v.kind == SYNCMAP_BYTES) return v.as.bytes.size == 0 || v.as.bytes.data != nullptr;
    if (v.kind == SYNCMAP_HANDLE) return v.memory == nullptr || shows_its_memory(v);
    return v.kind <= SYNCMAP_HANDLE;
}

class value {
public:
    value() noexcept = default;

    /// A copy of what a valid value shows; memory of the library's is shared, a handle without such memory
    /// is not released. Throws `bad_alloc` and `length_error`.
    explicit value(const syncmap_value& v) : kind_(v.kind) {
        switch (kind_) {
        case SYNCMAP_BOOL: word_.natural = v.as.boolean ? 1 : 0; break;
        case SYNCMAP_INT: word_.natural = static_cast<std::uint64_t>(v.as.integer); break;
        case SYNCMAP_UINT: word_.natural = v.as.natural; break;
        case SYNCMAP_DOUBLE: word_.natural = std::bit_cast<std::uint64_t>(v.as.real); break;
        case SYNCMAP_BYTES:
        case SYNCMAP_HANDLE:
            if (shows_its_memory(v)) {
                word_.memory = v.memory;
                word_.memory->retain();
            } else if (kind_ == SYNCMAP_BYTES) {
                word_.memory = bytes_memory::make(v.as.bytes.data, v.as.bytes.size);
            } else {
                word_.memory = new handle_memory(v.as.handle.pointer, v.as.handle.type);
            }
            break;
        default: break;
        }
    }
    value(const value& other) noexcept : kind_(other.kind_), word_(other.word_) {
        if (has_memory()) word_.memory->retain();
    }
    value(value&& other) noexcept : kind_(std::exchange(other.kind_, SYNCMAP_NIL)), word_(other.word_) {}
    value& operator=(value other) noexcept {
        std::swap(kind_, other.kind_);
        std::swap(word_, other.word_);
        return *this;
    }
    ~value() {
        if (!has_memory() || !word_.memory->leave()) return;
        if (kind_ == SYNCMAP_BYTES) {
            bytes_memory::destroy(static_cast<bytes_memory*>(word_.memory));
        } else {
            handle_memory::destroy(static_cast<handle_memory*>(word_.memory));
        }
    }

    std::uint32_t kind() const noexcept { return kind_; }
    bool is_handle() const noexcept { return kind_ == SYNCMAP_HANDLE; }

    /// What C is shown, with no reference of its own.
    syncmap_value shown() const noexcept {
        syncmap_value v{};
        v.kind = kind_;
        switch (kind_) {
        case SYNCMAP_BOOL: v.as.boolean = word_.natural != 0; break;
        case SYNCMAP_INT: v.as.integer = static_cast<std::int64_t>(word_.natural); break;
        case SYNCMAP_UINT: v.as.natural = word_.natural; break;
        case SYNCMAP_DOUBLE: v.as.real = std::bit_cast<double>(word_.natural); break;
        case SYNCMAP_BYTES: {
            const auto& memory = *static_cast<const bytes_memory*>(word_.memory);
            v.as.bytes = {memory.data(), memory.size};
            v.memory = word_.memory;
            break;
        }
        case SYNCMAP_HANDLE: {
            const auto& memory = *static_cast<const handle_memory*>(word_.memory);
            v.as.handle = {memory.pointer, memory.type, nullptr};
            v.memory = word_.memory;
            break;
        }
        default: break;
        }
        return v;
    }

    /// The same with the reference that this one has, which is nil then.
    syncmap_value handed_out() && noexcept {
        syncmap_value v = shown();
        v.owned = v.memory != nullptr ? 1 : 0;
        kind_ = SYNCMAP_NIL;
        return v;
    }

    /// Takes back what was handed out.
    static value taken_back(const syncmap_value& v) noexcept {
        value result;
        result.kind_ = v.kind;
        result.word_.memory = v.memory;
        return result;
    }

private:
    bool has_memory() const noexcept { return kind_ == SYNCMAP_BYTES || kind_ == SYNCMAP_HANDLE; }

    std::uint32_t kind_ = SYNCMAP_NIL;
    union {
        std::uint64_t natural = 0;
        syncmap_memory* memory;
    } word_;
};
static_assert(sizeof(value) == 16);

inline bool equal(const syncmap_value& a, const syncmap_value& b) noexcept {
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case SYNCMAP_NIL: return true;
    case SYNCMAP_BOOL: return a.as.boolean == b.as.boolean;
    case SYNCMAP_INT: return a.as.integer == b.as.integer;
    case SYNCMAP_UINT: return a.as.natural == b.as.natural;
    case SYNCMAP_DOUBLE: return a.as.real == b.as.real;
    case SYNCMAP_BYTES: return bytes_of(a) == bytes_of(b);
    case SYNCMAP_HANDLE: return a.as.handle.pointer == b.as.handle.pointer && a.as.handle.type == b.as.handle.type;
    default: return false;
    }
}
inline bool equal(const value& a, const syncmap_value& b) noexcept { return a.kind() == b.kind && equal(a.shown(), b); }

} // namespace syncmap::dynamic
