// Zeroed memory straight from the system, on huge pages where it is large: what the limits lie in.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <sys/mman.h>

namespace syncmap::bench {

class pages {
public:
    explicit pages(std::size_t bytes)
        : bytes_(bytes), at_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        if (at_ == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
        madvise(at_, bytes_, MADV_HUGEPAGE); // a refusal costs speed, nothing else
#endif
    }
    pages(pages&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)), at_(std::exchange(other.at_, nullptr)) {}
    pages& operator=(pages&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(at_, other.at_);
        return *this;
    }
    ~pages() {
        if (bytes_ != 0) munmap(at_, bytes_);
    }

    template <class T>
    T* as() const noexcept {
        return static_cast<T*>(at_);
    }

private:
    std::size_t bytes_;
    void* at_;
};

} // namespace syncmap::bench
