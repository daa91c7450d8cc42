// What a call was given to store.
#pragma once

#include <syncmap.h>

#include <memory>

#include "value.hpp"

namespace syncmap::dynamic {

/// A valid value on its way into a map. A handle of the caller's gets memory here, once, so that the call can say at
/// its end whether the handle was taken over: until then the memory releases nothing, wherever it lies.
class argument {
public:
    explicit argument(const syncmap_value& given) : view_(given) {
        if (given.kind != SYNCMAP_HANDLE || given.memory != nullptr) return;
        view_.memory = new handle_memory(given.as.handle.pointer, given.as.handle.type);
        own_ = value::taken_back(view_); // holds the reference that the new memory begins with
    }
    argument(const argument&) = delete;
    argument& operator=(const argument&) = delete;
    ~argument() = default;

    const syncmap_value& view() const noexcept { return view_; }
    operator const syncmap_value&() const noexcept { return view_; }

    bool is_handle() const noexcept { return view_.kind == SYNCMAP_HANDLE; }

    /// The map has it, or had it and let go of it again: from now on the end of its memory is the end of the handle.
    void take_over() noexcept {
        if (own_.is_handle()) handle_memory_of(view_)->release = view_.as.handle.release;
    }

private:
    syncmap_value view_;
    value own_{};
};

/// A key by which an entry is searched, or else made. (An entry keeps the key that it was inserted with.)
class key_argument {
public:
    explicit key_argument(const syncmap_value& given) : given_(given) {}

    const syncmap_value& view() const noexcept { return given_.view(); }
    bool is_handle() const noexcept { return given_.is_handle(); }
    void take_over() noexcept { given_.take_over(); }

    explicit operator value() const { return value(view()); }

private:
    argument given_;
};

} // namespace syncmap::dynamic
