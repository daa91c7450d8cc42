// What bytes and handles lie in: one allocation each, with a count of its references.
#pragma once

#include <syncmap.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

/// Named in the header. Its two forms are told apart by the kind of the value that refers to it.
struct syncmap_memory {
    std::atomic<std::size_t> references{1};

    void retain() noexcept {
        // relaxed: the caller has a reference, or looks at an entry that has one.
        references.fetch_add(1, std::memory_order_relaxed);
    }
    /// True: it was the last one.
    [[nodiscard]] bool leave() noexcept {
        // release: what this thread read happens before the end; acquire: so does what all others read.
        return references.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

protected:
    syncmap_memory() = default;
    ~syncmap_memory() = default;
};

namespace syncmap::dynamic {

/// The bytes lie behind the object, with a zero after them.
struct bytes_memory : syncmap_memory {
    const std::size_t size;

    const char* data() const noexcept { return reinterpret_cast<const char*>(this + 1); }

    static bytes_memory* make(const char* data, std::size_t size) {
        constexpr std::size_t around = sizeof(bytes_memory) + 1;
        if (size > std::numeric_limits<std::ptrdiff_t>::max() - around) {
            throw std::length_error("syncmap: more bytes than memory can hold");
        }
        auto* const made = ::new (::operator new(around + size)) bytes_memory(size);
        char* const copy = reinterpret_cast<char*>(made + 1);
        if (size != 0) std::memcpy(copy, data, size);
        copy[size] = '\0';
        return made;
    }
    static void destroy(bytes_memory* memory) noexcept {
        memory->~bytes_memory();
        ::operator delete(memory);
    }

private:
    explicit bytes_memory(std::size_t n) noexcept : size(n) {}
};

/// Not the library's at first: its end calls the caller's function only if the handle was taken over until then.
struct handle_memory : syncmap_memory {
    void* const pointer;
    const std::uint64_t type;
    syncmap_release_callback release = nullptr; ///< set by the function that made it, while that has its reference

    handle_memory(void* p, std::uint64_t t) noexcept : pointer(p), type(t) {}

    static void destroy(handle_memory* memory) noexcept {
        if (memory->release != nullptr) memory->release(memory->pointer, memory->type);
        delete memory;
    }
};

} // namespace syncmap::dynamic
